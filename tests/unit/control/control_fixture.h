#pragma once
// A server with an in-memory store, a relay that answers, and WebSockets that remember; virtual
// time.

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
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
#include "roomlog/log_state.h"
#include "store/store.h"
#include "support/room_log_fixture.h"

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
  // Whether it opened the endpoint so that it is sent nothing yet, and was told otherwise since.
  bool receives(const std::string& join_id) const {
    bool allowed = false;
    for (const v1::RelayCommand& command : commands)
      allowed = allowed || command.allow_receiving().join_id() == join_id ||
                (command.open().join_id() == join_id && !command.open().receive_later());
    return allowed;
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
    v1::ServerMessage parsed;
    EXPECT_TRUE(parsed.ParseFromArray(message.data(), static_cast<int>(message.size())));
    EXPECT_EQ(message.size() % (parsed.has_keys() ? 64 : 256), 0U);
    bytes += message.size();
    if (parsed.has_keys())
      keys.push_back(parsed.keys());
    else if (keep)
      messages.push_back(std::move(parsed));
  }
  void close() override { closed = true; }
  void allow_large(bool allowed) override { large = allowed; }

  // Messages about keys are apart from the others.
  std::vector<v1::KeysFromServer> keys;
  std::size_t keys_done = 0;  // by the fixture's keeper
  bool large = false;

  // The last one of this kind, or nothing.
  std::optional<v1::KeysFromServer> last(v1::KeysFromServer::MessageCase kind) const {
    for (auto each = keys.rbegin(); each != keys.rend(); ++each)
      if (each->message_case() == kind) return *each;
    return std::nullopt;
  }
  std::vector<v1::KeysFromServer> all(v1::KeysFromServer::MessageCase kind) const {
    std::vector<v1::KeysFromServer> found;
    for (const v1::KeysFromServer& each : keys)
      if (each.message_case() == kind) found.push_back(each);
    return found;
  }
  std::vector<v1::KeeperTask> tasks(v1::KeeperTask::TaskCase kind) const {
    std::vector<v1::KeeperTask> found;
    for (const v1::KeysFromServer& each : keys)
      if (each.has_task() && each.task().task_case() == kind) found.push_back(each.task());
    return found;
  }
  v1::Waiting::Reason waiting() const {
    const auto told = last(v1::KeysFromServer::kWaiting);
    return told ? told->waiting().reason() : v1::Waiting::REASON_UNSPECIFIED;
  }

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
  explicit Client(roomlog_test::Join made) : keys(std::move(made)) {}
  std::string name;
  std::string token;  // of the session
  std::string room_id;
  std::string join_token;
  std::string join_id;  // as the relay knows it
  v1::RoomState room;   // as the last Welcome said
  roomlog_test::Join keys;
  std::unique_ptr<FakePeer> peer = std::make_unique<FakePeer>();
  std::unique_ptr<base::WebSocketHandler> handler;

  std::uint32_t id() const { return room.self().member_id(); }
  const roomlog::Hash& leaf() const { return keys.certificate.leaf_hash; }
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
      keep();
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
    people_[token] = {.name = username, .account = account.id.text()};
    return token;
  }
  v1::SignedObject genesis_of(const std::string& host, v1::RoomKind kind,
                              const std::function<void(v1::Genesis&)>& change = {}) {
    const auto key = crypto::Ed25519PrivateKey::from_seed(roomlog_test::identity_seed(host));
    v1::Genesis body;
    body.set_version(1);
    body.set_room_id(roomlog_test::to_string(random.bytes<16>()));
    body.set_host(roomlog_test::to_string(key.public_key()));
    body.set_kind(kind);
    body.set_packet_bucket(160);
    body.set_created_at_ms(wall.time_since_epoch().count());
    if (change) change(body);
    return roomlog::make_genesis(body, roomlog_test::signer(key)).object;
  }
  base::HttpResponse try_start(const std::string& token, const v1::SignedObject& genesis) {
    v1::StartRoomRequest body;
    body.set_title("A quiet room");
    *body.mutable_genesis() = genesis;
    return request(make("POST", "/v1/rooms", &body, token));
  }
  std::string start_room(const std::string& token, v1::RoomKind kind = v1::ROOM_KIND_OPEN) {
    const v1::SignedObject genesis = genesis_of(people_.at(token).name, kind);
    const std::string id = parse<v1::StartRoomResponse>(try_start(token, genesis)).room().room_id();
    logs_.emplace(id, roomlog::LogState(*roomlog::parse_genesis(genesis)));
    return id;
  }

  // Keys of a new join; an identity follows from the name.
  roomlog_test::Join make_keys(const std::string& room_id, const std::string& name,
                               const std::string& account) {
    const auto log = logs_.find(room_id);
    const roomlog::Hash room = log == logs_.end() ? roomlog::Hash{} : log->second.fingerprint();
    roomlog_test::Join join = roomlog_test::make_join(room, name, ++joins_made_);
    v1::Certificate body;
    EXPECT_TRUE(body.ParseFromString(join.certificate.object.body()));
    body.set_account(account);
    join.certificate = roomlog::make_certificate(room, body, roomlog_test::signer(join.identity));
    return join;
  }
  struct Person {
    std::string name;
    std::string account = "guest";
  };
  Person person_of(const std::string& token, const std::string& guest) {
    const auto found = people_.find(token);
    if (found != people_.end()) return found->second;
    std::string name = guest;
    while (name.starts_with(' ')) name.erase(0, 1);
    while (name.ends_with(' ')) name.pop_back();
    return {.name = name.empty() ? std::string("nobody") : name};
  }
  Pending begin_join(const std::string& room_id, const std::string& token,
                     const std::string& guest = {}) {
    const Person person = person_of(token, guest);
    last_keys_.emplace(make_keys(room_id, person.name, person.account));
    return begin_join_with(room_id, token, guest, last_keys_->certificate.object);
  }
  Pending begin_join_with(const std::string& room_id, const std::string& token,
                          const std::string& guest, const v1::SignedObject& certificate,
                          const std::string& link_mac = {}) {
    v1::JoinRoomRequest body;
    body.set_sdp_offer("offer");
    body.set_guest_name(guest);
    *body.mutable_keys()->mutable_certificate() = certificate;
    body.mutable_keys()->set_link_mac(link_mac);
    return begin(make("POST", "/v1/rooms/" + room_id + "/join", &body, token));
  }
  base::HttpResponse try_join(const std::string& room_id, const std::string& token,
                              const std::string& guest = {}) {
    const Pending pending = begin_join(room_id, token, guest);
    EXPECT_TRUE(pending->has_value());
    keep();
    return pending->value_or(base::HttpResponse{});
  }
  // A join that has its answer, and no WebSocket. Admitted where a keeper is connected.
  Client& join(const std::string& room_id, const std::string& token,
               const std::string& guest = {}) {
    const Person person = person_of(token, guest);
    const Pending pending = begin_join(room_id, token, guest);
    EXPECT_TRUE(pending->has_value());
    const auto response = parse<v1::JoinRoomResponse>(pending->value_or(base::HttpResponse{}));
    Client& client = *clients_.emplace_back(std::make_unique<Client>(*std::move(last_keys_)));
    client.name = person.name;
    client.token = token.empty() ? response.guest_session().token() : token;
    people_[client.token] = person;
    client.room_id = room_id;
    client.join_token = response.join_token();
    client.join_id = relay.last_open().join_id();
    keep();
    return client;
  }
  // Its WebSocket; what it is to write, it writes.
  void connect(Client& client) {
    client.peer = std::make_unique<FakePeer>();
    client.handler = server->accept(*client.peer, *base::IpAddress::parse("192.0.2.1"));
    ASSERT_NE(client.handler, nullptr);
    v1::ClientMessage hello;
    hello.mutable_hello()->set_join_token(client.join_token);
    say(client, hello);
    keep();
    for (const v1::ServerMessage& message : client.peer->messages)
      if (message.has_welcome()) client.room = message.welcome().room();
  }
  static void say(Client& client, const v1::ClientMessage& message) {
    const std::string bytes = message.SerializeAsString();
    client.handler->on_message(base::as_bytes(bytes));
  }
  void disconnect(Client& client) {
    client.handler->on_closed();
    client.handler.reset();
    keep();
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

  // The room's log as those who write it have it.
  roomlog::LogState& log_of(const Client& client) { return logs_.at(client.room_id); }

  // What a client would send for these ops; not sent.
  v1::AppendEntry draft(const Client& author, std::vector<v1::LogOp> ops,
                        v1::Advance advance = v1::ADVANCE_NONE, bool resume = false) {
    roomlog::LogState& log = log_of(author);
    auto body =
        log.draft(author.leaf(), std::move(ops), advance, resume, wall.time_since_epoch().count());
    v1::AppendEntry append;
    append.set_request(++requests_);
    if (!body) return append;
    return sign(author, *std::move(body));
  }
  // With the boxes that belong to it.
  v1::AppendEntry sign(const Client& author, v1::LogEntry body) {
    roomlog::LogState after = log_of(author);
    v1::AppendEntry append;
    append.set_request(++requests_);
    const bool advances = body.advance() != v1::ADVANCE_NONE;
    const bool fresh = body.advance() == v1::ADVANCE_FRESH;
    const crypto::Ed25519PrivateKey& key = entry_key(author, body.resume());
    const roomlog::Hash confirm = roomlog_test::hash_of("confirm");
    const roomlog::Entry entry = roomlog::make_entry(
        after.fingerprint(), std::move(body), advances ? base::Bytes(confirm) : base::Bytes(),
        roomlog_test::signer(key));
    *append.mutable_entry() = entry.object;
    if (after.apply(entry, roomlog::Follow::kFull) && fresh)
      for (const auto& [leaf, certificate] : after.roster())
        if (leaf != author.leaf()) *append.mutable_boxes() += box_for(leaf, entry.body.n());
    return append;
  }
  static const crypto::Ed25519PrivateKey& entry_key(const Client& author, bool resume) {
    return resume ? author.keys.identity : author.keys.leaf;
  }
  static std::string box_for(const roomlog::Hash& leaf, std::uint64_t n) {
    std::string box = roomlog_test::to_string(leaf) + std::to_string(n);
    box.resize(80, '.');
    return box;
  }
  // Sends it; the reason of AppendRefused, or nothing. Does not let the keepers work.
  std::string send(Client& author, const v1::AppendEntry& append) {
    v1::ClientMessage message;
    *message.mutable_keys()->mutable_append() = append;
    say(author, message);
    for (const v1::KeysFromServer& keys : author.peer->keys)
      if (keys.has_append_refused() && keys.append_refused().request() == append.request())
        return keys.append_refused().reason();
    const auto entry = roomlog::parse_entry(append.entry());
    if (!entry) return "not sent";
    if (!log_of(author).apply(*entry, roomlog::Follow::kFull)) return "not valid";
    return {};
  }
  std::string write(Client& author, std::vector<v1::LogOp> ops,
                    v1::Advance advance = v1::ADVANCE_NONE) {
    std::string refused = send(author, draft(author, std::move(ops), advance));
    keep();
    return refused;
  }
  std::string admit(Client& keeper, const v1::AdmitTask& task, v1::Advance advance = {}) {
    const auto certificate =
        roomlog::parse_certificate(log_of(keeper).fingerprint(), task.keys().certificate());
    EXPECT_TRUE(certificate.has_value());
    v1::AppendEntry append = draft(keeper, {roomlog_test::admit_op(*certificate)}, advance);
    v1::JoinBox& box = *append.add_join_boxes();
    box.set_candidate(task.candidate());
    box.set_box(std::string(84, 'j'));
    return send(keeper, append);
  }

  // Every connected client does what it is asked for, until nobody is asked for anything.
  void keep() {
    if (!keeping) return;
    for (bool done = false; !done;) {
      done = true;
      for (std::size_t i = 0; i < clients_.size(); ++i) {
        Client& client = *clients_[i];
        while (client.handler && !client.peer->closed &&
               client.peer->keys_done < client.peer->keys.size()) {
          const v1::KeysFromServer keys = client.peer->keys[client.peer->keys_done++];
          done = false;
          obey(client, keys);
        }
      }
    }
  }
  void obey(Client& client, const v1::KeysFromServer& keys) {
    if (keys.has_resume()) return void(resume(client));
    if (!keys.has_task()) return;
    const v1::KeeperTask& task = keys.task();
    const auto certificate_of = [&](const std::string& leaf) -> const roomlog::Certificate* {
      roomlog::Hash hash{};
      std::ranges::copy(base::as_bytes(leaf), hash.begin());
      return log_of(client).member(hash);
    };
    if (task.has_admit()) admit(client, task.admit());
    if (task.has_depart())
      if (const auto* leaver = certificate_of(task.depart().leaf()))
        send(client, draft(client, {roomlog_test::depart_op(leaver->leaf_hash)}));
    if (task.has_give_stage())
      if (const auto* listener = certificate_of(task.give_stage().leaf()))
        send(client, draft(client, {roomlog_test::speaker_op(
                                       *listener, log_of(client).next_free_seat().value_or(1))}));
  }
  std::string resume(Client& client, std::vector<v1::LogOp> more = {}) {
    roomlog::LogState& log = log_of(client);
    const auto* inside = log.member_of(client.keys.certificate.identity);
    const bool on_stage = inside != nullptr && log.on_stage(inside->leaf_hash) != nullptr;
    more.insert(more.begin(), roomlog_test::admit_op(client.keys.certificate,
                                                     on_stage ? 0 : *log.next_free_seat()));
    return send(client, draft(client, std::move(more), v1::ADVANCE_FRESH, true));
  }

  base::HttpResponse give(Client& client, v1::RoomCommand command) {
    command.set_join_token(client.join_token);
    base::HttpResponse response =
        request(make("POST", "/v1/rooms/" + client.room_id + "/commands", &command));
    keep();
    return response;
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
  // What the log is for: the refusal's reason, or nothing.
  std::string move_down(Client& by, const Client& target) {
    return write(by, {roomlog_test::role_op(target.leaf(), v1::ROLE_LISTENER)});
  }
  std::string make_moderator(Client& by, const Client& target) {
    return write(by, {roomlog_test::role_op(target.leaf(), v1::ROLE_MODERATOR)});
  }
  std::string remove(Client& by, const Client& target) {
    return write(by, {roomlog_test::eject_op(target.keys.certificate)}, v1::ADVANCE_FRESH);
  }
  std::string set_locked(Client& by, bool locked) {
    return write(by, {roomlog_test::lock_op(locked)});
  }
  std::string depart(Client& by, const Client& target) {
    return write(by, {roomlog_test::depart_op(target.leaf())});
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
  bool keeping = true;  // clients do by themselves what they are asked for

 private:
  std::vector<std::unique_ptr<Client>> clients_;
  std::map<std::string, Person> people_;  // by token
  std::map<std::string, roomlog::LogState> logs_;
  std::optional<roomlog_test::Join> last_keys_;
  int joins_made_ = 0;
  std::uint32_t requests_ = 0;
};

}  // namespace alcove::control
