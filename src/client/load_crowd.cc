#include "client/load_crowd.h"

#include <fmt/format.h>

#include <algorithm>

#include "e2ee/frame_transform.h"

namespace alcove::client {

using base::Instant;
using base::Result;
using State = LoadMember::State;

namespace {

constexpr std::uint64_t kConfigCall = 1;
constexpr std::uint64_t kHouseCheckCall = 2;
// When so many have failed and nobody came in, the others will not either.
constexpr std::size_t kHopeless = 20;

}  // namespace

LoadCrowd::LoadCrowd(LoadOptions options, base::RandomSource& random, MediaPeerFactory peers,
                     LocalAddresses local_addresses)
    : options_(std::move(options)),
      random_(random),
      peers_(std::move(peers)),
      local_addresses_(std::move(local_addresses)),
      house_check_(options_.trust, options_.fragment.has_value()),
      schedule_(options_.plan) {
  room_.room = options_.room;
  room_.fragment = options_.fragment;
  room_.opened_share = options_.plan.opened_share;
  room_.guard = options_.trust.guard;
  room_.house_check = &house_check_;
}

LoadCrowd::~LoadCrowd() = default;

base::WallTime LoadCrowd::wall(Instant now) const {
  return wall_ + std::chrono::duration_cast<base::milliseconds>(now - started_at_);
}

void LoadCrowd::start(Instant now, base::WallTime wall) {
  started_at_ = now;
  wall_ = wall;
  room_.identity = std::make_shared<const rtc::ClientIdentity>(random_, wall);
  ask_house(kHouseCheckCall, house_check_.begin());
}

void LoadCrowd::ask_house(std::uint64_t id, std::string target) {
  HttpCall call;
  call.id = id;
  call.method = "GET";
  call.target = std::move(target);
  effects_.push_back({kHouse, std::move(call)});
}

void LoadCrowd::handle_house_check(const Result<HttpAnswer>& answer) {
  HouseCheck::Step step = house_check_.handle_answer(answer);
  if (step.failure)
    outcome_ = std::move(step.failure);
  else if (step.ask.empty())
    ask_house(kConfigCall, "/v1/config");
  else
    ask_house(kHouseCheckCall, std::move(step.ask));
}

void LoadCrowd::handle_config(Instant now, const Result<HttpAnswer>& answer) {
  const ApiResult<v1::ServerConfig> config = parse_answer<v1::ServerConfig>(answer);
  if (!config) {
    outcome_ =
        Outcome{exit_status_of(config.error()), message_for(config.error(), options_.french)};
    return;
  }
  const bool usable = config->slots() >= 1 && config->slots() <= LoadArrivals::kMaxSlots &&
                      config->packet_bucket() >= e2ee::kMinPacketBucket &&
                      config->packet_bucket() <= e2ee::kMaxPacketBucket;
  if (!usable || !config->guests_allowed()) {
    outcome_ = Outcome{
        ExitStatus::kRefused,
        usable ? fmt::format("The server takes no guests. {}", load_advice("account.required"))
               : "The server's configuration is not one for this client."};
    return;
  }
  room_.slots = config->slots();
  room_.packet_bucket = config->packet_bucket();
  started_at_ = now;
  second_at_ = now + base::seconds(1);
  schedule_.start(now);
  run_schedule(now);
}

void LoadCrowd::leave(Instant now) {
  interrupted_ = true;
  if (schedule_.stage() == LoadStage::kNew) {
    outcome_ = Outcome{};
    return;
  }
  schedule_.leave(now);
  run_schedule(now);
}

LoadCrowd::Entry* LoadCrowd::find(std::size_t member) {
  return member < entries_.size() ? entries_[member].get() : nullptr;
}

void LoadCrowd::handle_answer(Instant now, std::size_t member, std::uint64_t id,
                              const Result<HttpAnswer>& answer) {
  if (member == kHouse)
    return id == kConfigCall ? handle_config(now, answer) : handle_house_check(answer);
  Entry* const entry = find(member);
  if (entry == nullptr) return;
  entry->member->handle_answer(now, wall(now), id, answer);
  after(now, *entry);
}

void LoadCrowd::handle_websocket_opened(Instant now, std::size_t member, std::uint64_t id) {
  Entry* const entry = find(member);
  if (entry == nullptr) return;
  entry->member->handle_websocket_opened(now, wall(now), id);
  after(now, *entry);
}

void LoadCrowd::handle_websocket_message(Instant now, std::size_t member, std::uint64_t id,
                                         base::Bytes message) {
  Entry* const entry = find(member);
  if (entry == nullptr) return;
  entry->member->handle_websocket_message(now, wall(now), id, message);
  after(now, *entry);
}

void LoadCrowd::handle_websocket_closed(Instant now, std::size_t member, std::uint64_t id,
                                        const std::string& why) {
  Entry* const entry = find(member);
  if (entry == nullptr) return;
  entry->member->handle_websocket_closed(now, wall(now), id, why);
  after(now, *entry);
}

void LoadCrowd::handle_datagram(Instant now, const base::Path& path, base::Bytes datagram) {
  auto found = by_address_.find(path.local);
  // A socket that leaves the address to the system has a port of its own.
  if (found == by_address_.end())
    found = by_address_.find(
        {path.local.ip.is_v4() ? base::IpAddress() : base::IpAddress::v6({}), path.local.port});
  if (found == by_address_.end()) {
    ++strays_;
    return;
  }
  Entry& entry = *found->second;
  const std::uint64_t before = entry.member->packets();
  const bool quiet = entry.member->handle_datagram(now, path, datagram);
  packets_ += entry.member->packets() - before;
  if (quiet || entry.touched) return;
  entry.touched = true;
  touched_.push_back(entry.number);
}

void LoadCrowd::handle_batch_end(Instant now) {
  for (const std::size_t number : touched_) {
    Entry* const entry = find(number);
    if (entry == nullptr) continue;
    entry->touched = false;
    entry->member->handle_batch_end(now, wall(now));
    after(now, *entry);
  }
  touched_.clear();
}

void LoadCrowd::handle_timeout(Instant now) {
  if (outcome_) return;
  // Each once: one that is due again at once must not keep the others waiting.
  due_.clear();
  for (auto due = deadlines_.begin(); due != deadlines_.end() && due->first <= now; ++due)
    due_.push_back(due->second);
  for (const std::size_t number : due_) {
    Entry* const entry = find(number);
    if (entry == nullptr) continue;
    entry->member->handle_timeout(now, wall(now));
    after(now, *entry);
  }
  note_second(now);
  run_schedule(now);
}

Instant LoadCrowd::next_deadline() const {
  if (outcome_) return base::kNever;
  Instant next = std::min(schedule_.next_deadline(), second_at_);
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  return next;
}

void LoadCrowd::note_second(Instant now) {
  if (now < second_at_) return;
  timeline_.push_back(
      {.second = std::chrono::duration_cast<base::seconds>(now - started_at_).count(),
       .inside = counts_.inside,
       .joining = counts_.joining,
       .failed = failed_,
       .packets = packets_ - packets_before_});
  packets_before_ = packets_;
  second_at_ += base::seconds(1);
  // A process that was stopped does not make up for it.
  if (second_at_ <= now) second_at_ = now + base::seconds(1);
}

void LoadCrowd::run_schedule(Instant now) {
  const LoadSchedule::Due due = schedule_.poll(now, counts_);
  if (due.measuring_begins)
    for (const auto& entry : entries_)
      if (entry) entry->member->begin_measuring();
  remove_members(now, due.leaves);
  for (std::size_t i = 0; i < due.joins; ++i) add_member(now);
  if (schedule_.stage() != LoadStage::kOver || outcome_) return;
  for (const auto& entry : entries_) {
    if (!entry) continue;
    entry->member->abandon();
    after(now, *entry);
  }
  const std::size_t requested = entries_.size();
  outcome_ = failed_ == 0 ? Outcome{}
                          : Outcome{ExitStatus::kRefused,
                                    fmt::format("{} of {} joins failed.", failed_, requested)};
}

void LoadCrowd::add_member(Instant now) {
  const std::size_t number = entries_.size();
  Entry& entry = *entries_.emplace_back(std::make_unique<Entry>(number));
  entry.sampled = sampled_ < options_.plan.sample;
  std::vector<base::SocketAddress> local = local_addresses_(number);
  if (!local.empty()) entry.local = local.front();
  entry.member = std::make_unique<LoadMember>(
      room_, random_, peers_, fmt::format("Load {}", number + 1), entry.sampled, std::move(local));
  if (entry.sampled) ++sampled_;
  by_address_[entry.local] = &entry;
  count(State::kJoining, 1);
  entry.state = State::kJoining;
  entry.member->start(now);
  after(now, entry);
}

// The oldest go first.
void LoadCrowd::remove_members(Instant now, std::size_t number) {
  const bool all = schedule_.stage() == LoadStage::kLeaving;
  for (std::size_t i = oldest_; i < entries_.size() && number > 0; ++i) {
    Entry* const entry = entries_[i].get();
    const bool may_go = entry != nullptr && entry->state < State::kLeaving &&
                        (all || entry->state == State::kInside);
    if (!may_go) {
      if (i == oldest_ && (entry == nullptr || entry->state >= State::kLeaving)) ++oldest_;
      continue;
    }
    entry->member->leave(now);
    after(now, *entry);
    --number;
  }
}

void LoadCrowd::count(State state, int change) {
  std::size_t* const place = state == State::kJoining   ? &counts_.joining
                             : state == State::kInside  ? &counts_.inside
                             : state == State::kLeaving ? &counts_.leaving
                                                        : nullptr;
  if (place != nullptr) *place += static_cast<std::size_t>(change);
}

void LoadCrowd::after(Instant now, Entry& entry) {
  LoadMember& member = *entry.member;
  for (LoadEffect& effect : member.take_effects())
    effects_.push_back({entry.number, std::move(effect)});
  base::DatagramQueue& queue = member.datagrams();
  for (const base::DatagramQueue::Entry& one : queue.entries())
    datagrams_.push(one.path, queue.bytes(one));
  queue.clear();
  if (const Instant next = member.next_deadline(); next != entry.deadline) {
    if (entry.deadline != base::kNever) deadlines_.erase({entry.deadline, entry.number});
    entry.deadline = next;
    if (next != base::kNever) deadlines_.insert({next, entry.number});
  }
  const State state = member.state();
  if (state == entry.state) return;
  count(entry.state, -1);
  count(state, 1);
  if (state == State::kInside) ++ever_inside_;
  const bool just_failed = entry.state < State::kLeaving && member.had_failure();
  if (entry.sampled && entry.state < State::kLeaving && state >= State::kLeaving) --sampled_;
  entry.state = state;
  if (just_failed) {
    ++failed_;
    give_up_where_hopeless(now, member);
  }
  if (state == State::kEnded) retire(entry);
}

void LoadCrowd::give_up_where_hopeless(Instant now, const LoadMember& member) {
  const bool room_is_over = member.record().failure == "room_ended";
  const bool hopeless = ever_inside_ == 0 && failed_ >= std::min(kHopeless, options_.plan.members);
  if (room_is_over || hopeless) schedule_.leave(now);
}

void LoadCrowd::retire(Entry& entry) {
  records_.push_back(entry.member->record());
  by_address_.erase(entry.local);
  ended_.push_back(entry.number);
  entries_[entry.number].reset();
}

LoadCrowd::Progress LoadCrowd::progress(Instant now) const {
  return {.stage = schedule_.stage(),
          .requested = entries_.size(),
          .counts = counts_,
          .failed = failed_,
          .packets = packets_,
          .strays = strays_,
          .since_start = now - started_at_};
}

std::vector<LoadRecord> LoadCrowd::records() const {
  std::vector<LoadRecord> all = records_;
  for (const auto& entry : entries_)
    if (entry) all.push_back(entry->member->record());
  return all;
}

LoadSummary LoadCrowd::summary(Instant now) const {
  LoadSummary summary = summarize(records());
  summary.plan = options_.plan;
  summary.server = options_.server.origin();
  summary.seconds = std::chrono::duration<double>(now - started_at_).count();
  summary.interrupted = interrupted_;
  summary.timeline = timeline_;
  return summary;
}

}  // namespace alcove::client
