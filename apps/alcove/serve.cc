#include "alcove/serve.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "alcove/candidates.h"
#include "alcove/control_runtime.h"
#include "alcove/manifest_keeper.h"
#include "alcove/metrics_handler.h"
#include "alcove/metrics_text.h"
#include "alcove/relay_runtime.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "net/clock.h"
#include "net/http_server.h"
#include "net/log_sink.h"
#include "net/resolve_host.h"
#include "net/store_pool.h"
#include "net/udp_endpoint.h"
#include "store/store.h"

namespace alcove::app {
namespace {

constexpr int kControlNice = 10;
constexpr base::Duration kGoodbyeWithin = base::seconds(2);
constexpr base::Duration kGoodbyePoll = base::milliseconds(20);

// Each member is a connection; the soft limit is 1,024 on most systems.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

unsigned media_threads(const Config& config) {
  const unsigned wanted =
      config.media.threads != 0 ? config.media.threads : std::thread::hardware_concurrency();
  return std::clamp(wanted, 1U, net::kMaxMediaThreads);
}

control::Registration to_control(Registration registration) {
  switch (registration) {
    case Registration::kOpen:
      return control::Registration::kOpen;
    case Registration::kInvite:
      return control::Registration::kInvite;
    case Registration::kClosed:
      return control::Registration::kClosed;
  }
  return control::Registration::kClosed;
}

std::vector<policy::RelayCandidate> to_policy(const std::vector<relay::Candidate>& candidates) {
  std::vector<policy::RelayCandidate> result;
  result.reserve(candidates.size());
  for (const relay::Candidate& candidate : candidates)
    result.push_back({.address = candidate.address,
                      .transport = candidate.protocol == base::TransportProtocol::kUdp
                                       ? policy::Transport::kUdp
                                       : policy::Transport::kTcp});
  return result;
}

void print_warnings(const ManifestKeeper& keeper) {
  for (const std::string& warning : keeper.warnings()) fmt::print(stderr, "alcove: {}\n", warning);
}

class House {
 public:
  explicit House(const Config& config) : config_(config), goodbye_timer_(loop_) {}
  ~House();
  House(const House&) = delete;
  House& operator=(const House&) = delete;

  base::Result<void> open();
  void run() {
    net::set_thread_nice(kControlNice);
    loop_.run();
  }
  std::string address_text() const;
  std::uint16_t media_port() const { return port_->port(); }
  bool uses_gro() const { return port_->uses_gro(); }

 private:
  base::Result<void> open_store();
  base::Result<void> open_media();
  base::Result<void> open_promises();
  base::Result<void> open_http();
  base::Result<void> publish_promises();
  base::Result<void> open_metrics();
  void reload();
  void load_web_app();
  void handle_signals();
  void begin_goodbye();
  void wait_for_goodbye(base::Instant until);
  net::HttpServerOptions http_options() const;
  control::ServerOptions server_options() const;

