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
if(ALCOVE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
