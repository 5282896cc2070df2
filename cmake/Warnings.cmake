add_library(alcove_warnings INTERFACE)
target_compile_options(alcove_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wmissing-declarations
  # A designated initializer leaves the other members to their defaults, and means to.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside its own library when it inlines across std::vector and std::string.
  target_compile_options(alcove_warnings INTERFACE -Wno-error=restrict -Wno-error=stringop-overflow
    -Wno-error=array-bounds -Wno-error=maybe-uninitialized -Wno-error=stringop-overread
    -Wno-error=dangling-pointer -Wno-error=free-nonheap-object)
endif()

if(ALCOVE_SANITIZE)
  add_compile_options(-fsanitize=${ALCOVE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ALCOVE_SANITIZE})
  if(ALCOVE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

# How sanitized code is compiled: instrumented for coverage where the fuzz targets reach, and without
# optimisation where nothing waits for it. Code generation is most of a clean build's time.
function(alcove_instrument target)
  cmake_parse_arguments(ARG "COVERAGE;UNOPTIMISED" "" "" ${ARGN})
  if(ARG_COVERAGE AND ALCOVE_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(ARG_UNOPTIMISED AND ALCOVE_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()
