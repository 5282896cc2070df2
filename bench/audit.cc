// The parts of bench/audit that are not JavaScript.
//   bench_audit make FILE BYTES      writes a capture (audit_capture.h) and says what is in it
//   bench_audit flows FILE           reads it with the reader, decoder and flow table alone
//   bench_audit run COMMAND…         runs it, output to nowhere: seconds, CPU, peak resident memory
// Each prints JSON.

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "audit/capture_reader.h"
#include "audit/flow_table.h"
#include "bench/audit_capture.h"

namespace alcove::bench {
namespace {

constexpr std::size_t kPiece = 256 << 10;  // stays in the processor's cache

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

int make(const char* path, const char* size) {
  const CaptureMix mix = write_capture(path, std::strtoull(size, nullptr, 10));
  fmt::print(
      "{{\"packets\": {}, \"bytes\": {}, \"flows\": {}, \"media\": {{\"packets\": {}, \"bytes\": "
      "{}}}, "
      "\"tls\": {{\"packets\": {}, \"bytes\": {}}}, \"dns\": {{\"packets\": {}, \"bytes\": "
      "{}}}}}\n",
      mix.packets, mix.bytes, mix.flows, mix.media_packets, mix.media_bytes, mix.tls_packets,
      mix.tls_bytes, mix.dns_packets, mix.dns_bytes);
  return 0;
}

class Flows final : public audit::CaptureSink {
 public:
  void handle_frame(const audit::Frame& frame) override {
    if (const audit::Packet* packet = decoder_.decode(frame)) table_.handle_packet(*packet);
  }
  void handle_secrets(base::Bytes) override {}
  audit::PacketDecoder decoder_;
  audit::FlowTable table_{{}};
};

int flows(const char* path) {
  const int file = open(path, O_RDONLY);
  if (file < 0) {
    std::perror(path);
    return 1;
  }
  const auto begin = Clock::now();
  Flows sink;
  audit::CaptureReader reader(sink);
  std::vector<std::uint8_t> piece(kPiece);
  while (true) {
    const ssize_t count = read(file, piece.data(), piece.size());
    if (count <= 0) break;
    if (const auto result = reader.feed(base::Bytes(piece).first(static_cast<std::size_t>(count)));
        !result) {
      fmt::print(stderr, "{}\n", result.error().message);
      return 1;
    }
  }
  close(file);
  sink.table_.finish();
  const double seconds = seconds_since(begin);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const std::uint64_t frames = reader.counters().frames;
  const double each = 1e9 / static_cast<double>(std::max<std::uint64_t>(frames, 1));
  fmt::print(
      "{{\"frames\": {}, \"packets\": {}, \"flows\": {}, \"gaps\": {}, \"seconds\": {:.3f}, "
      "\"user_ns_per_packet\": {:.1f}, \"system_ns_per_packet\": {:.1f}}}\n",
      frames, sink.decoder_.counters().packets, sink.table_.counters().flows,
      sink.table_.counters().stream_gaps, seconds, seconds_of(usage.ru_utime) * each,
      seconds_of(usage.ru_stime) * each);
  return 0;
}

int run(char** command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const auto begin = Clock::now();
  pid_t child = 0;
  if (posix_spawnp(&child, command[0], &actions, nullptr, command, environ) != 0) {
    fmt::print(stderr, "cannot run {}\n", command[0]);
    return 1;
  }
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child) return 1;
  fmt::print(
      "{{\"status\": {}, \"seconds\": {:.3f}, \"cpu_seconds\": {:.3f}, \"peak_bytes\": {}}}\n",
      WIFEXITED(status) ? WEXITSTATUS(status) : -1, seconds_since(begin),
      seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), usage.ru_maxrss * 1024);
  return 0;
}

int main_of(int count, char** arguments) {
  const std::string_view what = count > 1 ? arguments[1] : "";
  if (what == "make" && count == 4) return make(arguments[2], arguments[3]);
  if (what == "flows" && count == 3) return flows(arguments[2]);
  if (what == "run" && count > 2) return run(arguments + 2);
  fmt::print(stderr, "usage: bench_audit make FILE BYTES | flows FILE | run COMMAND…\n");
  return 2;
}

}  // namespace
}  // namespace alcove::bench

int main(int count, char** arguments) { return alcove::bench::main_of(count, arguments); }
