#pragma once
// How many TCP connections there may be, in all and from one address. Any thread.

#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/address.h"

namespace alcove::net {

class ConnectionLimits {
 public:
  // exempt: addresses that only the total bounds, such as a reverse proxy's, behind which everybody
  // is.
  ConnectionLimits(std::size_t total, std::size_t for_address,
                   std::vector<base::IpAddress> exempt = {})
      : total_(total), for_address_(for_address), exempt_(std::move(exempt)) {}

  // False where a limit is reached; otherwise follow with one release().
  bool acquire(const base::IpAddress& remote);
  void release(const base::IpAddress& remote);
  std::size_t open() const;

 private:
  // IPv6 is counted by its /64: one subscriber has all of it.
  static base::SocketAddress key_of(const base::IpAddress& remote);

  const std::size_t total_;
  const std::size_t for_address_;
  const std::vector<base::IpAddress> exempt_;
  mutable std::mutex mutex_;
  std::size_t open_ = 0;
  std::unordered_map<base::SocketAddress, std::size_t> by_address_;
};

// One place in the limits, given back at the end.
class ConnectionPlace {
 public:
  ConnectionPlace() = default;
  ConnectionPlace(ConnectionLimits& limits, const base::IpAddress& remote)
      : limits_(limits.acquire(remote) ? &limits : nullptr), remote_(remote) {}
  ~ConnectionPlace() { reset(); }
  ConnectionPlace(ConnectionPlace&& other) noexcept
      : limits_(std::exchange(other.limits_, nullptr)), remote_(other.remote_) {}
  ConnectionPlace& operator=(ConnectionPlace&& other) noexcept {
    if (this != &other) {
      reset();
      limits_ = std::exchange(other.limits_, nullptr);
      remote_ = other.remote_;
    }
    return *this;
  }

  bool granted() const { return limits_ != nullptr; }
  void reset() {
    if (limits_ != nullptr) std::exchange(limits_, nullptr)->release(remote_);
  }

 private:
  ConnectionLimits* limits_ = nullptr;
  base::IpAddress remote_;
};

}  // namespace alcove::net
