#include "bench/ground.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <string>

#include "base/check.h"
#include "base/random.h"

namespace alcove::bench {
namespace {

constexpr const char* kDevice = "bench0";

double nanoseconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}
double nanoseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
}

[[noreturn]] void read_for_ever(int descriptor, volatile std::uint64_t* count) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  constexpr std::size_t kBatch = 64;
  std::array<std::array<char, 512>, kBatch> buffers;
  std::array<iovec, kBatch> vectors;
  std::array<mmsghdr, kBatch> headers{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    vectors[i] = {buffers[i].data(), buffers[i].size()};
    headers[i].msg_hdr.msg_iov = &vectors[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  while (true) {
    const int got = recvmmsg(descriptor, headers.data(), kBatch, MSG_WAITFORONE, nullptr);
    if (got > 0) *count = *count + static_cast<std::uint64_t>(got);
  }
}

}  // namespace

Network find_network() {
  return if_nametoindex(kDevice) != 0 ? Network::kGateway : Network::kLoopback;
}

std::string_view name(Network network) { return network == Network::kGateway ? "ifb" : "loopback"; }

base::IpAddress sender_address(Network network) {
  return network == Network::kGateway ? base::IpAddress::v4({10, 63, 0, 1})
                                      : base::IpAddress::v4({127, 0, 0, 1});
}

base::IpAddress listener_address(Network network, std::size_t listener) {
  const auto low = static_cast<std::uint8_t>(listener % 250 + 1);
  const auto high = static_cast<std::uint8_t>(listener / 250 + 1);
  return network == Network::kGateway ? base::IpAddress::v4({10, 64, high, low})
                                      : base::IpAddress::v4({127, 64, high, low});
}

std::uint64_t packets_on_device() {
  std::ifstream file("/proc/self/net/dev");
  std::string line;
  const std::string prefix = std::string(kDevice) + ":";
  while (std::getline(file, line)) {
    const std::size_t at = line.find(prefix);
    if (at == std::string::npos) continue;
    // Receive: bytes, packets, errors, drops: what an ifb is given to send counts as received
    // there, and what was not redirected to it as dropped.
    std::array<std::uint64_t, 4> fields{};
    const char* from = line.c_str() + at + prefix.size();
    for (std::uint64_t& field : fields) {
      char* end = nullptr;
      field = std::strtoull(from, &end, 10);
      from = end;
    }
    return fields[3];
  }
  return 0;
}

FarEnd::FarEnd(Network network, bool reads) {
  if (network == Network::kGateway) return;
  descriptor_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kListenerPort);
  CHECK(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const int size = reads ? 8 << 20 : 1;
  setsockopt(descriptor_, SOL_SOCKET, reads ? SO_RCVBUFFORCE : SO_RCVBUF, &size, sizeof size);
  if (!reads) return;
  void* shared = mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  count_ = static_cast<volatile std::uint64_t*>(shared);
  reader_ = fork();
  CHECK(reader_ >= 0);
  if (reader_ == 0) read_for_ever(descriptor_, count_);
}

FarEnd::~FarEnd() {
  if (reader_ > 0) {
    kill(reader_, SIGKILL);
    waitpid(reader_, nullptr, 0);
  }
  if (descriptor_ >= 0) close(descriptor_);
}

std::uint64_t FarEnd::packets_read() const { return count_ == nullptr ? 0 : *count_; }

std::vector<base::Duration> speaker_phases(std::size_t speakers, std::uint64_t seed) {
  base::SeededRandom random(seed);
  std::vector<base::Duration> phases(speakers);
  for (std::size_t i = 1; i < speakers; ++i)
    phases[i] = base::Duration(random.below(static_cast<std::uint32_t>(kFrame.count())));
  return phases;
}

CpuTime thread_cpu_time() {
  timespec total{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &total);
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return {nanoseconds(total), nanoseconds(usage.ru_utime), nanoseconds(usage.ru_stime)};
}

double process_cpu_ns() {
  timespec total{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &total);
  return nanoseconds(total);
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void sleep_until(base::Instant at) {
  const std::int64_t microseconds = at.time_since_epoch().count();
  const timespec until{microseconds / 1'000'000, microseconds % 1'000'000 * 1'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

double percentile(std::vector<double> values, double quantile) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto at = static_cast<std::size_t>(quantile * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)];
}

std::string percentiles_json(std::vector<double> milliseconds) {
  std::ranges::sort(milliseconds);
  return fmt::format(
      R"({{"median": {:.3f}, "p95": {:.3f}, "p99": {:.3f}, "max": {:.3f}, "count": {}}})",
      percentile(milliseconds, 0.5), percentile(milliseconds, 0.95), percentile(milliseconds, 0.99),
      percentile(milliseconds, 1), milliseconds.size());
}

}  // namespace alcove::bench