  const Config config_;
  net::EventLoop loop_;
  crypto::SystemRandom random_;
  std::unique_ptr<store::Store> store_;
  std::optional<net::StaticFiles> web_app_;
  std::unique_ptr<ManifestKeeper> promises_;
  std::unique_ptr<net::MediaPort> port_;
  std::unique_ptr<net::StorePool> pool_;
  std::unique_ptr<RelayRuntime> relay_;
  std::unique_ptr<ControlRuntime> control_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<MetricsHandler> metrics_handler_;
  std::unique_ptr<net::HttpServer> metrics_;
  net::Timer goodbye_timer_;
  bool leaving_ = false;
};

// From the outside in: first nobody asks any more, then nothing runs, then what it used goes.
House::~House() {
  metrics_.reset();
  http_.reset();
  if (pool_) pool_->stop();
  if (port_) port_->stop();
  control_.reset();
  relay_.reset();
}

base::Result<void> House::open() {
  using Step = base::Result<void> (House::*)();
  for (const Step step : {&House::open_store, &House::open_media, &House::open_promises,
                          &House::open_http, &House::publish_promises, &House::open_metrics})
    if (base::Result<void> opened = (this->*step)(); !opened) return opened;
  relay_->start();
  handle_signals();
  return {};
}

base::Result<void> House::open_store() {
  std::error_code ignored;
  const std::filesystem::path directory = std::filesystem::path(config_.store.path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
  base::Result<std::unique_ptr<store::Store>> opened = store::open_sqlite(config_.store.path);
  if (!opened)
    return base::fail(opened.error().code,
                      fmt::format("cannot open the database {} (store.path): {}",
                                  config_.store.path, opened.error().message));
  store_ = std::move(*opened);
  return {};
}

base::Result<void> House::open_media() {
  if (config_.media.sealing == crypto::SealingMethod::kIpsecMb && !crypto::has_ipsec_mb())
    return base::fail(base::ErrorCode::kUnavailable,
                      "media.sealing: intel-ipsec-mb is not in this program, or this CPU has not "
                      "what it needs; set \"auto\" or \"openssl\"");
  const net::MediaPortOptions options{.listen = config_.media.listen,
                                      .port = config_.media.port,
                                      .threads = media_threads(config_),
                                      .sending = config_.media.sending,
                                      .receiving = config_.media.receiving};
  base::Result<std::unique_ptr<net::MediaPort>> port = net::MediaPort::open(options);
  if (!port) {
    std::string message = port.error().message;
    if (port.error().code == base::ErrorCode::kAlreadyExists)
      message += ". Is Alcove already running? (media.port)";
    return base::fail(port.error().code, message);
  }
  port_ = std::move(*port);
  return {};
}

base::Result<void> House::open_promises() {
  auto opened = ManifestKeeper::open(config_, random_, &net::resolve_host);
  if (!opened) return std::unexpected(opened.error());
  promises_ = *std::move(opened);
  if (!promises_->log_was_torn()) return {};
  base::log(base::LogLevel::kWarning, "manifest.log_was_torn");
  fmt::print(stderr, "alcove: the last line of the manifest's log was not whole; it is gone\n");
  return {};
}

control::ServerOptions House::server_options() const {
  control::ServerOptions options;
  options.version = ALCOVE_VERSION;
  options.registration = to_control(config_.accounts.registration);
  options.guests_allowed = config_.accounts.guests;
  options.media_port = port_->port();
  options.max_room_members = config_.limits.members;
  options.max_rooms = config_.limits.rooms;
  options.rate_limit_factor = config_.limits.rate_limit_factor;
  options.manifest_key_hash = promises_->key_hash();
  return options;
}

net::HttpServerOptions House::http_options() const {
  net::HttpServerOptions options;
  options.listen = config_.http.listen;
  // A machine without IPv6 has no [::1]; where nobody asked for it, it is not missed.
  const std::vector<base::IpAddress> interfaces = net::interface_addresses();
  if (options.listen == Config().http.listen)
    std::erase_if(options.listen, [&](const base::SocketAddress& address) {
      return address.ip.is_v6() && std::ranges::find(interfaces, address.ip) == interfaces.end();
    });
  options.certificate_file = config_.http.certificate;
  options.key_file = config_.http.key;
  options.trusted_proxies = config_.http.trusted_proxies;
  options.allowed_origins = config_.http.allowed_origins;
  options.max_connections = config_.limits.connections;
  options.max_connections_for_address = config_.limits.connections_per_address;
  return options;
}

void House::load_web_app() {
  base::Result<net::StaticFiles> files = net::StaticFiles::load(config_.http.web_root);
  if (files) {
    web_app_ = std::move(*files);
    return;
  }
  fmt::print(stderr, "alcove: {}; only the API is served (http.web_root)\n", files.error().message);
}

base::Result<void> House::open_http() {
  load_web_app();
  pool_ = std::make_unique<net::StorePool>(loop_, net::StorePool::Options{});
  // The relay and the control plane know each other; neither says anything before the loop runs.
  const net::HttpServerOptions options = http_options();
  const unsigned threads = media_threads(config_);
  relay::ShardOptions shards;
  shards.sealing = config_.media.sealing;
  shards.hold_packets = config_.media.sending != net::SendMethod::kSendmmsg;
  shards.candidates = make_candidates(config_, net::interface_addresses(), port_->listening(),
                                      port_->port(), options.listen);
  if (const auto admitted = promises_->admit(to_policy(shards.candidates)); !admitted)
    return admitted;
  relay_ = std::make_unique<RelayRuntime>(
      loop_, *port_, threads, std::move(shards),
      [this](const v1::RelayEvent& event) { control_->handle_relay_event(event); });
  control_ =
      std::make_unique<ControlRuntime>(loop_, server_options(), *store_, *pool_, *relay_, random_);
  base::Result<std::unique_ptr<net::HttpServer>> http =
      net::HttpServer::open(loop_, options,
                            {.handler = *control_,
                             .acceptor = control_.get(),
                             .files = web_app_ ? &*web_app_ : nullptr,
                             .adopt_media = [this](int descriptor) { port_->adopt(descriptor); }});
  if (!http) return base::fail(http.error().code, http.error().message + " (http.listen)");
  http_ = std::move(*http);
  return {};
}

// After everything is bound, and before anybody is answered.
base::Result<void> House::publish_promises() {
  KnownEndpoints known{.listen = http_->addresses(),
                       .interfaces = net::interface_addresses(),
                       .host_name = net::host_name(),
                       .web_files = {},
                       .software = "alcove " ALCOVE_VERSION};
  if (web_app_)
    for (const auto& [path, bytes] : web_app_->contents()) {
      v1::WebFile& file = known.web_files.emplace_back();
      file.set_path(std::string(path));
      file.set_sha256(std::string(base::as_text(crypto::sha256(base::as_bytes(bytes)))));
      file.set_size(bytes.size());
    }
  const base::Result<void> published =
      promises_->publish(std::move(known), net::wall_now().time_since_epoch().count());
  if (!published) return published;
  print_warnings(*promises_);
  control_->set_promises(promises_->promises());
  return {};
}

base::Result<void> House::open_metrics() {
  if (!config_.metrics.listen) return {};
  metrics_handler_ = std::make_unique<MetricsHandler>([this] {
    return control_->metrics() + metrics_text(http_->counters(), port_->counters(),
                                              relay_->counters(), relay_->loads(),
                                              relay_->dropped());
  });
  net::HttpServerOptions options;
  options.listen = {*config_.metrics.listen};
  options.max_connections = 64;
  base::Result<std::unique_ptr<net::HttpServer>> server =
      net::HttpServer::open(loop_, options, {.handler = *metrics_handler_});
  if (!server) return base::fail(server.error().code, server.error().message + " (metrics.listen)");
  metrics_ = std::move(*server);
  return {};
}

void House::handle_signals() {
  for (const int number : {SIGINT, SIGTERM}) loop_.on_signal(number, [this] { begin_goodbye(); });
  loop_.on_signal(SIGHUP, [this] { reload(); });
}

// What is wrong keeps what was there before. What the policy says of an address is for the
// operator's eyes, not for logs.
void House::reload() {
  if (http_->reload_certificate())
    base::log(base::LogLevel::kInfo, "http.certificate_reloaded");
  else
    base::log(base::LogLevel::kError, "http.certificate_not_reloaded");
  const base::Result<void> reloaded = promises_->reload(net::wall_now().time_since_epoch().count());
  if (reloaded) {
    base::log(base::LogLevel::kInfo, "policy.reloaded");
    print_warnings(*promises_);
    return control_->set_promises(promises_->promises());
  }
  base::log(base::LogLevel::kError, "policy.not_reloaded");
  fmt::print(stderr, "alcove: the policy was not taken, the old one stays: {}\n",
             reloaded.error().message);
}

// The first signal says goodbye to everybody, a second one ends at once.
void House::begin_goodbye() {
  if (leaving_) return loop_.stop();
  leaving_ = true;
  base::log(base::LogLevel::kInfo, "house.leaving");
  http_->stop_accepting();
  control_->shut_down();
  wait_for_goodbye(net::monotonic_now() + kGoodbyeWithin);
}

void House::wait_for_goodbye(base::Instant until) {
  const base::Instant now = net::monotonic_now();
  if (http_->counters().websockets_open == 0 || now >= until) return loop_.stop();
  goodbye_timer_.start(now + kGoodbyePoll, [this, until] { wait_for_goodbye(until); });
}

std::string House::address_text() const {
  const std::vector<base::SocketAddress>& addresses = http_->addresses();
  const auto local = std::ranges::find_if(addresses, [](const base::SocketAddress& address) {
    return address.ip.is_loopback() || address.ip.is_unspecified();
  });
  const std::string scheme = http_->secure() ? "https" : "http";
  const std::uint16_t usual = http_->secure() ? 443 : 80;
  const base::SocketAddress& shown = local == addresses.end() ? addresses.front() : *local;
  if (local == addresses.end()) return scheme + "://" + shown.text();
  return shown.port == usual ? scheme + "://localhost"
                             : fmt::format("{}://localhost:{}", scheme, shown.port);
}

// Which of the ways of sealing, sending and receiving were chosen.
void log_media_paths(const Config& config, bool uses_gro) {
  using base::Literal;
  const bool by_ipsec_mb =
      crypto::resolve_sealing(config.media.sealing) == crypto::SealingMethod::kIpsecMb;
  const bool gso = config.media.sending != net::SendMethod::kSendmmsg;
  base::log(base::LogLevel::kInfo, "media_paths",
            {{"sealing", by_ipsec_mb ? Literal("ipsec-mb") : Literal("openssl")},
             {"sending", gso ? Literal("gso") : Literal("sendmmsg")},
             {"receiving", uses_gro ? Literal("gro") : Literal("recvmmsg")}});
}

}  // namespace

int serve(const Config& config) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  const net::LogWriter log_writer(config.log.level);
  House house(config);
  const base::Result<void> opened = house.open();
  if (!opened) {
    fmt::print(stderr, "alcove: {}\n", opened.error().message);
    return 1;
  }
  base::log(base::LogLevel::kInfo, "house.open",
            {{"media_port", house.media_port()}, {"media_threads", media_threads(config)}});
  log_media_paths(config, house.uses_gro());
  fmt::print("Alcove is at {}\n", house.address_text());
  std::fflush(stdout);
  house.run();
  base::log(base::LogLevel::kInfo, "house.closed");
  return 0;
}

}  // namespace alcove::app
