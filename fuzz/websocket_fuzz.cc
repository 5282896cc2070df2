// Anything a client can send, at a server with fakes: WebSocket messages and requests in any order.
//
// The input is a list of records: u8 kind, u8 who, u16 length, bytes. Kinds 0 and 1 are a message
// on a WebSocket (raw, or inside a valid one), 2 to 9 are requests, 10 moves the clock, 11 closes a
// socket.

#include <array>
#include <memory>
#include <string>

#include "alcove/v1/events.pb.h"
#include "alcove/v1/rooms.pb.h"
#include "base/bytes.h"
#include "control/server.h"
#include "crypto/hash.h"
#include "store/store.h"
#include "support/room_log_fixture.h"

namespace {

using namespace alcove;  // NOLINT(google-build-using-namespace): a program of one file

class FakeRelay final : public control::RelayLink {
 public:
  control::Server* server = nullptr;
  void send(const v1::RelayCommand& command) override {
    v1::RelayEvent event;
    if (command.has_open())
      event.mutable_opened()->set_join_id(command.open().join_id());
    else if (command.has_restart())
      event.mutable_refused()->set_join_id(command.restart().join_id());
    else
      return;
    server->handle_relay_event(event);
  }
};

class FakePeer final : public base::WebSocketPeer {
 public:
  void send(base::Buffer message) override {
    v1::ServerMessage parsed;
    CHECK(parsed.ParseFromArray(message.data(), static_cast<int>(message.size())));
    CHECK(!closed && message.size() % (parsed.has_keys() ? 64 : 256) == 0);
    if (parsed.keys().has_task() && parsed.keys().task().has_admit())
      candidate = parsed.keys().task().admit().candidate();
  }
  void allow_large(bool) override {}
  void close() override { closed = true; }
  bool closed = false;
  std::uint32_t candidate = 0;  // the last one that it was asked to admit
};

struct Client {
  std::string join_token;
  FakePeer peer;
  std::unique_ptr<base::WebSocketHandler> handler;
};

class House {
 public:
  House() : store_(store::open_memory()) {
    control::ServerOptions options;
    options.rate_limit_factor = 1e6;
    server_ = std::make_unique<control::Server>(options, *store_, pool_, relay_, random_);
    relay_.server = server_.get();
    tick(0);
    const std::string token = base::to_base64url(random_.bytes<32>());
    const store::Account account{
        .id = base::AccountId::make(random_), .username = "host", .display_name = "Host"};
    CHECK(store_->create_account(account, std::nullopt));
    CHECK(store_->create_session({.id = base::SessionId::make(random_),
                                  .account = account.id,
                                  .token_hash = crypto::sha256(base::as_bytes(token)),
                                  .expires_at = wall_ + base::seconds(1'000'000)}));
    v1::StartRoomRequest start;
    start.set_title("Room");
    *start.mutable_genesis() = genesis_.object;
    v1::StartRoomResponse started;
    CHECK(started.ParseFromString(
        request("POST", "/v1/rooms", start.SerializeAsString(), token, {})));
    room_ = started.room().room_id();
    account_ = account.id.text();
    for (std::size_t i = 0; i < clients_.size(); ++i) join(i, i == 0 ? token : std::string());
  }

  void step(std::uint8_t kind, std::uint8_t who, std::string_view bytes) {
    Client& client = clients_.at(who % clients_.size());
    const std::string body(bytes);
    const std::string room = "/v1/rooms/" + room_;
    switch (kind % 12) {
      case 0:
        return message(client, bytes);
      case 1:
        return command(client, body);
      case 2:
        return drop(request("POST", room + "/commands", body, {}, {}));
      case 3:
        return drop(request("POST", room + "/join", body, {}, {}));
      case 4:
        return drop(request("POST", "/v1/rooms", body, {}, {}, "application/json"));
      case 5:
        return drop(request("POST", room + "/commands", body, {}, {}, "application/json"));
      case 6:
        return drop(request("GET", body, {}, {}, client.join_token));
      case 7:
        return drop(request("POST", "/v1/accounts", body, {}, {}, "application/json"));
      case 8:
        return drop(request("GET", "/v1/me", {}, body, {}));
      case 9:
        return drop(request("GET", room + "/members", body, {}, client.join_token));
      case 10:
        return tick(bytes.empty() ? 100 : static_cast<std::uint8_t>(bytes[0]) * 100);
      default:
        return reconnect(client);
    }
  }

 private:
  static void drop(const std::string&) {}

  static roomlog::Genesis make_genesis() {
    const auto key = crypto::Ed25519PrivateKey::from_seed(roomlog_test::identity_seed("Host"));
    v1::Genesis body = roomlog_test::make_test_genesis("Host").body;
    body.set_created_at_ms(1'700'000'000'000);
    return roomlog::make_genesis(body, roomlog_test::signer(key));
  }

