#pragma once
// A server with an in-memory store, a relay that answers, and WebSockets that remember; virtual
// time.

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alcove/v1/events.pb.h"
#include "alcove/v1/rooms.pb.h"
#include "base/text.h"
#include "control/server.h"
#include "crypto/hash.h"
#include "store/store.h"

namespace alcove::control {

class FakeRelay final : public RelayLink {
 public:
  // Answers from inside send(), as an eager link would.
  bool answers = true;
  std::optional<v1::EndpointRefused::Reason> refuses;
  std::vector<v1::RelayCommand> commands;
  Server* server = nullptr;

  void send(const v1::RelayCommand& command) override {
    commands.push_back(command);
    if (!answers) return;
    if (command.has_open()) answer(command.open().join_id());
    if (command.has_restart()) answer(command.restart().join_id());
  }
  void answer(const std::string& join_id) {
    v1::RelayEvent event;
    if (refuses) {
      event.mutable_refused()->set_join_id(join_id);
      event.mutable_refused()->set_reason(*refuses);
      event.mutable_refused()->set_detail("line 3");
    } else {
      event.mutable_opened()->set_join_id(join_id);
      event.mutable_opened()->set_sdp_answer("answer");
    }
    server->handle_relay_event(event);
  }
  void report(const std::string& join_id, v1::EndpointStateChanged::State state) {
    v1::RelayEvent event;
    event.mutable_state_changed()->set_join_id(join_id);
    event.mutable_state_changed()->set_state(state);
    server->handle_relay_event(event);
  }
  const v1::OpenEndpoint& last_open() const {
    for (auto command = commands.rbegin(); command != commands.rend(); ++command)
      if (command->has_open()) return command->open();
    ADD_FAILURE() << "nothing was opened";
    return v1::OpenEndpoint::default_instance();
  }
  // What the relay was told last about a join: closed, or whether it may send.
  std::string last_about(const std::string& join_id) const {
    std::string state = "unknown";
    for (const v1::RelayCommand& command : commands) {
      if (command.open().join_id() == join_id)
        state = command.open().may_send() ? "may send" : "silent";
      if (command.allow_sending().join_id() == join_id)
        state = command.allow_sending().allowed() ? "may send" : "silent";
      if (command.close().join_id() == join_id) state = "closed";
    }
    return state;
  }
};

class FakePeer final : public base::WebSocketPeer {
 public:
  std::vector<v1::ServerMessage> messages;
  std::size_t bytes = 0;
  bool closed = false;
  bool keep = true;  // of the messages

  void send(base::Buffer message) override {
    EXPECT_FALSE(closed) << "sent after close";
    EXPECT_EQ(message.size() % 256, 0U);
    bytes += message.size();
    if (!keep) return;
    EXPECT_TRUE(
        messages.emplace_back().ParseFromArray(message.data(), static_cast<int>(message.size())));
  }
  void close() override { closed = true; }

  // All events since the last call.
  std::vector<v1::RoomEvent> take_events() {
    std::vector<v1::RoomEvent> events;
    for (; read_ < messages.size(); ++read_)
      for (const v1::RoomEvent& event : messages[read_].batch().events()) events.push_back(event);
    return events;
  }

 private:
  std::size_t read_ = 0;
};

// One member from the outside.
struct Client {
  std::string name;
  std::string token;  // of the session
  std::string room_id;
  std::string join_token;
  std::string join_id;  // as the relay knows it
  v1::RoomState room;   // as the join answered
  std::unique_ptr<FakePeer> peer = std::make_unique<FakePeer>();
  std::unique_ptr<base::WebSocketHandler> handler;

  std::uint32_t id() const { return room.self().member_id(); }
};

class ControlTest : public testing::Test {
 protected:
  explicit ControlTest(ServerOptions options = generous()) { restart(std::move(options)); }
  ~ControlTest() override { clients_.clear(); }

  static ServerOptions generous() {
    ServerOptions options;
    options.rate_limit_factor = 1000;
    return options;
  }
  void restart(ServerOptions options) {
    clients_.clear();
    server = std::make_unique<Server>(std::move(options), *store, executor, relay, random);
    relay.server = server.get();
    relay.commands.clear();
    advance(base::seconds(0));
  }

