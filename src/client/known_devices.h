#pragma once
// The identity keys that accounts of a server had before: trust on first use. A text with a line
// for each key, "<server> <account> <identity> <name>", those of an account the longest known
// first. One thread.

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ed25519.h"

namespace alcove::client {

enum class DeviceState : std::uint8_t {
  kNew,      // the first key of this account
  kKnown,    // one that it had before
  kChanged,  // another one: a new device, or somebody else
};
std::string_view to_text(DeviceState state);  // "new", "known", "changed"

class KnownDevices {
 public:
  // Of an account: the longest known go first.
  static constexpr std::size_t kMaxKeys = 8;
  // Further ones are not remembered.
  static constexpr std::size_t kMaxAccounts = 10'000;

  // Lines that are none are left out.
  static KnownDevices parse(std::string_view text);
  std::string text() const;

  // Remembers the key. server: an origin; account: its id. The name is for people who read the
  // file.
  DeviceState look(std::string_view server, std::string_view account,
                   const crypto::Ed25519PublicKey& identity, std::string_view name);
  // Adds what other has and this has not: of another process that wrote the file meanwhile.
  void merge(const KnownDevices& other);
  // look() has learned something.
  bool changed() const { return changed_; }

 private:
  struct Account {
    std::string server;
    std::string id;
    auto operator<=>(const Account&) const = default;
  };
  struct Device {
    crypto::Ed25519PublicKey identity{};
    std::string name;
  };

  bool add(const Account& account, Device device);

  std::map<Account, std::vector<Device>> devices_;
  bool changed_ = false;
};

}  // namespace alcove::client
