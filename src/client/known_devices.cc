#include "client/known_devices.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace alcove::client {

namespace {

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 512 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// The next word of the line, which loses it.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

}  // namespace

std::string_view to_text(DeviceState state) {
  switch (state) {
    case DeviceState::kNew:
      return "new";
    case DeviceState::kKnown:
      return "known";
    case DeviceState::kChanged:
      return "changed";
  }
  return "";
}

KnownDevices KnownDevices::parse(std::string_view text) {
  KnownDevices result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    Account account;
    account.server = take_word(line);
    account.id = take_word(line);
    const auto identity = base::from_base64url(take_word(line));
    Device device;
    if (!identity || identity->size() != device.identity.size()) continue;
    std::ranges::copy(*identity, device.identity.begin());
    device.name = line;
    result.add(account, std::move(device));
  }
  return result;
}

std::string KnownDevices::text() const {
  std::string out;
  for (const auto& [account, devices] : devices_) {
    for (const Device& device : devices)
      out += fmt::format("{} {} {} {}\n", account.server, account.id,
                         base::to_base64url(device.identity), device.name);
  }
  return out;
}

DeviceState KnownDevices::look(std::string_view server, std::string_view account,
                               const crypto::Ed25519PublicKey& identity, std::string_view name) {
  Account key{std::string(server), std::string(account)};
  const auto found = devices_.find(key);
  const bool has_others = found != devices_.end();
  if (has_others &&
      std::ranges::find(found->second, identity, &Device::identity) != found->second.end())
    return DeviceState::kKnown;
  std::string line(name);
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  if (add(key, {identity, std::move(line)})) changed_ = true;
  return has_others ? DeviceState::kChanged : DeviceState::kNew;
}

void KnownDevices::merge(const KnownDevices& other) {
  for (const auto& [account, devices] : other.devices_)
    for (const Device& device : devices) add(account, device);
}

bool KnownDevices::add(const Account& account, Device device) {
  if (!is_word(account.server) || !is_word(account.id)) return false;
  if (!devices_.contains(account) && devices_.size() >= kMaxAccounts) return false;
  std::vector<Device>& devices = devices_[account];
  if (std::ranges::find(devices, device.identity, &Device::identity) != devices.end()) return false;
  if (devices.size() >= kMaxKeys) devices.erase(devices.begin());
  devices.push_back(std::move(device));
  return true;
}

}  // namespace alcove::client