  // Runs every deadline in between.
  void advance(base::Duration duration) {
    const base::Instant end = now + duration;
    for (;;) {
      const base::Instant next = std::max(now, std::min(server->next_deadline(), end));
      wall += std::chrono::duration_cast<base::milliseconds>(next - now);
      now = next;
      server->set_time(now, wall);
      server->handle_timeout();
      if (now >= end && server->next_deadline() > end) return;
    }
  }

  // An answer that may come later.
  using Pending = std::shared_ptr<std::optional<base::HttpResponse>>;
  Pending begin(base::HttpRequest request) {
    auto response = std::make_shared<std::optional<base::HttpResponse>>();
    server->handle_request(std::move(request), [response](base::HttpResponse answer) {
      EXPECT_FALSE(response->has_value()) << "answered twice";
      *response = std::move(answer);
    });
    return response;
  }
  base::HttpResponse request(base::HttpRequest http) {
    const Pending pending = begin(std::move(http));
    EXPECT_TRUE(pending->has_value()) << "not answered";
    return pending->value_or(base::HttpResponse{});
  }
  static base::HttpRequest make(const std::string& method, const std::string& path,
                                const google::protobuf::Message* body = nullptr,
                                const std::string& token = {}) {
    base::HttpRequest http;
    http.method = method;
    http.path = path;
    http.accept = "application/protobuf";
    http.remote = *base::IpAddress::parse("192.0.2.1");
    if (!token.empty()) http.authorization = "Bearer " + token;
    if (body != nullptr) {
      http.content_type = "application/protobuf";
      http.body = body->SerializeAsString();
    }
    return http;
  }
  template <typename T>
  static T parse(const base::HttpResponse& response) {
    T message;
    EXPECT_LT(response.status, 300) << reason(response);
    EXPECT_TRUE(message.ParseFromString(response.body));
    return message;
  }
  static std::string reason(const base::HttpResponse& response) {
    v1::ErrorResponse error;
    if (response.status < 300 || !error.ParseFromString(response.body)) return {};
    return error.reason().empty() ? error.code() : error.reason();
  }

  base::HttpResponse try_register(const std::string& username, const std::string& invite = {}) {
    v1::RegisterRequest body;
    body.set_username(username);
    body.set_password("correct horse");
    body.set_invite_code(invite);
    return request(make("POST", "/v1/accounts", &body));
  }
  // An account and a session put into the store directly: no password hash to compute. Returns the
  // token.
  std::string account(const std::string& username) {
    const store::Account account{.id = base::AccountId::make(random),
                                 .username = username,
                                 .display_name = username,
                                 .password_hash = {},
                                 .created_at = wall};
    const std::string token = base::to_base64url(random.bytes<32>());
    const store::Session session{.id = base::SessionId::make(random),
                                 .account = account.id,
                                 .token_hash = crypto::sha256(base::as_bytes(token)),
                                 .device_name = "test",
                                 .created_at = wall,
                                 .last_used_at = wall,
                                 .expires_at = wall + base::seconds(3600LL * 24)};
    EXPECT_TRUE(store->create_account(account, std::nullopt));
    EXPECT_TRUE(store->create_session(session));
    return token;
  }
  std::string start_room(const std::string& token, v1::RoomKind kind = v1::ROOM_KIND_OPEN) {
    v1::StartRoomRequest body;
    body.set_title("A quiet room");
    body.set_kind(kind);
    return parse<v1::StartRoomResponse>(request(make("POST", "/v1/rooms", &body, token)))
        .room()
        .room_id();
  }

