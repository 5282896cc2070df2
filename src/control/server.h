#pragma once
// The control plane: accounts, sessions, rooms, the join, events to members. No sockets, no clock
// of its own: the caller tells it the time and executes its effects. One thread (the control
// thread).

#include <memory>
#include <optional>
#include <string>

#include "alcove/v1/relay.pb.h"
#include "base/executor.h"
#include "base/http.h"
#include "base/random.h"
#include "base/time.h"
#include "control/promises.h"
#include "control/relay_link.h"

namespace alcove::store {
class Store;
}

namespace alcove::control {

enum class Registration { kOpen, kInvite, kClosed };

struct ServerOptions {
  std::string version = "0.1.0";
  Registration registration = Registration::kOpen;
  bool guests_allowed = true;
  unsigned slots = 4;
  unsigned packet_bucket = 160;
  unsigned media_port = 7878;
  unsigned max_room_members = 5000;
  unsigned max_rooms = 1000;
  // SHA-256 of the manifest's key: what a genesis must have. Empty: none, on a server without one.
  std::string manifest_key_hash;
  base::Duration reconnect_grace =
      base::seconds(15);  // a member without WebSocket or media goes after it
  base::Duration session_lifetime = base::seconds(60LL * 24 * 3600);
  // Multiplies every rate limit; tests that open many members from one address raise it.
  double rate_limit_factor = 1.0;
};

class Server final : public base::HttpHandler, public base::WebSocketAcceptor {
 public:
  Server(ServerOptions options, store::Store& store, base::Executor& store_pool, RelayLink& relay,
         base::RandomSource& random);
  ~Server() override;

  // Time comes first: the caller sets it before each of the calls below (same thread, cheap).
  void set_time(base::Instant now, base::WallTime wall);

  // From now on, for every request and answer. The manifest's key is that of the options' hash.
  void set_promises(Promises promises);

  void handle_request(base::HttpRequest request, base::HttpRespond respond) override;
  std::optional<base::HttpResponse> refuse(const base::IpAddress& remote) override;
  std::unique_ptr<base::WebSocketHandler> accept(base::WebSocketPeer& peer,
                                                 const base::IpAddress& remote) override;
  void handle_relay_event(const v1::RelayEvent& event);
  void handle_timeout();
  base::Instant next_deadline() const;

  // Prometheus text format (version 0.0.4), for the private port.
  std::string metrics() const;
  bool ready() const;
  // Ends every room with cause "server" and says goodbye to every member.
  void shut_down();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::control
