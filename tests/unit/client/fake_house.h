#pragma once
// A member against a scripted server and a fake media connection, on virtual time. The room's log
// is a real one: Hanna's client, on the stage, admits the member.

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alcove/v1/accounts.pb.h"
#include "alcove/v1/events.pb.h"
#include "alcove/v1/rooms.pb.h"
#include "client/genesis.h"
#include "client/member.h"
#include "unit/client/log_house.h"
#include "unit/client/sounds.h"
#include "unit/client/test_manifest.h"

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
  FakeHouse()
      : house(make_room_genesis(house_random_, hanna_identity_, v1::ROOM_KIND_OPEN, 160,
                                manifest_hash(), wall())),
        hanna(house.enter(hanna_identity_, house_random_,
                          {.account = "hanna-id", .display_name = "Hanna"})) {
    options.server = {false, "localhost", 8080};
    options.room = base::RoomId::from_bytes(base::as_bytes(house.state.genesis().body.room_id()));
    options.name = "Nils";
    state.set_room_id(options.room->text());
    state.set_title("Talk");
    state.set_revision(10);
    state.mutable_self()->set_member_id(2);
    state.mutable_self()->set_display_name("Nils");
    state.mutable_self()->set_role(v1::ROLE_LISTENER);
    house.connect(now, hanna);
    house.run(now, wall());
    EXPECT_TRUE(hanna.inside);
    v1::Member* host = state.add_stage();
    host->set_member_id(1);
    host->set_display_name("Hanna");
    host->set_role(v1::ROLE_MODERATOR);
    host->set_seat(1);
    host->set_leaf(hanna.leaf.data(), hanna.leaf.size());
  }

  base::WallTime wall() const {
    return base::WallTime(base::milliseconds(1'800'000'000'000)) +
           std::chrono::duration_cast<base::milliseconds>(now - base::Instant());
  }

  void begin() {
    calls.clear();
    guard = std::make_unique<ManifestGuard>(options.server, std::exchange(own_policy, {}));
    options.trust = {guard.get(), &known_servers, accept_new_key};
    member = std::make_unique<Member>(
        options, random_,
        [this](rtc::ClientPeerOptions peer_options) {
          auto made = std::make_unique<FakePeer>(std::move(peer_options));
          peer = made.get();
          ++peers_made;
          return made;
        },
        source, sink);
    member->start(now, wall(), {{base::IpAddress(), 5000}});
    pump();
  }

  // Everything that can happen now, on both sides.
  void pump() {
    for (bool again = true; again;) {
      again = execute_effects();
      again = house.run(now, wall()) || again;
      for (const v1::KeysFromServer& keys : house.take_for_member()) {
        v1::ServerMessage message;
        *message.mutable_keys() = keys;
        member->handle_websocket_message(now, socket, serialize_padded(message));
        again = true;
      }
      if (std::min(member->next_deadline(), house.next_deadline()) <= now) {
        member->handle_timeout(now);
        again = true;
      }
      if (!welcome_due_ || !house.member_is_inside()) continue;
      welcome_due_ = false;
      send_welcome();
      again = true;
    }
    for (MemberEvent& event : member->take_events()) events.push_back(std::move(event));
  }

  // Runs everybody's timers up to now + duration.
  void advance(base::Duration duration) {
    const base::Instant until = now + duration;
    const auto next = [this] { return std::min(member->next_deadline(), house.next_deadline()); };
    while (next() <= until) {
      now = std::max(now, next());
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

  // The configuration, and the room of the link.
  void answer_config() {
    v1::ServerConfig config;
    config.set_slots(4);
    config.set_packet_bucket(160);
    config.set_media_port(7878);
    config.set_guests_allowed(true);
    answer(take_call("/v1/config"), config);
    if (!calls.empty() && calls.front().target == room_path("")) answer_genesis();
  }
  void answer_genesis() {
    v1::RoomSummary room;
    room.set_room_id(state.room_id());
    *room.mutable_genesis() = house.state.genesis().object;
    answer(take_call(room_path("")), room);
  }
  void answer_join() {
    const HttpCall call = take_call(room_path("/join"));
    const auto request = body_of<v1::JoinRoomRequest>(call);
    house.request_join(request.keys());
    const roomlog::Hash& leaf = house.member_leaf();
    state.mutable_self()->set_leaf(leaf.data(), leaf.size());
    v1::JoinRoomResponse response;
    response.set_join_token("join-token");
    response.set_sdp_answer("answer");
    if (!request.guest_name().empty()) {
      response.mutable_guest_session()->set_token("guest-token");
      response.mutable_guest_session()->mutable_account()->set_display_name(request.guest_name());
    }
    answer(call, response);
  }
  void open_socket() {
    const std::size_t before = messages.size();
    welcome_due_ = true;
    member->handle_websocket_opened(now, socket);
    house.hello();
    pump();
    // Who comes soon after another is let in together with whoever else does.
    if (!house.member_is_inside() && !house.nobody_answers) advance(base::milliseconds(200));
    ASSERT_GT(messages.size(), before);
    EXPECT_EQ(messages[before].hello().join_token(), "join-token");
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
  // Hanna writes it into the log, and the server tells.
  void change_role(v1::Role role) {
    if (house.state.on_stage(house.member_leaf()) == nullptr && role != v1::ROLE_LISTENER) {
      house.give_stage(hanna, house.member_leaf());
      pump();
    }
    if (role != v1::ROLE_SPEAKER) {
      EXPECT_TRUE(hanna.keys->set_role(now, wall(), house.member_leaf(), role));
      pump();
    }
    tell_self();
  }
  // What the log and the server say of the member.
  void tell_self(bool muted = false) {
    const roomlog::StageMember* on_stage = house.state.on_stage(house.member_leaf());
    state.mutable_self()->set_role(on_stage == nullptr ? v1::ROLE_LISTENER : on_stage->role);
    state.mutable_self()->set_seat(on_stage == nullptr ? 0 : on_stage->seat);
    state.mutable_self()->set_muted(muted);
    state.mutable_self()->set_invited(false);
    v1::RoomEvent event;
    *event.mutable_self_changed()->mutable_self() = state.self();
    receive_event(event);
  }

  std::string room_path(std::string_view rest) const {
    return "/v1/rooms/" + state.room_id() + std::string(rest);
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

  base::Instant now{base::seconds(1000)};

 private:
  base::SeededRandom random_{1};
  base::SeededRandom house_random_{2};
  crypto::Ed25519PrivateKey hanna_identity_ = crypto::Ed25519PrivateKey::make(house_random_);

 protected:
  LogHouse house;
  LogHouse::Person& hanna;
  MemberOptions options;
  v1::RoomState state;
  AudioSource* source = nullptr;
  AudioSink* sink = nullptr;
  std::unique_ptr<Member> member;
  v1::Manifest manifest = make_manifest();
  std::uint64_t manifest_key_seed = 90;
  bool manifest_by_hand = false;  // otherwise each question for it is answered at once
  std::optional<ManifestGuard::OwnPolicy> own_policy;
  KnownServers known_servers;
  bool accept_new_key = false;
  std::unique_ptr<ManifestGuard> guard;
  FakePeer* peer = nullptr;
  int peers_made = 0;
  std::deque<HttpCall> calls;
  std::uint64_t socket = 0;
  std::vector<v1::ClientMessage> messages;
  std::vector<std::uint64_t> closed_sockets;
  std::vector<base::SocketAddress> tcp_opened;
  std::vector<std::uint64_t> tcp_closed;
  std::vector<SaveFile> saved;
  std::vector<MemberEvent> events;

 private:
  bool execute_effects() {
    bool any = false;
    for (MemberEffect& effect : member->take_effects()) {
      any = true;
      if (auto* one = std::get_if<HttpCall>(&effect)) handle_call(std::move(*one));
      if (auto* one = std::get_if<OpenWebSocket>(&effect)) socket = one->id;
      if (auto* one = std::get_if<SendWebSocket>(&effect)) handle_sent(*one);
      if (auto* one = std::get_if<CloseWebSocket>(&effect)) closed_sockets.push_back(one->id);
      if (auto* one = std::get_if<rtc::OpenTcpConnection>(&effect))
        tcp_opened.push_back(one->remote);
      if (auto* one = std::get_if<rtc::CloseTcpConnection>(&effect))
        tcp_closed.push_back(one->connection);
      if (auto* one = std::get_if<SaveFile>(&effect)) {
        member->handle_saved(one->path, {});
        saved.push_back(std::move(*one));
      }
    }
    return any;
  }
  void handle_call(HttpCall call) {
    if (call.target != HouseCheck::kManifest || manifest_by_hand)
      return calls.push_back(std::move(call));
    member->handle_answer(now, call.id, signed_answer(manifest, manifest_key_seed));
  }
  void handle_sent(const SendWebSocket& sent) {
    v1::ClientMessage message;
    EXPECT_TRUE(message.ParseFromArray(sent.message.data(), static_cast<int>(sent.message.size())));
    if (message.has_keys()) return house.handle(message.keys());
    messages.push_back(std::move(message));
  }
  void send_welcome() {
    v1::ServerMessage message;
    *message.mutable_welcome()->mutable_room() = state;
    member->handle_websocket_message(now, socket, serialize_padded(message));
  }

  bool welcome_due_ = false;
};

}  // namespace alcove::client::test