  Pending begin_join(const std::string& room_id, const std::string& token,
                     const std::string& guest = {}) {
    v1::JoinRoomRequest body;
    body.set_sdp_offer("offer");
    body.set_guest_name(guest);
    return begin(make("POST", "/v1/rooms/" + room_id + "/join", &body, token));
  }
  base::HttpResponse try_join(const std::string& room_id, const std::string& token,
                              const std::string& guest = {}) {
    const Pending pending = begin_join(room_id, token, guest);
    EXPECT_TRUE(pending->has_value());
    return pending->value_or(base::HttpResponse{});
  }
  Client& join(const std::string& room_id, const std::string& token,
               const std::string& guest = {}) {
    const auto response = parse<v1::JoinRoomResponse>(try_join(room_id, token, guest));
    Client& client = *clients_.emplace_back(std::make_unique<Client>());
    client.name = response.room().self().display_name();
    client.token = token.empty() ? response.guest_session().token() : token;
    client.room_id = room_id;
    client.join_token = response.join_token();
    client.join_id = relay.last_open().join_id();
    client.room = response.room();
    return client;
  }
  void connect(Client& client) {
    client.peer = std::make_unique<FakePeer>();
    client.handler = server->accept(*client.peer, *base::IpAddress::parse("192.0.2.1"));
    ASSERT_NE(client.handler, nullptr);
    v1::ClientMessage hello;
    hello.mutable_hello()->set_join_token(client.join_token);
    say(client, hello);
  }
  static void say(Client& client, const v1::ClientMessage& message) {
    const std::string bytes = message.SerializeAsString();
    client.handler->on_message(base::as_bytes(bytes));
  }
  static void disconnect(Client& client) {
    client.handler->on_closed();
    client.handler.reset();
  }
  Client& member(const std::string& room_id, const std::string& guest) {
    Client& client = join(room_id, {}, guest);
    connect(client);
    return client;
  }
  // A room with its moderator inside.
  Client& open_room(const std::string& username, v1::RoomKind kind = v1::ROOM_KIND_OPEN) {
    const std::string token = account(username);
    Client& host = join(start_room(token, kind), token);
    connect(host);
    return host;
  }

  base::HttpResponse give(Client& client, v1::RoomCommand command) {
    command.set_join_token(client.join_token);
    return request(make("POST", "/v1/rooms/" + client.room_id + "/commands", &command));
  }
  void must(Client& client, const v1::RoomCommand& command) {
    const base::HttpResponse response = give(client, command);
    EXPECT_EQ(response.status, 200) << reason(response);
  }
  static v1::RoomCommand command(const std::function<void(v1::RoomCommand&)>& fill) {
    v1::RoomCommand made;
    fill(made);
    return made;
  }
  static v1::RoomCommand invite(std::uint32_t id) {
    return command([&](v1::RoomCommand& c) { c.mutable_invite_to_stage()->set_member_id(id); });
  }
  static v1::RoomCommand accept() {
    return command([](v1::RoomCommand& c) { c.mutable_accept_invitation(); });
  }
  static v1::RoomCommand raise_hand() {
    return command([](v1::RoomCommand& c) { c.mutable_raise_hand(); });
  }
  static v1::RoomCommand leave() {
    return command([](v1::RoomCommand& c) { c.mutable_leave(); });
  }
  static v1::RoomCommand mute(std::uint32_t id, bool muted) {
    return command([&](v1::RoomCommand& c) {
      c.mutable_set_muted()->set_member_id(id);
      c.mutable_set_muted()->set_muted(muted);
    });
  }
  static v1::RoomCommand move_down(std::uint32_t id) {
    return command([&](v1::RoomCommand& c) { c.mutable_move_to_audience()->set_member_id(id); });
  }
  static v1::RoomCommand remove(std::uint32_t id) {
    return command([&](v1::RoomCommand& c) { c.mutable_remove_member()->set_member_id(id); });
  }
  void to_stage(Client& host, Client& client) {
    must(host, invite(client.id()));
    must(client, accept());
  }
  void forget_events() {
    for (const auto& client : clients_) client->peer->take_events();
  }
  static std::size_t count(const std::vector<v1::RoomEvent>& events,
                           v1::RoomEvent::EventCase kind) {
    std::size_t n = 0;
    for (const v1::RoomEvent& event : events) n += event.event_case() == kind ? 1 : 0;
    return n;
  }

  base::SeededRandom random{11};
  base::Instant now{base::seconds(1000)};
  base::WallTime wall{base::milliseconds(1'700'000'000'000)};
  std::unique_ptr<store::Store> store = store::open_memory();
  base::InlineExecutor executor;
  FakeRelay relay;
  std::unique_ptr<Server> server;

 private:
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace alcove::control
