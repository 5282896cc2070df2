#pragma once
// Reads tests/vectors/**: lines of `name = hexadecimal`, with comments after #.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>

#include "base/text.h"

namespace alcove::crypto::testing {

class Vectors {
 public:
  explicit Vectors(const std::string& file) {
    std::ifstream in(std::string(ALCOVE_VECTORS) + "/" + file);
    EXPECT_TRUE(in.good()) << file;
    for (std::string line; std::getline(in, line);) {
      std::erase(line, ' ');
      const std::size_t equals = line.find('=');
      if (line.starts_with('#') || equals == std::string::npos) continue;
      const std::optional<base::Buffer> value = base::from_hex(line.substr(equals + 1));
      EXPECT_TRUE(value.has_value()) << line;
      values_[line.substr(0, equals)] = value.value_or(base::Buffer{});
    }
  }

  const base::Buffer& get(const std::string& name) const { return values_.at(name); }
  template <std::size_t N>
  void copy_to(const std::string& name, std::array<std::uint8_t, N>& out) const {
    const base::Buffer& value = get(name);
    ASSERT_LE(value.size(), N);
    std::ranges::copy(value, out.begin());
  }

 private:
  std::map<std::string, base::Buffer> values_;
};

}  // namespace alcove::crypto::testing
