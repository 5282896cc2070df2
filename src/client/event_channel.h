#pragma once
// The member's WebSocket (/v1/events): says hello, keeps it alive, comes back when it is lost.
// Sans-IO; one thread.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "alcove/v1/events.pb.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/time.h"
#include "client/backoff.h"

namespace alcove::client {

// Effects. The id names one connection: calls about another are ignored.
struct OpenWebSocket {
  std::uint64_t id = 0;
};
struct SendWebSocket {
  std::uint64_t id = 0;
  base::Buffer message;
};
struct CloseWebSocket {
  std::uint64_t id = 0;
};
using ChannelEffect = std::variant<OpenWebSocket, SendWebSocket, CloseWebSocket>;

// Hello has been sent on a new connection; the one before is gone.
struct ChannelConnected {};
struct ChannelLost {};
using ChannelEvent = std::variant<ChannelConnected, ChannelLost, v1::Welcome, v1::EventBatch,
                                  v1::Goodbye, v1::KeysFromServer>;

class EventChannel {
 public:
  static constexpr base::Duration kOpenTimeout = base::seconds(10);  // until the first message
  static constexpr base::Duration kPingEvery = base::seconds(15);
  static constexpr base::Duration kPongTimeout = base::seconds(10);
  // The same when the network has just changed: the connection is probably dead.
  static constexpr base::Duration kHurriedPongTimeout = base::seconds(2);
  static constexpr base::Duration kFirstRetry = base::milliseconds(250);
  static constexpr base::Duration kLongestRetry = base::seconds(8);

  // random outlives this.
  explicit EventChannel(base::RandomSource& random) : random_(random) {}

  // For a join; closes the connection of the one before.
  void start(base::Instant now, std::string join_token);
  void stop();
  // The network has changed: waits no longer for the next try, and checks a connection that is
  // open.
  void hurry(base::Instant now);
  // Asks for the whole state again, once until it comes.
  void resync();
  // Not without a connection that has said hello: then it is dropped.
  void send_keys(v1::KeysFromClient message);

  void handle_opened(base::Instant now, std::uint64_t id);
  void handle_message(base::Instant now, std::uint64_t id, base::Bytes message);
  void handle_closed(base::Instant now, std::uint64_t id);
  void handle_timeout(base::Instant now);
  base::Instant next_deadline() const;

  // Welcome has come on the present connection.
  bool live() const { return state_ == State::kLive; }
  // The server knows the join, on the present connection.
  bool answered() const { return state_ == State::kLobby || state_ == State::kLive; }
  std::vector<ChannelEffect> take_effects();
  std::vector<ChannelEvent> take_events();
  // Messages that were not of the protocol, dropped.
  std::uint64_t malformed() const { return malformed_; }

 private:
  // kLobby: the server knows the join, and has not sent Welcome yet.
  enum class State { kStopped, kOpening, kHello, kLobby, kLive, kWaiting };

  bool said_hello() const;

  void open(base::Instant now);
  void enter(base::Instant now, State state);
  void lose(base::Instant now);
  void send(const v1::ClientMessage& message);
  void send_ping(base::Instant now, base::Duration timeout);

  base::RandomSource& random_;
  Backoff backoff_{kFirstRetry, kLongestRetry};
  State state_ = State::kStopped;
  std::string join_token_;
  std::uint64_t id_ = 0;
  std::uint64_t nonce_ = 0;
  bool resyncing_ = false;
  std::uint64_t malformed_ = 0;
  base::Instant deadline_ = base::kNever;  // of the present state
  base::Instant ping_at_ = base::kNever;
  std::vector<ChannelEffect> effects_;
  std::vector<ChannelEvent> events_;
};

}  // namespace alcove::client
