#pragma once
// By which name an address was found, from the DNS answers of the capture. Two generations of at
// most kGeneration addresses. One thread.

#include <map>
#include <string>
#include <string_view>

#include "base/address.h"

namespace alcove::audit {

class NameTable {
 public:
  static constexpr std::size_t kGeneration = 16'384;

  // The last word counts.
  void learn(const base::IpAddress& address, std::string_view name) {
    if (young_.size() >= kGeneration) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_[address] = name;
  }
  // "" when it was not heard of.
  std::string_view find(const base::IpAddress& address) const {
    if (const auto found = young_.find(address); found != young_.end()) return found->second;
    if (const auto found = old_.find(address); found != old_.end()) return found->second;
    return {};
  }

 private:
  std::map<base::IpAddress, std::string> young_;
  std::map<base::IpAddress, std::string> old_;
};

}  // namespace alcove::audit
