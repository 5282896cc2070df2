#include "e2ee/joining.h"

#include <algorithm>
#include <utility>

namespace alcove::e2ee {

using base::Instant;
using base::WallTime;

void Joining::handle_waiting(const v1::Waiting& waiting) {
  if (member_.admitted || member_.stopped) return;
  member_.events.emplace_back(WaitingChanged{waiting.reason()});
}

void Joining::handle_resume(Instant now, WallTime wall, const v1::LogChain& chain) {
  if (member_.admitted || member_.stopped || writer_.busy()) return;
  auto walked = roomlog::walk_chain(chain, member_.room());
  if (!walked)
    return member_.fail(KeyWarning::kFailedCheck,
                        "The room's log that the server gave is not valid.");
  // Not this member's to restart.
  if (!walked->state.has_authority(member_.certificate.identity)) return;
  resume_ = *std::move(walked);
  resume_chain_ = chain;
  own_resume_.reset();
  resume_roster_.clear();
  resume_head_.reset();
  if (!resume_->head) write_resume(now, wall);
}

void Joining::handle_roster(Instant now, WallTime wall, const v1::RosterPart& part) {
  if (member_.admitted || member_.stopped || !resume_ || !resume_->head || writer_.busy()) return;
  switch (collector_.add(part)) {
    case RosterCollector::Status::kMore:
      return;
    case RosterCollector::Status::kBad:
      return member_.fail(KeyWarning::kFailedCheck, "A list of the room's people is not valid.");
    case RosterCollector::Status::kComplete:
      break;
  }
  resume_roster_ = collector_.take_certificates();
  if (!resume_->state.adopt_roster(resume_roster_, collector_.head()))
    return member_.fail(KeyWarning::kFailedCheck,
                        "The list of the room's people is not the log's.");
  resume_head_ = collector_.head();
  write_resume(now, wall);
}

void Joining::write_resume(Instant now, WallTime wall) {
  const roomlog::LogState& state = resume_->state;
  const roomlog::Certificate* old = state.member_of(member_.certificate.identity);
  const bool replaces = old != nullptr && state.on_stage(old->leaf_hash) != nullptr;
  Draft draft{.ops = {}, .advance = v1::ADVANCE_FRESH, .resume = true, .joiners = {}, .link = {}};
  v1::AdmitOp& admit = *draft.ops.emplace_back().mutable_admit();
  *admit.mutable_certificate() = member_.certificate.object;
  if (!replaces) admit.set_seat(state.next_free_seat().value_or(0));
  auto entry = writer_.write(now, wall, state, draft);
  if (!entry)
    return member_.fail(KeyWarning::kFailedCheck,
                        "The room's log does not allow to go on with it.");
  own_resume_ = *std::move(entry);
}

void Joining::handle_refused() {
  resume_.reset();
  own_resume_.reset();
}

std::optional<roomlog::Entry> Joining::handle_admitted(Instant now, const v1::Admitted& admitted) {
  if (member_.admitted || member_.stopped) return std::nullopt;
  auto admit = roomlog::parse_entry(admitted.admit());
  if (!admit) {
    member_.fail(KeyWarning::kFailedCheck, "The entry that lets you in is not well-formed.");
    return std::nullopt;
  }
  const bool is_own = own_resume_ && own_resume_->hash == admit->hash;
  auto result = is_own ? finish_resume(now, *admit) : finish_join(now, *admit, admitted);
  if (!result) return result;
  member_.admitted = true;
  member_.warnings.clear(KeyWarning::kClockAhead, {});
  resume_.reset();
  own_resume_.reset();
  note_link();
  member_.events.emplace_back(AdmittedEvent{});
  return result;
}

void Joining::note_link() {
  const roomlog::LogState& state = member_.state;
  const auto& identity = member_.certificate.identity;
  const bool is_closed = state.genesis().body.kind() == v1::ROOM_KIND_CLOSED;
  member_.link_generation = state.link_generation();
  // Who founds the room made the secret; who came into a closed room by the link showed it.
  // Whoever has a seat or was here before came in for that.
  const bool by_link = is_closed && !member_.options.was_inside && !member_.on_stage() &&
                       !state.is_invited(identity) && !state.has_authority(identity);
  const bool by_earlier_join = member_.options.link_generation == state.link_generation();
  member_.link_is_certain = member_.link_secret && (state.n() == 1 || by_link || by_earlier_join);
  // It may be that of an older link, whose owners are not to be let in. Of the first there is none.
  if (is_closed && !member_.link_is_certain && state.link_generation() > 0)
    member_.link_secret.reset();
}

std::optional<roomlog::Entry> Joining::finish_resume(Instant now, const roomlog::Entry& entry) {
  roomlog::LogState state = std::move(resume_->state);
  const bool head_is_authority = resume_head_ && state.last_authority() == resume_head_->hash;
  const auto own = member_.own_secrets.find(entry.hash);
  if (own == member_.own_secrets.end() || !state.apply(entry, roomlog::Follow::kFull)) {
    member_.fail(KeyWarning::kFailedCheck, "The entry that restarts the room is not valid.");
    return std::nullopt;
  }
  if (resume_->head) {
    member_.record.begin(resume_chain_);
    member_.record.begin_full(resume_roster_, resume_head_->object, head_is_authority);
  }
  member_.record.add(entry.object, true);
  member_.state = std::move(state);
  writer_.handle_applied(entry.hash);
  const Secret secret = *own->second.epoch;
  member_.own_secrets.clear();
  member_.begin_epoch(entry, secret);
  member_.newest_advance_at = now;
  return entry;
}

std::optional<roomlog::Entry> Joining::finish_join(Instant now, const roomlog::Entry& admit,
                                                   const v1::Admitted& admitted) {
  const auto refuse = [&](const char* detail) {
    member_.fail(KeyWarning::kFailedCheck, detail);
    return std::nullopt;
  };
  auto walked = roomlog::walk_chain(admitted.chain(), member_.room());
  if (!walked || !walked->head) return refuse("The room's log that the server gave is not valid.");
  const bool is_authority = walked->state.class_of(admit.body).is_authority();
  const auto changes = walked->state.apply(admit, roomlog::Follow::kShort);
  if (!changes) return refuse("The entry that lets you in does not follow the room's log.");
  const bool names_own = std::ranges::any_of(*changes, [&](const roomlog::Change& change) {
    const auto* in = std::get_if<roomlog::Admitted>(&change);
    return in != nullptr && in->certificate.leaf_hash == member_.leaf();
  });
  if (!names_own) return refuse("The entry that lets you in names somebody else.");
  member_.record.begin(admitted.chain());
  member_.record.add(admit.object, is_authority);
  member_.state = std::move(walked->state);
  const roomlog::Entry& advance = admit.has_advance() ? admit : *walked->advance;
  const auto epoch = open_epoch_box(BoxKind::kJoin, member_.encryption_key, member_.room(),
                                    member_.leaf(), admit.hash, base::as_bytes(admitted.box()));
  if (epoch && epoch->number == advance.body.epoch() && confirms(epoch->secret, advance)) {
    member_.begin_epoch(advance, epoch->secret);
    return admit;
  }
  // In the log, but without a key that fits it: somebody else on the stage may give it.
  member_.newest_advance = advance;
  member_.missing_since = now;
  member_.epochs.begin_missing(advance.body.epoch());
  roomlog::Hash author{};
  std::memcpy(author.data(), admit.body.author().data(), author.size());
  member_.warnings.raise(KeyWarning::kFaultyAuthor, member_.name_of(author),
                         "Let you in with a key that does not fit the room's log, or the server "
                         "changed it.");
  return admit;
}

}  // namespace alcove::e2ee
