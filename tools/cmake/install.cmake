# `cmake --install` makes a package. The runtime is an export of its own, so that it can be used where LLVM is not installed.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/sinter)

install(TARGETS sinter_graph sinter_runtime EXPORT sinter-runtime)
install(TARGETS sinter_autodiff sinter_passes sinter_codegen sinter_all EXPORT sinter-compiler)
install(EXPORT sinter-runtime NAMESPACE sinter:: DESTINATION ${package})
install(EXPORT sinter-compiler NAMESPACE sinter:: DESTINATION ${package})

# Headers keep their paths under include/sinter.
install(FILES sinter.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sinter)
install(DIRECTORY graph autodiff passes runtime codegen DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sinter
  FILES_MATCHING PATTERN "*.h" PATTERN codegen/llvm EXCLUDE)
# The three of these that name no type of LLVM's.
install(FILES codegen/llvm/jit.h codegen/llvm/fatal.h codegen/llvm/target.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sinter/codegen/llvm)
# There they name each other as a user names them, so that no folder of a user's own called graph or runtime comes first.
install(CODE [[
  file(GLOB_RECURSE headers "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/include/sinter/*.h")
  foreach(header ${headers})
    file(READ ${header} text)
    string(REGEX REPLACE "#include \"(graph|autodiff|passes|runtime|codegen)/" "#include \"sinter/\\1/" text "${text}")
    file(WRITE ${header} "${text}")
  endforeach()
]])

configure_package_config_file(tools/cmake/sinter-config.cmake.in sinter-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(sinter-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/sinter-config.cmake ${PROJECT_BINARY_DIR}/sinter-config-version.cmake tools/cmake/llvm.cmake DESTINATION ${package})
