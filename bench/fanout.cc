// The relay's own way of a packet to many listeners: the real shard, the real media thread, real
// sockets, endpoints that have connected.   bench/fanout [--listeners 1000] [--speakers 1]
// [--seconds 5] [--json]
//
// The members are a process of its own (fanout_peers.h). The CPU time is that of the media threads
// alone: from reading a speaker's packet to the system call that sends the last one.

#include <fmt/format.h>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string_view>

#include "base/check.h"
#include "bench/fanout_peers.h"
#include "bench/fanout_relay.h"
#include "net/clock.h"

namespace alcove::bench {
namespace {

constexpr std::size_t kFewListeners = 1000;  // memory is the growth from here
constexpr base::Duration kWarmUp = base::milliseconds(500);
constexpr base::Duration kLongestWithoutChecks = base::seconds(15);

struct Options {
  std::size_t listeners = 1000;
  std::size_t speakers = 1;
  unsigned threads = 1;
  std::uint64_t seed = 1;
  double seconds = 5;
  std::size_t sampled = 0;
  Methods methods;
  bool reader = false;
  bool json = false;
};

[[noreturn]] void explain() {
  fmt::print(
      stderr,
      "usage: bench_fanout [--listeners 1..50000] [--speakers 1..4] [--threads 1..8] "
      "[--seconds S] [--seed N] [--reader]\n  [--sampled 0..100] [--sealing auto|ipsec-mb|openssl] "
      "[--sending auto|gso|sendmmsg] [--receiving auto|gro|recvmmsg] [--json]\n");
  std::exit(2);
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view flag = arguments[i];
    if (flag == "--json") {
      options.json = true;
    } else if (flag == "--reader") {
      options.reader = true;
    } else if (i + 1 == count) {
      explain();
    } else if (const char* value = arguments[++i]; flag == "--listeners") {
      options.listeners = std::strtoul(value, nullptr, 10);
    } else if (flag == "--speakers") {
      options.speakers = std::strtoul(value, nullptr, 10);
    } else if (flag == "--threads") {
      options.threads = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
    } else if (flag == "--sampled") {
      options.sampled = std::strtoul(value, nullptr, 10);
    } else if (flag == "--sealing") {
      options.methods.sealing = value;
    } else if (flag == "--sending") {
      options.methods.sending = value;
    } else if (flag == "--receiving") {
      options.methods.receiving = value;
    } else if (flag == "--seed") {
      options.seed = std::strtoul(value, nullptr, 10);
    } else if (flag == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else {
      explain();
    }
  }
  const bool in_range = options.listeners >= 1 && options.listeners <= 50'000 &&
                        options.speakers >= 1 && options.speakers <= 4 && options.threads >= 1 &&
                        options.threads <= 8 && options.seconds > 0 &&
                        options.sampled <= std::min<std::size_t>(options.listeners, 100);
  if (!in_range) explain();
  return options;
}

struct Memory {
  std::size_t few = 0;  // at kFewListeners
  std::size_t all = 0;  // connected
  std::size_t end = 0;  // after the run
};

struct Result {
  ThreadFigures before;
  ThreadFigures after;
  double process_cpu_ns = 0;
  std::uint64_t sent = 0;
  std::uint64_t send_dropped = 0;
  std::uint64_t receive_dropped = 0;
  std::uint64_t on_device = 0;
  std::uint64_t read = 0;
  Memory memory;
  std::vector<double> ages_ms;
};

std::size_t resident_after_trim() {
  malloc_trim(0);
  return resident_bytes();
}

bool run(const Options& options, Network network, const FarEnd& far_end, Channel& channel,
         Result& result) {
  FanoutRelay relay({.network = network, .threads = options.threads, .methods = options.methods},
                    channel);
  const bool connected = relay.connect_all([&](std::size_t members) {
    if (members == kFewListeners) result.memory.few = resident_after_trim();
    if (members == options.listeners) result.memory.all = resident_after_trim();
  });
  if (!connected) return false;
  relay.start();
  if (!relay.serve_checks(base::kNever)) return false;
  sleep_until(net::monotonic_now() + base::milliseconds(200));
  channel.send({.kind = MessageKind::kGo});
  if (!relay.serve_checks(net::monotonic_now() + kWarmUp)) return false;

  result.before = relay.figures();
  const double process_before = process_cpu_ns();
  const net::MediaPortCounters port_before = relay.port_counters();
  const std::uint64_t device_before = packets_on_device();
  const std::uint64_t read_before = far_end.packets_read();
  const auto length = base::Duration(static_cast<std::int64_t>(options.seconds * 1e6));
  if (!relay.serve_checks(net::monotonic_now() + length)) return false;
  result.after = relay.figures();
  result.process_cpu_ns = process_cpu_ns() - process_before;
  const net::MediaPortCounters port_after = relay.port_counters();
  result.sent = port_after.datagrams_sent - port_before.datagrams_sent;
  result.send_dropped = port_after.send_dropped - port_before.send_dropped;
  result.receive_dropped = port_after.receive_dropped - port_before.receive_dropped;
  result.on_device = packets_on_device() - device_before;
  result.read = far_end.packets_read() - read_before;
  result.memory.end = resident_after_trim();
  channel.send({.kind = MessageKind::kGo});
  if (!relay.serve_checks(net::monotonic_now() + base::seconds(10))) return false;
  result.ages_ms = relay.ages();
  return true;
}

double per_listener(std::size_t few, std::size_t many, std::size_t listeners) {
  if (listeners <= kFewListeners || many <= few) return 0;
  return static_cast<double>(many - few) / static_cast<double>(listeners - kFewListeners);
}

void print(const Options& options, Network network, const Result& result) {
  const relay::ShardCounters& before = result.before.counters;
  const relay::ShardCounters& after = result.after.counters;
  const CpuTime cpu = result.after.cpu - result.before.cpu;
  const std::uint64_t forwarded = after.listener_packets - before.listener_packets;
  const double packets = static_cast<double>(std::max<std::uint64_t>(forwarded, 1));
  const auto dropped = [](const relay::ShardCounters& counters) {
    return std::reduce(counters.dropped.begin(), counters.dropped.end());
  };
  const double memory = per_listener(result.memory.few, result.memory.all, options.listeners);
  if (!options.json) {
    fmt::print("{} listeners, {} speakers, {}: {:.0f} ns a packet ({} packets, {} dropped)",
               options.listeners, options.speakers, name(network), cpu.total_ns / packets,
               forwarded, result.send_dropped);
    fmt::print(", transit p99 {:.1f} ms", percentile(result.after.transit_ms, 0.99));
    if (memory > 0) fmt::print(", {:.0f} bytes a listener", memory);
    fmt::print("\n");
    return;
  }
  fmt::print(
      R"({{"bench": "fanout", "network": "{}", "listeners": {}, "speakers": {}, "seed": {}, )"
      R"("threads": {}, "sealing": "{}", "sending": "{}", "receiving": "{}", "reader": {}, "seconds": {}, )",
      name(network), options.listeners, options.speakers, options.seed, options.threads,
      options.methods.sealing, options.methods.sending, options.methods.receiving, options.reader,
      options.seconds);
  fmt::print(R"("speaker_packets": {}, "packets": {}, "datagrams_sent": {}, "send_dropped": {}, )"
             R"("receive_dropped": {}, "relay_dropped": {}, "packets_on_device": {}, )"
             R"("packets_read": {}, "connected_at_end": {}, )",
             after.slot_packets - before.slot_packets, forwarded, result.sent, result.send_dropped,
             result.receive_dropped, dropped(after) - dropped(before), result.on_device,
             result.read, after.endpoints_connected);
  fmt::print(R"("cpu_ns_per_packet": {:.1f}, "user_ns_per_packet": {:.1f}, )"
             R"("system_ns_per_packet": {:.1f}, "process_cpu_ns_per_packet": {:.1f}, )"
             R"("transit_ms": {}, "sampled": {}, "arrival_ms": {}, )",
             cpu.total_ns / packets, cpu.user_ns / packets, cpu.system_ns / packets,
             result.process_cpu_ns / packets, percentiles_json(result.after.transit_ms),
             options.sampled, percentiles_json(result.ages_ms));
  fmt::print(R"("resident_few": {}, "resident_all": {}, "resident_end": {}, )"
             R"("resident_per_listener": {:.0f}}})"
             "\n",
             result.memory.few, result.memory.all, result.memory.end, memory);
}

}  // namespace
}  // namespace alcove::bench

int main(int count, char** arguments) {
  using namespace alcove;
  using namespace alcove::bench;
  const Options options = parse(count, arguments);
  const Network network = find_network();
  int ends[2];
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  const pid_t peers = fork();
  CHECK(peers >= 0);
  if (peers == 0) {
    close(ends[0]);
    Channel channel(ends[1]);
    const bool is_long = options.seconds * 1e6 > static_cast<double>(kLongestWithoutChecks.count());
    run_peers({.network = network,
               .listeners = options.listeners,
               .speakers = options.speakers,
               .seed = options.seed,
               .sampled = options.sampled,
               .renews_consent = is_long},
              channel);
    std::_Exit(0);
  }
  close(ends[1]);
  Result result;
  bool done = false;
  {
    const FarEnd far_end(network, options.reader);
    Channel channel(ends[0]);
    done = run(options, network, far_end, channel, result);
  }
  waitpid(peers, nullptr, 0);
  if (!done) {
    fmt::print(stderr, "bench_fanout: the members did not connect\n");
    return 1;
  }
  print(options, network, result);
  return 0;
}
