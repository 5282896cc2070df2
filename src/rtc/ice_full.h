#pragma once
// The client's half of ICE: a full, controlling agent with host candidates (RFC 8445) against a
// lite peer, with consent checks (RFC 7675) and outgoing TCP (RFC 6544). It sends to the candidates
// that it was given and never to another address. One thread.

#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <optional>
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
  kDisconnected,  // the pair in use does not answer: other pairs are tried, media may still flow
  kFailed,        // no pair worked in time, or consent expired: nothing is sent until a restart
};

struct IceEvent {
  enum class Kind : std::uint8_t {
    kStateChanged,
    kPathSelected,  // send_path() is another one now
    kOpenTcp,   // the caller opens a connection to remote, then calls handle_tcp_opened or _failed
    kCloseTcp,  // the caller closes connection
  };
  Kind kind = Kind::kStateChanged;
  IceState state = IceState::kNew;  // kStateChanged
  base::SocketAddress remote{};     // kOpenTcp
  std::uint64_t connection = 0;     // kCloseTcp
};

// A check is never repeated: another one with a new transaction id is sent, so that each answer
// measures its own round trip. Nothing is frozen (RFC 8445, section 6.1.2.6): with one component
// and few pairs that would only delay the fallback.
class IceFull {
 public:
  static constexpr std::size_t kMaxPairs = 32;
  static constexpr base::Duration kPacing = base::milliseconds(20);  // Ta
  // Below the 500 ms that section 14.3 recommends: few pairs, one server, and people wait.
  static constexpr base::Duration kFirstTimeout = base::milliseconds(200);
  static constexpr base::Duration kLongestTimeout = base::milliseconds(1600);
  static constexpr base::Duration kTcpDelay = base::milliseconds(100);   // UDP's head start
  static constexpr base::Duration kUdpSettle = base::milliseconds(50);   // wait for a better pair
  static constexpr base::Duration kTcpSettle = base::milliseconds(250);  // when only TCP works
  static constexpr base::Duration kNominateFor = base::seconds(2);
  static constexpr base::Duration kCheckFor = base::seconds(15);
  // Consent checks come 4 to 6 s after the last answer; one that is not answered is followed by
  // others at once. Counted from the first of them: the other pairs are tried, then the state is
  // kDisconnected, which is 6.5 to 8.5 s after the last answer.
  static constexpr base::Duration kSearchAfter = base::seconds(1);
  static constexpr base::Duration kDisconnectAfter = base::milliseconds(2500);
  static constexpr base::Duration kConsentFor = base::seconds(30);  // RFC 7675, section 5.1

  // local_addresses are those of bound UDP sockets; an unspecified address (0.0.0.0, ::) leaves the
  // choice to the system. random outlives this.
  IceFull(base::RandomSource& random, std::vector<base::SocketAddress> local_addresses,
          wire::IceCredentials local);

  // The answer arrived: pairs are formed and checks begin at now (handle_timeout sends the first).
  // The highest kMaxPairs pairs by priority are kept. After restart() this begins the new
  // generation, while the old selected pair goes on carrying media until a new one is nominated.
  void set_remote(base::Instant now, wire::IceCredentials remote,
                  const std::vector<wire::IceCandidate>& candidates);

  // New local credentials for the offer, and the addresses of now. The old pairs are used until
  // set_remote().
  void restart(wire::IceCredentials local, std::vector<base::SocketAddress> local_addresses);

  // A STUN message parsed from what came by path. Only answers to checks count: the peer is lite
  // and sends none of its own.
  void handle_stun(base::Instant now, const base::Path& path, const wire::StunMessage& message);
  // Sends at most one check.
  void handle_timeout(base::Instant now, base::DatagramQueue& out);
  base::Instant next_deadline() const;

