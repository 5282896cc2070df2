#include "e2ee/follower.h"

#include <algorithm>
#include <utility>

namespace alcove::e2ee {
namespace {

using base::Instant;
using roomlog::Hash;

Hash to_hash(const std::string& field) {
  Hash hash{};
  if (field.size() == hash.size()) std::memcpy(hash.data(), field.data(), hash.size());
  return hash;
}

}  // namespace

bool Follower::is_repetition(const roomlog::Entry& entry) {
  if (entry.body.n() > member_.state.n()) return false;
  const auto found =
      std::ranges::find(remembered_, entry.body.n(), &std::pair<std::uint64_t, Hash>::first);
  if (found != remembered_.end() && found->second != entry.hash)
    member_.fail(KeyWarning::kFork, "The server has shown two different logs of this room.");
  return true;
}

void Follower::remember(const roomlog::Entry& entry) {
  remembered_.emplace_back(entry.body.n(), entry.hash);
  if (remembered_.size() > kRememberedHashes) remembered_.pop_front();
}

std::optional<Applied> Follower::handle_entry(Instant now, const v1::DeliveredEntry& delivered) {
  if (!member_.active()) return std::nullopt;
  auto entry = roomlog::parse_entry(delivered.entry());
  if (!entry) {
    member_.fail(KeyWarning::kFailedCheck, "An entry of the room's log is not well-formed.");
    return std::nullopt;
  }
  if (is_repetition(*entry)) return std::nullopt;
  roomlog::LogState& state = member_.state;
  Applied applied{.entry = *std::move(entry)};
  applied.entry_class = state.class_of(applied.entry.body);
  const bool full = member_.on_stage() && state.is_full();
  // Without the roster they cannot be checked; the roster that was asked for has them in it.
  if (!full && !applied.entry_class.is_short()) return std::nullopt;
  const Turns::Stage before = state.stage();
  const std::uint32_t size_before = state.roster_size();
  const Hash author = to_hash(applied.entry.body.author());
  const std::string author_name = member_.name_of(author);
  auto changes =
      state.apply(applied.entry, full ? roomlog::Follow::kFull : roomlog::Follow::kShort);
  if (!changes) {
    if (changes.error() == roomlog::LogError::kFork)
      member_.fail(KeyWarning::kFork,
                   "The server shows different people different logs of this room.");
    else
      member_.fail(KeyWarning::kFailedCheck, "An entry of the room's log is not valid.");
    return std::nullopt;
  }
  applied.changes = *std::move(changes);
  applied.ejects = std::ranges::any_of(applied.entry.body.ops(),
                                       [](const v1::LogOp& op) { return op.has_eject(); });
  remember(applied.entry);
  member_.record.add(applied.entry.object, applied.entry_class.is_authority());
  tell_early_departs(now, applied.entry, before);
  note_turns(now, applied, before);
  note_changes(now, applied);
  look_for_link(applied.entry);
  if (applied.entry_class.advance && !member_.out)
    follow_epoch(now, applied, base::as_bytes(delivered.box()), author_name);
  // Own entries with this number or a lower one cannot come back any more.
  std::erase_if(member_.own_secrets, [&](const auto& own) { return own.second.n <= state.n(); });
  // A beat tells a listener of comings and goings that it was not given.
  if (!applied.changes.empty() || state.roster_size() != size_before)
    member_.events.emplace_back(LogChanged{});
  member_.update_frames();
  return applied;
}

void Follower::note_turns(Instant now, Applied& applied, const Turns::Stage& before) {
  const Hash author = to_hash(applied.entry.body.author());
  const roomlog::StageMember* after = member_.state.on_stage(author);
  std::uint8_t seat = after == nullptr ? std::uint8_t{0} : after->seat;
  for (const auto& [old_seat, member] : before)
    if (member.certificate.leaf_hash == author) seat = old_seat;
  if (applied.entry_class.beat)
    for (const Hash& leaf : member_.turns.note_beat(now, member_.connected_at, before, seat)) {
      if (leaf == member_.leaf()) continue;
      applied.told_missing = true;
      member_.warnings.raise(KeyWarning::kNotSameLog, member_.name_of(leaf),
                             "Misses its turns in the log: the server may keep it apart.");
    }
  if (applied.entry_class.resume)
    member_.turns.note_resume(now, seat);
  else if (applied.entry_class.advance)
    member_.turns.note_advance(now);
  if (!applied.entry_class.is_short()) return;
  if (member_.turns.note_entry(author))
    member_.warnings.clear(KeyWarning::kNotSameLog, member_.name_of(author));
  if (author == member_.leaf()) member_.turns.note_own_entry(now);
  member_.heard[author] = now;
}

void Follower::tell_early_departs(Instant now, const roomlog::Entry& entry,
                                  const Turns::Stage& before) {
  for (const auto& [seat, member] : before) {
    const Hash& leaf = member.certificate.leaf_hash;
    const bool departs = std::ranges::any_of(entry.body.ops(), [&](const v1::LogOp& op) {
      return op.has_depart() && to_hash(op.depart().leaf()) == leaf;
    });
    const auto heard = member_.heard.find(leaf);
    if (!departs || member.role != v1::ROLE_MODERATOR || to_hash(entry.body.author()) == leaf ||
        heard == member_.heard.end() || now - heard->second >= kEarly)
      continue;
    member_.warnings.tell(KeyWarning::kEarlyDepart, member.certificate.display_name,
                          "Was taken out of the room though still heard from.");
  }
}

void Follower::note_changes(Instant, const Applied& applied) {
  for (const roomlog::Change& change : applied.changes) {
    if (const auto* admitted = std::get_if<roomlog::Admitted>(&change)) note_admitted(*admitted);
    if (const auto* departed = std::get_if<roomlog::Departed>(&change)) note_departed(*departed);
    if (const auto* role = std::get_if<roomlog::RoleChanged>(&change)) note_own_role(*role);
  }
  member_.turns.forget_others(member_.state.stage());
  std::erase_if(member_.heard,
                [&](const auto& entry) { return member_.state.on_stage(entry.first) == nullptr; });
}

void Follower::note_admitted(const roomlog::Admitted& admitted) {
  member_.see(admitted.certificate);
  if (admitted.replaced == member_.leaf()) member_.out = true;
  if (admitted.replaced) member_.prepared.forget(*admitted.replaced);
  if (member_.on_stage() && member_.state.is_full() &&
      admitted.certificate.leaf_hash != member_.leaf())
    member_.prepared.want(admitted.certificate.leaf_hash, admitted.certificate.encryption);
}

void Follower::note_departed(const roomlog::Departed& departed) {
  if (departed.leaf == member_.leaf()) member_.out = true;
  member_.prepared.forget(departed.leaf);
}

void Follower::note_own_role(const roomlog::RoleChanged& changed) {
  if (changed.after != v1::ROLE_LISTENER)
    if (const roomlog::StageMember* member = member_.state.on_stage(changed.leaf))
      member_.see(member->certificate);
  if (changed.leaf != member_.leaf()) return;
  if (changed.after == v1::ROLE_LISTENER) {
    member_.prepared.clear();
    member_.record.leave_stage();
    roster_wanted_ = false;
  } else if (!member_.state.is_full()) {
    request_roster();
  }
}

void Follower::take_link(const std::optional<roomlog::LinkSecret>& secret) {
  if (!secret) return;
  member_.link_secret = secret;
  member_.log_key("link_secret", *secret);
  member_.link_generation = member_.state.link_generation();
  member_.link_is_certain = true;
}

void Follower::look_for_link(const roomlog::Entry& entry) {
  const std::uint32_t generation = member_.state.link_generation();
  const auto open = [&](const std::string& box) {
    take_link(open_link_box(member_.encryption_key, member_.room(), member_.leaf(), generation,
                            base::as_bytes(box)));
  };
  if (const auto own = member_.own_secrets.find(entry.hash); own != member_.own_secrets.end())
    take_link(own->second.link);
  const bool is_current = member_.link_is_certain && member_.link_generation == generation;
  for (const v1::LogOp& op : entry.body.ops()) {
    if (op.has_role() && to_hash(op.role().leaf()) == member_.leaf() && !is_current)
      open(op.role().link_box());
    for (const v1::LinkBox& box : op.link().boxes())
      if (to_hash(box.leaf()) == member_.leaf()) open(box.box());
  }
}

void Follower::follow_epoch(Instant now, const Applied& applied, base::Bytes box,
                            const std::string& author) {
  bool is_authors_fault = false;
  const auto secret = find_epoch(applied.entry, box, is_authors_fault);
  member_.advance_epoch(now, applied.entry, applied.ejects, secret);
  if (secret) {
    member_.warnings.clear(KeyWarning::kFaultyAuthor, author);
    return;
  }
  if (is_authors_fault)
    member_.warnings.raise(
        KeyWarning::kFaultyAuthor, author,
        "Sent a key that does not fit the room's log, or the server changed it.");
  request_box(now);
}

std::optional<Secret> Follower::find_epoch(const roomlog::Entry& entry, base::Bytes box,
                                           bool& is_authors_fault) const {
  const Epochs& epochs = member_.epochs;
  if (const auto own = member_.own_secrets.find(entry.hash); own != member_.own_secrets.end())
    return own->second.epoch;
  // Before this entry's own advance: whether the epoch just before is at hand.
  const bool has_previous = epochs.has_newest();
  if (entry.body.advance() == v1::ADVANCE_RATCHET) {
    if (!has_previous) return std::nullopt;
    const Secret secret =
        derive_epoch(chain_of(epochs.known().back().secret), kNoSecret, entry.body_hash);
    if (confirms(secret, entry)) return secret;
    is_authors_fault = true;
    return std::nullopt;
  }
  if (box.empty()) return std::nullopt;
  const auto fresh =
      open_fresh_box(member_.encryption_key, member_.room(), member_.leaf(), entry.body_hash, box);
  const auto secret = fresh ? find_fresh_epoch(entry, *fresh) : std::nullopt;
  is_authors_fault = !secret && (has_previous || entry.body.resume());
  return secret;
}

std::optional<Secret> Follower::find_fresh_epoch(const roomlog::Entry& entry,
                                                 const Secret& fresh) const {
  if (entry.body.resume()) {
    const Secret secret = derive_epoch(kNoSecret, fresh, entry.body_hash);
    return confirms(secret, entry) ? std::optional(secret) : std::nullopt;
  }
  for (auto it = member_.epochs.known().rbegin(); it != member_.epochs.known().rend(); ++it) {
    const Secret secret = derive_epoch(chain_of(it->secret), fresh, entry.body_hash);
    if (confirms(secret, entry)) return secret;
  }
  return std::nullopt;
}

void Follower::request_box(Instant now) {
  if (member_.connected) member_.send().mutable_request_box();
  ask_again_at_ = now + kAskAgainAfter;
}

void Follower::miss_epoch(Instant now) { request_box(now); }

void Follower::handle_box(Instant now, const v1::MemberBox& box) {
  if (!member_.active() || !member_.missing_since || to_hash(box.leaf()) != member_.leaf()) return;
  const roomlog::Entry& advance = *member_.newest_advance;
  const auto epoch = open_epoch_box(BoxKind::kRebox, member_.encryption_key, member_.room(),
                                    member_.leaf(), advance.hash, base::as_bytes(box.box()));
  if (!epoch || epoch->number != advance.body.epoch() || !confirms(epoch->secret, advance)) return;
  member_.supply_epoch(now, epoch->secret);
  ask_again_at_ = base::kNever;
}

}  // namespace alcove::e2ee
