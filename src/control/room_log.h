#pragma once
// A room's log as the control plane keeps it: the state that it yields, and of the entries what is
// still delivered. It orders entries and cannot write one. One thread.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alcove/v1/keys.pb.h"
#include "roomlog/log_state.h"

namespace alcove::control {

class RoomLog {
 public:
  explicit RoomLog(roomlog::Genesis genesis);

  const roomlog::LogState& state() const { return state_; }

  // checked: what state().check() gave for this entry in full. boxes: of a fresh advance, 80 bytes
  // for each leaf of the roster after the entry but the author's (the caller has checked the
  // size), else empty.
  void append(const roomlog::Entry& entry, roomlog::LogState::Checked checked, std::string boxes);

  // What a joiner checks, as of now, or as of before entry n; nullopt when that is not held.
  v1::LogChain chain() const;
  std::optional<v1::LogChain> chain_before(std::uint64_t n) const;
  // The roster as of now, in parts, made once for all who ask. None while the log is empty.
  using Roster = std::shared_ptr<const std::vector<v1::RosterPart>>;
  Roster roster() const;
  // Every joiner is given all entries of class authority: their bytes are bounded, so that a chain
  // fits into one message. The last part is for what takes people out and lets the room go on.
  static constexpr std::size_t kMaxAuthorityBytes = 512 << 10;
  static constexpr std::size_t kReservedBytes = 64 << 10;
  bool has_room_for(const roomlog::Entry& entry) const;

  // An entry as it is delivered.
  struct Kept {
    std::uint64_t n = 0;
    roomlog::EntryClass entry_class;
    bool fresh = false;
    std::string object;  // a SignedObject
  };
  // Null when it is not held.
  const Kept* find(std::uint64_t n) const;
  const Kept& newest() const { return entries_.back(); }
  // What follows entry n; nullopt when not all of it is held (or n is not yet written).
  std::optional<std::vector<const Kept*>> after(std::uint64_t n) const;
  // Of a fresh entry, for a leaf; empty when there is none (any more).
  std::string_view box(std::uint64_t n, const roomlog::Hash& leaf) const;
  std::size_t held_bytes() const { return held_bytes_; }

 private:
  struct Boxes {
    std::uint64_t n = 0;
    std::vector<roomlog::Hash> leaves;  // ascending
    std::string bytes;
  };
  struct Numbered {
    std::uint64_t n = 0;
    v1::SignedObject object;
  };
  void keep(const roomlog::Entry& entry, roomlog::EntryClass entry_class);
  void keep_boxes(const roomlog::Entry& entry, std::string boxes);

  roomlog::LogState state_;
  std::vector<Numbered> authority_;  // all, in order
  std::size_t authority_bytes_ = 0;
  mutable Roster roster_;     // of the newest entry, where somebody has asked
  std::deque<Kept> entries_;  // the newest, without a gap
  std::size_t held_bytes_ = 0;
  std::deque<Boxes> boxes_;  // of the newest fresh entries
  // However long ago they were written.
  Numbered advance_, head_;
};

}  // namespace alcove::control
