#pragma once
// The manifest keys that servers had before: trust on first use, where no link pins the key. A text
// with a line for each server, "<origin> <SHA-256 of the key>". One thread.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/hash.h"

namespace alcove::client {

class KnownServers {
 public:
  // Further ones are not remembered.
  static constexpr std::size_t kMaxServers = 10'000;

  // Lines that are none are left out.
  static KnownServers parse(std::string_view text);
  std::string text() const;

  std::optional<crypto::Sha256Digest> find(std::string_view origin) const;
  // In place of what was known.
  void set(std::string_view origin, const crypto::Sha256Digest& key_hash);
  // What set() has learned since the last take, for the file that others write, too.
  std::map<std::string, crypto::Sha256Digest> take_changes() { return std::exchange(changes_, {}); }
  bool changed() const { return !changes_.empty(); }

 private:
  std::map<std::string, crypto::Sha256Digest> servers_;
  std::map<std::string, crypto::Sha256Digest> changes_;
};

}  // namespace alcove::client
