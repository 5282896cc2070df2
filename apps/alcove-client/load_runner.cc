#include "load_runner.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "client/load_report.h"
#include "client/whole_file.h"
#include "net/clock.h"
#include "process_limits.h"

namespace alcove::app {

using base::Instant;
using base::Result;
using client::ExitStatus;
using client::Outcome;

namespace {

// Shared by all members: a few, so that the system's limit for one socket's buffer is not that of
// all.
constexpr std::size_t kSharedSockets = 4;
constexpr int kSharedBuffer = 16 << 20;
constexpr int kOwnBuffer = 256 << 10;
constexpr base::Duration kLagEvery = base::milliseconds(10);
constexpr std::size_t kMaxLags = 1 << 20;

// 127.1.0.1 and on: some 16 million, without those that end in 0 or 255.
base::IpAddress loopback_address(std::size_t member) {
  constexpr std::size_t kHosts = 254;
  const std::size_t net = 256 + member / kHosts % 65'000;
  return base::IpAddress::v4({127, static_cast<std::uint8_t>(net >> 8),
                              static_cast<std::uint8_t>(net & 255),
                              static_cast<std::uint8_t>(1 + member % kHosts)});
}

net::UdpEndpoint::Options endpoint_options(bool shared, base::EgressGuard& guard) {
  return {.buffer_size = shared ? kSharedBuffer : kOwnBuffer, .guard = &guard};
}

}  // namespace

int run_load(LoadCommand command) {
  LoadHost host;
  if (!command.host.server.empty()) {
    const Result<std::string> link = host.start(command.host);
    Result<client::LoadOptions> options = std::unexpected(base::Error{});
    if (link) {
      fmt::print(stderr, "The room's link is {}\n", *link);
      options = client::make_load_options(*link, command.options.plan);
      if (options) options->french = command.options.french;
    } else {
      options = std::unexpected(link.error());
    }
    if (!options) {
      fmt::print(stderr, "alcove-client: {}\n", options.error().message);
      return static_cast<int>(ExitStatus::kNetwork);
    }
    command.options = *std::move(options);
  }
  Result<std::unique_ptr<Egress>> egress = Egress::open(command.egress, command.options.server);
  if (!egress) {
    fmt::print(stderr, "alcove-client: {}\n", egress.error().message);
    return static_cast<int>(ExitStatus::kUsage);
  }
  command.options.trust = (*egress)->trust();
  LoadRunner runner(std::move(command), *std::move(egress));
  return runner.run();
}

// One WebSocket connection, by the member's number for it.
class LoadRunner::Socket final : public net::WebSocketClientHandler {
 public:
  Socket(LoadRunner& runner, std::size_t member, std::uint64_t id)
      : runner_(runner),
        member_(member),
        id_(id),
        client_(runner.loop_, *this, runner.egress_->tls(), &runner.egress_->guard()) {}

  void connect() {
    client_.connect(runner_.url_of("/v1/events"), {}, runner_.http_source(member_));
  }
  void send(base::Buffer message) { client_.send(std::move(message)); }
  void close() { client_.close(); }

  void on_open() override {
    const Instant now = net::monotonic_now();
    runner_.crowd_->handle_websocket_opened(now, member_, id_);
    runner_.flush(now);
  }
  void on_message(base::Bytes message) override {
    const Instant now = net::monotonic_now();
    runner_.crowd_->handle_websocket_message(now, member_, id_, message);
    runner_.flush(now);
  }
  void on_closed(const base::Error& reason) override {
    const Instant now = net::monotonic_now();
    // Not from inside its own call.
    runner_.loop_.post([&runner = runner_, member = member_, id = id_] {
      runner.connections_[member].sockets.erase(id);
      runner.forget_unused(member);
    });
    runner_.crowd_->handle_websocket_closed(now, member_, id_, reason.message);
    runner_.flush(now);
  }

