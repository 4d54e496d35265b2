# `cmake --install` and `cpack`: the program, its manual pages and completion (made of its own --help), the files to start
# from, the scripts that compare placements and versions, and the documentation.
include(GNUInstallDirs)

set(pages ${PROJECT_BINARY_DIR}/pages)
set(pages_source ${PROJECT_SOURCE_DIR}/bench/package)
add_custom_command(
  OUTPUT ${pages}/ringside.bash
  COMMAND ${pages_source}/make_pages $<TARGET_FILE:ringside> ${pages}
  DEPENDS ringside ${pages_source}/make_pages ${pages_source}/man_page.awk ${pages_source}/completion.bash
  COMMENT "Making manual pages and bash completion of --help"
  VERBATIM)
add_custom_target(pages ALL DEPENDS ${pages}/ringside.bash)

set(data ${CMAKE_INSTALL_DATADIR}/ringside)
install(TARGETS ringside)
install(DIRECTORY ${pages}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${pages}/ringside.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ringside)
install(DIRECTORY configs DESTINATION ${data})
install(PROGRAMS bench/placements bench/regress DESTINATION ${data}/bench)
install(FILES bench/launcher.bash DESTINATION ${data}/bench)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN "make*" EXCLUDE)

# A package of Debian: what it links with is asked of dpkg-shlibdeps; the launcher is a program, so it is named here.
set(CPACK_GENERATOR DEB)
set(RS_PACKAGE_CONTACT "ringside maintainers <maintainers@users.noreply.r-seed-2d1ead07.example>" CACHE STRING
  "Maintainer of the package: whoever builds and hands it out")
set(CPACK_PACKAGE_CONTACT "${RS_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "interconnect benchmark for distributed training")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "MPI ranks exchange gradients with ring, tree and other allreduce algorithms over TCP and\nRDMA. Measures latency and bandwidth, and says which placement is best, and how sure.")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS openmpi-bin)
if(MPI_C_LIBRARIES MATCHES "mpich")
  set(CPACK_DEBIAN_PACKAGE_DEPENDS mpich)
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS iproute2)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "ibverbs-providers, bash-completion")
include(CPack)
