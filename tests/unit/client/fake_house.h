#pragma once
// A member against a scripted server and a fake media connection, on virtual time.

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alcove/v1/accounts.pb.h"
#include "alcove/v1/events.pb.h"
#include "alcove/v1/rooms.pb.h"
#include "client/member.h"
#include "unit/client/sounds.h"

namespace alcove::client::test {

struct SentFrame {
  base::Buffer payload;
  std::uint32_t timestamp = 0;
  bool marker = false;
};

class FakePeer final : public MediaPeer {
 public:
  explicit FakePeer(rtc::ClientPeerOptions peer_options) : options(std::move(peer_options)) {
    statistics_.slots.resize(options.slots);
  }

  std::string create_offer() override { return "offer"; }
  base::Result<void> set_answer(base::Instant, std::string_view sdp) override {
    if (sdp != "answer") return base::fail(base::ErrorCode::kInvalidArgument, "not an answer");
    change(rtc::PeerState::kChecking);
    return {};
  }
  base::Result<std::string> create_restart_offer(std::vector<base::SocketAddress>) override {
    return "restart offer";
  }
  base::Result<void> set_restart_answer(base::Instant, std::string_view sdp) override {
    if (sdp != "restart answer") return base::fail(base::ErrorCode::kInvalidArgument, "no");
    ++restarts;
    return {};
  }
  void handle_datagram(base::Instant, const base::Path&, base::Bytes) override {}
  void handle_timeout(base::Instant) override {}
  base::Instant next_deadline() const override { return base::kNever; }
  void handle_tcp_opened(base::Instant, const base::SocketAddress&, const base::Path&) override {}
  void handle_tcp_failed(base::Instant, const base::SocketAddress&) override {}
  void handle_tcp_closed(base::Instant, std::uint64_t) override {}
  bool send_frame(base::Instant, base::Bytes payload, std::uint32_t timestamp,
                  bool marker) override {
    sent.push_back({base::to_buffer(payload), timestamp, marker});
    return true;
  }
  base::DatagramQueue& outgoing() override { return queue_; }
  std::span<const rtc::PeerEvent> events() const override { return events_; }
  base::Bytes payload(const rtc::RemoteFrame& frame) const override {
    return base::Bytes(payloads_).subspan(frame.payload_offset, frame.payload_size);
  }
  void clear_events() override {
    events_.clear();
    payloads_.clear();
  }
  rtc::PeerState state() const override { return state_; }
  rtc::ClientPeerStatistics statistics() const override { return statistics_; }

  void change(rtc::PeerState state, rtc::PeerFailure failure = rtc::PeerFailure::kNone) {
    state_ = state;
    if (state == rtc::PeerState::kConnected) statistics_.selected_path = base::Path{};
    events_.emplace_back(rtc::PeerStateChanged{state, failure});
  }
  void receive(std::size_t slot, std::uint64_t sequence, std::uint32_t timestamp, bool marker,
               base::Bytes payload) {
    events_.emplace_back(
        rtc::RemoteFrame{slot, sequence, timestamp, marker, payloads_.size(), payload.size()});
    payloads_.insert(payloads_.end(), payload.begin(), payload.end());
  }
  void open_tcp(const base::SocketAddress& remote) {
    events_.emplace_back(rtc::OpenTcpConnection{remote});
  }

  rtc::ClientPeerOptions options;
  std::vector<SentFrame> sent;
  int restarts = 0;

 private:
  rtc::PeerState state_ = rtc::PeerState::kNew;
  rtc::ClientPeerStatistics statistics_;
  std::vector<rtc::PeerEvent> events_;
  base::Buffer payloads_;
  base::DatagramQueue queue_;
};

class ToneSource final : public AudioSource {
 public:
  std::size_t read(std::span<std::int16_t> out) override {
    const std::vector<std::int16_t> samples = tone(out.size(), 200, 6000, position_);
    std::copy(samples.begin(), samples.end(), out.begin());
    position_ += out.size();
    return out.size();
  }
  bool rewind() override { return true; }
  bool finished() const override { return false; }
  bool is_live() const override { return false; }

