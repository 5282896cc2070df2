#include "control/append.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "control/keeper.h"

namespace alcove::control {
namespace {

constexpr std::size_t kBoxSize = 80;
constexpr std::size_t kJoinBoxSize = 84;
// Times in a log never go back: one that is far ahead would be the room's for good.
constexpr auto kMaxAhead = std::chrono::minutes(5);

ApiError clock_ahead() {
  return {.code = base::ErrorCode::kFailedPrecondition,
          .reason = "log.clock_ahead",
          .message = "This device's clock is more than 5 minutes ahead of the server's: set it."};
}

class Planner {
 public:
  using Outcome = std::expected<void, ApiError>;

  Planner(const LiveRoom& room, const Membership& by, const v1::AppendEntry& request,
          roomlog::Entry entry, Clocks clocks)
      : room_(room),
        by_(by),
        request_(request),
        wall_(clocks.wall),
        plan_{.entry = std::move(entry),
              .checked = {},
              .boxes = request.boxes(),
              .entering = {},
              .room = rooms::Transaction(room.state, clocks.now)} {}

  std::expected<AppendPlan, ApiError> run() {
    if (const Outcome placed = check_place(); !placed) return std::unexpected(placed.error());
    auto checked = room_.log.state().check(plan_.entry, roomlog::Follow::kFull);
    if (!checked) return std::unexpected(log_invalid());
    plan_.checked = *std::move(checked);
    for (const v1::LogOp& op : body().ops())
      if (const Outcome applied = apply(op); !applied) return std::unexpected(applied.error());
    if (const Outcome boxed = check_boxes(); !boxed) return std::unexpected(boxed.error());
    return std::move(plan_);
  }

 private:
  const v1::LogEntry& body() const { return plan_.entry.body; }

  Outcome check_place() const;
  Outcome apply(const v1::LogOp& op);
  Outcome admit(const v1::AdmitOp& op);
  Outcome change_role(const v1::RoleOp& op);
  Outcome check_boxes() const;
  std::expected<rooms::MemberId, ApiError> member(const std::string& leaf) const;
  std::optional<roomlog::Hash> replaced_by(const Candidate& candidate) const;
  Outcome give(const rooms::Command& command, rooms::MemberId by) {
    if (const auto applied = plan_.room.apply(command, by); !applied)
      return std::unexpected(to_api_error(applied.error()));
    return {};
  }
  rooms::MemberId author() const {
    const rooms::Member* member = plan_.room.room().find(by_.leaf);
    return member == nullptr ? rooms::MemberId::kNone : member->id;
  }