 private:
  LoadRunner& runner_;
  std::size_t member_;
  std::uint64_t id_;
  net::WebSocketClient client_;
};

LoadRunner::LoadRunner(LoadCommand command, std::unique_ptr<Egress> egress)
    : command_(std::move(command)),
      egress_(std::move(egress)),
      on_loopback_(client::is_loopback_host(command_.options.server.host)),
      endpoint_(loop_, *this, endpoint_options(on_loopback_, egress_->guard())),
      timer_(loop_),
      progress_timer_(loop_),
      lag_timer_(loop_),
      is_terminal_(isatty(STDERR_FILENO) == 1) {}

LoadRunner::~LoadRunner() = default;

net::Url LoadRunner::url_of(std::string target) const {
  const client::ServerAddress& server = command_.options.server;
  net::Url url;
  url.secure = server.secure;
  url.host = server.host;
  url.port = server.port;
  url.target = std::move(target);
  return url;
}

int LoadRunner::run() {
  const Outcome outcome = open_sockets();
  if (outcome.status != ExitStatus::kOk) {
    fmt::print(stderr, "alcove-client: {}\n", outcome.message);
    return static_cast<int>(outcome.status);
  }
  signal(SIGPIPE, SIG_IGN);
  loop_.on_signal(SIGINT, [this] { interrupt(); });
  loop_.on_signal(SIGTERM, [this] { interrupt(); });
  crowd_ = std::make_unique<client::LoadCrowd>(
      command_.options, random_, client::real_media_peers(random_),
      [this](std::size_t member) { return local_addresses(member); });
  const Instant now = net::monotonic_now();
  crowd_->start(now, net::wall_now());
  show_progress();
  lag_due_ = now;
  measure_lag();
  flush(now);
  loop_.run();
  return end();
}

Outcome LoadRunner::open_sockets() {
  const std::size_t members = command_.options.plan.members;
  // A WebSocket each; on other networks a UDP socket each, too. Requests come and go.
  const std::size_t needed = members * (on_loopback_ ? 1 : 2) + members / 4 + 256;
  if (const std::size_t allowed = raise_file_limit(needed); allowed < needed)
    return {ExitStatus::kUsage,
            fmt::format("{} members need {} open files, and {} are allowed. {}", members, needed,
                        allowed, client::load_advice("files"))};
  if (!on_loopback_) return {};
  for (std::size_t i = 0; i < kSharedSockets; ++i) {
    const Result<base::SocketAddress> local = endpoint_.open(base::IpAddress());
    if (!local) return {ExitStatus::kNetwork, local.error().message};
    shared_sockets_.push_back(*local);
  }
  return {};
}

std::vector<base::SocketAddress> LoadRunner::local_addresses(std::size_t member) {
  if (on_loopback_)
    return {{loopback_address(member), shared_sockets_[member % shared_sockets_.size()].port}};
  const Result<base::SocketAddress> own = endpoint_.open(base::IpAddress());
  if (!own) return {};
  connections_[member].own_socket = *own;
  return {*own};
}

// An address each, as members elsewhere have: the server's limits count by address.
std::optional<base::IpAddress> LoadRunner::http_source(std::size_t member) const {
  const bool is_v6 = command_.options.server.host.find(':') != std::string::npos;
  if (!on_loopback_ || is_v6 || member == client::LoadCrowd::kHouse) return std::nullopt;
  return loopback_address(member);
}

void LoadRunner::interrupt() {
  if (++interrupts_ > 1) return loop_.stop();
  fmt::print(stderr, "{}The members leave. Once more to stop at once.\n", is_terminal_ ? "\n" : "");
  const Instant now = net::monotonic_now();
  crowd_->leave(now);
  flush(now);
}

void LoadRunner::handle_datagram(Instant now, const base::Path& path, base::Bytes bytes) {
  crowd_->handle_datagram(now, path, bytes);
}

void LoadRunner::handle_batch_end(Instant now) {
  crowd_->handle_batch_end(now);
  flush(now);
}

void LoadRunner::flush(Instant now) {
  for (client::LoadCrowd::Effect& effect : crowd_->take_effects())
    std::visit([&](auto& one) { execute(effect.member, one); }, effect.effect);
  for (const std::size_t member : crowd_->take_ended()) {
    Connections& connections = connections_[member];
    if (connections.own_socket.port != 0) endpoint_.close(connections.own_socket);
    forget_unused(member);
  }
  if (!crowd_->datagrams().empty()) endpoint_.send(crowd_->datagrams());
  if (crowd_->outcome()) {
    timer_.cancel();
    return loop_.stop();
  }
  // Most calls move no deadline to an earlier time. A timer that is due must not be started anew:
  // with packets coming all the time it would never run.
  const Instant next = std::max(crowd_->next_deadline(), now);
  if (timer_at_ <= next) return;
  timer_at_ = next;
  timer_.start(next, [this] {
    timer_at_ = base::kNever;
    const Instant later = net::monotonic_now();
    crowd_->handle_timeout(later);
    flush(later);
  });
}

void LoadRunner::execute(std::size_t member, client::HttpCall& call) {
  net::ClientRequest request;
  request.method = std::move(call.method);
  request.url = url_of(std::move(call.target));
  request.headers.emplace_back("Accept", client::kProtobufType);
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", client::kProtobufType);
  request.body = std::move(call.body);
  request.source = http_source(member);
  std::unique_ptr<net::HttpClient>& http = connections_[member].http;
  if (!http) http = std::make_unique<net::HttpClient>(loop_, egress_->tls(), &egress_->guard());
  http->request(std::move(request),
                [this, member, id = call.id](Result<net::ClientResponse> response) {
                  const Instant now = net::monotonic_now();
                  Result<client::HttpAnswer> answer = std::unexpected(base::Error{});
                  if (response) {
                    answer = client::HttpAnswer{response->status, std::move(response->content_type),
                                                std::move(response->body)};
                  } else {
                    answer = std::unexpected(response.error());
                  }
                  close_idle(member, id);
                  crowd_->handle_answer(now, member, id, answer);
                  flush(now);
                });
}

// The connection of the join is not needed again for long: it would only take the server's places.
void LoadRunner::close_idle(std::size_t member, std::uint64_t call) {
  if (call == client::LoadMember::kFirstCall) return;
  // The callback of this client runs: it goes later.
  loop_.post([old = std::exchange(connections_[member].http, nullptr)] {});
}

void LoadRunner::forget_unused(std::size_t member) {
  const auto found = connections_.find(member);
  if (found == connections_.end()) return;
  if (!found->second.http && found->second.sockets.empty()) connections_.erase(found);
}

void LoadRunner::execute(std::size_t member, client::OpenWebSocket& open) {
  auto socket = std::make_unique<Socket>(*this, member, open.id);
  socket->connect();
  connections_[member].sockets[open.id] = std::move(socket);
}

void LoadRunner::execute(std::size_t member, client::SendWebSocket& send) {
  auto& sockets = connections_[member].sockets;
  if (const auto found = sockets.find(send.id); found != sockets.end())
    found->second->send(std::move(send.message));
}

void LoadRunner::execute(std::size_t member, client::CloseWebSocket& close) {
  auto& sockets = connections_[member].sockets;
  if (const auto found = sockets.find(close.id); found != sockets.end()) found->second->close();
}

void LoadRunner::show_progress() {
  const client::LoadCrowd::Progress progress = crowd_->progress(net::monotonic_now());
  if (progress.stage != client::LoadStage::kNew)
    fmt::print(stderr, "{}{}{}", is_terminal_ ? "\r\x1b[K" : "",
               client::load_progress_line(progress, shown_), is_terminal_ ? "" : "\n");
  std::fflush(stderr);
  shown_ = progress;
  progress_timer_.start(net::monotonic_now() + base::seconds(1), [this] { show_progress(); });
}

void LoadRunner::measure_lag() {
  const Instant now = net::monotonic_now();
  if (lags_.size() < kMaxLags) lags_.push_back(std::max(now - lag_due_, base::Duration::zero()));
  lag_due_ = now + kLagEvery;
  lag_timer_.start(lag_due_, [this] { measure_lag(); });
}

int LoadRunner::end() {
  egress_->save();
  if (is_terminal_) fmt::print(stderr, "\n");
  const Outcome outcome = crowd_->outcome().value_or(Outcome{});
  int status = static_cast<int>(outcome.status);
  client::LoadSummary summary = crowd_->summary(net::monotonic_now());
  summary.process = process_usage();
  summary.process.datagrams_dropped = endpoint_.dropped();
  summary.process.lag = client::percentiles_of(std::move(lags_));
  if (summary.requested > 0) {
    if (command_.json)
      fmt::print(stdout, "{}\n", client::load_json(summary));
    else
      fmt::print(stdout, "{}", client::load_text(summary));
    std::fflush(stdout);
  }
  if (!command_.html_file.empty()) {
    const Result<void> written =
        client::write_whole_file(command_.html_file, client::load_html(summary, crowd_->records()),
                                 client::IfThere::kReplace);
    if (!written) {
      fmt::print(stderr, "alcove-client: {}\n", written.error().message);
      if (status == 0) status = static_cast<int>(ExitStatus::kUsage);
    }
  }
  if (!outcome.message.empty()) fmt::print(stderr, "alcove-client: {}\n", outcome.message);
  for (const auto& [reason, failures] : summary.failures)
    fmt::print(stderr, "alcove-client: {} times {}: {} {}\n", failures.count, reason,
               failures.message, failures.advice);
  return status;
}

}  // namespace alcove::app
