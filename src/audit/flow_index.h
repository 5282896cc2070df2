#pragma once
// Finds a flow by its two sockets and protocol, whichever way a packet goes. One thread.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "audit/packet.h"

namespace alcove::audit {

// Two sockets and a protocol, the lesser socket first, so that both directions are one.
struct FlowSockets {
  std::array<std::uint64_t, 5> words{};
  bool swapped = false;  // the packet's source is the second
  // Written out: a call of memcmp would cost more than the comparison.
  bool same(const FlowSockets& other) const {
    return ((words[0] ^ other.words[0]) | (words[1] ^ other.words[1]) |
            (words[2] ^ other.words[2]) | (words[3] ^ other.words[3]) |
            (words[4] ^ other.words[4])) == 0;
  }
};

FlowSockets sockets_of(const Packet& packet);

// From sockets to a number below the capacity. Its hash is keyed, so that no capture can be made
// whose flows all fall together.
class FlowIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  // At most capacity flows are held at a time.
  explicit FlowIndex(std::uint32_t capacity);

  std::uint64_t hash(const FlowSockets& sockets) const;
  // kNone: not there.
  std::uint32_t find(const FlowSockets& sockets, std::uint64_t hash) const;
  // The sockets are not there yet.
  std::uint32_t add(const FlowSockets& sockets, std::uint64_t hash);
  void remove(std::uint32_t number);
  std::uint32_t size() const { return size_; }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t number = kNone;
  };
  struct alignas(64) Held {  // one line of the processor's cache
    FlowSockets sockets;
    std::uint64_t hash = 0;
  };
  void put(std::uint64_t hash, std::uint32_t number);
  void grow();
  std::size_t home(std::uint64_t hash) const { return hash & mask_; }
  static std::uint32_t tag(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

  std::array<std::uint64_t, 5> key_{};
  std::vector<Slot> slots_;  // twice as many as flows or more, so that searches end soon
  std::size_t mask_ = 0;
  std::uint32_t capacity_;
  std::uint32_t size_ = 0;
  std::vector<Held> held_;
  std::vector<std::uint32_t> free_;
};

}  // namespace alcove::audit
