#pragma once
// Reads published vectors and captured descriptions from tests/vectors.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/bytes.h"
#include "base/text.h"

namespace alcove::wire {

inline std::string read_text(const std::string& name) {
  std::ifstream file(std::string(ALCOVE_VECTORS) + "/" + name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

// Hexadecimal with spaces; a line that begins with # is a comment.
inline base::Buffer read_hex(const std::string& name) {
  std::ifstream file(std::string(ALCOVE_VECTORS) + "/" + name);
  EXPECT_TRUE(file.is_open()) << name;
  std::string digits;
  for (std::string line; std::getline(file, line);)
    if (!line.starts_with('#')) digits += line;
  std::erase(digits, ' ');
  const auto bytes = base::from_hex(digits);
  EXPECT_TRUE(bytes.has_value()) << name;
  return bytes.value_or(base::Buffer{});
}

inline base::Buffer from_digits(std::string digits) {
  std::erase(digits, ' ');
  const auto bytes = base::from_hex(digits);
  EXPECT_TRUE(bytes.has_value()) << digits;
  return bytes.value_or(base::Buffer{});
}

}  // namespace alcove::wire
