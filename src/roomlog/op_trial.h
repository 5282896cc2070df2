#pragma once
// The ops of one entry, applied beside the state (docs/protocol/room-keys.md, "The log"): what they
// yield is taken over only when the whole entry is valid. One thread.

#include <expected>
#include <optional>
#include <vector>

#include "roomlog/log_state.h"
#include "roomlog/roster_view.h"

namespace alcove::roomlog {

class OpTrial {
 public:
  // genesis and current outlive this. roster: unknown for who follows in short or chain.
  OpTrial(const Genesis& genesis, const StageState& current, RosterView roster)
      : genesis_(genesis), current_(current), roster_(std::move(roster)) {}

  // body is within its bounds. After an error nothing of this is of use.
  std::expected<void, LogError> apply(const v1::LogEntry& body);

  const StageState& stage_state() const { return changed_ ? *changed_ : current_; }
  // nullopt: the ops left it as it was.
  std::optional<StageState> take_changed_stage_state() { return std::move(changed_); }
  const RosterView& roster() const { return roster_; }
  std::vector<Change> take_changes() { return std::move(changes_); }

 private:
  using Result = std::expected<void, LogError>;
  Result apply_op(const v1::LogOp& op);
  Result admit(const v1::AdmitOp& op);
  Result admit_for_resume(const v1::AdmitOp& op);
  Result depart(const Hash& leaf);
  Result eject(const v1::EjectOp& op);
  Result change_role(const v1::RoleOp& op);
  Result make_listener(const Hash& leaf);
  Result make_speaker(const v1::RoleOp& op);
  Result make_moderator(const Hash& leaf);
  Result set_locked(const v1::LockOp& op);
  Result renew_link(const v1::LinkOp& op);
  Result invite(const v1::InviteOp& op);
  void succeed();

  // Valid, not blocked, and its leaf is new.
  std::expected<Certificate, LogError> check_admitted(const v1::AdmitOp& op) const;
  bool author_is_on_stage() const;
  bool author_is_moderator() const;
  bool may_depart(const StageMember& member) const;

  StageState& edit();
  void replace_on_stage(const StageMember& member, const Certificate& certificate, v1::Role role);
  // On the seat that is the next free one.
  void seat(const Certificate& certificate, v1::Role role);
  void leave_stage(std::uint8_t seat);

  const Genesis& genesis_;
  const StageState& current_;
  std::optional<StageState> changed_;
  RosterView roster_;
  std::vector<Change> changes_;
  Hash author_{};
  std::uint64_t n_ = 0;
  std::int64_t time_ms_ = 0;
};

}  // namespace alcove::roomlog
