#pragma once
// The room as the member's connection has told it: the state of the join or of a Welcome, and the
// batches of events since. One thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alcove/v1/events.pb.h"
#include "alcove/v1/rooms.pb.h"

namespace alcove::client {

class RoomView {
 public:
  void set_state(const v1::RoomState& state) { state_ = state; }
  // What an event changes; of those that only happen (a reaction, the end), nothing.
  void apply(const v1::RoomEvent& event);
  // False for a batch that does not follow the last: one was missed, or it is a repetition.
  bool follows(const v1::EventBatch& batch) const {
    return batch.revision() == state_.revision() + 1;
  }
  bool is_repetition(const v1::EventBatch& batch) const {
    return batch.revision() <= state_.revision();
  }
  void set_revision(std::uint64_t revision) { state_.set_revision(revision); }

  const v1::RoomState& state() const { return state_; }
  const v1::Member& self() const { return state_.self(); }
  bool on_stage() const;
  bool is_moderator() const { return self().role() == v1::ROLE_MODERATOR; }
  // The seat that the member sends for; 0 when it is not on the stage.
  std::uint8_t seat() const;
  bool may(std::string_view command) const;

  // Null when nobody on the stage has it.
  const v1::Member* stage_member_at(std::uint8_t seat) const;
  const v1::Member* stage_member(std::uint32_t member_id) const;

 private:
  void change_stage_member(const v1::Member& member);
  void remove_stage_member(std::uint32_t member_id);

  v1::RoomState state_;
};

// "listener", "speaker" or "moderator".
std::string_view role_name(v1::Role role);

// A member by id, by name or by username, without case; ids first. nullopt when nobody or more than
// one is meant.
std::optional<v1::Member> find_member(const google::protobuf::RepeatedPtrField<v1::Member>& members,
                                      std::string_view name_or_id);

}  // namespace alcove::client