 private:
  std::size_t position_ = 0;
};

class MemorySink final : public AudioSink {
 public:
  base::Result<void> write(std::span<const std::int16_t> samples) override {
    sound.insert(sound.end(), samples.begin(), samples.end());
    return {};
  }
  base::Result<void> finish() override {
    finished = true;
    return {};
  }
  std::vector<std::int16_t> sound;
  bool finished = false;
};

class FakeHouse : public testing::Test {
 protected:
  static constexpr std::string_view kRoom = "AAECAwQFBgcICQoLDA0ODw";

  FakeHouse() {
    options.server = {false, "localhost", 8080};
    options.room = base::RoomId::parse(kRoom);
    options.name = "Nils";
    state.set_room_id(std::string(kRoom));
    state.set_title("Talk");
    state.set_revision(10);
    state.mutable_self()->set_member_id(2);
    state.mutable_self()->set_display_name("Nils");
    state.mutable_self()->set_role(v1::ROLE_LISTENER);
    v1::Member* host = state.add_stage();
    host->set_member_id(1);
    host->set_display_name("Hanna");
    host->set_role(v1::ROLE_MODERATOR);
    host->set_seat(1);
  }

  void begin() {
    member = std::make_unique<Member>(
        options, random_,
        [this](rtc::ClientPeerOptions peer_options) {
          auto made = std::make_unique<FakePeer>(std::move(peer_options));
          peer = made.get();
          ++peers_made;
          return made;
        },
        source, sink);
    member->start(now, {{base::IpAddress(), 5000}});
    pump();
  }

  void pump() {
    for (MemberEffect& effect : member->take_effects()) {
      if (auto* one = std::get_if<HttpCall>(&effect)) calls.push_back(std::move(*one));
      if (auto* one = std::get_if<OpenWebSocket>(&effect)) socket = one->id;
      if (auto* one = std::get_if<SendWebSocket>(&effect)) {
        v1::ClientMessage message;
        EXPECT_TRUE(
            message.ParseFromArray(one->message.data(), static_cast<int>(one->message.size())));
        messages.push_back(std::move(message));
      }
      if (auto* one = std::get_if<CloseWebSocket>(&effect)) closed_sockets.push_back(one->id);
      if (auto* one = std::get_if<rtc::OpenTcpConnection>(&effect))
        tcp_opened.push_back(one->remote);
      if (auto* one = std::get_if<rtc::CloseTcpConnection>(&effect))
        tcp_closed.push_back(one->connection);
    }
    for (MemberEvent& event : member->take_events()) events.push_back(std::move(event));
  }

  // Runs the member's timers up to now + duration.
  void advance(base::Duration duration) {
    const base::Instant until = now + duration;
    while (member->next_deadline() <= until) {
      now = std::max(now, member->next_deadline());
      member->handle_timeout(now);
      pump();
    }
    now = until;
    member->handle_timeout(now);
    pump();
  }

  // The oldest unanswered call; checks where it goes.
  HttpCall take_call(std::string_view target) {
    if (calls.empty()) {
      ADD_FAILURE() << "no call to " << target;
      return {};
    }
    HttpCall call = std::move(calls.front());
    calls.pop_front();
    EXPECT_EQ(call.target, target);
    return call;
  }
  template <typename Message>
  Message body_of(const HttpCall& call) {
    Message message;
    EXPECT_TRUE(message.ParseFromString(call.body));
    return message;
  }
  template <typename Message>
  void answer(const HttpCall& call, const Message& message, int status = 200) {
    member->handle_answer(
        now, call.id, HttpAnswer{status, std::string(kProtobufType), message.SerializeAsString()});
    pump();
  }
  void refuse(const HttpCall& call, int status, const char* code, const char* message,
              std::uint32_t retry_after = 0) {
    v1::ErrorResponse error;
    error.set_code(code);
    error.set_message(message);
    error.set_retry_after_seconds(retry_after);
    answer(call, error, status);
  }
  void fail(const HttpCall& call) {
    member->handle_answer(now, call.id,
                          base::fail(base::ErrorCode::kUnavailable, "connection refused"));
    pump();
  }