  std::string request(const std::string& method, const std::string& path, const std::string& body,
                      const std::string& token, const std::string& join_token,
                      const std::string& type = "application/protobuf") {
    base::HttpRequest http;
    http.method = method;
    http.path = path;
    http.accept = type;
    http.content_type = type;
    http.body = body;
    http.query = method == "GET" ? body : std::string();
    http.join_token = join_token;
    if (!token.empty()) http.authorization = "Bearer " + token;
    int answers = 0;
    std::string answer;
    server_->handle_request(std::move(http), [&](base::HttpResponse response) {
      ++answers;
      answer = std::move(response.body);
    });
    CHECK(answers == 1);
    return answer;
  }

  void join(std::size_t index, const std::string& token) {
    const std::string name = index == 0 ? "Host" : "Guest " + std::to_string(index);
    roomlog_test::Join keys = roomlog_test::make_join(genesis_.fingerprint, name, 0);
    v1::Certificate body;
    CHECK(body.ParseFromString(keys.certificate.object.body()));
    if (index == 0) body.set_account(account_);
    keys.certificate =
        roomlog::make_certificate(genesis_.fingerprint, body, roomlog_test::signer(keys.identity));
    v1::JoinRoomRequest join;
    join.set_sdp_offer("v=0");
    join.set_guest_name(name);
    *join.mutable_keys()->mutable_certificate() = keys.certificate.object;
    v1::JoinRoomResponse joined;
    CHECK(joined.ParseFromString(
        request("POST", "/v1/rooms/" + room_ + "/join", join.SerializeAsString(), token, {})));
    clients_.at(index).join_token = joined.join_token();
    reconnect(clients_.at(index));
    admit(std::move(keys), index);
  }

  // The host founds the room and admits the others, as its client would.
  void admit(roomlog_test::Join keys, std::size_t index) {
    if (index == 0) host_.emplace(std::move(keys));
    const roomlog::Hash author = host_->certificate.leaf_hash;
    const roomlog::Certificate certificate = index == 0 ? host_->certificate : keys.certificate;
    auto body = log_.draft(author, {roomlog_test::admit_op(certificate, index == 0 ? 1 : 0)},
                           index == 0 ? v1::ADVANCE_FRESH : v1::ADVANCE_NONE, index == 0,
                           wall_.time_since_epoch().count());
    CHECK(body.has_value());
    const roomlog::Hash confirm{};
    const roomlog::Entry entry = roomlog::make_entry(
        genesis_.fingerprint, *std::move(body), index == 0 ? base::Bytes(confirm) : base::Bytes(),
        roomlog_test::signer(index == 0 ? host_->identity : host_->leaf));
    v1::ClientMessage out;
    *out.mutable_keys()->mutable_append()->mutable_entry() = entry.object;
    if (index != 0) {
      v1::JoinBox& box = *out.mutable_keys()->mutable_append()->add_join_boxes();
      box.set_candidate(clients_[0].peer.candidate);
      box.set_box(std::string(84, 'j'));
    }
    message(clients_[0], out.SerializeAsString());
    CHECK(log_.apply(entry, roomlog::Follow::kFull).has_value());
  }

  void reconnect(Client& client) {
    if (client.handler) client.handler->on_closed();
    client.handler.reset();
    client.peer.closed = false;
    client.handler = server_->accept(client.peer, base::IpAddress());
    CHECK(client.handler != nullptr);
    v1::ClientMessage hello;
    hello.mutable_hello()->set_join_token(client.join_token);
    message(client, hello.SerializeAsString());
  }

  static void message(Client& client, std::string_view bytes) {
    client.handler->on_message(base::as_bytes(bytes));
  }

  // A command that carries the client's own token, so that the input gets past it.
  void command(Client& client, const std::string& bytes) {
    v1::RoomCommand command;
    if (!command.ParseFromString(bytes)) return;
    command.set_join_token(client.join_token);
    drop(request("POST", "/v1/rooms/" + room_ + "/commands", command.SerializeAsString(), {}, {}));
  }

  void tick(int ms) {
    now_ += base::milliseconds(ms);
    wall_ += base::milliseconds(ms);
    server_->set_time(now_, wall_);
    server_->handle_timeout();
  }

  base::SeededRandom random_{5};
  base::Instant now_{base::seconds(1000)};
  base::WallTime wall_{base::milliseconds(1'700'000'000'000)};
  std::unique_ptr<store::Store> store_;
  base::InlineExecutor pool_;
  FakeRelay relay_;
  std::unique_ptr<control::Server> server_;
  std::string room_;
  std::string account_;
  roomlog::Genesis genesis_ = make_genesis();
  roomlog::LogState log_{genesis_};
  std::optional<roomlog_test::Join> host_;
  std::array<Client, 3> clients_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  House house;
  base::ByteReader reader(base::Bytes(data, size));
  constexpr int kMaxSteps = 64;
  for (int i = 0; i < kMaxSteps; ++i) {
    const auto kind = reader.read_u8();
    const auto who = reader.read_u8();
    const auto length = reader.read_u16();
    if (!kind || !who || !length) break;
    const base::Bytes bytes =
        reader.read_bytes(std::min<std::size_t>(*length, reader.remaining())).value();
    house.step(*kind, *who, base::as_text(bytes));
  }
  return 0;
}
