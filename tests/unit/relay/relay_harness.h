#pragma once
// A relay of several shards and members as real ClientPeers on the simulated network.

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "crypto/certificate.h"
#include "relay/shard.h"
#include "relay/shard_assigner.h"
#include "rtc/client_peer.h"
#include "support/simulated_network.h"

namespace alcove::relay {

inline base::IpAddress ip(const std::string& text) { return base::IpAddress::parse(text).value(); }

inline std::string bytes_of(const base::JoinId& id) {
  return std::string(base::as_text(id.bytes()));
}
inline std::string bytes_of(const base::RelayRoomId& id) {
  return std::string(base::as_text(id.bytes()));
}

// The tests run once more with what is not the default: CMakeLists.txt sets it.
inline bool uses_other_methods() { return std::getenv("ALCOVE_TEST_OTHER_METHODS") != nullptr; }

inline rtc::ClientPeerOptions tcp_only() {
  rtc::ClientPeerOptions options;
  options.use_udp = false;
  return options;
}
inline rtc::ClientPeerOptions with_slots(std::size_t slots) {
  rtc::ClientPeerOptions options;
  options.slots = slots;
  return options;
}

// All shards, each datagram at the socket that the kernel would choose. Shard messages are moved
// one by one, each once the shard before is done with its own.
class RelayNode : public simulation::SimulatedNode {
 public:
  static constexpr std::uint16_t kPort = 7878;