  void answer_config() {
    v1::ServerConfig config;
    config.set_slots(4);
    config.set_packet_bucket(160);
    config.set_media_port(7878);
    config.set_guests_allowed(true);
    answer(take_call("/v1/config"), config);
  }
  void answer_join() {
    v1::JoinRoomResponse response;
    response.set_join_token("join-token");
    response.set_sdp_answer("answer");
    *response.mutable_room() = state;
    response.mutable_guest_session()->set_token("guest-token");
    answer(take_call(room_path("/join")), response);
  }
  void open_socket() {
    member->handle_websocket_opened(now, socket);
    pump();
    ASSERT_FALSE(messages.empty());
    EXPECT_EQ(messages.back().hello().join_token(), "join-token");
    v1::ServerMessage message;
    *message.mutable_welcome()->mutable_room() = state;
    receive(message);
  }
  void peer_changes(rtc::PeerState state_now, rtc::PeerFailure failure = rtc::PeerFailure::kNone) {
    peer->change(state_now, failure);
    member->handle_datagram(now, {}, {});
    member->handle_timeout(now);
    pump();
  }
  void join_and_connect() {
    begin();
    answer_config();
    answer_join();
    open_socket();
    peer_changes(rtc::PeerState::kConnected);
  }

  void receive(const v1::ServerMessage& message) {
    member->handle_websocket_message(now, socket, serialize_padded(message));
    pump();
  }
  void receive_event(const v1::RoomEvent& event) {
    state.set_revision(state.revision() + 1);
    v1::ServerMessage message;
    message.mutable_batch()->set_revision(state.revision());
    *message.mutable_batch()->add_events() = event;
    receive(message);
  }
  void change_self(v1::Role role, std::uint32_t seat, bool muted = false) {
    state.mutable_self()->set_role(role);
    state.mutable_self()->set_seat(seat);
    state.mutable_self()->set_muted(muted);
    state.mutable_self()->set_invited(false);
    v1::RoomEvent event;
    *event.mutable_self_changed()->mutable_self() = state.self();
    receive_event(event);
  }

  std::string room_path(std::string_view rest) const {
    return "/v1/rooms/" + std::string(kRoom) + std::string(rest);
  }
  std::vector<MemberEvent> events_named(std::string_view name) const {
    std::vector<MemberEvent> found;
    for (const MemberEvent& event : events)
      if (event.name == name) found.push_back(event);
    return found;
  }
  template <typename T>
  static T field(const MemberEvent& event, std::string_view name) {
    const EventValue* value = event.find(name);
    if (value == nullptr || !std::holds_alternative<T>(*value)) {
      ADD_FAILURE() << event.name << " has no " << name;
      return {};
    }
    return std::get<T>(*value);
  }
  ExitStatus status() const {
    return member->outcome() ? member->outcome()->status : static_cast<ExitStatus>(-1);
  }

  MemberOptions options;
  v1::RoomState state;
  AudioSource* source = nullptr;
  AudioSink* sink = nullptr;
  base::Instant now{base::seconds(1000)};
  std::unique_ptr<Member> member;
  FakePeer* peer = nullptr;
  int peers_made = 0;
  std::deque<HttpCall> calls;
  std::uint64_t socket = 0;
  std::vector<v1::ClientMessage> messages;
  std::vector<std::uint64_t> closed_sockets;
  std::vector<base::SocketAddress> tcp_opened;
  std::vector<std::uint64_t> tcp_closed;
  std::vector<MemberEvent> events;

 private:
  base::SeededRandom random_{1};
};

}  // namespace alcove::client::test
