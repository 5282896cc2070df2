// The encrypt-and-send loop alone: what a relay's fan-out costs at least on this machine. One
// payload, a key and a destination for each listener, a burst to all of them for each packet of a
// speaker.   bench/floor [--listeners 1000] [--speakers 1] [--seal ipsec-mb|openssl]
// [--send sendmmsg|sendmsg|gso] [--batch 64] [--seconds 5] [--json]
//
// --send sendmsg --seal openssl is what most relays do. With gso and more than one speaker, a
// packet waits up to 10 ms for those of the others. --flat sends without pauses, --df with "do not
// fragment".

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "bench/floor_seal.h"
#include "bench/floor_send.h"
#include "bench/ground.h"
#include "net/clock.h"

namespace alcove::bench {
namespace {

constexpr base::Duration kHold = base::milliseconds(10);

struct Options {
  std::size_t listeners = 1000;
  std::size_t speakers = 1;
  std::size_t batch = 64;
  std::uint64_t seed = 1;
  double seconds = 5;
  std::string_view seal = "ipsec-mb";
  std::string_view send = "sendmmsg";
  bool flat = false;
  bool reader = false;
  bool never_fragment = false;
  bool json = false;
};

[[noreturn]] void explain() {
  fmt::print(stderr,
             "usage: bench_floor [--listeners 1..50000] [--speakers 1..8] [--seal ipsec-mb|openssl]"
             " [--send sendmmsg|sendmsg|gso]\n  [--batch 1..1024] [--seconds S] [--seed N] "
             "[--flat] [--df] [--reader] [--json]\n");
  std::exit(2);
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view flag = arguments[i];
    if (flag == "--json") {
      options.json = true;
    } else if (flag == "--flat") {
      options.flat = true;
    } else if (flag == "--reader") {
      options.reader = true;
    } else if (flag == "--df") {
      options.never_fragment = true;
    } else if (i + 1 == count) {
      explain();
    } else if (const char* value = arguments[++i]; flag == "--listeners") {
      options.listeners = std::strtoul(value, nullptr, 10);
    } else if (flag == "--speakers") {
      options.speakers = std::strtoul(value, nullptr, 10);
    } else if (flag == "--batch") {
      options.batch = std::strtoul(value, nullptr, 10);
    } else if (flag == "--seed") {
      options.seed = std::strtoul(value, nullptr, 10);
    } else if (flag == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else if (flag == "--seal") {
      options.seal = value;
    } else if (flag == "--send") {
      options.send = value;
    } else {
      explain();
    }
  }
  const bool in_range = options.listeners >= 1 && options.listeners <= 50'000 &&
                        options.speakers >= 1 && options.speakers <= 8 && options.batch >= 1 &&
                        options.batch <= 1024 && options.seconds > 0;
  if (!in_range) explain();
  return options;
}

std::optional<SendMode> send_mode(std::string_view name) {
  if (name == "sendmsg") return SendMode::kSendmsg;
  if (name == "sendmmsg") return SendMode::kSendmmsg;
  if (name == "gso") return SendMode::kGso;
  return std::nullopt;
}

class Floor {
 public:
  Floor(const Options& options, Network network, SendMode mode, Sealer& sealer)
      : options_(options),
        mode_(mode),
        sealer_(sealer),
        sender_(network, mode, options.listeners, options.batch, options.never_fragment),
        payload_(kPayload, 0x5a) {}

  // One packet of each of these speakers to every listener.
  void burst(const std::vector<std::size_t>& speakers) {
    for (std::size_t listener = 0; listener < options_.listeners; ++listener) {
      const base::MutableBytes message = sender_.next(listener, speakers.size());
      for (std::size_t i = 0; i < speakers.size(); ++i)
        write_packet(listener, speakers[i], message.subspan(i * kSealed, kSealed));
      sender_.commit();
    }
    sender_.flush();
    for (const std::size_t speaker : speakers) ++sequences_[speaker];
  }

  void run(base::Duration duration) {
    const base::Instant start = net::monotonic_now() + base::milliseconds(5);
    std::vector<base::Instant> due;
    for (const base::Duration phase : speaker_phases(options_.speakers, options_.seed))
      due.push_back(start + phase);
    const bool holds = mode_ == SendMode::kGso && options_.speakers > 1;
    while (true) {
      const base::Instant first = std::ranges::min(due);
      const base::Instant at = holds ? first + kHold : first;
      if (first >= start + duration) return;
      if (!options_.flat) sleep_until(at);
      std::vector<std::size_t> speakers;
      for (std::size_t i = 0; i < due.size(); ++i) {
        if (due[i] > at) continue;
        due[i] += kFrame;
        speakers.push_back(i);
      }
      send(speakers, first);
    }
  }

