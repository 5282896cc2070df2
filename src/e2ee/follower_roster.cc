// The roster of a Follower, and its beginnings.

#include <utility>

#include "e2ee/follower.h"

namespace alcove::e2ee {

using base::Instant;

void Follower::begin(Instant now, const roomlog::Entry& admit) {
  remember(admit);
  for (const auto& [seat, member] : member_.state.stage()) member_.see(member.certificate);
  member_.turns.begin(now);
  if (const roomlog::StageMember* own = member_.own_seat(); own != nullptr && admit.body.resume())
    member_.turns.note_resume(now, own->seat);
  // How old the newest advance is, a joiner does not know: old enough for a ratchet.
  member_.newest_advance_at = admit.has_advance() ? now : now - base::seconds(6);
  for (const auto& [leaf, certificate] : member_.state.roster())
    if (leaf != member_.leaf()) member_.prepared.want(leaf, certificate.encryption);
  if (member_.on_stage() && !member_.state.is_full()) request_roster();
  member_.update_frames();
}

void Follower::request_roster() {
  roster_wanted_ = true;
  roster_tries_ = 0;
  if (member_.connected) member_.send().mutable_request_roster();
}

void Follower::handle_roster(const v1::RosterPart& part) {
  if (!member_.active() || !roster_wanted_) return;
  if (part.first() == 0) roster_base_ = member_.state;
  switch (collector_.add(part)) {
    case RosterCollector::Status::kMore:
      return;
    case RosterCollector::Status::kBad:
      return member_.fail(KeyWarning::kFailedCheck, "A list of the room's people is not valid.");
    case RosterCollector::Status::kComplete:
      return adopt(collector_.take_certificates(), collector_.head());
  }
}

void Follower::adopt(std::vector<roomlog::Certificate> certificates, const roomlog::Entry& head) {
  const bool full = member_.on_stage();
  roomlog::LogState& state = member_.state;
  if (full && state.is_full()) return;
  // A listener goes on as it was.
  roomlog::LogState copy = full || !roster_base_ ? state : *std::move(roster_base_);
  roster_base_.reset();
  const roomlog::EntryClass head_class = state.class_of(head.body);
  // On the stage, entries are followed as they are delivered, with their epochs.
  const bool runs_ahead = full && head_class.is_short() && head.hash != state.last();
  const auto adopted = runs_ahead ? std::unexpected(roomlog::LogError::kFork)
                                  : copy.adopt_roster(certificates, head);
  if (!adopted) {
    // An entry may have come between the parts.
    if (++roster_tries_ < kMaxRosterTries && adopted.error() == roomlog::LogError::kFork) {
      member_.send().mutable_request_roster();
      return;
    }
    return member_.fail(KeyWarning::kFailedCheck,
                        "The list of the room's people is not the log's.");
  }
  roster_wanted_ = false;
  for (const roomlog::Certificate& certificate : certificates) member_.see(certificate);
  if (!full) {
    listener_roster_ = std::move(certificates);
    member_.events.emplace_back(RosterReady{});
    return;
  }
  state = std::move(copy);
  remember(head);
  member_.record.begin_full(certificates, head.object, state.last_authority() == head.hash);
  for (const roomlog::Certificate& certificate : certificates)
    if (certificate.leaf_hash != member_.leaf())
      member_.prepared.want(certificate.leaf_hash, certificate.encryption);
  member_.events.emplace_back(RosterReady{});
  member_.events.emplace_back(LogChanged{});
}

void Follower::handle_connected(Instant now) {
  if (!member_.active()) return;
  member_.send().mutable_have()->set_n(member_.state.n());
  if (roster_wanted_) request_roster();
  if (member_.missing_since) request_box(now);
}

void Follower::handle_timeout(Instant now) {
  if (!member_.active() || !member_.missing_since) {
    ask_again_at_ = base::kNever;
    return;
  }
  if (ask_again_at_ <= now) request_box(now);
}

Instant Follower::next_deadline() const { return ask_again_at_; }

}  // namespace alcove::e2ee