  RelayNode(unsigned shards, base::RandomSource& random, ShardOptions options = {})
      : certificate_(
            crypto::Certificate::generate(random, base::WallTime(base::seconds(1'800'000'000)))),
        assigner_(shards) {
    options.count = shards;
    options.candidates = {{base::TransportProtocol::kUdp, {ip("192.0.2.1"), kPort}},
                          {base::TransportProtocol::kTcp, {ip("192.0.2.1"), kPort}}};
    for (options.index = 0; options.index < shards; ++options.index)
      shards_.emplace_back(options, certificate_, random);
  }

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) override {
    shards_[socket_of(path)].handle_datagram(now, path, datagram, out_);
    settle(now);
  }
  void handle_timeout(base::Instant now) override {
    for (Shard& shard : shards_) {
      shard.handle_timeout(now, out_);
      settle(now);
    }
  }
  base::Instant next_deadline() override {
    base::Instant earliest = base::kNever;
    for (const Shard& shard : shards_) earliest = std::min(earliest, shard.next_deadline());
    return earliest;
  }
  base::DatagramQueue& outgoing() override { return out_.datagrams; }
  void after_call(base::Instant now) override {
    if (!on_sent) return;
    for (const auto& entry : out_.datagrams.entries())
      on_sent(now, entry.path, out_.datagrams.bytes(entry));
  }
  void handle_tcp_closed(base::Instant now, std::uint64_t connection) override {
    shards_[connection % shards_.size()].handle_connection_closed(now, connection, out_);
    settle(now);
  }

  void command(base::Instant now, const v1::RelayCommand& command) {
    const std::optional<unsigned> target = assigner_.route(command);
    for (unsigned shard = 0; shard < shards_.size(); ++shard) {
      if (target && *target != shard) continue;
      shards_[shard].handle_command(now, command, out_);
      settle(now);
    }
  }

  ShardCounters counters() const {
    ShardCounters sum;
    for (const Shard& shard : shards_) {
      const ShardCounters one = shard.counters();
      sum.speaker_packets += one.speaker_packets;
      sum.slot_packets += one.slot_packets;
      sum.listener_packets += one.listener_packets;
      sum.retransmissions += one.retransmissions;
      sum.nacks_to_speakers += one.nacks_to_speakers;
      sum.datagrams_forwarded_to_shards += one.datagrams_forwarded_to_shards;
      sum.endpoints += one.endpoints;
      sum.endpoints_connected += one.endpoints_connected;
      sum.endpoints_gone += one.endpoints_gone;
      sum.handshake_flights += one.handshake_flights;
      sum.handshakes_waiting += one.handshakes_waiting;
      sum.refused_overloaded += one.refused_overloaded;
      sum.rooms += one.rooms;
      for (std::size_t i = 0; i < sum.dropped.size(); ++i) sum.dropped[i] += one.dropped[i];
    }
    return sum;
  }
  Shard& shard(unsigned index) { return shards_[index]; }
  const ShardAssigner& assigner() const { return assigner_; }
  unsigned socket_of(const base::Path& path) const {
    if (path.connection != 0) return static_cast<unsigned>(path.connection % shards_.size());
    return static_cast<unsigned>(std::hash<base::SocketAddress>()(path.remote) % shards_.size());
  }

  std::vector<v1::RelayEvent> events;
  std::vector<std::uint64_t> closed_connections;
  std::function<void(base::Instant, const base::Path&, base::Bytes)> on_sent;
  std::function<void(const AddressedShardMessage&)> on_message;

 private:
  void settle(base::Instant now) {
    std::deque<AddressedShardMessage> queue;
    while (true) {
      for (AddressedShardMessage& message : out_.to_shards) queue.push_back(std::move(message));
      out_.to_shards.clear();
      if (queue.empty()) break;
      AddressedShardMessage next = std::move(queue.front());
      queue.pop_front();
      ASSERT_LT(next.target, shards_.size());
      if (on_message) on_message(next);
      shards_[next.target].handle_shard_message(now, std::move(next.message), out_);
    }
    for (v1::RelayEvent& event : out_.events) {
      assigner_.handle_event(event);
      events.push_back(std::move(event));
    }
    out_.events.clear();
    closed_connections.insert(closed_connections.end(), out_.close_connections.begin(),
                              out_.close_connections.end());
    out_.close_connections.clear();
  }

  crypto::Certificate certificate_;
  ShardAssigner assigner_;
  std::vector<Shard> shards_;
  ShardOutput out_;
};

struct HeardFrame {
  std::size_t slot = 0;
  std::uint64_t sequence = 0;
  std::uint32_t timestamp = 0;
  bool marker = false;
  base::Instant at;
  std::string payload;
};

class MemberNode final : public simulation::SimulatedNode {
 public:
  MemberNode(base::RandomSource& random, rtc::ClientPeerOptions options)
      : join(base::JoinId::make(random)),
        peer(rtc::ClientPeer::create(random, std::move(options))) {}

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) override {
    peer->handle_datagram(now, path, datagram);
  }
  void handle_timeout(base::Instant now) override { peer->handle_timeout(now); }
  base::Instant next_deadline() override { return peer->next_deadline(); }
  base::DatagramQueue& outgoing() override { return peer->outgoing(); }
  void after_call(base::Instant now) override {
    for (const rtc::PeerEvent& event : peer->events()) {
      if (const auto* frame = std::get_if<rtc::RemoteFrame>(&event)) {
        heard.push_back({frame->slot, frame->sequence, frame->timestamp, frame->marker, now,
                         std::string(base::as_text(peer->payload(*frame)))});
      } else if (const auto* open = std::get_if<rtc::OpenTcpConnection>(&event)) {
        if (open_tcp) open_tcp(open->remote);
      }
    }
    peer->clear_events();
  }
  void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                         const base::Path& path) override {
    tcp_connection = path.connection;
    peer->handle_tcp_opened(now, remote, path);
  }
  void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote) override {
    peer->handle_tcp_failed(now, remote);
  }
  void handle_tcp_closed(base::Instant now, std::uint64_t connection) override {
    peer->handle_tcp_closed(now, connection);
  }
  bool is_connected() const { return peer->state() == rtc::PeerState::kConnected; }

  base::JoinId join;
  std::unique_ptr<rtc::ClientPeer> peer;
  std::vector<HeardFrame> heard;
  std::function<void(const base::SocketAddress&)> open_tcp;
  std::uint64_t tcp_connection = 0;
  simulation::SimulatedNetwork::NodeId id = 0;
  base::IpAddress address;
  // What it has said so far: counts, so that each payload is one of a kind.
  int said = 0;
  std::uint32_t timestamp = 1000;
};

class RelayTest : public ::testing::Test {
 protected:
  void set_up(unsigned shards, simulation::NetworkConditions conditions = {},
              ShardOptions options = {}) {
    if (uses_other_methods()) {
      options.sealing = crypto::SealingMethod::kOpenSsl;
      options.hold_packets = false;
    }
    network_ = std::make_unique<simulation::SimulatedNetwork>(11, conditions);
    relay_ = std::make_unique<RelayNode>(shards, random_, options);
    relay_id_ = network_->add(*relay_, {ip("192.0.2.1")});
    room_ = base::RelayRoomId::make(random_);
  }

