#pragma once
// The identity keys that accounts of a server had before: trust on first use. A text with a line
// for each key, "<server> <account> <identity> <name>", those of an account the longest known
// first. One thread.

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/ed25519.h"
#include "e2ee/known_devices.h"

namespace alcove::client {

// kNew: the first key of this account. kKnown: one that it had before. kChanged: another one, a new
// device or somebody else.
using DeviceState = e2ee::KnownDevices::Seen;
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

// Looks up whom room keys meet in a room, and keeps it for whoever tells the person. One thread.
class DeviceWatch final : public e2ee::KnownDevices {
 public:
  struct Met {
    roomlog::Certificate certificate;
    DeviceState state = DeviceState::kNew;
  };

  // server: its origin. devices outlives this.
  DeviceWatch(client::KnownDevices& devices, std::string server)
      : devices_(devices), server_(std::move(server)) {}

  DeviceState see(const roomlog::Certificate& certificate) override {
    const DeviceState state =
        devices_.look(server_, certificate.account, certificate.identity, certificate.display_name);
    met_.push_back({certificate, state});
    return state;
  }
  std::vector<Met> take_met() { return std::exchange(met_, {}); }

 private:
  client::KnownDevices& devices_;
  std::string server_;
  std::vector<Met> met_;
};

}  // namespace alcove::client
