#include "alcove/relay_runtime.h"

#include <algorithm>

#include "alcove/shard_thread.h"
#include "base/log.h"
#include "net/clock.h"

namespace alcove::app {
namespace {

constexpr std::size_t kMaxCommands = 65'536;
constexpr std::size_t kMaxEvents = 65'536;
// About a second of a full stage in a thousand rooms.
constexpr std::size_t kMaxMessages = 65'536;
constexpr std::size_t kCommandsAtOnce = 8;
constexpr base::Duration kPublishEvery = base::milliseconds(500);

crypto::Certificate make_certificate() {
  crypto::SystemRandom random;
  return crypto::Certificate::generate(random, net::wall_now());
}

}  // namespace

ShardThread::ShardThread(RelayRuntime& runtime, const relay::ShardOptions& options,
                         const crypto::Certificate& certificate)
    : runtime_(runtime),
      index_(options.index),
      shard_(options, certificate, random_),
      commands_(kMaxCommands),
      messages_(kMaxMessages),
      outgoing_(options.count) {}

void ShardThread::handle_datagram(base::Instant now, const base::Path& path, base::Bytes bytes) {
  shard_.handle_datagram(now, path, bytes, output_);
}

void ShardThread::handle_connection_closed(base::Instant now, std::uint64_t connection) {
  shard_.handle_connection_closed(now, connection, output_);
}

void ShardThread::handle_timeout(base::Instant now) { shard_.handle_timeout(now, output_); }

void ShardThread::handle_wake(base::Instant now) {
  messages_.take(taken_messages_);
  for (relay::ShardMessage& message : taken_messages_)
    shard_.handle_shard_message(now, std::move(message), output_);
  taken_messages_.clear();
  handle_commands(now);
}

// A crowd's offers take time to read: some at once, then what has arrived has its turn.
void ShardThread::handle_commands(base::Instant now) {
  const bool takes = next_command_ == taken_commands_.size();
  if (takes) {
    taken_commands_.clear();
    next_command_ = 0;
    commands_.take(taken_commands_);
  }
  const std::size_t end = std::min(next_command_ + kCommandsAtOnce, taken_commands_.size());
  for (; next_command_ < end; ++next_command_)
    shard_.handle_command(now, taken_commands_[next_command_], output_);
  // What was queued since the last take may have been announced by the very wake that this is.
  if (!takes || next_command_ < taken_commands_.size()) runtime_.port_.wake(index_);
}

void ShardThread::handle_batch_end(base::Instant now) {
  if (!output_.to_shards.empty()) hand_over_messages();
  if (!output_.events.empty()) runtime_.deliver_events(output_.events);
  if (now - published_at_ < kPublishEvery) return;
  published_at_ = now;
  const relay::ShardCounters counters = shard_.counters();
  const std::scoped_lock lock(counters_mutex_);
  published_ = counters;
  published_load_ = shard_.load();
}

void ShardThread::handle_batch_cost(base::Instant ended, base::Duration work) {
  shard_.handle_batch_cost(ended, work);
  overloaded_.store(shard_.load().overloaded, std::memory_order_relaxed);
}

void ShardThread::hand_over_messages() {
  for (relay::AddressedShardMessage& message : output_.to_shards)
    outgoing_[message.target].push_back(std::move(message.message));
  output_.to_shards.clear();
  for (unsigned target = 0; target < outgoing_.size(); ++target) {
    if (outgoing_[target].empty()) continue;
    runtime_.shards_[target]->push_messages(outgoing_[target]);
    runtime_.port_.wake(target);
  }
}

relay::ShardCounters ShardThread::counters() const {
  const std::scoped_lock lock(counters_mutex_);
  return published_;
}

relay::Load ShardThread::load() const {
  const std::scoped_lock lock(counters_mutex_);
  return published_load_;
}

RelayRuntime::RelayRuntime(net::EventLoop& loop, net::MediaPort& port, unsigned threads,
                           relay::ShardOptions options, OnEvent on_event)
    : loop_(loop),
      port_(port),
      on_event_(std::move(on_event)),
      certificate_(make_certificate()),
      assigner_(threads),
      events_(kMaxEvents) {
  options.count = threads;
  for (unsigned i = 0; i < threads; ++i) {
    options.index = i;
    shards_.push_back(std::make_unique<ShardThread>(*this, options, certificate_));
  }
}

RelayRuntime::~RelayRuntime() {
  port_.stop();
  *alive_ = false;
}

void RelayRuntime::start() {
  std::vector<net::MediaHandler*> handlers;
  handlers.reserve(shards_.size());
  for (const auto& shard : shards_) handlers.push_back(shard.get());
  port_.start(handlers);
}

void RelayRuntime::send(const v1::RelayCommand& command) {
  if (command.has_open()) {
    for (unsigned i = 0; i < shards_.size(); ++i)
      assigner_.set_overloaded(i, shards_[i]->overloaded());
  }
  const std::optional<unsigned> target = assigner_.route(command);
  for (unsigned i = 0; i < shards_.size(); ++i) {
    if (target && *target != i) continue;
    if (!shards_[i]->push_command(command))
      base::log(base::LogLevel::kError, "relay.command_dropped", {{"shard", i}});
    port_.wake(i);
  }
}

void RelayRuntime::deliver_events(std::vector<v1::RelayEvent>& events) {
  events_.push(events);
  if (events_posted_.exchange(true)) return;
  loop_.post([this, alive = alive_] {
    if (*alive) take_events();
  });
}

void RelayRuntime::take_events() {
  events_posted_.store(false);
  events_.take(taken_);
  for (const v1::RelayEvent& event : taken_) {
    assigner_.handle_event(event);
    on_event_(event);
  }
  taken_.clear();
}

relay::ShardCounters RelayRuntime::counters() const {
  relay::ShardCounters sum;
  for (const auto& shard : shards_) {
    const relay::ShardCounters one = shard->counters();
    sum.datagrams_received += one.datagrams_received;
    sum.datagrams_forwarded_to_shards += one.datagrams_forwarded_to_shards;
    sum.speaker_packets += one.speaker_packets;
    sum.slot_packets += one.slot_packets;
    sum.listener_packets += one.listener_packets;
    sum.held_packets += one.held_packets;
    sum.retransmissions += one.retransmissions;
    sum.nacks_to_speakers += one.nacks_to_speakers;
    sum.endpoints_opened += one.endpoints_opened;
    sum.endpoints_gone += one.endpoints_gone;
    sum.endpoints += one.endpoints;
    sum.endpoints_connected += one.endpoints_connected;
    sum.rooms += one.rooms;
    sum.refused_overloaded += one.refused_overloaded;
    sum.handshake_flights += one.handshake_flights;
    sum.handshakes_waiting += one.handshakes_waiting;
    for (std::size_t i = 0; i < sum.dropped.size(); ++i) sum.dropped[i] += one.dropped[i];
  }
  return sum;
}

std::vector<relay::Load> RelayRuntime::loads() const {
  std::vector<relay::Load> loads;
  loads.reserve(shards_.size());
  for (const auto& shard : shards_) loads.push_back(shard->load());
  return loads;
}

std::uint64_t RelayRuntime::dropped() const {
  std::uint64_t sum = events_.dropped();
  for (const auto& shard : shards_) sum += shard->dropped();
  return sum;
}

}  // namespace alcove::app
