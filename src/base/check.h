#pragma once
// CHECK(condition): a programmer's error ends the process, in release builds too. Never for input.

namespace alcove::base {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace alcove::base

#define CHECK(condition)                                            \
  do {                                                              \
    if (!(condition)) [[unlikely]]                                  \
      ::alcove::base::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
