#pragma once
// The part of a log's state that everybody in the room has: the stage, authority, blocks, lock and
// link. Only authority entries change it. Copyable; one thread.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "roomlog/objects.h"

namespace alcove::roomlog {

struct StageMember {
  std::uint8_t seat = 0;
  v1::Role role = v1::ROLE_SPEAKER;  // or ROLE_MODERATOR
  Certificate certificate;
  std::uint64_t since = 0;         // n of the entry that gave the seat
  std::int64_t last_entry_ms = 0;  // time_ms of its last short-path entry that is known, or of the
                                   // entry that gave the seat or replaced the leaf
};

// Every frame names its sender's seat, so a seat should not pass to another holder while there are
// seats that nobody has had (the rule of rooms/seats.h).
class SeatBook {
 public:
  // nullopt when all are held.
  std::optional<std::uint8_t> next_free() const;
  // The next free one is there (CHECK).
  void take();
  // seat was taken.
  void give_back(std::uint8_t seat);

 private:
  static constexpr unsigned kEnd = 256;
  unsigned next_ = 1;
  std::deque<std::uint8_t> returned_;
};

struct StageState {
  std::map<std::uint8_t, StageMember> stage;  // by seat
  SeatBook seats;
  std::set<crypto::Ed25519PublicKey> authority;
  std::set<crypto::Ed25519PublicKey> blocked;
  std::set<crypto::Ed25519PublicKey> invited;
  bool locked = false;
  bool link_void = false;
  std::uint32_t link_generation = 0;

  const StageMember* find_leaf(const Hash& leaf) const;
  const StageMember* find_identity(const crypto::Ed25519PublicKey& identity) const;
  bool has_moderator() const;
  // H(for each seat in ascending order: u8 seat || leaf hash || identity || u8 role).
  Hash hash() const;
};

}  // namespace alcove::roomlog
