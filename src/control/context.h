#pragma once
// What every part of the control plane shares. One thread.

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/executor.h"
#include "base/random.h"
#include "base/time.h"
#include "control/api_error.h"
#include "control/metrics.h"
#include "control/promises.h"
#include "control/rate_limit.h"
#include "control/relay_link.h"
#include "control/server.h"
#include "control/timers.h"
#include "store/store.h"

namespace alcove::control {

struct Context {
  Context(ServerOptions server_options, store::Store& server_store, base::Executor& store_pool,
          RelayLink& relay_link, base::RandomSource& random_source)
      : options(std::move(server_options)),
        store(server_store),
        pool(store_pool),
        relay(relay_link),
        random(random_source),
        limits(options.rate_limit_factor) {}

  ServerOptions options;
  Promises promises;
  store::Store& store;
  base::Executor& pool;
  RelayLink& relay;
  base::RandomSource& random;
  base::Instant now{};
  base::WallTime wall{};
  Timers timers;
  RateLimits limits;
  Metrics metrics;
  bool store_healthy = true;
  bool shut_down = false;
  // Gone with the server: what comes back from the pool afterwards is dropped.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

  // Runs work(store) -> base::Result<T> on the pool, then done(base::Result<T>) on this thread. A
  // full pool is kUnavailable, at once. work must not touch the context: it runs on another thread.
  template <typename Work, typename Done>
  void run_store(Work work, Done done);

  // Whether the service is offered to who connects from there.
  policy::OfferDecision offer_to(const base::IpAddress& visitor) const {
    return promises.gate ? promises.gate->decide_offer(visitor) : policy::OfferDecision::kOffered;
  }
  // Counted; the operator's words for who is refused. nullopt: it is offered.
  std::optional<ApiError> check_offer(const base::IpAddress& visitor);

  // Counts a refusal.
  std::optional<ApiError> check_limit(Limit limit, const LimitKey& key) {
    return counted(limits.check(limit, key, now));
  }
  std::optional<ApiError> check_limit(Limit limit, Bucket& bucket) {
    return counted(limits.check(limit, bucket, now));
  }

 private:
  std::optional<ApiError> counted(std::optional<ApiError> error) {
    if (error) metrics.count_rate_limited();
    return error;
  }
};

template <typename Work, typename Done>
void Context::run_store(Work work, Done done) {
  using Outcome = decltype(work(std::declval<store::Store&>()));
  struct Call {
    Work work;
    Done done;
    std::optional<Outcome> outcome;
  };
  auto call = std::make_shared<Call>(std::move(work), std::move(done), std::nullopt);
  const bool accepted = pool.run(
      [call, store_pointer = &store] { call->outcome.emplace(call->work(*store_pointer)); },
      [call, this, alive_token = std::weak_ptr<bool>(alive)] {
        if (alive_token.expired()) return;
        const bool failed = !call->outcome->has_value() &&
                            (call->outcome->error().code == base::ErrorCode::kUnavailable ||
                             call->outcome->error().code == base::ErrorCode::kInternal);
        store_healthy = !failed;
        if (failed) metrics.count_database_error();
        call->done(std::move(*call->outcome));
      });
  if (!accepted)
    call->done(
        Outcome(base::fail(base::ErrorCode::kUnavailable, "Too many requests are waiting.")));
}

}  // namespace alcove::control
