#include "roomlog/stage_state.h"

#include <algorithm>

namespace alcove::roomlog {

std::optional<std::uint8_t> SeatBook::next_free() const {
  if (next_ != kEnd) return static_cast<std::uint8_t>(next_);
  if (returned_.empty()) return std::nullopt;
  return returned_.front();
}

void SeatBook::take() {
  CHECK(next_free());
  if (next_ != kEnd)
    ++next_;
  else
    returned_.pop_front();
}

void SeatBook::give_back(std::uint8_t seat) {
  CHECK(seat != 0 && seat < next_);
  returned_.push_back(seat);
}

const StageMember* StageState::find_leaf(const Hash& leaf) const {
  for (const auto& [seat, member] : stage)
    if (member.certificate.leaf_hash == leaf) return &member;
  return nullptr;
}

const StageMember* StageState::find_identity(const crypto::Ed25519PublicKey& identity) const {
  for (const auto& [seat, member] : stage)
    if (member.certificate.identity == identity) return &member;
  return nullptr;
}

bool StageState::has_moderator() const {
  return std::ranges::any_of(
      stage, [](const auto& entry) { return entry.second.role == v1::ROLE_MODERATOR; });
}

Hash StageState::hash() const {
  base::Buffer bytes(stage.size() * 66);
  base::ByteWriter writer(bytes);
  for (const auto& [seat, member] : stage) {
    writer.write_u8(seat);
    writer.write_bytes(member.certificate.leaf_hash);
    writer.write_bytes(member.certificate.identity);
    writer.write_u8(static_cast<std::uint8_t>(member.role));
  }
  return crypto::sha256(writer.written());
}

}  // namespace alcove::roomlog
