#include "control/rate_limit.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "crypto/hash.h"

namespace alcove::control {
namespace {

struct LimitRow {
  Limit limit;
  Rate rate;
};

// docs/protocol/api.md shows these.
constexpr std::array kLimits = {
    LimitRow{Limit::kRequest, {300, 50}},
    LimitRow{Limit::kRegister, {10, 1.0 / 60}},
    LimitRow{Limit::kLogIn, {20, 1.0 / 10}},
    LimitRow{Limit::kLogInUsername, {20, 1.0 / 20}},
    LimitRow{Limit::kGuestJoin, {100, 1}},
    LimitRow{Limit::kJoin, {20, 1.0 / 2}},
    LimitRow{Limit::kStartRoom, {10, 1.0 / 30}},
    LimitRow{Limit::kFollow, {50, 1}},
    LimitRow{Limit::kSocket, {200, 5}},
    LimitRow{Limit::kCommand, {40, 10}},
    LimitRow{Limit::kReaction, {10, 2}},
    LimitRow{Limit::kHand, {10, 1}},
    LimitRow{Limit::kMessage, {40, 10}},
    LimitRow{Limit::kAppend, {80, 40}},
    LimitRow{Limit::kBeat, {10, 2}},
    LimitRow{Limit::kRoster, {3, 1.0 / 5}},
    LimitRow{Limit::kCatchUp, {5, 1}},
    LimitRow{Limit::kLog, {20, 1}},
};

LimitKey first_16(base::Bytes bytes) {
  LimitKey key{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), key.size())), key.begin());
  return key;
}

ApiError rate_limited(base::Duration wait) {
  const auto seconds =
      std::max<base::seconds>(base::seconds(1), std::chrono::ceil<base::seconds>(wait));
  return {.code = base::ErrorCode::kResourceExhausted,
          .reason = "rate_limited",
          .message = "Too many requests: try again later.",
          .retry_after_seconds = static_cast<unsigned>(seconds.count())};
}

}  // namespace

std::optional<base::Duration> Bucket::take(Rate rate, base::Instant now) {
  const double elapsed = std::chrono::duration<double>(now - updated_).count();
  used_ = std::max(0.0, used_ - std::max(0.0, elapsed) * rate.per_second);
  updated_ = now;
  if (used_ + 1 <= rate.burst) {
    used_ += 1;
    return std::nullopt;
  }
  const double wait = (used_ + 1 - rate.burst) / rate.per_second;
  return std::chrono::ceil<base::Duration>(std::chrono::duration<double>(wait));
}

LimitKey limit_key(const base::IpAddress& address) {
  return first_16(address.is_v4() ? address.bytes() : address.bytes().first(8));
}

LimitKey limit_key(const base::AccountId& account) { return first_16(account.bytes()); }

LimitKey limit_key_of_username(std::string_view username) {
  return first_16(crypto::sha256(base::as_bytes(username)));
}

RateLimits::RateLimits(double factor) : factor_(factor) {}

Rate RateLimits::rate(Limit limit) const {
  for (const LimitRow& row : kLimits)
    if (row.limit == limit) return {row.rate.burst * factor_, row.rate.per_second * factor_};
  base::check_failed("every limit has a row", __FILE__, __LINE__);
}

std::optional<ApiError> RateLimits::check(Limit limit, const LimitKey& key, base::Instant now) {
  LruMap<LimitKey, Bucket>& table = tables_.try_emplace(limit, kMaxKeys).first->second;
  Bucket* bucket = table.find(key);
  return check(limit, bucket != nullptr ? *bucket : table.insert(key, Bucket()), now);
}

std::optional<ApiError> RateLimits::check(Limit limit, Bucket& bucket, base::Instant now) {
  const std::optional<base::Duration> wait = bucket.take(rate(limit), now);
  if (!wait) return std::nullopt;
  return rate_limited(*wait);
}

}  // namespace alcove::control
