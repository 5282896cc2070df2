#pragma once
// The client's half of ICE: a full, controlling agent with host candidates (RFC 8445) against a
// lite peer, with consent checks (RFC 7675) and outgoing TCP (RFC 6544). It sends to the candidates
// that it was given and never to another address. One thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/datagram.h"
#include "base/random.h"
#include "base/time.h"
#include "wire/sdp.h"
#include "wire/stun.h"

namespace alcove::rtc {

enum class IceState : std::uint8_t {
  kNew,           // no remote candidates yet
  kChecking,      // no pair has worked yet
  kConnected,     // a pair works
  kDisconnected,  // no answer for kDisconnectAfter: other pairs are tried, media may still flow
  kFailed,        // no pair worked in time, or consent expired: nothing is sent but after restart()
};

struct IceEvent {
  enum class Kind : std::uint8_t {
    kStateChanged,
    kPathSelected,  // send_path() is another one now
    kOpenTcp,   // the caller opens a connection to remote, then calls handle_tcp_opened or _failed
    kCloseTcp,  // the caller closes connection
  };
  Kind kind = Kind::kStateChanged;
  base::SocketAddress remote;    // kOpenTcp
  std::uint64_t connection = 0;  // kCloseTcp
};

class IceFull {
 public:
  static constexpr base::Duration kPacing = base::milliseconds(20);         // Ta
  static constexpr base::Duration kFirstTimeout = base::milliseconds(200);  // RTO, doubles
  static constexpr base::Duration kLongestTimeout = base::milliseconds(1600);
  static constexpr base::Duration kUdpSettle = base::milliseconds(50);  // wait for a better pair
  static constexpr base::Duration kTcpSettle =
      base::milliseconds(250);  // the same when only TCP works
  static constexpr base::Duration kDisconnectAfter = base::seconds(5);
  static constexpr base::Duration kFailAfter = base::seconds(30);
  static constexpr std::size_t kMaxPairs = 32;

  // local_addresses are those of bound UDP sockets; an unspecified address (0.0.0.0, ::) leaves the
  // choice to the system. random outlives this.
  IceFull(base::RandomSource& random, std::vector<base::SocketAddress> local_addresses,
          wire::IceCredentials local);

  // The answer arrived: pairs are formed and checks begin at now (handle_timeout sends the first).
  // The highest pairs by priority are kept, kMaxPairs at most. After restart() this begins the new
  // generation, while the old selected pair goes on until a new one works.
  void set_remote(base::Instant now, wire::IceCredentials remote,
                  const std::vector<wire::IceCandidate>& candidates);

  // New local credentials for the offer; checks with the old remote ones stop at set_remote.
  void restart(wire::IceCredentials local, std::vector<base::SocketAddress> local_addresses);

  // A STUN message parsed from datagram. Answers the peer's checks, should it send any.
  void handle_stun(base::Instant now, const base::Path& path, const wire::StunMessage& message,
                   base::Bytes datagram, base::DatagramQueue& out);
  void handle_timeout(base::Instant now, base::DatagramQueue& out);
  base::Instant next_deadline() const;

  // remote is that of kOpenTcp; path names the connection.
  void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                         const base::Path& path);
  void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote);
  // An open connection ended.
  void handle_tcp_closed(base::Instant now, std::uint64_t connection);

  IceState state() const { return state_; }
  const wire::IceCredentials& local() const { return local_; }
  // Where DTLS and media go: the nominated pair, before that the best valid one. nullopt before the
  // first answer and when consent is gone.
  std::optional<base::Path> send_path() const;
  bool is_nominated() const { return nominated_; }
  // True for the paths of pairs that have worked: what comes by others is dropped.
  bool is_valid_path(const base::Path& path) const;
  // Of the last answered check on the selected pair.
  std::optional<base::Duration> round_trip() const { return round_trip_; }

  // Events since the last take, in order.
  std::vector<IceEvent> take_events();

 private:
  struct Transaction {
    std::array<std::uint8_t, 12> id{};
    base::Instant sent;
    bool nominates = false;
  };
  enum class PairState : std::uint8_t {
    kWaitingForTcp,
    kWaiting,
    kInProgress,
    kSucceeded,
    kFailed
  };
  struct Pair {
    base::Path path;
    std::uint64_t priority = 0;
    std::uint32_t local_priority = 0;  // PRIORITY of a peer-reflexive candidate, RFC 8445, 7.1.1
    PairState state = PairState::kWaiting;
    bool valid = false;
    bool tcp_requested = false;
    std::vector<Transaction> transactions;  // unanswered, the last kMaxTransactions
    base::Duration timeout{};
    base::Instant next_send = base::kNever;
  };

  base::RandomSource& random_;
  std::vector<base::SocketAddress> local_addresses_;
  wire::IceCredentials local_;
  wire::IceCredentials remote_;
  std::optional<base::Duration> round_trip_;
  IceState state_ = IceState::kNew;
  bool nominated_ = false;
  std::vector<Pair> pairs_;
  std::vector<IceEvent> events_;
};

}  // namespace alcove::rtc
