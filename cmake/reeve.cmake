# One way to declare a target. Every library, program and test of the project goes through these
# functions, so that warnings, hardening and precompiled headers are the same everywhere.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(reeve_flags INTERFACE)
target_include_directories(reeve_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
# -fPIC here and not through CMake's property, which gives programs -fPIE: a precompiled header serves only one of the two.
target_compile_options(reeve_flags INTERFACE -Wall -Wextra -Wpedantic -Werror -Wformat=2
                       -fstack-protector-strong -fPIC)
target_compile_definitions(reeve_flags INTERFACE REEVE_VERSION="${PROJECT_VERSION}"
                           _GLIBCXX_ASSERTIONS BOOST_ALLOW_DEPRECATED_HEADERS
                           SPDLOG_FMT_EXTERNAL)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(reeve_flags INTERFACE -Wthread-safety)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(reeve_flags INTERFACE _FORTIFY_SOURCE=2)
endif()

# The heavy headers everybody includes, compiled once. Tests add GoogleTest.
file(WRITE ${CMAKE_BINARY_DIR}/pch_anchor.cc "")
function(reeve_make_pch name)
  cmake_parse_arguments(ARG "" "" "LIBS;HEADERS" ${ARGN})
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/pch_anchor.cc)
  target_link_libraries(${name} PUBLIC reeve_flags fmt::fmt tl::expected ${ARG_LIBS})
  target_precompile_headers(${name} PRIVATE <algorithm> <array> <atomic> <chrono> <cstdint>
    <functional> <map> <memory> <mutex> <optional> <span> <string> <string_view> <thread>
    <unordered_map> <utility> <vector> <fmt/format.h> <tl/expected.hpp> ${ARG_HEADERS})
endfunction()
reeve_make_pch(reeve_pch)
reeve_make_pch(reeve_test_pch LIBS GTest::gtest HEADERS <gtest/gtest.h>)

# reeve_library(NAME folder DEPS other-folders… LIBS packages…)
# Builds src/<folder> as reeve_<name>; sources are listed by glob so that a file cannot be
# forgotten; *_test.cc become the test program <name>_test.
function(reeve_library name)
  cmake_parse_arguments(ARG "" "DIR" "DEPS;LIBS;TEST_DEPS" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/src/${ARG_DIR})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM ARG_DEPS PREPEND reeve_ OUTPUT_VARIABLE deps)
  if(sources)
    add_library(reeve_${name} STATIC ${sources})
    target_precompile_headers(reeve_${name} REUSE_FROM reeve_pch)
    target_link_libraries(reeve_${name} PUBLIC reeve_flags fmt::fmt tl::expected ${deps} ${ARG_LIBS})
  else()
    add_library(reeve_${name} INTERFACE)
    target_link_libraries(reeve_${name} INTERFACE reeve_flags fmt::fmt tl::expected ${deps} ${ARG_LIBS})
  endif()
  if(tests)
    list(TRANSFORM ARG_TEST_DEPS PREPEND reeve_ OUTPUT_VARIABLE test_deps)
    reeve_test(${name}_test SOURCES ${tests} DEPS ${name} ${ARG_TEST_DEPS})
  endif()
endfunction()

# reeve_test(NAME SOURCES files… DEPS folders… LIBS packages… ENV var=value…)
function(reeve_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LIBS;ENV;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_precompile_headers(${name} REUSE_FROM reeve_test_pch)
  list(TRANSFORM ARG_DEPS PREPEND reeve_)
  target_link_libraries(${name} PRIVATE reeve_flags ${ARG_DEPS} ${ARG_LIBS} GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "REEVE_SOURCE_DIR=${CMAKE_SOURCE_DIR};REEVE_BINARY_DIR=${CMAKE_BINARY_DIR};${ARG_ENV}"
    LABELS "${ARG_LABELS}")
endfunction()

# reeve_program(NAME SOURCES files… DEPS folders… LIBS packages…)
function(reeve_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_precompile_headers(${name} REUSE_FROM reeve_pch)
  list(TRANSFORM ARG_DEPS PREPEND reeve_)
  target_link_libraries(${name} PRIVATE reeve_flags ${ARG_DEPS} ${ARG_LIBS})
endfunction()

# reeve_fuzzer(NAME SOURCES files… DEPS folders…): a libFuzzer target with the corpus tests/fuzz/corpus/NAME.
function(reeve_fuzzer name)
  if(NOT REEVE_FUZZ)
    return()
  endif()
  reeve_program(${name} ${ARGN})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()

# reeve_script_test(NAME file.py LABELS labels… TIMEOUT seconds): a Python test, see tools/testing.py.
find_program(REEVE_PYTHON python3)
function(reeve_script_test name file)
  cmake_parse_arguments(ARG "" "TIMEOUT" "LABELS" ${ARGN})
  if(NOT REEVE_PYTHON)
    message(STATUS "no python3: ${name} is left out")
    return()
  endif()
  add_test(NAME ${name} COMMAND ${REEVE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
    ENVIRONMENT "REEVE_SOURCE_DIR=${CMAKE_SOURCE_DIR};REEVE_BINARY_DIR=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endfunction()
