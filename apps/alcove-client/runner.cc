#include "runner.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "audit_files.h"
#include "client/identity_file.h"
#include "client/whole_file.h"
#include "files.h"
#include "net/clock.h"

namespace alcove::app {

using base::Instant;
using base::Result;
using client::ExitStatus;
using client::Outcome;

namespace {

// A typed line that is longer is cut.
constexpr std::size_t kMaxLine = 1024;
// How often the interfaces are looked at: a network change is met within two seconds.
constexpr base::Duration kNetworkLook = base::milliseconds(500);

}  // namespace

// One WebSocket connection, by the member's number for it.
class Runner::Socket final : public net::WebSocketClientHandler {
 public:
  Socket(Runner& runner, std::uint64_t id)
      : runner_(runner),
        id_(id),
        client_(runner.loop_, *this, runner.egress_->tls(), &runner.egress_->guard()) {}

  void connect(const net::Url& url) { client_.connect(url); }
  void send(base::Buffer message) { client_.send(std::move(message)); }
  void close() { client_.close(); }

  void on_open() override {
    const Instant now = net::monotonic_now();
    runner_.member_->handle_websocket_opened(now, id_);
    runner_.flush(now);
  }
  void on_message(base::Bytes message) override {
    const Instant now = net::monotonic_now();
    runner_.member_->handle_websocket_message(now, id_, message);
    runner_.flush(now);
  }
  void on_closed(const base::Error& reason) override {
    const Instant now = net::monotonic_now();
    // Not from inside its own call.
    runner_.loop_.post([&runner = runner_, id = id_] { runner.sockets_.erase(id); });
    runner_.member_->handle_websocket_closed(now, id_, reason);
    runner_.flush(now);
  }

