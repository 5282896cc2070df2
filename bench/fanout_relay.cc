#include "bench/fanout_relay.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/ids.h"
#include "net/clock.h"

namespace alcove::bench {
namespace {

constexpr std::size_t kMaxQueue = 65'536;

double milliseconds(base::Duration duration) {
  return static_cast<double>(duration.count()) / 1000;
}

}  // namespace

BenchThread::BenchThread(FanoutRelay& relay, const relay::ShardOptions& options,
                         const crypto::Certificate& certificate)
    : relay_(relay),
      index_(options.index),
      shard_(options, certificate, random_),
      checks_(kMaxQueue),
      messages_(kMaxQueue),
      outgoing_(options.count) {}

void BenchThread::handle_datagram(base::Instant now, const base::Path& path, base::Bytes bytes) {
  const std::uint64_t before = shard_.counters().slot_packets;
  // The clock, not now: a batch may have waited behind another.
  const base::Instant read = net::monotonic_now();
  shard_.handle_datagram(now, path, bytes, output_);
  if (shard_.counters().slot_packets != before) expect(read, relay_.shard_of(path.remote));
}

// A speaker's packet may be given its slot here, or have been given one on another shard.
void BenchThread::handle_message(base::Instant now, relay::ShardMessage&& message) {
  base::Instant read = now;
  unsigned speaker_shard = 0;
  const bool is_placed = std::holds_alternative<relay::SlotPacket>(message);
  if (const auto* slot = std::get_if<relay::SlotPacket>(&message)) {
    read = slot->received;
    speaker_shard = relay_.shard_of_speaker(slot->speaker);
  } else if (const auto* packet = std::get_if<relay::SpeakerPacket>(&message)) {
    read = packet->frame.received;
    speaker_shard = relay_.shard_of_speaker(packet->frame.speaker);
  } else if (const auto* datagram = std::get_if<relay::ForwardedDatagram>(&message)) {
    read = datagram->received;
    speaker_shard = relay_.shard_of(datagram->path.remote);
  }
  const std::uint64_t before = shard_.counters().slot_packets;
  shard_.handle_shard_message(now, std::move(message), output_);
  if (is_placed || shard_.counters().slot_packets != before) expect(read, speaker_shard);
}

// It goes to every member of this shard but its speaker.
void BenchThread::expect(base::Instant read, unsigned speaker_shard) {
  expected_ += relay_.members_of_[index_] - (speaker_shard == index_ ? 1 : 0);
  pending_.push_back({read, expected_});
}

std::vector<std::uint64_t>& BenchThread::connections_to_close() {
  if (!pending_.empty()) {
    const std::uint64_t sent = shard_.counters().listener_packets;
    const base::Instant now = net::monotonic_now();
    std::size_t done = 0;
    while (done < pending_.size() && pending_[done].packets <= sent)
      transit_ms_.push_back(milliseconds(now - pending_[done++].read));
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
  }
  return output_.close_connections;
}

void BenchThread::handle_connection_closed(base::Instant now, std::uint64_t connection) {
  shard_.handle_connection_closed(now, connection, output_);
}

void BenchThread::handle_wake(base::Instant now) {
  prctl(PR_SET_NAME, "bench_media");  // for `perf report --comms bench_media`
  checks_.take(taken_checks_);
  for (const Message& check : taken_checks_)
    shard_.handle_datagram(now, relay_.path_of(check.address), check.bytes, output_);
  taken_checks_.clear();
  messages_.take(taken_messages_);
  for (relay::ShardMessage& message : taken_messages_) handle_message(now, std::move(message));
  taken_messages_.clear();
  const std::scoped_lock lock(mutex_);
  if (!asked_) return;
  asked_ = false;
  answer_ = {thread_cpu_time(), shard_.counters(), std::exchange(transit_ms_, {})};
  answered_.notify_one();
}

void BenchThread::handle_batch_end(base::Instant /*now*/) {
  output_.events.clear();
  for (relay::AddressedShardMessage& message : output_.to_shards)
    outgoing_[message.target].push_back(std::move(message.message));
  output_.to_shards.clear();
  for (unsigned target = 0; target < outgoing_.size(); ++target) {
    if (outgoing_[target].empty()) continue;
    relay_.threads_[target]->push_messages(outgoing_[target]);
    relay_.port_->wake(target);
  }
}

ThreadFigures BenchThread::figures() {
  std::unique_lock lock(mutex_);
  asked_ = true;
  relay_.port_->wake(index_);
  answered_.wait(lock, [this] { return !asked_; });
  return std::move(answer_);
}

FanoutRelay::FanoutRelay(const FanoutRelayOptions& options, Channel& channel)
    : options_(options),
      channel_(channel),
      certificate_(crypto::Certificate::generate(random_, net::wall_now())),
      members_of_(options.threads) {
  net::MediaPortOptions port_options{.port = 0, .threads = options_.threads};
  relay::ShardOptions shard_options;
  shard_options.count = options_.threads;
  shard_options.max_endpoints = 100'000;
  if (!set_methods(options_.methods, shard_options, port_options)) {
    fmt::print(stderr, "bench_fanout: this relay has no such --sealing, --sending, --receiving\n");
    std::exit(2);
  }
  auto port = net::MediaPort::open(port_options);
  if (!port) {
    fmt::print(stderr, "bench_fanout: {}\n", port.error().message);
    std::exit(1);
  }
  port_ = std::move(*port);
  const base::SocketAddress local{sender_address(options_.network), port_->port()};
  shard_options.candidates = {{base::TransportProtocol::kUdp, local}};
  for (unsigned i = 0; i < options_.threads; ++i) {
    shard_options.index = i;
    threads_.push_back(std::make_unique<BenchThread>(*this, shard_options, certificate_));
  }
  const auto room = base::RelayRoomId::make(random_);
  room_ = std::string(base::as_text(room.bytes()));
  channel_.send({.kind = MessageKind::kHello, .address = local});
}

FanoutRelay::~FanoutRelay() { port_->stop(); }

unsigned FanoutRelay::shard_of(const base::SocketAddress& member) const {
  return static_cast<unsigned>((member.ip.bytes()[3] + member.port) % options_.threads);
}

unsigned FanoutRelay::shard_of_speaker(const base::JoinId& speaker) const {
  const auto found = speakers_.find(speaker);
  return found == speakers_.end() ? options_.threads : found->second;
}

base::Path FanoutRelay::path_of(const base::SocketAddress& member) const {
  return {.local = {sender_address(options_.network), port_->port()}, .remote = member};
}

bool FanoutRelay::connect_all(const std::function<void(std::size_t)>& at_member) {
  std::size_t opened = 0;
  while (auto message = channel_.receive()) {
    switch (message->kind) {
      case MessageKind::kOpen:
        if (!open(*message)) return false;
        break;
      case MessageKind::kDatagrams:
        serve_datagrams(*message);
        break;
      case MessageKind::kOpened:
        at_member(++opened);
        break;
      case MessageKind::kCheck:
        take_check(*message);
        break;
      case MessageKind::kReady:
        return true;
      default:
        return false;
    }
  }
  return false;
}

bool FanoutRelay::open(const Message& message) {
  const base::Instant now = net::monotonic_now();
  const unsigned index = shard_of(message.address);
  BenchThread& thread = *threads_[index];
  ++members_of_[index];
  v1::RelayCommand command;
  v1::OpenEndpoint& open = *command.mutable_open();
  const auto join_id = base::JoinId::make(random_);
  if (message.speaks) speakers_.emplace(join_id, index);
  open.set_join_id(std::string(base::as_text(join_id.bytes())));
  open.set_relay_room(room_);
  open.set_sdp_offer(std::string(base::as_text(message.bytes)));
  open.set_may_send(message.speaks);
  thread.shard().handle_command(now, command, thread.output());
  Message answer{.kind = MessageKind::kAnswer};
  for (const v1::RelayEvent& event : thread.output().events) {
    if (event.has_opened())
      answer.bytes = base::to_buffer(base::as_bytes(event.opened().sdp_answer()));
    if (event.has_refused())
      fmt::print(stderr, "bench_fanout: refused: {}\n", event.refused().detail());
  }
  thread.output().events.clear();
  settle(now);
  channel_.send(answer);
  return !answer.bytes.empty();
}

void FanoutRelay::serve_datagrams(const Message& message) {
  const base::Instant now = net::monotonic_now();
  BenchThread& thread = *threads_[shard_of(message.address)];
  for (const base::Bytes datagram : unpack(message.bytes))
    thread.shard().handle_datagram(now, path_of(message.address), datagram, thread.output());
  if (thread.shard().next_deadline() <= now) thread.shard().handle_timeout(now, thread.output());
  // In turns with one member, so all that there is to send is for it.
  channel_.send({.kind = MessageKind::kDatagrams,
                 .address = message.address,
                 .bytes = pack(thread.output().datagrams)});
  thread.output().datagrams.clear();
  settle(now);
}

void FanoutRelay::take_check(const Message& message) {
  BenchThread& thread = *threads_[shard_of(message.address)];
  thread.shard().handle_datagram(net::monotonic_now(), path_of(message.address), message.bytes,
                                 thread.output());
  thread.output().clear();
}

void FanoutRelay::take_ages(const Message& message) {
  std::vector<float> ages(message.bytes.size() / sizeof(float));
  std::memcpy(ages.data(), message.bytes.data(), ages.size() * sizeof(float));
  ages_.insert(ages_.end(), ages.begin(), ages.end());
}

// Events are nobody's; what shards tell each other is delivered.
void FanoutRelay::settle(base::Instant now) {
  bool again = true;
  while (again) {
    again = false;
    for (const auto& thread : threads_) {
      thread->output().events.clear();
      std::vector<relay::AddressedShardMessage> messages;
      messages.swap(thread->output().to_shards);
      for (relay::AddressedShardMessage& message : messages) {
        BenchThread& target = *threads_[message.target];
        target.shard().handle_shard_message(now, std::move(message.message), target.output());
        again = true;
      }
    }
  }
}

void FanoutRelay::start() {
  std::vector<net::MediaHandler*> handlers;
  for (const auto& thread : threads_) {
    thread->output().clear();
    handlers.push_back(thread.get());
  }
  port_->start(handlers);
}

bool FanoutRelay::serve_checks(base::Instant until) {
  while (true) {
    const auto left = until - net::monotonic_now();
    if (left <= base::Duration::zero()) return true;
    pollfd readable{channel_.descriptor(), POLLIN, 0};
    if (poll(&readable, 1,
             static_cast<int>(std::min(left, base::Duration(base::seconds(1))).count() / 1000 +
                              1)) <= 0)
      continue;
    auto message = channel_.receive();
    if (!message) return false;
    if (message->kind == MessageKind::kReady) return true;
    if (message->kind == MessageKind::kAges) take_ages(*message);
    if (message->kind != MessageKind::kCheck) continue;
    const unsigned shard = shard_of(message->address);
    threads_[shard]->push_check(std::move(*message));
    port_->wake(shard);
  }
}

ThreadFigures FanoutRelay::figures() {
  ThreadFigures sum;
  for (const auto& thread : threads_) {
    ThreadFigures one = thread->figures();
    sum.cpu += one.cpu;
    sum.counters.slot_packets += one.counters.slot_packets;
    sum.counters.listener_packets += one.counters.listener_packets;
    sum.counters.endpoints_connected += one.counters.endpoints_connected;
    for (std::size_t i = 0; i < sum.counters.dropped.size(); ++i)
      sum.counters.dropped[i] += one.counters.dropped[i];
    sum.transit_ms.insert(sum.transit_ms.end(), one.transit_ms.begin(), one.transit_ms.end());
  }
  return sum;
}

}  // namespace alcove::bench