  const Sender& sender() const { return sender_; }
  std::vector<double>& transits() { return transits_; }

 private:
  void send(const std::vector<std::size_t>& speakers, base::Instant first) {
    if (mode_ == SendMode::kGso) {
      burst(speakers);
    } else {
      for (const std::size_t speaker : speakers) burst({speaker});
    }
    const base::Duration took = net::monotonic_now() - first;
    transits_.push_back(static_cast<double>(took.count()) / 1000);
  }

  void write_packet(std::size_t listener, std::size_t speaker, base::MutableBytes packet) {
    const std::uint32_t sequence = sequences_[speaker];
    const auto ssrc = static_cast<std::uint32_t>(listener * 8 + speaker);
    const std::uint32_t timestamp = sequence * 960;
    packet[0] = 0x80;
    packet[1] = 111;
    packet[2] = static_cast<std::uint8_t>(sequence >> 8);
    packet[3] = static_cast<std::uint8_t>(sequence);
    std::memcpy(packet.data() + 4, &timestamp, 4);
    std::memcpy(packet.data() + 8, &ssrc, 4);
    std::array<std::uint8_t, 12> iv{};
    std::memcpy(iv.data() + 2, &ssrc, 4);
    std::memcpy(iv.data() + 8, &sequence, 4);
    sealer_.seal(listener, iv, payload_, packet);
  }

  const Options& options_;
  SendMode mode_;
  Sealer& sealer_;
  Sender sender_;
  base::Buffer payload_;
  std::array<std::uint32_t, 8> sequences_{};
  std::vector<double> transits_;
};

}  // namespace
}  // namespace alcove::bench

int main(int count, char** arguments) {
  using namespace alcove;
  using namespace alcove::bench;
  const Options options = parse(count, arguments);
  const auto mode = send_mode(options.send);
  const auto sealer = make_sealer(options.seal, options.listeners);
  if (!mode || !sealer) explain();
  const Network network = find_network();
  const FarEnd far_end(network, options.reader);
  Floor floor(options, network, *mode, *sealer);

  floor.run(base::milliseconds(500));
  floor.transits().clear();
  const std::uint64_t sent_before = floor.sender().packets_sent();
  const std::uint64_t device_before = packets_on_device();
  const std::uint64_t read_before = far_end.packets_read();
  const CpuTime before = thread_cpu_time();
  floor.run(base::Duration(static_cast<std::int64_t>(options.seconds * 1e6)));
  const CpuTime cpu = thread_cpu_time() - before;
  const std::uint64_t sent = floor.sender().packets_sent() - sent_before;
  const std::uint64_t on_device = packets_on_device() - device_before;
  const std::uint64_t read = far_end.packets_read() - read_before;
  const double packets = static_cast<double>(std::max<std::uint64_t>(sent, 1));

  if (!options.json) {
    fmt::print("{} {}, {} listeners, {} speakers, {}: {:.0f} ns a packet ({} packets)\n",
               options.seal, options.send, options.listeners, options.speakers, name(network),
               cpu.total_ns / packets, sent);
    return 0;
  }
  fmt::print(
      R"({{"bench": "floor", "network": "{}", "listeners": {}, "speakers": {}, "seed": {}, )"
      R"("seal": "{}", "send": "{}", "batch": {}, "flat": {}, "df": {}, "reader": {}, "seconds": {}, )",
      name(network), options.listeners, options.speakers, options.seed, options.seal, options.send,
      options.batch, options.flat, options.never_fragment, options.reader, options.seconds);
  fmt::print(R"("packets": {}, "dropped": {}, "packets_on_device": {}, "packets_read": {}, )"
             R"("cpu_ns_per_packet": {:.1f}, "user_ns_per_packet": {:.1f}, )"
             R"("system_ns_per_packet": {:.1f}, "transit_ms": {}}})"
             "\n",
             sent, floor.sender().packets_dropped(), on_device, read, cpu.total_ns / packets,
             cpu.user_ns / packets, cpu.system_ns / packets, percentiles_json(floor.transits()));
  return 0;
}
