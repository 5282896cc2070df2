#pragma once
// Both halves of ICE as nodes of a simulated network.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rtc/ice_credentials.h"
#include "rtc/ice_full.h"
#include "rtc/ice_lite.h"
#include "support/simulated_network.h"

namespace alcove::rtc {

inline base::IpAddress ip(std::string_view text) { return base::IpAddress::parse(text).value(); }
inline base::SocketAddress address(std::string_view text, std::uint16_t port) {
  return {ip(text), port};
}

inline wire::IceCandidate udp_candidate(std::string_view text, std::uint16_t preference,
                                        std::uint16_t port = 7878) {
  wire::IceCandidate candidate;
  candidate.foundation = std::string("u") + std::to_string(preference);
  candidate.priority = wire::host_candidate_priority(preference);
  candidate.address = address(text, port);
  return candidate;
}
inline wire::IceCandidate tcp_candidate(std::string_view text, std::uint16_t preference = 100,
                                        std::uint16_t port = 7878) {
  wire::IceCandidate candidate = udp_candidate(text, preference, port);
  candidate.protocol = base::TransportProtocol::kTcp;
  candidate.tcp_type = wire::TcpType::kPassive;
  return candidate;
}

class IceServerNode final : public simulation::SimulatedNode {
 public:
  void begin(base::Instant now, wire::IceCredentials local, wire::IceCredentials remote) {
    ice.emplace(now, std::move(local), std::move(remote));
  }
  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) override {
    const auto message = wire::parse_stun(datagram);
    if (!message || !ice || is_deaf) return;
    const IceCheckOutcome outcome = ice->handle_request(now, path, *message, datagram, out_);
    restarts += outcome.restarted ? 1 : 0;
    accepted += outcome.result == IceCheckResult::kAccepted ? 1 : 0;
  }
  void handle_timeout(base::Instant /*now*/) override {}
  base::Instant next_deadline() override { return base::kNever; }
  base::DatagramQueue& outgoing() override { return out_; }

  std::optional<IceLite> ice;
  bool is_deaf = false;
  int restarts = 0;
  int accepted = 0;

 private:
  base::DatagramQueue out_;
};

class IceClientNode final : public simulation::SimulatedNode {
 public:
  IceClientNode(simulation::SimulatedNetwork& network, base::RandomSource& random,
                std::vector<base::SocketAddress> local_addresses)
      : network_(network), ice(random, std::move(local_addresses), make_ice_credentials(random)) {}

  void join(std::vector<base::IpAddress> addresses) {
    id = network_.add(*this, std::move(addresses));
  }
  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) override {
    const auto message = wire::parse_stun(datagram);
    if (message) ice.handle_stun(now, path, *message);
  }
  void handle_timeout(base::Instant now) override { ice.handle_timeout(now, out_); }
  base::Instant next_deadline() override { return ice.next_deadline(); }
  base::DatagramQueue& outgoing() override {
    for (const auto& entry : out_.entries()) sent_to.insert(entry.path.remote);
    datagrams_sent += out_.entries().size();
    return out_;
  }
  void after_call(base::Instant now) override {
    for (const IceEvent& event : ice.take_events()) {
      switch (event.kind) {
        case IceEvent::Kind::kStateChanged:
          states.emplace_back(now, event.state);
          break;
        case IceEvent::Kind::kPathSelected:
          ++selections;
          break;
        case IceEvent::Kind::kOpenTcp:
          ++tcp_opens;
          network_.open_tcp(id, event.remote);
          break;
        case IceEvent::Kind::kCloseTcp:
          ++tcp_closes;
          network_.close_tcp(id, event.connection);
          break;
      }
    }
  }
  void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                         const base::Path& path) override {
    ice.handle_tcp_opened(now, remote, path);
  }
  void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote) override {
    ice.handle_tcp_failed(now, remote);
  }
  void handle_tcp_closed(base::Instant now, std::uint64_t connection) override {
    ice.handle_tcp_closed(now, connection);
  }

 private:
  simulation::SimulatedNetwork& network_;
  base::DatagramQueue out_;

 public:
  IceFull ice;
  simulation::SimulatedNetwork::NodeId id = 0;
  std::vector<std::pair<base::Instant, IceState>> states;
  std::set<base::SocketAddress> sent_to;
  std::size_t datagrams_sent = 0;
  int selections = 0;
  int tcp_opens = 0;
  int tcp_closes = 0;
};

}  // namespace alcove::rtc
