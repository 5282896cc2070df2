#include "audit/flow_index.h"

#include <bit>
#include <utility>

#include "audit/load.h"
#include "base/check.h"
#include "crypto/random.h"

namespace alcove::audit {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kFewSlots = 1024;
constexpr std::uint64_t kV4 = 0xffff'0000'0000;  // as IPv4-mapped IPv6 addresses are (RFC 4291)

struct Words {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint16_t port = 0;
  auto operator<=>(const Words&) const = default;
};

Words words_of(const base::SocketAddress& address) {
  const std::uint8_t* bytes = address.ip.bytes().data();
  if (address.ip.is_v4()) return {0, kV4 | load_big<std::uint32_t>(bytes), address.port};
  return {load_big<std::uint64_t>(bytes), load_big<std::uint64_t>(bytes + 8), address.port};
}

// The product of 64-bit numbers, folded: every bit of both tells on every bit of it.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

FlowSockets sockets_of(const Packet& packet) {
  Words first = words_of(packet.source);
  Words second = words_of(packet.destination);
  FlowSockets sockets;
  sockets.swapped = second < first;
  if (sockets.swapped) std::swap(first, second);
  sockets.words = {
      first.high, first.low, second.high, second.low,
      std::uint64_t{packet.protocol} << 32 | std::uint64_t{first.port} << 16 | second.port};
  return sockets;
}

FlowIndex::FlowIndex(std::uint32_t capacity)
    : slots_(kFewSlots), mask_(kFewSlots - 1), capacity_(capacity) {
  crypto::SystemRandom random;
  // Odd: none is 0, with which a product would be.
  for (std::uint64_t& key : key_) key = random.next_u64() | 1;
}

std::uint64_t FlowIndex::hash(const FlowSockets& sockets) const {
  const auto& words = sockets.words;
  const std::uint64_t addresses = mix(words[0] ^ key_[0], words[1] ^ key_[1]) ^
                                  std::rotl(mix(words[2] ^ key_[2], words[3] ^ key_[3]), 32);
  return mix(addresses ^ words[4] ^ key_[4], 0x9e3779b97f4a7c15);
}

std::uint32_t FlowIndex::find(const FlowSockets& sockets, std::uint64_t hash) const {
  for (std::size_t at = home(hash);; at = (at + 1) & mask_) {
    const Slot& slot = slots_[at];
    if (slot.number == kNone) return kNone;
    if (slot.tag == tag(hash) && held_[slot.number].sockets.same(sockets)) return slot.number;
  }
}

std::uint32_t FlowIndex::add(const FlowSockets& sockets, std::uint64_t hash) {
  CHECK(size_ < capacity_);
  auto number = static_cast<std::uint32_t>(held_.size());
  if (free_.empty()) {
    held_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  held_[number] = {sockets, hash};
  if (++size_ * std::size_t{2} > slots_.size()) grow();
  put(hash, number);
  return number;
}

void FlowIndex::put(std::uint64_t hash, std::uint32_t number) {
  std::size_t at = home(hash);
  while (slots_[at].number != kNone) at = (at + 1) & mask_;
  slots_[at] = {tag(hash), number};
}

void FlowIndex::grow() {
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  mask_ = slots_.size() - 1;
  for (const Slot& slot : before)
    if (slot.number != kNone) put(held_[slot.number].hash, slot.number);
}

void FlowIndex::remove(std::uint32_t number) {
  std::size_t hole = home(held_[number].hash);
  while (slots_[hole].number != number) hole = (hole + 1) & mask_;
  // What stands behind moves up, unless it stands between its home and the hole already.
  for (std::size_t at = (hole + 1) & mask_; slots_[at].number != kNone; at = (at + 1) & mask_) {
    const std::size_t from_home = (at - home(held_[slots_[at].number].hash)) & mask_;
    if (from_home < ((at - hole) & mask_)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
  free_.push_back(number);
  --size_;
}

}  // namespace alcove::audit
