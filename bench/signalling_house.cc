#include "bench/signalling_house.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "alcove/control_runtime.h"
#include "base/check.h"
#include "base/executor.h"
#include "base/text.h"
#include "control/relay_link.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "store/store.h"

namespace alcove::bench {
namespace {

// As long as the relay's answer with four slots and two candidates.
constexpr std::size_t kAnswerSize = 3'000;
constexpr std::size_t kManyConnections = 30'000;

class EagerRelay final : public control::RelayLink {
 public:
  explicit EagerRelay(net::EventLoop& loop) : loop_(loop) {}
  app::ControlRuntime* runtime = nullptr;

  void send(const v1::RelayCommand& command) override {
    if (!command.has_open()) return;
    loop_.post([this, id = command.open().join_id()] {
      v1::RelayEvent opened;
      opened.mutable_opened()->set_join_id(id);
      opened.mutable_opened()->set_sdp_answer(std::string(kAnswerSize, 'a'));
      runtime->handle_relay_event(opened);
      for (const auto state :
           {v1::EndpointStateChanged::STATE_CHECKED, v1::EndpointStateChanged::STATE_CONNECTED}) {
        v1::RelayEvent changed;
        changed.mutable_state_changed()->set_join_id(id);
        changed.mutable_state_changed()->set_state(state);
        runtime->handle_relay_event(changed);
      }
    });
  }

 private:
  net::EventLoop& loop_;
};

struct Account {
  std::array<char, 64> token{};
  std::array<char, 64> id{};
};

Account make_account(store::Store& store, base::RandomSource& random, const char* name) {
  const std::string token = base::to_base64url(random.bytes<32>());
  const base::WallTime wall = net::wall_now();
  const store::Account account{.id = base::AccountId::make(random),
                               .username = name,
                               .display_name = name,
                               .password_hash = {},
                               .created_at = wall};
  const store::Session session{.id = base::SessionId::make(random),
                               .account = account.id,
                               .token_hash = crypto::sha256(base::as_bytes(token)),
                               .device_name = "bench",
                               .created_at = wall,
                               .last_used_at = wall,
                               .expires_at = wall + base::seconds(3600LL * 24)};
  CHECK(store.create_account(account, std::nullopt) && store.create_session(session));
  Account made;
  token.copy(made.token.data(), made.token.size() - 1);
  account.id.text().copy(made.id.data(), made.id.size() - 1);
  return made;
}

[[noreturn]] void run_house(int report, const char* host_name) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  net::EventLoop loop;
  crypto::SystemRandom random;
  const std::unique_ptr<store::Store> store = store::open_memory();
  base::InlineExecutor executor;
  EagerRelay relay(loop);
  control::ServerOptions options;
  options.rate_limit_factor = 1'000'000;
  options.max_room_members = 20'000;
  app::ControlRuntime runtime(loop, options, *store, executor, relay, random);
  relay.runtime = &runtime;
  net::HttpServerOptions http;
  http.listen = {{base::IpAddress::v4({127, 0, 0, 1}), 0}};
  http.max_connections = http.max_connections_for_address = kManyConnections;
  auto server = net::HttpServer::open(loop, http, {.handler = runtime, .acceptor = &runtime});
  CHECK(server.has_value());
  loop.on_signal(SIGUSR1, [] { malloc_trim(0); });
  const Account account = make_account(*store, random, host_name);
  const std::uint16_t port = (*server)->addresses().front().port;
  CHECK(write(report, &port, sizeof port) == sizeof port);
  CHECK(write(report, &account, sizeof account) == sizeof account);
  loop.run();
  std::_Exit(0);
}

}  // namespace

HouseProcess start_house(const char* host_name) {
  std::array<int, 2> ends{};
  CHECK(pipe(ends.data()) == 0);
  HouseProcess house;
  house.pid = fork();
  CHECK(house.pid >= 0);
  if (house.pid == 0) run_house(ends[1], host_name);
  close(ends[1]);
  Account account;
  CHECK(read(ends[0], &house.port, sizeof house.port) == sizeof house.port);
  CHECK(read(ends[0], &account, sizeof account) == sizeof account);
  close(ends[0]);
  house.host_token = account.token.data();
  house.host_account = account.id.data();
  return house;
}

}  // namespace alcove::bench
