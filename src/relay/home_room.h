#pragma once
// What a room's home shard knows: who speaks in which slot, which shards have endpoints of the
// room, what its listeners lose. One thread.

#include <cstdint>

#include "base/ids.h"
#include "base/time.h"
#include "relay/loss.h"
#include "relay/shard.h"
#include "relay/slot_mapper.h"

namespace alcove::relay {

struct HomeRoom {
  // A shard's listeners outlive this when messages are lost, and an index of a slot must never come
  // back: two packets under one SRTP nonce. So each begins at the clock, which runs ahead of any
  // count of packets.
  HomeRoom(unsigned slots, base::Instant now)
      : mapper(slots, static_cast<std::uint64_t>(now.time_since_epoch().count())) {}

  void set_present(unsigned shard, bool present) {
    const std::uint64_t bit = std::uint64_t{1} << shard;
    shards = present ? shards | bit : shards & ~bit;
  }
  bool is_present(unsigned shard) const { return (shards >> shard & 1) != 0; }

  SlotMapper mapper;
  LossWindow loss;
  base::Instant loss_published{};
  std::uint64_t shards = 0;  // a bit each
  static_assert(kMaxShards <= 64);
};

}  // namespace alcove::relay
