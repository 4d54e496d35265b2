# cmake -DMODE= -DNODE= -DNPM= -DSOURCE= -DBUILD= -P embed.cmake: writes BUILD/page_asset.c, which defines what
# src/report/page_asset.h declares. Without node or the packages it defines an empty page and says why; with MODE=ON
# that is an error.
cmake_minimum_required(VERSION 3.22)
file(MAKE_DIRECTORY ${BUILD})
file(REMOVE ${BUILD}/page.html)

# Sets `missing` to why there is no page; empty when BUILD/page.html has been made.
function(make_page)
  set(missing "" PARENT_SCOPE)
  if(MODE STREQUAL OFF)
    set(missing "RS_REPORT=OFF; run cmake with -DRS_REPORT=AUTO and build again" PARENT_SCOPE)
    return()
  endif()
  if(NOT NODE OR NOT NPM)
    set(missing "node and npm were not found; install them (Debian: apt-get install nodejs npm), run cmake and build again"
        PARENT_SCOPE)
    return()
  endif()
  # The packages: again only when the lock has changed.
  file(SHA256 ${SOURCE}/package-lock.json lock)
  set(installed "")
  if(EXISTS ${BUILD}/installed)
    file(READ ${BUILD}/installed installed)
  endif()
  if(NOT installed STREQUAL lock)
    file(COPY ${SOURCE}/package.json ${SOURCE}/package-lock.json DESTINATION ${BUILD})
    execute_process(
      COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=20000
      WORKING_DIRECTORY ${BUILD} TIMEOUT 300 RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE said)
    if(NOT status EQUAL 0)
      string(REGEX MATCH "npm (error|ERR!) [^\n]*" reason "${said}${status}")
      set(missing "npm could not fetch its packages (${reason}); with the npm registry in reach, run cmake and build again"
          PARENT_SCOPE)
      return()
    endif()
    file(WRITE ${BUILD}/installed ${lock})
  endif()
  execute_process(COMMAND ${NODE} ${SOURCE}/bundle.mjs ${SOURCE} ${BUILD} RESULT_VARIABLE status ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "bundling the page of 'ringside report' failed:\n${said}")
  endif()
endfunction()

make_page()
set(bytes "0")
set(length 0)
if(missing STREQUAL "")
  file(READ ${BUILD}/page.html bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR length "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  # Lines of 16 bytes: some tools dislike lines of a megabyte.
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
elseif(MODE STREQUAL ON)
  message(FATAL_ERROR "RS_REPORT=ON, but the page of 'ringside report' cannot be built: ${missing}")
else()
  message(STATUS "'ringside report' is built without its page: ${missing}")
endif()
string(REGEX REPLACE "[^ -~]|[\"\\\\]" "" missing "${missing}")
file(WRITE ${BUILD}/page_asset.c "// Made by src/report/web/embed.cmake.
#include \"report/page_asset.h\"

const unsigned char rs_page_asset[] = {
${bytes}};
const size_t rs_page_asset_bytes = ${length};
const char rs_page_asset_missing[] = \"${missing}\";
")