  base::IpAddress next_address() {
    ++addresses_;
    return base::IpAddress::v4({198, 18, static_cast<std::uint8_t>(addresses_ / 200),
                                static_cast<std::uint8_t>(1 + addresses_ % 200)});
  }

  // A member that has sent nothing yet: its offer is not answered.
  MemberNode& add_member(rtc::ClientPeerOptions options = {}) {
    const base::IpAddress address = next_address();
    options.local_addresses = {{address, 40'000}};
    members_.push_back(std::make_unique<MemberNode>(random_, options));
    MemberNode& member = *members_.back();
    member.address = address;
    member.id = network_->add(member, {address});
    member.open_tcp = [this, &member](const base::SocketAddress& remote) {
      network_->open_tcp(member.id, remote);
    };
    return member;
  }

  v1::RelayEvent command(const v1::RelayCommand& command) {
    relay_->events.clear();
    relay_->command(network_->now(), command);
    network_->poll(relay_id_);
    return relay_->events.empty() ? v1::RelayEvent() : relay_->events.front();
  }
  v1::RelayEvent open(const MemberNode& member, bool may_send, const std::string& offer,
                      bool receive_later = false) {
    v1::RelayCommand open;
    open.mutable_open()->set_join_id(bytes_of(member.join));
    open.mutable_open()->set_relay_room(bytes_of(room_));
    open.mutable_open()->set_sdp_offer(offer);
    open.mutable_open()->set_may_send(may_send);
    open.mutable_open()->set_receive_later(receive_later);
    return command(open);
  }
  MemberNode& join(bool may_send, rtc::ClientPeerOptions options = {}, bool receive_later = false) {
    MemberNode& member = add_member(std::move(options));
    const v1::RelayEvent event = open(member, may_send, member.peer->create_offer(), receive_later);
    EXPECT_TRUE(event.has_opened()) << event.ShortDebugString();
    const auto answered = member.peer->set_answer(network_->now(), event.opened().sdp_answer());
    EXPECT_TRUE(answered) << answered.error().message;
    network_->poll(member.id);
    return member;
  }
  void close(const MemberNode& member) {
    v1::RelayCommand close;
    close.mutable_close()->set_join_id(bytes_of(member.join));
    command(close);
  }
  void allow(const MemberNode& member, bool allowed) {
    v1::RelayCommand allow;
    allow.mutable_allow_sending()->set_join_id(bytes_of(member.join));
    allow.mutable_allow_sending()->set_allowed(allowed);
    command(allow);
  }
  void let_receive(const MemberNode& member) {
    v1::RelayCommand allow;
    allow.mutable_allow_receiving()->set_join_id(bytes_of(member.join));
    command(allow);
  }
  bool connect_all(base::Duration limit = base::seconds(10)) {
    return network_->run_until(
        [this] {
          return std::ranges::all_of(members_, [](const auto& m) { return m->is_connected(); });
        },
        limit);
  }

  // One 20 ms frame; its payload names the member and counts.
  void say(MemberNode& member, bool marker = false) {
    const std::string payload = payload_of(member, member.said++);
    member.peer->send_frame(network_->now(), base::as_bytes(payload), member.timestamp, marker);
    member.timestamp += 960;
    network_->poll(member.id);
  }
  void talk(const std::vector<MemberNode*>& speakers, int frames) {
    for (int i = 0; i < frames; ++i) {
      for (MemberNode* speaker : speakers) say(*speaker, speaker->said == 0);
      network_->run_for(base::milliseconds(20));
    }
  }
  static std::string payload_of(const MemberNode& member, int count) {
    std::string payload = bytes_of(member.join) + std::to_string(count);
    payload.resize(160, '.');
    return payload;
  }
  // The counts of this speaker's frames that the member has heard, in the order of its stream.
  static std::set<int> heard_counts(const MemberNode& member, const MemberNode& speaker) {
    std::set<int> result;
    for (const HeardFrame& frame : member.heard) {
      if (frame.payload.size() == 160 && frame.payload.starts_with(bytes_of(speaker.join)))
        result.insert(std::stoi(frame.payload.substr(16)));
    }
    return result;
  }

  base::SeededRandom random_{2024};
  std::unique_ptr<simulation::SimulatedNetwork> network_;
  std::unique_ptr<RelayNode> relay_;
  std::vector<std::unique_ptr<MemberNode>> members_;
  simulation::SimulatedNetwork::NodeId relay_id_ = 0;
  base::RelayRoomId room_;
  int addresses_ = 0;
};

}  // namespace alcove::relay
