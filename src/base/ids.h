#pragma once
// Strong ids: 16 random bytes, written as 22 characters of base64url. Two kinds do not mix. Any
// thread.

#include <array>
#include <compare>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/text.h"

namespace alcove::base {

template <typename Tag>
class RandomId {
 public:
  static constexpr std::size_t kSize = 16;

  RandomId() = default;
  static RandomId make(RandomSource& random) {
    RandomId id;
    random.fill(id.bytes_);
    return id;
  }
  static std::optional<RandomId> parse(std::string_view text) {
    const std::optional<Buffer> bytes = from_base64url(text);
    if (!bytes || bytes->size() != kSize) return std::nullopt;
    return from_bytes(*bytes);
  }
  // nullopt unless exactly 16 bytes.
  static std::optional<RandomId> from_bytes(Bytes bytes) {
    if (bytes.size() != kSize) return std::nullopt;
    RandomId id;
    std::memcpy(id.bytes_.data(), bytes.data(), kSize);
    return id;
  }
  std::string text() const { return to_base64url(bytes_); }
  Bytes bytes() const { return bytes_; }
  auto operator<=>(const RandomId&) const = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

// An account, or a guest for the time of a visit.
using AccountId = RandomId<struct AccountTag>;
using SessionId = RandomId<struct SessionTag>;
// What the control plane and the members call a room; part of its link. The relay never learns it.
using RoomId = RandomId<struct RoomTag>;
// What the relay calls a room: random, made for the room's life.
using RelayRoomId = RandomId<struct RelayRoomTag>;
// One join of one member, made for that join: the only name that the relay has for a member.
using JoinId = RandomId<struct JoinTag>;

}  // namespace alcove::base

template <typename Tag>
struct std::hash<alcove::base::RandomId<Tag>> {
  std::size_t operator()(const alcove::base::RandomId<Tag>& id) const noexcept {
    std::size_t value = 0;  // the bytes are random: any eight of them are a hash
    std::memcpy(&value, id.bytes().data(), sizeof value);
    return value;
  }
};
