#pragma once
// What bench_floor and bench_fanout have in common, so that their figures compare: the destinations
// and the network that they are sent on, the sizes, the times at which speakers speak, and how CPU
// time is read.

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace alcove::bench {

inline constexpr std::size_t kHeader = 12;
inline constexpr std::size_t kPayload = 160;  // what the clients pad each Opus frame to
inline constexpr std::size_t kTag = 16;
inline constexpr std::size_t kSealed = kHeader + kPayload + kTag;
inline constexpr base::Duration kFrame = base::milliseconds(20);
inline constexpr std::uint16_t kListenerPort = 40'000;

// kGateway: an ifb device behind one gateway, as bench/lib/namespace.sh makes it; it frees every
// packet, so the transmit path alone is charged. kLoopback: 127.0.0.0/8.
enum class Network : std::uint8_t { kGateway, kLoopback };
// The gateway where this network namespace has it.
Network find_network();
std::string_view name(Network network);
base::IpAddress sender_address(Network network);
base::IpAddress listener_address(Network network, std::size_t listener);
// Packets that the gateway's device has freed; 0 on loopback.
std::uint64_t packets_on_device();

// The far end on loopback: a socket on every listener's address that is never read (its buffer
// fills, then the kernel drops), or a process that reads and counts. Nothing on the gateway.
class FarEnd {
 public:
  FarEnd(Network network, bool reads);
  ~FarEnd();
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;
  std::uint64_t packets_read() const;

 private:
  int descriptor_ = -1;
  pid_t reader_ = -1;
  volatile std::uint64_t* count_ = nullptr;  // shared with the reader
};

// When each speaker's 20 ms begin, after a common start: random, the same for the same seed. One
// speaker's is 0.
std::vector<base::Duration> speaker_phases(std::size_t speakers, std::uint64_t seed);

struct CpuTime {
  double total_ns = 0;
  double user_ns = 0;  // as the kernel divides it
  double system_ns = 0;
  CpuTime operator-(const CpuTime& before) const {
    return {total_ns - before.total_ns, user_ns - before.user_ns, system_ns - before.system_ns};
  }
  CpuTime& operator+=(const CpuTime& other) {
    total_ns += other.total_ns;
    user_ns += other.user_ns;
    system_ns += other.system_ns;
    return *this;
  }
};
CpuTime thread_cpu_time();
double process_cpu_ns();
std::size_t resident_bytes();

void sleep_until(base::Instant at);

// In milliseconds; sorts. "{"median": …, "p95": …, "p99": …, "max": …, "count": …}".
std::string percentiles_json(std::vector<double> milliseconds);
double percentile(std::vector<double> values, double quantile);

}  // namespace alcove::bench
