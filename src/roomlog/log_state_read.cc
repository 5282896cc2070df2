// What others ask a log's state.

#include "roomlog/log_state.h"

namespace alcove::roomlog {

bool LogState::is_full() const { return is_full_; }
const Genesis& LogState::genesis() const { return genesis_; }
const Hash& LogState::fingerprint() const { return genesis_.fingerprint; }
std::uint64_t LogState::n() const { return n_; }
std::uint32_t LogState::epoch() const { return epoch_; }
std::int64_t LogState::time_ms() const { return time_ms_; }
const Hash& LogState::last() const { return last_; }
const Hash& LogState::last_short() const { return last_short_; }
const Hash& LogState::last_authority() const { return last_authority_; }
std::size_t LogState::authority_entries() const { return authority_entries_; }

const std::map<std::uint8_t, StageMember>& LogState::stage() const { return stage_state_.stage; }

const StageMember* LogState::on_stage(const Hash& leaf) const {
  return stage_state_.find_leaf(leaf);
}

const StageMember* LogState::at_seat(std::uint8_t seat) const {
  const auto found = stage_state_.stage.find(seat);
  return found == stage_state_.stage.end() ? nullptr : &found->second;
}

bool LogState::has_authority(const crypto::Ed25519PublicKey& identity) const {
  return stage_state_.authority.contains(identity);
}

bool LogState::is_blocked(const crypto::Ed25519PublicKey& identity) const {
  return stage_state_.blocked.contains(identity);
}

bool LogState::is_invited(const crypto::Ed25519PublicKey& identity) const {
  return stage_state_.invited.contains(identity);
}

bool LogState::locked() const { return stage_state_.locked; }
bool LogState::link_void() const { return stage_state_.link_void; }
std::uint32_t LogState::link_generation() const { return stage_state_.link_generation; }

std::optional<std::uint8_t> LogState::next_free_seat() const {
  return stage_state_.seats.next_free();
}

std::uint32_t LogState::roster_size() const { return roster_size_; }
const std::map<Hash, Certificate>& LogState::roster() const { return roster_; }

const Certificate* LogState::member(const Hash& leaf) const {
  const auto found = roster_.find(leaf);
  return found == roster_.end() ? nullptr : &found->second;
}

const Certificate* LogState::member_of(const crypto::Ed25519PublicKey& identity) const {
  const auto found = leaf_of_.find(identity);
  return found == leaf_of_.end() ? nullptr : member(found->second);
}

Hash LogState::roster_hash() const { return roster_hash_; }
Hash LogState::stage_hash() const { return stage_state_.hash(); }

}  // namespace alcove::roomlog
