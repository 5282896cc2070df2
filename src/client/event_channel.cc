#include "client/event_channel.h"

#include <algorithm>
#include <utility>

#include "client/api.h"

namespace alcove::client {

using base::Instant;

void EventChannel::start(Instant now, std::string join_token) {
  stop();
  join_token_ = std::move(join_token);
  backoff_.reset();
  open(now);
}

bool EventChannel::said_hello() const { return state_ == State::kHello || answered(); }

void EventChannel::stop() {
  if (state_ == State::kOpening || said_hello()) effects_.emplace_back(CloseWebSocket{id_});
  state_ = State::kStopped;
  deadline_ = ping_at_ = base::kNever;
}

void EventChannel::hurry(Instant now) {
  if (state_ == State::kWaiting) open(now);
  if (answered()) send_ping(now, kHurriedPongTimeout);
}

void EventChannel::open(Instant now) {
  state_ = State::kOpening;
  resyncing_ = false;
  deadline_ = now + kOpenTimeout;
  ping_at_ = base::kNever;
  effects_.emplace_back(OpenWebSocket{++id_});
}

void EventChannel::lose(Instant now) {
  if (said_hello()) events_.emplace_back(ChannelLost{});
  state_ = State::kWaiting;
  deadline_ = now + backoff_.next(random_);
  ping_at_ = base::kNever;
}

void EventChannel::send(const v1::ClientMessage& message) {
  effects_.emplace_back(SendWebSocket{id_, serialize_padded(message)});
}

void EventChannel::send_ping(Instant now, base::Duration timeout) {
  v1::ClientMessage message;
  message.mutable_ping()->set_nonce(++nonce_);
  send(message);
  ping_at_ = now + kPingEvery;
  deadline_ = now + timeout;
}

void EventChannel::resync() {
  if (state_ != State::kLive || resyncing_) return;
  resyncing_ = true;
  v1::ClientMessage message;
  message.mutable_resync();
  send(message);
}

void EventChannel::send_keys(v1::KeysFromClient keys) {
  if (!said_hello()) return;
  v1::ClientMessage message;
  *message.mutable_keys() = std::move(keys);
  send(message);
}

void EventChannel::handle_opened(Instant now, std::uint64_t id) {
  if (id != id_ || state_ != State::kOpening) return;
  state_ = State::kHello;
  deadline_ = now + kOpenTimeout;
  v1::ClientMessage message;
  message.mutable_hello()->set_join_token(join_token_);
  send(message);
  events_.emplace_back(ChannelConnected{});
}

void EventChannel::enter(Instant now, State state) {
  state_ = state;
  backoff_.reset();
  deadline_ = base::kNever;
  ping_at_ = now + kPingEvery;
}

void EventChannel::handle_message(Instant now, std::uint64_t id, base::Bytes bytes) {
  if (id != id_ || !said_hello()) return;
  v1::ServerMessage message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    ++malformed_;
    return;
  }
  if (answered()) deadline_ = base::kNever;  // whatever comes shows that it lives
  switch (message.message_case()) {
    case v1::ServerMessage::kWelcome:
      enter(now, State::kLive);
      resyncing_ = false;
      events_.emplace_back(std::move(*message.mutable_welcome()));
      break;
    case v1::ServerMessage::kBatch:
      if (state_ == State::kLive) events_.emplace_back(std::move(*message.mutable_batch()));
      break;
    case v1::ServerMessage::kGoodbye:
      events_.emplace_back(std::move(*message.mutable_goodbye()));
      break;
    case v1::ServerMessage::kKeys:
      if (state_ == State::kHello) enter(now, State::kLobby);
      events_.emplace_back(std::move(*message.mutable_keys()));
      break;
    case v1::ServerMessage::kPong:
      break;
    case v1::ServerMessage::MESSAGE_NOT_SET:
      ++malformed_;
      break;
  }
}

void EventChannel::handle_closed(Instant now, std::uint64_t id) {
  if (id != id_ || state_ == State::kStopped || state_ == State::kWaiting) return;
  lose(now);
}

void EventChannel::handle_timeout(Instant now) {
  if (now >= deadline_) {
    if (state_ == State::kWaiting) {
      open(now);
    } else {
      effects_.emplace_back(CloseWebSocket{id_});
      lose(now);
    }
  }
  if (now >= ping_at_ && answered()) send_ping(now, kPongTimeout);
}

Instant EventChannel::next_deadline() const { return std::min(deadline_, ping_at_); }

std::vector<ChannelEffect> EventChannel::take_effects() { return std::exchange(effects_, {}); }

std::vector<ChannelEvent> EventChannel::take_events() { return std::exchange(events_, {}); }

}  // namespace alcove::client
