# sinter::LLVM is what compile() links: LLVM's shared library or, for a target with the property SINTER_STATIC_LLVM, its archives, of which the
# program then holds what it uses: it starts sooner and needs no LLVM where it runs, but takes seconds to link.
find_package(LLVM 19.1 QUIET CONFIG PATHS /usr/lib/llvm-19/lib/cmake/llvm)
if(LLVM_FOUND AND NOT TARGET sinter::LLVM)
  llvm_map_components_to_libnames(archives X86 AArch64 ARM RISCV WebAssembly orcjit passes)
  # They name zstd for sections that are compressed, which none here is; its library comes with LLVM's, but not what CMake finds it by.
  if(NOT TARGET zstd::libzstd_shared)
    find_library(SINTER_ZSTD NAMES zstd libzstd.so.1)
    mark_as_advanced(SINTER_ZSTD)
    add_library(zstd::libzstd_shared UNKNOWN IMPORTED)
    set_target_properties(zstd::libzstd_shared PROPERTIES IMPORTED_LOCATION "${SINTER_ZSTD}")
  endif()
  add_library(sinter::LLVM INTERFACE IMPORTED)
  set(static "$<BOOL:$<TARGET_PROPERTY:SINTER_STATIC_LLVM>>")
  target_link_libraries(sinter::LLVM INTERFACE "$<IF:${static},${archives},LLVM>")
  target_link_options(sinter::LLVM INTERFACE "$<${static}:LINKER:--gc-sections,--as-needed,--exclude-libs,ALL>")
endif()
