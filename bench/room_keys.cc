// What room keys cost a native keeper and a listener: admissions in a crowd, a fresh epoch after an
// eject, a minute at rest.   build/release/bench/bench_room_keys [--members 5000] [--json]
//
// One keeper (e2ee::RoomKeys) faces a house that orders entries (a roomlog::LogState of its own).
// Joiners have real keys and certificates; every 250th is a whole RoomKeys that checks and opens
// what it gets. CPU is that of the thread, in the keeper's calls alone; virtual time follows the
// schedule, and runs on by the CPU time that the keeper took, as on a machine with nothing else.

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>

#include "bench/room_keys_house.h"

namespace alcove::bench {
namespace {

struct Options {
  std::size_t members = 5000;
  double joins_per_second = 300;
  bool json = false;
};

struct Result {
  JoinFigures join;
  EpochFigures epoch;
  RestFigures rest;
};

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view flag = arguments[i];
    if (flag == "--json") {
      options.json = true;
    } else if (flag == "--members" && i + 1 < count) {
      options.members = std::strtoul(arguments[++i], nullptr, 10);
    } else if (flag == "--rate" && i + 1 < count) {
      options.joins_per_second = std::strtod(arguments[++i], nullptr);
    } else {
      fmt::print(stderr,
                 "usage: bench_room_keys [--members N] [--rate JOINS_PER_SECOND] [--json]\n");
      std::exit(2);
    }
  }
  if (options.members < 10 || options.members > 20'000 || options.joins_per_second <= 0) {
    fmt::print(stderr, "--members is 10 to 20000, --rate more than 0\n");
    std::exit(2);
  }
  return options;
}

void print(const Options& options, const Result& result) {
  const JoinFigures& join = result.join;
  const EpochFigures& epoch = result.epoch;
  const RestFigures& rest = result.rest;
  if (options.json) {
    fmt::print(
        "{{\"members\": {}, \"joins_per_second\": {}, \"join\": {{\"keeper_cpu_us\": {:.1f}, "
        "\"joiner_bytes\": {:.0f}, \"keeper_bytes_up\": {:.0f}, \"keeper_bytes_down\": {:.0f}, "
        "\"joiner_cpu_us\": {:.0f}, \"entries\": {}, \"admitted_after_ms_median\": {:.0f}, "
        "\"admitted_after_ms_max\": {:.0f}, \"first_second_admitted_ms\": {:.0f}}}, ",
        options.members, options.joins_per_second, join.keeper_cpu_us, join.joiner_bytes,
        join.keeper_bytes_up, join.keeper_bytes_down, join.joiner_cpu_us, join.entries,
        join.admitted_after_ms_median, join.admitted_after_ms_max, join.first_second_admitted_ms);
    fmt::print(
        "\"fresh_epoch\": {{\"prepare_cpu_ms\": {:.1f}, \"eject_cpu_ms\": {:.1f}, "
        "\"unprepared_cpu_ms\": {:.1f}, \"bytes_up\": {}, \"bytes_per_member\": {:.0f}, "
        "\"ejected_opens_after\": {}, \"others_open\": {}}}, ",
        epoch.prepare_cpu_ms, epoch.eject_cpu_ms, epoch.unprepared_cpu_ms, epoch.bytes_up,
        epoch.bytes_per_member, epoch.ejected_opens ? "true" : "false",
        epoch.others_open ? "true" : "false");
    fmt::print(
        "\"rest\": {{\"listener_bytes_per_minute\": {}, \"listener_cpu_us_per_minute\": "
        "{:.0f}}}}}\n",
        rest.bytes_per_minute, rest.cpu_us_per_minute);
    return;
  }
  fmt::print("{} members, {} joins a second\n", options.members, options.joins_per_second);
  fmt::print(
      "join: keeper {:.0f} us CPU, {:.0f} bytes up, {:.0f} down; joiner {:.0f} us, {:.0f} "
      "bytes; in after {:.0f} ms (median), {:.0f} ms (longest)\n",
      join.keeper_cpu_us, join.keeper_bytes_up, join.keeper_bytes_down, join.joiner_cpu_us,
      join.joiner_bytes, join.admitted_after_ms_median, join.admitted_after_ms_max);
  fmt::print(
      "fresh epoch: {:.0f} ms CPU ahead and {:.1f} ms at the eject; {:.0f} ms without "
      "preparation; {} bytes up\n",
      epoch.prepare_cpu_ms, epoch.eject_cpu_ms, epoch.unprepared_cpu_ms, epoch.bytes_up);
  fmt::print("at rest: {} bytes and {:.0f} us a minute for a listener\n", rest.bytes_per_minute,
             rest.cpu_us_per_minute);
}

}  // namespace
}  // namespace alcove::bench

int main(int count, char** arguments) {
  using namespace alcove::bench;
  const Options options = parse(count, arguments);
  House house(options.members);
  Result result;
  result.join = house.run_joins(options.joins_per_second);
  result.epoch = house.run_eject();
  result.rest = house.run_rest();
  print(options, result);
  return result.epoch.ejected_opens || !result.epoch.others_open ? 1 : 0;
}
