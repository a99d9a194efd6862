# How everything in this project is compiled, and the functions that make its targets.
include(GNUInstallDirs)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

# No debug information in release: it is two thirds of what the compiler writes and the linker reads. Use `dev` to debug.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(CCACHE ccache)
find_program(LLD ld.lld PATHS /usr/lib/llvm-19/bin NO_DEFAULT_PATH)
mark_as_advanced(CCACHE LLD)

# Sources are named from the repository's root in messages, whatever compiles them.
set(SINTER_SOURCE_PREFIX ${PROJECT_SOURCE_DIR}/)
if(CCACHE AND NOT DEFINED SINTER_CCACHE_WORKS)
  # Without a home folder it may write to, ccache fails instead of stepping aside.
  file(WRITE ${PROJECT_BINARY_DIR}/empty.cpp "")
  execute_process(COMMAND ${CCACHE} ${CMAKE_CXX_COMPILER} -c ${PROJECT_BINARY_DIR}/empty.cpp -o ${PROJECT_BINARY_DIR}/CMakeFiles/empty.o
    RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  string(COMPARE EQUAL "${status}" 0 works)
  set(SINTER_CCACHE_WORKS ${works} CACHE INTERNAL "Whether ccache can write to its folder")
endif()
if(SINTER_CCACHE_WORKS AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache makes paths relative to the build folder, so that two clones, and two build folders, share what is cached.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  cmake_path(RELATIVE_PATH SINTER_SOURCE_PREFIX BASE_DIRECTORY ${PROJECT_BINARY_DIR})
endif()

# Applies the project's language, warnings and arithmetic to one of its own targets.
function(sinter_target target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
    $<$<BOOL:${SINTER_WERROR}>:-Werror>
    # Files that a unity build joins are included by their whole paths.
    -fmacro-prefix-map=${SINTER_SOURCE_PREFIX}= -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=
    # The interpreter and the constant folder round exactly where the source says so.
    -ffp-contract=off)
  if(SINTER_SANITIZE)
    # clang's check of calls through pointers reads a word before the function, which of a compiled graph is another page.
    target_compile_options(${target} PRIVATE -fsanitize=${SINTER_SANITIZE} -fno-sanitize-recover=all
      $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function> -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${SINTER_SANITIZE})
  endif()
  # Not for g++: it may leave the cold part of a function empty, whose unwind entry then names the address where another function begins. lld
  # keeps the first of the two, so that an exception on its way through that function ends the process; GNU's linker keeps both.
  if(LLD AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    cmake_path(GET LLD PARENT_PATH folder)
    target_link_options(${target} PRIVATE -B${folder} -fuse-ld=lld)
  endif()
endfunction()

# sinter_layer(graph): the static library sinter_graph, of every source file in that folder but those in the folder EXCEPT.
function(sinter_layer folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXCEPT" "")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  if(arg_EXCEPT)
    list(FILTER sources EXCLUDE REGEX "/${arg_EXCEPT}/")
  endif()
  add_library(sinter_${folder} STATIC ${sources})
  sinter_target(sinter_${folder})
  target_include_directories(sinter_${folder} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

# sinter_command(sinter tools/sinter): an executable of every source file in that folder.
function(sinter_command name folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  add_executable(${name} ${sources})
  sinter_target(${name})
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set_target_properties(${name} PROPERTIES SINTER_STATIC_LLVM ON)
  endif()
  target_link_libraries(${name} PRIVATE sinter::sinter CLI11::CLI11 fmt::fmt nlohmann_json::nlohmann_json)
  target_compile_definitions(${name} PRIVATE SINTER_VERSION="${PROJECT_VERSION}")
  install(TARGETS ${name})
endfunction()
