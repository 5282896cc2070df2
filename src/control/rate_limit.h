#pragma once
// Token buckets in bounded tables. Addresses are keys in memory only. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
#include "control/api_error.h"
#include "control/lru_map.h"

namespace alcove::control {

struct Rate {
  double burst;
  double per_second;
};

// One bucket; full at first.
class Bucket {
 public:
  // How long to wait, or nothing when a token was taken.
  std::optional<base::Duration> take(Rate rate, base::Instant now);

 private:
  double used_ = 0;
  base::Instant updated_{};
};

// Whom a limit counts: an address (IPv6: its /64, which is one customer), an account, a username.
using LimitKey = std::array<std::uint8_t, 16>;
LimitKey limit_key(const base::IpAddress& address);
LimitKey limit_key(const base::AccountId& account);
LimitKey limit_key_of_username(std::string_view username);

enum class Limit : std::uint8_t {
  kRequest,        // any request, by address
  kRegister,       // by address
  kLogIn,          // by address
  kLogInUsername,  // by username, so that many addresses do not guess one password
  kGuestJoin,      // by address
  kJoin,           // by account
  kStartRoom,      // by account
  kFollow,         // by account
  kSocket,         // WebSocket connections, by address
  kLog,            // a room's chain by request, by address
  // By member or by connection: their buckets are kept by the caller.
  kCommand,
  kReaction,
  kHand,
  kMessage,
  kAppend,   // entries of the room's log
  kBeat,     // of these, what goes to all listeners from who has no authority
  kRoster,   // of the log, whole
  kCatchUp,  // HaveEntry and RequestBox
};

class RateLimits {
 public:
  // factor multiplies bursts and rates.
  explicit RateLimits(double factor);

  std::optional<ApiError> check(Limit limit, const LimitKey& key, base::Instant now);
  std::optional<ApiError> check(Limit limit, Bucket& bucket, base::Instant now);

 private:
  static constexpr std::size_t kMaxKeys = 20'000;
  Rate rate(Limit limit) const;

  double factor_;
  std::map<Limit, LruMap<LimitKey, Bucket>> tables_;
};

}  // namespace alcove::control
