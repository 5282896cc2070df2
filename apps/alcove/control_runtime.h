#pragma once
// Gives control::Server what it does not have: the time before each call, a timer for its deadline,
// workers for the store, and the two paths of health. The loop's thread.

#include <memory>

#include "base/executor.h"
#include "base/http.h"
#include "base/random.h"
#include "control/server.h"
#include "net/event_loop.h"

namespace alcove::app {

class ControlRuntime final : public base::HttpHandler,
                             public base::WebSocketAcceptor,
                             private base::Executor {
 public:
  // All outlive the runtime, but pool does not run anything any more when it ends.
  ControlRuntime(net::EventLoop& loop, control::ServerOptions options, store::Store& store,
                 base::Executor& pool, control::RelayLink& relay, base::RandomSource& random);
  ~ControlRuntime() override;
  ControlRuntime(const ControlRuntime&) = delete;
  ControlRuntime& operator=(const ControlRuntime&) = delete;

  void handle_request(base::HttpRequest request, base::HttpRespond respond) override;
  std::optional<base::HttpResponse> refuse(const base::IpAddress& remote) override;
  std::unique_ptr<base::WebSocketHandler> accept(base::WebSocketPeer& peer,
                                                 const base::IpAddress& remote) override;
  void handle_relay_event(const v1::RelayEvent& event);
  void set_promises(control::Promises promises);
  void shut_down();
  std::string metrics() const { return server_.metrics(); }

 private:
  class Turn;
  class Connection;
  bool run(Job work, Job done) override;
  void set_time();
  void arm();

  base::Executor& pool_;
  net::Timer timer_;
  control::Server server_;
  base::Instant armed_for_ = base::kNever;
};

}  // namespace alcove::app
