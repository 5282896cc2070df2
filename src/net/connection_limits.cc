#include "net/connection_limits.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace alcove::net {

base::SocketAddress ConnectionLimits::key_of(const base::IpAddress& remote) {
  if (remote.is_v4()) return {remote, 0};
  std::array<std::uint8_t, 16> prefix{};
  constexpr std::size_t kPrefixBytes = 8;
  std::copy_n(remote.bytes().begin(), kPrefixBytes, prefix.begin());
  return {base::IpAddress::v6(prefix), 0};
}

bool ConnectionLimits::acquire(const base::IpAddress& remote) {
  const std::scoped_lock lock(mutex_);
  if (open_ >= total_) return false;
  const base::SocketAddress key = key_of(remote);
  const auto found = by_address_.find(key);
  const bool bounded = std::ranges::find(exempt_, remote) == exempt_.end();
  if (bounded && found != by_address_.end() && found->second >= for_address_) return false;
  ++by_address_[key];
  ++open_;
  return true;
}

void ConnectionLimits::release(const base::IpAddress& remote) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_address_.find(key_of(remote));
  CHECK(found != by_address_.end() && open_ > 0);
  --open_;
  if (--found->second == 0) by_address_.erase(found);
}

std::size_t ConnectionLimits::open() const {
  const std::scoped_lock lock(mutex_);
  return open_;
}

}  // namespace alcove::net