  // remote is that of kOpenTcp; path names the connection.
  void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                         const base::Path& path);
  void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote);
  // An open connection ended.
  void handle_tcp_closed(base::Instant now, std::uint64_t connection);

  IceState state() const { return state_; }
  // Those of the newest offer.
  const wire::IceCredentials& local() const { return next_local_; }
  // Where DTLS and media go: the nominated pair, before that the best that works. nullopt before
  // the first answer and when consent is gone.
  const std::optional<base::Path>& send_path() const { return selected_; }
  bool is_nominated() const { return nominated_; }
  // True for the path of a pair, whether or not it has answered yet (the peer may use one whose
  // answer was lost), and for the path of before a restart. What comes by others is dropped.
  bool is_known_path(const base::Path& path) const;
  // Of the last answered check on the selected pair.
  std::optional<base::Duration> round_trip() const { return round_trip_; }

  // Events since the last take, in order.
  std::vector<IceEvent> take_events();

 private:
  enum class PairState : std::uint8_t {
    kClosed,   // TCP without a connection: next_send is when to open one
    kOpening,  // TCP, the caller is at it
    kChecking,
    kSucceeded,
    kStopped,  // another pair is in use; checked again when that one falls silent
  };
  struct Transaction {
    wire::TransactionId id{};
    base::Instant sent;
    bool nominates = false;
  };
  static constexpr std::size_t kMaxTransactions = 8;  // unanswered checks that are remembered
  struct Pair {
    base::Path path;
    std::uint64_t priority = 0;                 // RFC 8445, section 6.1.2.3
    std::uint32_t peer_reflexive_priority = 0;  // section 7.1.1: the PRIORITY of checks
    PairState state = PairState::kChecking;
    bool valid = false;
    bool checked = false;  // at least once in this round of checks
    base::Duration timeout = kFirstTimeout;
    base::Instant next_send = base::kNever;
    boost::container::static_vector<Transaction, kMaxTransactions> transactions;
  };

  void form_pairs(base::Instant now, const std::vector<wire::IceCandidate>& candidates);
  void add_pair(base::Instant now, const wire::IceCandidate& remote,
                const base::SocketAddress& local, std::uint16_t local_preference);
  void handle_answer(base::Instant now, std::size_t index, const Transaction& transaction);
  void select(base::Instant now, std::size_t index);
  void choose_pair(base::Instant now);
  void finish_nomination(base::Instant now, std::size_t index);
  std::optional<std::size_t> best_valid_pair() const;
  bool is_better_possible(std::size_t index) const;
  bool is_in_use(std::size_t index) const { return nominated_ && index == selected_pair_; }

  void update_liveness(base::Instant now);
  void restart_checks(base::Instant now);
  void stop_other_pairs();
  void fail();
  void set_state(IceState state);

  std::optional<std::size_t> due_pair(base::Instant now) const;
  void send_check(base::Instant now, std::size_t index, base::DatagramQueue& out);
  void schedule_consent_check(base::Instant now, Pair& pair);
  void retry_tcp(base::Instant now, Pair& pair);
  void close_tcp(Pair& pair);
  void drop_previous_path();

  base::RandomSource& random_;
  std::uint64_t tie_breaker_;
  std::vector<base::SocketAddress> local_addresses_;
  wire::IceCredentials next_local_;  // of the newest offer
  wire::IceCredentials local_;       // of the pairs
  wire::IceCredentials remote_;
  IceState state_ = IceState::kNew;
  std::vector<Pair> pairs_;

  std::optional<base::Path> selected_;
  std::optional<base::Path> previous_;        // the selected one before the last restart
  std::optional<std::size_t> selected_pair_;  // null when selected_ is of the time before a restart
  bool nominated_ = false;                    // in this generation
  bool searching_ = false;
  std::optional<std::size_t> nominating_;
  base::Instant nominate_until_ = base::kNever;
  base::Instant settle_at_ = base::kNever;
  base::Instant check_until_ = base::kNever;
  base::Instant consent_until_ = base::kNever;
  base::Instant unanswered_since_ = base::kNever;  // on the pair in use
  base::Instant next_slot_;                        // the next check may leave then
  std::optional<base::Duration> round_trip_;
  std::vector<IceEvent> events_;
};

}  // namespace alcove::rtc