 private:
  Runner& runner_;
  std::uint64_t id_;
  net::WebSocketClient client_;
};

Runner::Runner(Options options, std::unique_ptr<Egress> egress)
    : options_(std::move(options)),
      egress_(std::move(egress)),
      http_(std::make_unique<net::HttpClient>(loop_, egress_->tls(), &egress_->guard())),
      endpoint_(loop_, *this, {.guard = &egress_->guard()}),
      timer_(loop_),
      network_timer_(loop_) {}

Runner::~Runner() = default;

net::Url Runner::url_of(std::string target) const {
  const client::ServerAddress& server = options_.member.server;
  net::Url url;
  url.secure = server.secure;
  url.host = server.host;
  url.port = server.port;
  url.target = std::move(target);
  return url;
}

int Runner::run() {
  Outcome outcome = open_files();
  if (outcome.status == ExitStatus::kOk) outcome = open_identity();
  if (outcome.status == ExitStatus::kOk) outcome = open_audit_files();
  if (outcome.status == ExitStatus::kOk && !open_sockets())
    outcome = {ExitStatus::kNetwork, "This computer has no network: no UDP socket can be opened."};
  if (outcome.status != ExitStatus::kOk) {
    fmt::print(stderr, "alcove-client: {}\n", outcome.message);
    return static_cast<int>(outcome.status);
  }
  signal(SIGPIPE, SIG_IGN);  // a closed standard output is not the end of the visit
  signal(SIGTTIN, SIG_IGN);  // in the background of a terminal there is nobody to type
  loop_.on_signal(SIGINT, [this] { interrupt(); });
  loop_.on_signal(SIGTERM, [this] { interrupt(); });
  options_.member.trust = egress_->trust();
  options_.member.media.tls_key_log = egress_->key_log();
  member_ = std::make_unique<client::Member>(
      options_.member, random_, client::real_media_peers(random_), source_.get(), sink_.get());
  read_standard_input();
  interfaces_ = net::interface_addresses();
  watch_network();
  const Instant now = net::monotonic_now();
  member_->start(now, net::wall_now(), local_addresses_);
  flush(now);
  loop_.run();
  return end();
}

Outcome Runner::open_files() {
  if (options_.speak == "-") {
    auto live = std::make_unique<client::LivePcm>();
    live_ = live.get();
    source_ = std::move(live);
  } else if (options_.speak == "tone") {
    source_ = client::make_tone();
  } else if (!options_.speak.empty()) {
    Result<std::unique_ptr<client::AudioSource>> source = client::open_audio_file(options_.speak);
    if (!source) return {ExitStatus::kUsage, source.error().message};
    source_ = std::move(*source);
  }
  if (options_.record.empty()) return {};
  Result<std::unique_ptr<client::AudioSink>> sink =
      client::create_audio_file(options_.record, random_);
  if (!sink) return {ExitStatus::kUsage, sink.error().message};
  sink_ = std::move(*sink);
  return {};
}

Outcome Runner::open_audit_files() {
  if (!options_.key_log_file.empty()) {
    auto log = open_key_log(options_.key_log_file);
    if (!log) return {ExitStatus::kUsage, log.error().message};
    key_log_ = *std::move(log);
    options_.member.key_log = key_log_.get();
  }
  if (!options_.relay_view_file.empty()) {
    auto log = open_payload_log(options_.relay_view_file);
    if (!log) return {ExitStatus::kUsage, log.error().message};
    payload_log_ = *std::move(log);
    options_.member.media.payload_log = payload_log_.get();
  }
  return {};
}

// An account's identity is that of this device; a guest's is made for the visit.
Outcome Runner::open_identity() {
  client::MemberOptions& member = options_.member;
  member.known_devices = load_known_devices(options_.egress.data_directory);
  std::string path = options_.identity_file;
  if (path.empty()) {
    if (member.username.empty()) return {};
    if (options_.egress.data_directory.empty())
      return {ExitStatus::kUsage,
              "There is no home directory for the identity: --identity names a file."};
    path = client::identity_path(options_.egress.data_directory, member.server, member.username);
  }
  const Result<crypto::Ed25519Seed> seed = client::load_or_make_identity(path, random_);
  if (!seed) return {ExitStatus::kUsage, seed.error().message};
  member.identity = *seed;
  return {};
}

// One socket a family, bound to no address: the system chooses the way, also after it has changed.
bool Runner::open_sockets() {
  for (const base::IpAddress& any : {base::IpAddress(), base::IpAddress::v6({})}) {
    const Result<base::SocketAddress> local = endpoint_.open(any);
    if (local) local_addresses_.push_back(*local);
  }
  return !local_addresses_.empty();
}

void Runner::read_standard_input() {
  input_ = std::make_unique<StandardInput>(
      loop_, [this](base::Bytes bytes) { return handle_input(bytes); },
      [this] {
        if (live_ != nullptr) live_->end();
      });
}

bool Runner::handle_input(base::Bytes bytes) {
  if (live_ != nullptr) {
    live_->push(bytes);
    input_waits_ = live_->space() < StandardInput::kPiece;
    return !input_waits_;
  }
  const Instant now = net::monotonic_now();
  for (const std::uint8_t byte : bytes) {
    if (byte != '\n') {
      if (line_.size() < kMaxLine) line_ += static_cast<char>(byte);
      continue;
    }
    member_->handle_line(now, std::exchange(line_, {}));
  }
  flush(now);
  return true;
}

void Runner::watch_network() {
  network_timer_.start(net::monotonic_now() + kNetworkLook, [this] {
    std::vector<base::IpAddress> interfaces = net::interface_addresses();
    if (interfaces != interfaces_) handle_network_change(std::move(interfaces));
    member_->handle_wall_time(net::monotonic_now(), net::wall_now());
    watch_network();
  });
}

void Runner::handle_network_change(std::vector<base::IpAddress> interfaces) {
  const Instant now = net::monotonic_now();
  // What leaves from an address that is still there goes on. Others come and go, such as
  // containers'.
  const bool lost = std::ranges::any_of(interfaces_, [&](const base::IpAddress& address) {
    return std::ranges::find(interfaces, address) == interfaces.end();
  });
  interfaces_ = std::move(interfaces);
  if (lost) abandon_requests(now);
  if (lost || member_->reconnecting()) member_->handle_network_change(now, local_addresses_);
  flush(now);
}

// The client before may be the one whose callback runs: it goes later.
void Runner::renew_http() {
  std::unique_ptr<net::HttpClient> old = std::exchange(
      http_, std::make_unique<net::HttpClient>(loop_, egress_->tls(), &egress_->guard()));
  loop_.post([old = std::move(old)] {});
}

// Requests on their way by the network that is gone would be waited for until they time out.
void Runner::abandon_requests(Instant now) {
  renew_http();
  for (const std::uint64_t id : std::exchange(requests_, {}))
    member_->handle_answer(now, id,
                           base::fail(base::ErrorCode::kUnavailable, "The network changed."));
}

void Runner::interrupt() {
  if (++interrupts_ > 1) return loop_.stop();
  const Instant now = net::monotonic_now();
  member_->leave(now);
  flush(now);
}

void Runner::handle_datagram(Instant now, const base::Path& path, base::Bytes bytes) {
  member_->handle_datagram(now, path, bytes);
}

void Runner::handle_batch_end(Instant now) { flush(now); }

void Runner::handle_connected(Instant now, const base::Path& path) {
  connecting_.erase(path.connection);
  member_->handle_tcp_opened(now, path.remote, path);
  flush(now);
}

void Runner::handle_connection_closed(Instant now, std::uint64_t connection) {
  if (const auto found = connecting_.find(connection); found != connecting_.end()) {
    const base::SocketAddress remote = found->second;
    connecting_.erase(found);
    member_->handle_tcp_failed(now, remote);
  } else {
    member_->handle_tcp_closed(now, connection);
  }
  flush(now);
}

void Runner::flush(Instant now) {
  if (!member_) return;
  for (client::MemberEffect& effect : member_->take_effects())
    std::visit([this](auto& one) { execute(one); }, effect);
  egress_->save();
  if (!member_->datagrams().empty()) endpoint_.send(member_->datagrams());
  for (const client::MemberEvent& event : member_->take_events()) print(event);
  if (input_waits_ && live_ != nullptr && live_->space() >= StandardInput::kPiece) {
    input_waits_ = false;
    input_->resume();
  }
  if (member_->outcome()) {
    timer_.cancel();
    return loop_.stop();
  }
  timer_.start(std::max(member_->next_deadline(), now), [this] {
    const Instant later = net::monotonic_now();
    member_->handle_timeout(later);
    flush(later);
  });
}

void Runner::execute(client::HttpCall& call) {
  net::ClientRequest request;
  request.method = std::move(call.method);
  request.url = url_of(std::move(call.target));
  request.headers.emplace_back("Accept", client::kProtobufType);
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", client::kProtobufType);
  if (!call.authorization.empty())
    request.headers.emplace_back("Authorization", call.authorization);
  if (!call.join_token.empty()) request.headers.emplace_back("Alcove-Join", call.join_token);
  request.body = std::move(call.body);
  if (call.fresh_connection && requests_.empty()) renew_http();
  requests_.insert(call.id);
  http_->request(std::move(request), [this, id = call.id](Result<net::ClientResponse> response) {
    const Instant now = net::monotonic_now();
    if (requests_.erase(id) == 0) return;
    Result<client::HttpAnswer> answer = std::unexpected(base::Error{});
    if (response) {
      answer = client::HttpAnswer{response->status, std::move(response->content_type),
                                  std::move(response->body)};
    } else {
      answer = std::unexpected(response.error());
    }
    member_->handle_answer(now, id, answer);
    flush(now);
  });
}

void Runner::execute(client::OpenWebSocket& open) {
  auto socket = std::make_unique<Socket>(*this, open.id);
  socket->connect(url_of("/v1/events"));
  sockets_[open.id] = std::move(socket);
}

void Runner::execute(client::SendWebSocket& send) {
  if (const auto found = sockets_.find(send.id); found != sockets_.end())
    found->second->send(std::move(send.message));
}

void Runner::execute(client::CloseWebSocket& close) {
  if (const auto found = sockets_.find(close.id); found != sockets_.end()) found->second->close();
}

void Runner::execute(rtc::OpenTcpConnection& open) {
  connecting_[endpoint_.connect(open.remote)] = open.remote;
}

void Runner::execute(rtc::CloseTcpConnection& close) {
  connecting_.erase(close.connection);
  endpoint_.close_connection(close.connection);
}

void Runner::execute(client::SaveFile& save) {
  member_->handle_saved(
      save.path, client::write_whole_file(save.path, save.content, client::IfThere::kReplace));
}

void Runner::print(const client::MemberEvent& event) const {
  if (options_.json) {
    fmt::print(stdout, "{}\n", client::to_json(event));
    std::fflush(stdout);
    return;
  }
  // What was asked for goes to standard output, what happens goes to standard error.
  const bool is_answer = event.name == "member" || event.name == "hands" || event.name == "help" ||
                         event.name == "roster_member" || event.name == "roster" ||
                         event.name == "link" || event.name == "key";
  const bool is_outcome = event.name == "error" && member_->outcome();
  if (event.name == "started") {
    if (const client::EventValue* link = event.find("link"))
      fmt::print(stdout, "{}\n", std::get<std::string>(*link));
    std::fflush(stdout);
  } else if (is_answer) {
    fmt::print(stdout, "{}{}", event.text, event.text.ends_with('\n') ? "" : "\n");
    std::fflush(stdout);
  } else if (!event.text.empty() && !is_outcome) {
    fmt::print(stderr, "{}\n", event.text);
  }
}

int Runner::end() {
  input_.reset();
  const Outcome outcome = member_->outcome().value_or(Outcome{ExitStatus::kOk, ""});
  int status = static_cast<int>(outcome.status);
  if (const Result<void> finished = member_->finish_recording(net::monotonic_now()); !finished) {
    fmt::print(stderr, "alcove-client: {}\n", finished.error().message);
    if (status == 0) status = static_cast<int>(ExitStatus::kUsage);
  }
  if (member_->known_devices().changed()) {
    const Result<void> saved =
        save_known_devices(options_.egress.data_directory, member_->known_devices());
    if (!saved) fmt::print(stderr, "alcove-client: {}\n", saved.error().message);
  }
  if (const std::uint64_t denied = endpoint_.denied(); denied > 0)
    fmt::print(stderr, "alcove-client: {} datagrams or connections were not sent: {}.\n", denied,
               "the manifest or your policy does not allow where they were to go");
  if (!outcome.message.empty()) fmt::print(stderr, "alcove-client: {}\n", outcome.message);
  return status;
}

}  // namespace alcove::app
