#include "e2ee/candidates.h"

#include <set>
#include <utility>

#include "roomlog/bounds.h"

namespace alcove::e2ee {

using Refuse = v1::RefuseCandidate;

void Candidates::refuse(std::uint32_t candidate, Reason reason) {
  v1::RefuseCandidate& refusal = *member_.send().mutable_refuse();
  refusal.set_candidate(candidate);
  refusal.set_reason(reason);
}

void Candidates::add(const v1::AdmitTask& task) {
  if (!member_.is_keeper() || waiting_.size() >= kMaxWaiting)
    return refuse(task.candidate(), Refuse::REASON_CANNOT_CHECK);
  auto certificate = roomlog::parse_certificate(member_.room(), task.keys().certificate());
  // An encryption key of small order would get a box that anybody can open.
  if (!certificate || !crypto::HpkeSealContext::make(certificate->encryption, {}, member_.random))
    return refuse(task.candidate(), Refuse::REASON_BAD_CERTIFICATE);
  Candidate candidate{
      .receiver = {.candidate = task.candidate(), .certificate = *std::move(certificate)},
      .link_mac = task.keys().link_mac(),
      .known = task.known()};
  if (member_.state.member(candidate.receiver.certificate.leaf_hash) != nullptr) return;
  if (const Reason reason = check(candidate); reason != Refuse::REASON_UNSPECIFIED)
    return refuse(task.candidate(), reason);
  waiting_.insert_or_assign(task.candidate(), std::move(candidate));
}

Candidates::Reason Candidates::check(const Candidate& candidate) const {
  const roomlog::LogState& state = member_.state;
  const auto& identity = candidate.receiver.certificate.identity;
  if (state.is_blocked(identity)) return Refuse::REASON_BLOCKED;
  if (state.member_of(identity) != nullptr) return Refuse::REASON_UNSPECIFIED;
  if (state.roster_size() >= roomlog::kMaxRoster) return Refuse::REASON_CANNOT_CHECK;
  if (state.locked()) {
    if (!member_.is_moderator()) return Refuse::REASON_CANNOT_CHECK;
    if (!candidate.known && !state.has_authority(identity)) return Refuse::REASON_LOCKED;
  }
  if (state.genesis().body.kind() == v1::ROOM_KIND_CLOSED) return check_closed(candidate);
  return Refuse::REASON_UNSPECIFIED;
}

Candidates::Reason Candidates::check_closed(const Candidate& candidate) const {
  const roomlog::LogState& state = member_.state;
  const roomlog::Certificate& certificate = candidate.receiver.certificate;
  if (state.is_invited(certificate.identity) || state.has_authority(certificate.identity))
    return Refuse::REASON_UNSPECIFIED;
  if (state.link_void() || candidate.link_mac.empty()) return Refuse::REASON_NO_LINK;
  const bool has_secret = member_.link_secret && member_.link_generation == state.link_generation();
  if (!has_secret) return Refuse::REASON_CANNOT_CHECK;
  const auto expected =
      roomlog::link_mac(*member_.link_secret, member_.room(), certificate.leaf_hash);
  if (crypto::constant_time_equal(expected, base::as_bytes(candidate.link_mac)))
    return Refuse::REASON_UNSPECIFIED;
  return member_.link_is_certain ? Refuse::REASON_NO_LINK : Refuse::REASON_CANNOT_CHECK;
}

void Candidates::forget(const roomlog::Hash& leaf) {
  std::erase_if(waiting_, [&](const auto& entry) {
    return entry.second.receiver.certificate.leaf_hash == leaf;
  });
}

void Candidates::refuse_first() {
  if (waiting_.empty()) return;
  refuse(waiting_.begin()->first, Refuse::REASON_CANNOT_CHECK);
  waiting_.erase(waiting_.begin());
}

bool Candidates::drop_gone(const v1::AppendRefused& refused) {
  std::size_t dropped = 0;
  for (const std::uint32_t candidate : refused.gone()) dropped += waiting_.erase(candidate);
  return dropped != 0;
}

void Candidates::fill(Draft& draft, bool alone) {
  const roomlog::LogState& state = member_.state;
  std::set<crypto::Ed25519PublicKey> identities;
  bool has_seat = false;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (draft.joiners.size() >= (alone ? 1 : kMaxInEntry)) return;
    const auto& [number, candidate] = *it;
    const roomlog::Certificate& certificate = candidate.receiver.certificate;
    if (const Reason reason = check(candidate); reason != Refuse::REASON_UNSPECIFIED) {
      refuse(number, reason);
      it = waiting_.erase(it);
      continue;
    }
    ++it;
    // One join of a person in an entry, and one that comes back to the stage: the next one's seat
    // and what it replaces follow from the first.
    const bool comes_back = state.member_of(certificate.identity) == nullptr &&
                            state.has_authority(certificate.identity) && member_.is_moderator() &&
                            state.next_free_seat().has_value();
    if (comes_back && std::exchange(has_seat, true)) continue;
    if (!identities.insert(certificate.identity).second) continue;
    v1::AdmitOp& admit = *draft.ops.emplace_back().mutable_admit();
    *admit.mutable_certificate() = certificate.object;
    if (comes_back) admit.set_seat(*state.next_free_seat());
    draft.joiners.push_back(candidate.receiver);
  }
}

}  // namespace alcove::e2ee