  const LiveRoom& room_;
  const Membership& by_;
  const v1::AppendEntry& request_;
  base::WallTime wall_;
  AppendPlan plan_;
};

// Whose entry it is, that it is the next one, and of now.
Planner::Outcome Planner::check_place() const {
  const roomlog::LogState& log = room_.log.state();
  const bool is_candidate = by_.candidate != 0;
  if (to_hash(body().author()) != by_.leaf || is_candidate != body().resume())
    return std::unexpected(log_invalid());
  if (is_candidate && !log.has_authority(room_.candidates.at(by_.leaf).certificate.identity))
    return std::unexpected(log_invalid());
  if (body().n() != log.n() + 1 || to_hash(body().prev()) != log.last())
    return std::unexpected(log_conflict());
  if (body().resume() && !Keepers::connected(room_).empty()) return std::unexpected(log_conflict());
  const std::int64_t latest = (wall_ + kMaxAhead).time_since_epoch().count();
  if (body().time_ms() > std::max(latest, log.time_ms())) return std::unexpected(clock_ahead());
  return {};
}

Planner::Outcome Planner::apply(const v1::LogOp& op) {
  switch (op.op_case()) {
    case v1::LogOp::kAdmit:
      return admit(op.admit());
    case v1::LogOp::kDepart: {
      const auto leaver = member(op.depart().leaf());
      if (!leaver) return std::unexpected(leaver.error());
      return give(rooms::Depart{*leaver}, author());
    }
    case v1::LogOp::kEject: {
      const auto ejected = member(op.eject().leaf());
      if (!ejected) return std::unexpected(ejected.error());
      return give(rooms::Remove{*ejected}, author());
    }
    case v1::LogOp::kRole:
      return change_role(op.role());
    case v1::LogOp::kLock:
      return give(rooms::SetLocked{op.lock().locked()}, author());
    case v1::LogOp::kLink:
      // Every joiner gets the whole chain: no boxes for nobody in it.
      for (const v1::LinkBox& box : op.link().boxes())
        if (const auto leaf = to_hash(box.leaf());
            !leaf || room_.log.state().on_stage(*leaf) == nullptr)
          return std::unexpected(log_invalid());
      return {};
    case v1::LogOp::kInvite:
      return {};
    case v1::LogOp::OP_NOT_SET:
      break;
  }
  return std::unexpected(log_invalid());
}

// Only who waits here can be admitted.
Planner::Outcome Planner::admit(const v1::AdmitOp& op) {
  const roomlog::Hash leaf = roomlog::object_hash(op.certificate());
  const auto found = room_.candidates.find(leaf);
  if (found == room_.candidates.end() || !found->second.opened)
    return std::unexpected(log_candidate_gone());
  const Candidate& candidate = found->second;
  // Once for each person: a leaf that comes and goes in one entry is nobody's join.
  const bool is_twice = std::ranges::any_of(plan_.entering, [&](const Entering& other) {
    return room_.candidates.at(other.leaf).certificate.identity == candidate.certificate.identity;
  });
  if (is_twice) return std::unexpected(log_invalid());
  const bool resumes = body().resume() && leaf == by_.leaf;
  Entering entering{.leaf = leaf, .replaced = replaced_by(candidate), .box = {}};
  if (!resumes) {
    const auto box =
        std::ranges::find(request_.join_boxes(), candidate.join.candidate, &v1::JoinBox::candidate);
    if (box == request_.join_boxes().end() || box->box().size() != kJoinBoxSize)
      return std::unexpected(log_invalid());
    entering.box = box->box();
  }
  const rooms::Member* old =
      entering.replaced ? plan_.room.room().find(*entering.replaced) : nullptr;
  const rooms::Join join{.person = candidate.person,
                         .followed_by_moderator = candidate.followed_by_moderator,
                         .leaf = leaf,
                         .replaces = old == nullptr ? rooms::MemberId::kNone : old->id,
                         .as_moderator = resumes || op.seat() != 0};
  plan_.entering.push_back(std::move(entering));
  return give(join, rooms::MemberId::kNone);
}

// The leaf of the same identity that is inside.
std::optional<roomlog::Hash> Planner::replaced_by(const Candidate& candidate) const {
  const crypto::Ed25519PublicKey& identity = candidate.certificate.identity;
  const roomlog::Certificate* inside = room_.log.state().member_of(identity);
  if (inside == nullptr) return std::nullopt;
  return inside->leaf_hash;
}

Planner::Outcome Planner::change_role(const v1::RoleOp& op) {
  const auto target = member(op.leaf());
  if (!target) return std::unexpected(target.error());
  switch (op.role()) {
    case v1::ROLE_LISTENER:
      return give(rooms::MoveToAudience{*target}, author());
    case v1::ROLE_SPEAKER:
      return give(rooms::GiveStage{*target}, author());
    case v1::ROLE_MODERATOR:
      return give(rooms::MakeModerator{*target}, author());
    default:
      return std::unexpected(log_invalid());
  }
}

Planner::Outcome Planner::check_boxes() const {
  const auto boxed =
      std::ranges::count_if(plan_.entering, [](const Entering& each) { return !each.box.empty(); });
  if (boxed != request_.join_boxes_size()) return std::unexpected(log_invalid());
  const rooms::Room& after = plan_.room.room();
  const std::size_t receivers = after.members.size() - (after.find(by_.leaf) == nullptr ? 0U : 1U);
  const bool fresh = body().advance() == v1::ADVANCE_FRESH;
  if (plan_.boxes.size() != (fresh ? receivers * kBoxSize : 0U))
    return std::unexpected(log_invalid());
  return {};
}

std::expected<rooms::MemberId, ApiError> Planner::member(const std::string& leaf) const {
  const std::optional<roomlog::Hash> hash = to_hash(leaf);
  const rooms::Member* found = hash ? plan_.room.room().find(*hash) : nullptr;
  if (found == nullptr) return std::unexpected(log_invalid());
  return found->id;
}

}  // namespace

std::optional<roomlog::Hash> to_hash(const std::string& bytes) {
  roomlog::Hash hash{};
  if (bytes.size() != hash.size()) return std::nullopt;
  std::ranges::copy(base::as_bytes(bytes), hash.begin());
  return hash;
}

ApiError log_invalid() {
  return {.code = base::ErrorCode::kInvalidArgument,
          .reason = "log.invalid",
          .message = "The room's log does not allow this entry."};
}

ApiError log_conflict() {
  return {.code = base::ErrorCode::kFailedPrecondition,
          .reason = "log.conflict",
          .message = "Another entry was faster: follow it and write again."};
}

ApiError log_candidate_gone() {
  return {.code = base::ErrorCode::kFailedPrecondition,
          .reason = "log.candidate_gone",
          .message = "Somebody whom this entry admits waits no longer: write it without them."};
}

ApiError log_full() {
  return {.code = base::ErrorCode::kResourceExhausted,
          .reason = "log.full",
          .message = "This room has seen too many changes of roles and links: start a new room."};
}

std::expected<AppendPlan, ApiError> plan_append(const LiveRoom& room, const Membership& by,
                                                const v1::AppendEntry& request, Clocks clocks) {
  auto entry = roomlog::parse_entry(request.entry());
  if (!entry) return std::unexpected(log_invalid());
  return Planner(room, by, request, *std::move(entry), clocks).run();
}

}  // namespace alcove::control
