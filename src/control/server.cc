#include "control/server.h"

#include <google/protobuf/stubs/logging.h>

#include <utility>

#include "control/accounts.h"
#include "control/commands.h"
#include "control/context.h"
#include "control/house.h"
#include "control/joins.h"
#include "control/json.h"
#include "control/lobby.h"
#include "control/router.h"
#include "control/sessions.h"
#include "control/sockets.h"
#include "control/well_known.h"

namespace alcove::control {
namespace {

constexpr base::Duration kCleaningInterval = base::seconds(3600);
constexpr base::Duration kHealthInterval = base::seconds(10);

v1::MediaChanged::State to_member_state(v1::EndpointStateChanged::State state) {
  switch (state) {
    case v1::EndpointStateChanged::STATE_CHECKED:
      return v1::MediaChanged::STATE_CHECKED;
    case v1::EndpointStateChanged::STATE_CONNECTED:
      return v1::MediaChanged::STATE_CONNECTED;
    case v1::EndpointStateChanged::STATE_GONE:
      return v1::MediaChanged::STATE_GONE;
    default:
      return v1::MediaChanged::STATE_UNSPECIFIED;
  }
}

}  // namespace

class Server::Implementation {
 public:
  Implementation(ServerOptions options, store::Store& store, base::Executor& pool, RelayLink& relay,
                 base::RandomSource& random)
      : context(std::move(options), store, pool, relay, random),
        sessions(context),
        house(context),
        accounts(context, sessions,
                 [this](const base::SessionId& session) {
                   joins.cut_session(session);
                   house.cut_session(session);
                 }),
        lobby(context, sessions, house),
        joins(context, sessions, house),
        commands(context, house),
        well_known(context),
        router(context),
        sockets(context, house) {
    house.on_dropped([this](const base::JoinId& join_id, const ApiError& reason) {
      joins.handle_dropped(join_id, reason);
    });
    add_routes();
  }

  void start_timers() {
    if (std::exchange(timers_started, true)) return;
    clean();
    check_health();
  }

  Context context;
  Sessions sessions;
  House house;
  Accounts accounts;
  Lobby lobby;
  Joins joins;
  Commands commands;
  WellKnown well_known;
  Router router;
  Sockets sockets;
  bool timers_started = false;

 private:
  template <typename Area>
  void add(std::string_view method, std::string_view pattern, Area& area,
           void (Area::*handler)(Request)) {
    router.add(method, pattern,
               [&area, handler](Request request) { (area.*handler)(std::move(request)); });
  }

  void add_routes() {
    add("GET", "/v1/config", lobby, &Lobby::config);
    add("POST", "/v1/accounts", accounts, &Accounts::register_account);
    add("POST", "/v1/sessions", accounts, &Accounts::log_in);
    add("GET", "/v1/sessions", accounts, &Accounts::list_sessions);
    add("DELETE", "/v1/sessions/{}", accounts, &Accounts::revoke_session);
    add("GET", "/v1/me", accounts, &Accounts::me);
    add("GET", "/v1/follows", accounts, &Accounts::list_follows);
    add("PUT", "/v1/follows/{}", accounts, &Accounts::follow);
    add("DELETE", "/v1/follows/{}", accounts, &Accounts::unfollow);
    add("GET", "/v1/hallway", lobby, &Lobby::hallway);
    add("POST", "/v1/rooms", lobby, &Lobby::start_room);
    add("GET", "/v1/rooms/{}", lobby, &Lobby::summary);
    add("GET", "/v1/rooms/{}/log", lobby, &Lobby::log);
    add("GET", "/v1/rooms/{}/members", lobby, &Lobby::list_members);
    add("POST", "/v1/rooms/{}/join", joins, &Joins::join);
    add("POST", "/v1/rooms/{}/restart", joins, &Joins::restart);
    add("POST", "/v1/rooms/{}/commands", commands, &Commands::give);
    add("GET", "/.well-known/alcove/manifest", well_known, &WellKnown::manifest);
    add("GET", "/.well-known/alcove/log", well_known, &WellKnown::log);
  }

  void clean() {
    context.run_store(
        [wall = context.wall](store::Store& store) { return store.delete_expired(wall); },
        [](const base::Result<std::size_t>&) {});
    context.timers.schedule(context.now + kCleaningInterval, [this] { clean(); });
  }

  void check_health() {
    context.run_store([](store::Store& store) { return store.check(); },
                      [](const base::Result<void>&) {});
    context.timers.schedule(context.now + kHealthInterval, [this] { check_health(); });
  }
};

Server::Server(ServerOptions options, store::Store& store, base::Executor& store_pool,
               RelayLink& relay, base::RandomSource& random) {
  // Its parser prints what it refuses: nothing from outside belongs on standard error.
  google::protobuf::SetLogHandler(nullptr);
  implementation_ =
      std::make_unique<Implementation>(std::move(options), store, store_pool, relay, random);
}

Server::~Server() = default;

void Server::set_time(base::Instant now, base::WallTime wall) {
  implementation_->context.now = now;
  implementation_->context.wall = wall;
}

void Server::set_promises(Promises promises) {
  implementation_->context.promises = std::move(promises);
  implementation_->well_known.handle_promises_changed();
}

void Server::handle_request(base::HttpRequest request, base::HttpRespond respond) {
  implementation_->router.route(std::move(request), std::move(respond));
}

std::optional<base::HttpResponse> Server::refuse(const base::IpAddress& remote) {
  const std::optional<ApiError> error = implementation_->context.check_offer(remote);
  if (!error) return std::nullopt;
  return write_body(to_proto(*error), false, http_status(*error));
}

std::unique_ptr<base::WebSocketHandler> Server::accept(base::WebSocketPeer& peer,
                                                       const base::IpAddress& remote) {
  return implementation_->sockets.accept(peer, remote);
}

void Server::handle_relay_event(const v1::RelayEvent& event) {
  switch (event.event_case()) {
    case v1::RelayEvent::kOpened:
      return implementation_->joins.handle_opened(event.opened());
    case v1::RelayEvent::kRefused:
      return implementation_->joins.handle_refused(event.refused());
    case v1::RelayEvent::kStateChanged: {
      const auto id = base::JoinId::from_bytes(base::as_bytes(event.state_changed().join_id()));
      if (id)
        implementation_->house.handle_media(*id, to_member_state(event.state_changed().state()));
      return;
    }
    case v1::RelayEvent::EVENT_NOT_SET:
      return;
  }
}

void Server::handle_timeout() {
  implementation_->start_timers();
  implementation_->context.timers.run(implementation_->context.now);
}

base::Instant Server::next_deadline() const {
  if (!implementation_->timers_started) return implementation_->context.now;
  return implementation_->context.timers.next_deadline();
}

std::string Server::metrics() const {
  Gauges gauges = implementation_->house.gauges();
  gauges.websockets = implementation_->sockets.size();
  gauges.pending_joins = implementation_->joins.pending();
  return implementation_->context.metrics.text(gauges);
}

bool Server::ready() const {
  return implementation_->context.store_healthy && !implementation_->context.shut_down;
}

void Server::shut_down() {
  implementation_->context.shut_down = true;
  implementation_->joins.shut_down();
  implementation_->house.end_all_rooms();
  implementation_->sockets.shut_down();
}

}  // namespace alcove::control
