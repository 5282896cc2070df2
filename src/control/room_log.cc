#include "control/room_log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace alcove::control {
namespace {

constexpr std::size_t kMaxHeldBytes = 16 << 20;
constexpr std::size_t kMaxHeldBoxes = 4;
constexpr std::size_t kBoxSize = 80;
constexpr std::size_t kCertificatesPerPart = 64;

v1::SignedObject parse(const std::string& object) {
  v1::SignedObject parsed;
  CHECK(parsed.ParseFromString(object));  // written here
  return parsed;
}

}  // namespace

RoomLog::RoomLog(roomlog::Genesis genesis) : state_(std::move(genesis)) {}

void RoomLog::append(const roomlog::Entry& entry, roomlog::LogState::Checked checked,
                     std::string boxes) {
  const roomlog::EntryClass entry_class = checked.entry_class;
  state_.apply(entry, std::move(checked));
  keep(entry, entry_class);
  if (entry.body.advance() == v1::ADVANCE_FRESH) keep_boxes(entry, std::move(boxes));
}

void RoomLog::keep(const roomlog::Entry& entry, roomlog::EntryClass entry_class) {
  const std::uint64_t n = entry.body.n();
  roster_.reset();
  if (entry_class.is_authority()) {
    authority_.push_back({n, entry.object});
    authority_bytes_ += entry.object.ByteSizeLong();
  }
  if (entry_class.advance) advance_ = {n, entry.object};
  if (entry_class.is_short()) head_ = {n, entry.object};
  entries_.push_back({.n = n,
                      .entry_class = entry_class,
                      .fresh = entry.body.advance() == v1::ADVANCE_FRESH,
                      .object = entry.object.SerializeAsString()});
  held_bytes_ += entries_.back().object.size();
  while (held_bytes_ > kMaxHeldBytes) {
    held_bytes_ -= entries_.front().object.size();
    entries_.pop_front();
  }
}

void RoomLog::keep_boxes(const roomlog::Entry& entry, std::string boxes) {
  Boxes held{.n = entry.body.n(), .leaves = {}, .bytes = std::move(boxes)};
  const base::Bytes author = base::as_bytes(entry.body.author());
  for (const auto& [leaf, certificate] : state_.roster())
    if (!std::ranges::equal(leaf, author)) held.leaves.push_back(leaf);
  if (held.bytes.size() != held.leaves.size() * kBoxSize) return;
  boxes_.push_back(std::move(held));
  if (boxes_.size() > kMaxHeldBoxes) boxes_.pop_front();
}

v1::LogChain RoomLog::chain() const {
  const auto chain = chain_before(state_.n() + 1);
  CHECK(chain.has_value());
  return *chain;
}

std::optional<v1::LogChain> RoomLog::chain_before(std::uint64_t n) const {
  v1::LogChain chain;
  *chain.mutable_genesis() = state_.genesis().object;
  if (n <= 1) return chain;
  for (const Numbered& entry : authority_)
    if (entry.n < n) *chain.add_authority() = entry.object;
  const auto newest = [&](const Numbered& last, auto matches) -> std::optional<v1::SignedObject> {
    if (last.n < n) return last.object;
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
      if (entry->n < n && matches(*entry)) return parse(entry->object);
    return std::nullopt;
  };
  auto advance = newest(advance_, [](const Kept& e) { return e.entry_class.advance; });
  auto head = newest(head_, [](const Kept& e) { return e.entry_class.is_short(); });
  if (!advance || !head) return std::nullopt;
  // No entry stands twice: a joiner of a crowd gets some kilobytes less.
  const auto is = [](const v1::SignedObject& a, const v1::SignedObject& b) {
    return a.signature() == b.signature();
  };
  const auto is_authority = [&](const v1::SignedObject& entry) {
    return std::ranges::any_of(chain.authority(),
                               [&](const auto& other) { return is(entry, other); });
  };
  if (!is_authority(*advance)) *chain.mutable_advance() = *advance;
  if (!is_authority(*head) && !is(*head, *advance)) *chain.mutable_head() = *head;
  return chain;
}

bool RoomLog::has_room_for(const roomlog::Entry& entry) const {
  if (!state_.class_of(entry.body).is_authority()) return true;
  // Reloads of stage members among it, or one member could use up what ejecting it needs.
  const bool can_wait = std::ranges::any_of(entry.body.ops(), [&](const v1::LogOp& op) {
    const bool reloads = op.has_admit() && !entry.body.resume();
    return reloads || op.has_link() || op.has_invite() || op.has_lock() || op.has_role();
  });
  const std::size_t most = kMaxAuthorityBytes - (can_wait ? kReservedBytes : 0);
  return authority_bytes_ + entry.object.ByteSizeLong() <= most;
}

RoomLog::Roster RoomLog::roster() const {
  if (roster_) return roster_;
  std::vector<v1::RosterPart> parts;
  if (entries_.empty()) return std::make_shared<std::vector<v1::RosterPart>>();
  std::uint32_t index = 0;
  for (const auto& [leaf, certificate] : state_.roster()) {
    if (index % kCertificatesPerPart == 0) {
      v1::RosterPart& part = parts.emplace_back();
      part.set_first(index);
      part.set_total(static_cast<std::uint32_t>(state_.roster().size()));
    }
    *parts.back().add_certificates() = certificate.object;
    ++index;
  }
  if (parts.empty()) parts.emplace_back();
  *parts.back().mutable_head() = parse(entries_.back().object);
  roster_ = std::make_shared<std::vector<v1::RosterPart>>(std::move(parts));
  return roster_;
}

const RoomLog::Kept* RoomLog::find(std::uint64_t n) const {
  if (entries_.empty() || n < entries_.front().n || n > entries_.back().n) return nullptr;
  return &entries_[static_cast<std::size_t>(n - entries_.front().n)];
}

std::optional<std::vector<const RoomLog::Kept*>> RoomLog::after(std::uint64_t n) const {
  std::vector<const Kept*> found;
  if (n == state_.n()) return found;
  if (find(n + 1) == nullptr) return std::nullopt;
  for (std::uint64_t each = n + 1; each <= entries_.back().n; ++each) found.push_back(find(each));
  return found;
}

std::string_view RoomLog::box(std::uint64_t n, const roomlog::Hash& leaf) const {
  for (const Boxes& held : boxes_) {
    if (held.n != n) continue;
    const auto found = std::ranges::lower_bound(held.leaves, leaf);
    if (found == held.leaves.end() || *found != leaf) return {};
    const auto index = static_cast<std::size_t>(found - held.leaves.begin());
    return std::string_view(held.bytes).substr(index * kBoxSize, kBoxSize);
  }
  return {};
}

}  // namespace alcove::control
