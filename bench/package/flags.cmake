# Flags of every target: one tree gives the same bytes wherever it lies, and what an attacker could use is switched off.
# tests/unit/hardening.sh reads the programs and the commands that made them.
include(CheckCCompilerFlag)

# Paths of the tree and of the build in messages and debug information would differ between machines, dates between days.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=build -Wdate-time)

# An MPI outside the system's folders (EFA's is in /opt/amazon) is found by the installed program too. Both have the same
# path, as CMake would fill up that of the build with an empty element, which means the current folder.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)

# -fPIE for all, not CMake's POSITION_INDEPENDENT_CODE: that compiles libraries with -fPIC, where a function that another
# library could replace is not inlined. A library to be loaded (tests have one) has CMake's own -fPIC.
set(loaded $<STREQUAL:$<TARGET_PROPERTY:TYPE>,MODULE_LIBRARY>)
add_compile_options($<$<NOT:${loaded}>:-fPIE> -fstack-protector-strong)
add_link_options($<$<NOT:${loaded}>:-pie> -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
foreach(flag -fstack-clash-protection -fcf-protection=full)
  string(MAKE_C_IDENTIFIER "RS_HAS${flag}" known)
  check_c_compiler_flag("${flag} -Werror" ${known})
  if(${known})
    add_compile_options(${flag})
  endif()
endforeach()
# It needs an optimised build, and would hide calls from the sanitizers. Some compilers define it themselves.
if(NOT RS_SANITIZE)
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
