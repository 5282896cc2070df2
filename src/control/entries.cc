// The room's log: entries in, and out to everybody in its way of following.

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/log.h"
#include "control/framing.h"
#include "control/house.h"
#include "control/outbox.h"
#include "control/turned_away.h"

namespace alcove::control {
namespace {

constexpr std::size_t kReboxSize = 84;
// What one HaveEntry may bring, and how much of it goes into one message.
constexpr std::size_t kMaxShortCatchUp = 512 << 10;
constexpr std::size_t kMaxFullCatchUp = 8 << 20;
constexpr std::size_t kMaxDelivery = 64 << 10;
constexpr std::size_t kPartsAtOnce = 16;
constexpr base::Duration kPartsPause = base::seconds(2);
// How long a client that was admitted takes after Hello to say which entries it has.
constexpr base::Duration kHaveTime = base::seconds(2);

ApiError stale() {
  return {.code = base::ErrorCode::kFailedPrecondition,
          .reason = "join.stale",
          .message = "Too much was written since: join again."};
}

// A beat, or an advance that changes nobody's seat: it goes to all listeners, and any member of the
// stage may write as many as it likes. Clients write them at least 1 s apart.
bool is_beat_without_authority(const LiveRoom& room, const Membership& by,
                               const roomlog::EntryClass& entry_class) {
  const roomlog::LogState& log = room.log.state();
  const roomlog::StageMember* author = log.on_stage(by.leaf);
  return author != nullptr && !log.has_authority(author->certificate.identity) &&
         !entry_class.authority && (entry_class.beat || entry_class.advance);
}

bool is_on_stage(const LiveRoom& room, const Membership& membership) {
  return room.log.state().on_stage(membership.leaf) != nullptr;
}

// Nothing where that is not held any more.
std::optional<v1::KeysFromServer> admitted_of(const LiveRoom& room, const Membership& membership) {
  auto chain = room.log.chain_before(membership.admit_n);
  const RoomLog::Kept* admit = room.log.find(membership.admit_n);
  if (!chain || admit == nullptr) return std::nullopt;
  v1::KeysFromServer keys;
  v1::Admitted& admitted = *keys.mutable_admitted();
  *admitted.mutable_chain() = *std::move(chain);
  CHECK(admitted.mutable_admit()->ParseFromString(admit->object));
  admitted.set_box(membership.join_box);
  return keys;
}

}  // namespace

bool House::is_answer(const Place& place, const v1::KeysFromClient& keys) const {
  const LiveRoom& room = *place.room;
  if (keys.has_refuse()) {
    const auto candidate = room.candidate_numbers.find(keys.refuse().candidate());
    return candidate != room.candidate_numbers.end() &&
           Keepers::was_asked(room, TaskKind::kAdmit, candidate->second, place.membership->leaf);
  }
  const std::optional<roomlog::Hash> leaf = to_hash(keys.box().leaf());
  return keys.has_box() && leaf &&
         Keepers::was_asked(room, TaskKind::kRebox, *leaf, place.membership->leaf);
}

std::optional<ApiError> House::handle_keys(const Place& place, const v1::KeysFromClient& keys) {
  if (!place.is_member() && !keys.has_append()) return std::nullopt;
  // An entry may be a candidate's resume, sent again.
  if (!keys.has_append()) note_admitted(*place.membership);
  switch (keys.message_case()) {
    case v1::KeysFromClient::kAppend:
      return append(place, keys.append());
    case v1::KeysFromClient::kRefuse:
      handle_refusal(place, keys.refuse());
      return std::nullopt;
    case v1::KeysFromClient::kRequestBox:
      return ask_for_box(place);
    case v1::KeysFromClient::kBox:
      pass_box(place, keys.box());
      return std::nullopt;
    case v1::KeysFromClient::kRequestRoster:
      return send_roster(place);
    case v1::KeysFromClient::kHave:
      return handle_have(place, keys.have().n());
    case v1::KeysFromClient::MESSAGE_NOT_SET:
      break;
  }
  return std::nullopt;
}

std::optional<ApiError> House::append(const Place& place, const v1::AppendEntry& request) {
  if (auto error = context_.check_limit(Limit::kAppend, place.membership->appends)) return error;
  const RoomRef room = place.room;
  auto plan = plan_append(*room, *place.membership, request, {context_.now, context_.wall});
  if (!plan) {
    refuse_append(place, request, plan.error());
    return std::nullopt;
  }
  if (!room->log.has_room_for(plan->entry)) {
    refuse_append(place, request, log_full());
    return std::nullopt;
  }
  // Only what is in its place counts: who was slower writes again.
  if (is_beat_without_authority(*room, *place.membership, plan->checked.entry_class))
    if (auto error = context_.check_limit(Limit::kBeat, place.membership->beats)) return error;
  room->log.append(plan->entry, std::move(plan->checked), std::move(plan->boxes));
  context_.metrics.count_entry(true);
  commit(room, *std::move(plan));
  return std::nullopt;
}

// Says whom a next try should leave out. Whom the room does not take hears it as any joiner would.
void House::refuse_append(const Place& place, const v1::AppendEntry& request,
                          const ApiError& error) {
  context_.metrics.count_entry(false);
  const RoomRef room = place.room;
  const bool is_rooms = std::string_view(error.reason).starts_with("room.");
  const auto away = is_rooms ? turned_away(*room, request) : std::vector<TurnedAway>();
  v1::KeysFromServer keys;
  v1::AppendRefused& refused = *keys.mutable_append_refused();
  refused.set_request(request.request());
  refused.set_reason(std::string(error.reason));
  refused.set_message(error.message);
  for (const v1::JoinBox& box : std::views::take(request.join_boxes(), kMaxAdmits)) {
    const auto waiting = room->candidate_numbers.find(box.candidate());
    if (waiting == room->candidate_numbers.end() ||
        std::ranges::find(away, waiting->second, &TurnedAway::leaf) != away.end())
      refused.add_gone(box.candidate());
  }
  send_keys(context_, *place.membership, std::move(keys));
  const bool is_candidate = !place.is_member();
  const roomlog::Hash author = place.membership->leaf;
  for (const TurnedAway& one : away) drop_candidate(room, one.leaf, one.why);
  // What it was offered is not the log any more, or it has used it up.
  const auto author_waits = room->candidates.find(author);
  if (is_candidate && author_waits != room->candidates.end() &&
      author_waits->second.waiting == v1::Waiting::REASON_RESUME)
    review(room, author_waits->second, true);
}

// The log has the entry; everything else follows.
void House::commit(const RoomRef& room, AppendPlan plan) {
  const std::uint64_t n = plan.entry.body.n();
  const RoomLog::Kept& kept = *room->log.find(n);
  const bool authority = kept.entry_class.is_authority();
  for (const Entering& entering : plan.entering) {
    if (!entering.replaced) continue;
    keepers_.forget(*room, *entering.replaced);
    if (const rooms::Member* old = room->state.find(*entering.replaced)) cut_old(*room, old->id);
  }
  const rooms::Events events = std::move(plan.room).commit(room->state);
  deliver_entry(*room, n);
  for (const Entering& entering : plan.entering) let_in(room, entering, n);
  dispatch(room, events);
  if (room->state.ended) return;
  for (const Entering& entering : plan.entering) {
    const rooms::Member* member = room->state.find(entering.leaf);
    const auto found = member ? room->members.find(member->id) : room->members.end();
    if (found == room->members.end()) continue;
    send_admitted(room, found->second);
    update_presence(room, found->second);
  }
  // Who was offered to go on with the log as it was is told anew.
  if (plan.entry.body.resume())
    for (auto& [leaf, candidate] : room->candidates)
      if (candidate.waiting == v1::Waiting::REASON_RESUME)
        candidate.waiting = v1::Waiting::REASON_UNSPECIFIED;
  // Who could not be let in may be able to come now: roles have changed, or there is a place.
  const bool frees_places = std::ranges::any_of(
      plan.entry.body.ops(), [](const v1::LogOp& op) { return op.has_depart(); });
  const bool forgotten = (frees_places || authority) && Keepers::forget_refusals(*room);
  if (authority || forgotten) review(room);
}

// A join whose place is taken.
void House::cut_old(LiveRoom& room, rooms::MemberId member) {
  auto node = room.members.extract(member);
  if (node.empty()) return;
  send_removed(context_, node.mapped(), "replaced");
  forget(node.mapped());
  close_endpoint(context_, node.mapped().join_id);
}

// A candidate becomes a member. Its socket, where there is one, stays.
void House::let_in(const RoomRef& room, const Entering& entering, std::uint64_t n) {
  const rooms::Member* member = room->state.find(entering.leaf);
  if (member == nullptr) {  // and went in the same entry
    return drop_candidate(room, entering.leaf,
                          {.code = base::ErrorCode::kUnauthenticated,
                           .reason = "join.invalid",
                           .message = "This join is over: join again."});
  }
  Candidate candidate = take_candidate(*room, entering.leaf);
  // Of one account: it departed in this entry, and the member id is kept.
  cut_old(*room, member->id);
  Membership& membership = room->members[member->id];
  membership = std::move(candidate.join);
  membership.member = member->id;
  membership.candidate = 0;
  membership.rosters = {};  // offers were counted with it
  membership.admit_n = n;
  membership.join_box = entering.box;
}

void House::deliver_entry(LiveRoom& room, std::uint64_t n) {
  const RoomLog::Kept& kept = *room.log.find(n);
  const SharedBytes plain = share(frame_delivery(encode_entry(kept.object, {})));
  // What is not on the short way concerns the stage alone: who comes in costs those who listen
  // nothing.
  if (!kept.entry_class.is_short()) {
    for (const auto& [seat, stage] : room.log.state().stage()) {
      const rooms::Member* member = room.state.find(stage.certificate.leaf_hash);
      const auto found = member ? room.members.find(member->id) : room.members.end();
      if (found == room.members.end() || !found->second.following) continue;
      if (found->second.leaf == stage.certificate.leaf_hash)
        send_delivery(context_, found->second, plain);
    }
    return;
  }
  for (auto& [id, membership] : room.members) {
    if (membership.socket == nullptr || !membership.following) continue;
    if (kept.entry_class.is_authority())
      membership.socket->allow_large(is_on_stage(room, membership));
    const std::string_view box = kept.fresh ? room.log.box(n, membership.leaf) : std::string_view();
    if (box.empty())
      send_delivery(context_, membership, plain);
    else
      send_delivery(context_, membership, encode_entry(kept.object, box));
  }
}

// Admitted, what was written since, Welcome; and then sound.
void House::send_admitted(const RoomRef& room, Membership& membership) {
  if (membership.socket == nullptr || membership.admitted_sent) return;
  auto keys = admitted_of(*room, membership);
  if (!keys) return send_goodbye(context_, membership, stale());
  membership.socket->allow_large(is_on_stage(*room, membership));
  send_keys(context_, membership, *std::move(keys));
  membership.admitted_sent = true;
  if (!catch_up(*room, membership, membership.admit_n)) return;
  allow_receiving(context_, membership);
  update_sending(context_, membership, room->state.members.at(membership.member));
  send_welcome({room, &membership});
  send_media(context_, membership);
}

// The socket may have gone with Admitted in it. Who has it takes no notice, and says what it has.
void House::repeat_admitted(const RoomRef& room, Membership& membership) {
  if (membership.admitted_known) return;
  auto keys = admitted_of(*room, membership);
  const bool is_held = keys.has_value();
  if (is_held) send_keys(context_, membership, *std::move(keys));
  membership.admitted_timer = context_.timers.schedule(
      context_.now + kHaveTime, [this, join_id = membership.join_id, is_held] {
        const std::optional<Place> place = find_by_join(join_id);
        if (!place || !place->is_member()) return;
        Membership& late = *place->membership;
        late.admitted_timer = 0;
        if (late.socket == nullptr || late.following) return;
        if (!is_held) send_goodbye(context_, late, stale());
        if (is_held && catch_up(*place->room, late, late.admit_n)) return;
        update_presence(place->room, late);
      });
}

void House::note_admitted(Membership& membership) {
  membership.admitted_known = membership.admitted_sent;
  if (!membership.admitted_known) return;
  membership.join_box.clear();
  context_.timers.cancel(membership.admitted_timer);
}

// What follows `from`, and from then on as it comes. False: it is too much or not held, and the
// socket is closed.
bool House::catch_up(LiveRoom& room, Membership& membership, std::uint64_t from) {
  auto entries = room.log.after(from);
  const bool full = is_on_stage(room, membership);
  std::size_t size = 0;
  if (entries) {
    if (!full)
      std::erase_if(*entries, [](const auto* each) { return !each->entry_class.is_short(); });
    for (const RoomLog::Kept* each : *entries) size += each->object.size();
  }
  if (!entries || size > (full ? kMaxFullCatchUp : kMaxShortCatchUp)) {
    send_goodbye(context_, membership, stale());
    return false;
  }
  membership.following = true;
  std::string encoded;
  for (const RoomLog::Kept* each : *entries) {
    encoded += encode_entry(
        each->object, each->fresh ? room.log.box(each->n, membership.leaf) : std::string_view());
    if (encoded.size() < kMaxDelivery && each != entries->back()) continue;
    send_delivery(context_, membership, encoded);
    encoded.clear();
  }
  return true;
}

std::optional<ApiError> House::handle_have(const Place& place, std::uint64_t n) {
  Membership& membership = *place.membership;
  if (!membership.admitted_sent) return std::nullopt;
  if (auto error = context_.check_limit(Limit::kCatchUp, membership.catch_ups)) return error;
  if (catch_up(*place.room, membership, n)) return std::nullopt;
  update_presence(place.room, membership);
  if (is_on_stage(*place.room, membership)) review(place.room);
  return std::nullopt;
}

std::optional<ApiError> House::send_roster(const Place& place) {
  // One at a time: the parts of two would be mixed. Whoever is impatient is not cut for it.
  if (place.membership->roster_timer != 0) return std::nullopt;
  if (auto error = context_.check_limit(Limit::kRoster, place.membership->rosters)) return error;
  send_parts(place.membership->join_id, place.room->log.roster(), 0);
  return std::nullopt;
}

// A listener's queue is small: a large roster goes to it bit by bit, as it was at first.
void House::send_parts(const base::JoinId& join_id, const RoomLog::Roster& parts,
                       std::size_t from) {
  const std::optional<Place> place = find_by_join(join_id);
  if (!place || place->membership->socket == nullptr) return;
  place->membership->roster_timer = 0;
  const std::size_t at_once =
      is_on_stage(*place->room, *place->membership) ? parts->size() : kPartsAtOnce;
  const std::size_t end = std::min(parts->size(), from + at_once);
  for (std::size_t i = from; i < end; ++i) {
    v1::KeysFromServer keys;
    *keys.mutable_roster() = (*parts)[i];
    send_keys(context_, *place->membership, std::move(keys));
  }
  if (end == parts->size()) return;
  place->membership->roster_timer = context_.timers.schedule(
      context_.now + kPartsPause, [this, join_id, parts, end] { send_parts(join_id, parts, end); });
}

std::optional<ApiError> House::ask_for_box(const Place& place) {
  if (auto error = context_.check_limit(Limit::kCatchUp, place.membership->catch_ups)) return error;
  keepers_.open(place.room, TaskKind::kRebox, place.membership->leaf);
  return std::nullopt;
}

void House::pass_box(const Place& place, const v1::MemberBox& box) {
  const std::optional<roomlog::Hash> leaf = to_hash(box.leaf());
  if (!leaf || box.box().size() != kReboxSize) return;
  if (!Keepers::was_asked(*place.room, TaskKind::kRebox, *leaf, place.membership->leaf)) return;
  keepers_.close(*place.room, TaskKind::kRebox, *leaf);
  const rooms::Member* member = place.room->state.find(*leaf);
  const auto found = member ? place.room->members.find(member->id) : place.room->members.end();
  if (found == place.room->members.end()) return;
  v1::KeysFromServer keys;
  *keys.mutable_box() = box;
  send_keys(context_, found->second, std::move(keys));
}

}  // namespace alcove::control
