// A pcapng file from anybody: whole and in pieces it gives the same frames.

#include <cstdint>

#include "support/capture_check.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  alcove::fuzz::check_capture({data, size});
  return 0;
}
