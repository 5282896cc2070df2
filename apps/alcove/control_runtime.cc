#include "alcove/control_runtime.h"

#include <utility>

#include "net/clock.h"

namespace alcove::app {

// One call into the server: the time is set before it and the timer after it.
class ControlRuntime::Turn {
 public:
  explicit Turn(ControlRuntime& runtime) : runtime_(runtime) { runtime_.set_time(); }
  ~Turn() { runtime_.arm(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  ControlRuntime& runtime_;
};

class ControlRuntime::Connection final : public base::WebSocketHandler {
 public:
  Connection(ControlRuntime& runtime, std::unique_ptr<base::WebSocketHandler> inner)
      : runtime_(runtime), inner_(std::move(inner)) {}
  void on_message(base::Bytes message) override {
    const Turn turn(runtime_);
    inner_->on_message(message);
  }
  void on_closed() override {
    const Turn turn(runtime_);
    inner_->on_closed();
    inner_.reset();
  }

 private:
  ControlRuntime& runtime_;
  std::unique_ptr<base::WebSocketHandler> inner_;
};

ControlRuntime::ControlRuntime(net::EventLoop& loop, control::ServerOptions options,
                               store::Store& store, base::Executor& pool, control::RelayLink& relay,
                               base::RandomSource& random)
    : pool_(pool),
      timer_(loop),
      server_(std::move(options), store, static_cast<base::Executor&>(*this), relay, random) {
  const Turn turn(*this);
}

ControlRuntime::~ControlRuntime() = default;

void ControlRuntime::set_time() { server_.set_time(net::monotonic_now(), net::wall_now()); }

void ControlRuntime::arm() {
  const base::Instant deadline = server_.next_deadline();
  if (deadline == armed_for_) return;
  armed_for_ = deadline;
  timer_.start(deadline, [this] {
    armed_for_ = base::kNever;
    const Turn turn(*this);
    server_.handle_timeout();
  });
}

bool ControlRuntime::run(Job work, Job done) {
  return pool_.run(std::move(work), [this, after = std::move(done)]() mutable {
    const Turn turn(*this);
    after();
  });
}

void ControlRuntime::handle_request(base::HttpRequest request, base::HttpRespond respond) {
  if (request.path == "/healthz") {
    respond({.status = 200, .content_type = "text/plain", .body = "ok\n", .headers = {}});
    return;
  }
  const Turn turn(*this);
  if (request.path == "/readyz") {
    const bool ready = server_.ready();
    respond({.status = ready ? 200 : 503,
             .content_type = "text/plain",
             .body = ready ? "ready\n" : "not ready\n",
             .headers = {}});
    return;
  }
  server_.handle_request(std::move(request), std::move(respond));
}

std::optional<base::HttpResponse> ControlRuntime::refuse(const base::IpAddress& remote) {
  const Turn turn(*this);
  return server_.refuse(remote);
}

std::unique_ptr<base::WebSocketHandler> ControlRuntime::accept(base::WebSocketPeer& peer,
                                                               const base::IpAddress& remote) {
  const Turn turn(*this);
  std::unique_ptr<base::WebSocketHandler> inner = server_.accept(peer, remote);
  if (inner == nullptr) return nullptr;
  return std::make_unique<Connection>(*this, std::move(inner));
}

void ControlRuntime::handle_relay_event(const v1::RelayEvent& event) {
  const Turn turn(*this);
  server_.handle_relay_event(event);
}

void ControlRuntime::set_promises(control::Promises promises) {
  server_.set_promises(std::move(promises));
}

void ControlRuntime::shut_down() {
  const Turn turn(*this);
  server_.shut_down();
}

}  // namespace alcove::app
