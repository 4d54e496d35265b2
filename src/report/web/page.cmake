# The web page of `ringside report`: bundled by node when ringside is built, and compiled in as bytes. Nothing is
# written into the source tree. RS_REPORT says what to do where node, npm or the npm registry is out of reach.
set(RS_REPORT AUTO CACHE STRING "Build the page of 'ringside report': AUTO (where node and npm are there), ON, OFF")
set_property(CACHE RS_REPORT PROPERTY STRINGS AUTO ON OFF)
set(RS_REPORT_MODES AUTO ON OFF)
if(NOT RS_REPORT IN_LIST RS_REPORT_MODES)
  message(FATAL_ERROR "RS_REPORT is '${RS_REPORT}'; it can be AUTO, ON or OFF")
endif()
find_program(NODE node)
find_program(NPM npm)

set(page_source ${PROJECT_SOURCE_DIR}/src/report/web)
set(page_build ${PROJECT_BINARY_DIR}/report-page)
file(GLOB page_files CONFIGURE_DEPENDS ${page_source}/*.js ${page_source}/*.css ${page_source}/*.html)
# A page that could not be bundled is tried again after every run of cmake.
if(EXISTS ${page_build}/page_asset.c AND NOT EXISTS ${page_build}/page.html)
  file(REMOVE ${page_build}/page_asset.c)
endif()
add_custom_command(
  OUTPUT ${page_build}/page_asset.c
  COMMAND ${CMAKE_COMMAND} -DMODE=${RS_REPORT} -DNODE=${NODE} -DNPM=${NPM} -DSOURCE=${page_source} -DBUILD=${page_build}
          -P ${page_source}/embed.cmake
  DEPENDS ${page_files} ${page_source}/package.json ${page_source}/package-lock.json ${page_source}/bundle.mjs
          ${page_source}/embed.cmake
  COMMENT "Bundling the page of 'ringside report'"
  VERBATIM)
file(READ ${page_source}/package.json package)
string(JSON echarts GET "${package}" dependencies echarts)
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/report/report_html.c PROPERTIES
  COMPILE_DEFINITIONS RS_ECHARTS_VERSION="${echarts}")
target_sources(rs_report PRIVATE ${page_build}/page_asset.c)
