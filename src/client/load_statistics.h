#pragma once
// What a load saw: a record for each join, and the figures of all. Values; any thread.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "client/load_plan.h"

namespace alcove::client {

// One join, at its end or so far. Instants are kNever where it did not come to that.
struct LoadRecord {
  bool sampled = false;
  bool already = false;                    // was in when the measuring began
  base::Instant requested = base::kNever;  // the join was sent
  base::Instant answered = base::kNever;   // the server took it
  base::Instant admitted = base::kNever;   // somebody on the stage let in, and the proof is good
  base::Instant connected = base::kNever;  // DTLS is done
  base::Instant first_packet = base::kNever;
  std::string failure;  // its reason; empty: none
  std::string message;  // for people
  std::uint64_t packets = 0;
  std::int64_t lost = 0;  // after repair
  std::uint64_t repaired = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t authenticated = 0;    // of packets
  std::uint64_t unauthenticated = 0;  // failed the check, or of no stream of ours
  base::Duration jitter{};            // RFC 3550, the worst slot's
  base::Duration worst_gap{};
  base::Duration worst_gap_measured{};
  std::uint64_t audible_gaps = 0;
  std::uint64_t opened = 0;      // frames decrypted, of a sampled member
  std::uint64_t not_opened = 0;  // dropped with whatever fault
};

// Of durations, in milliseconds.
struct Percentiles {
  std::size_t count = 0;
  double p50 = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
  double max = 0;
};
// Nearest rank.
Percentiles percentiles_of(std::vector<base::Duration> values);

struct LoadFailures {
  std::size_t count = 0;
  std::string message;  // the first one's
  std::string advice;   // what to change; may be empty
};
// What to change, for the reason of a failure (an API reason, or one of docs/load.md).
std::string_view load_advice(std::string_view reason);

// A second of the timeline.
struct LoadSecond {
  std::int64_t second = 0;
  std::size_t inside = 0;
  std::size_t joining = 0;
  std::size_t failed = 0;
  std::uint64_t packets = 0;  // in this second
};

// What the process knows of itself.
struct LoadProcess {
  double processor_seconds = 0;
  std::int64_t resident_kib = 0;
  std::uint64_t datagrams_dropped = 0;
  Percentiles lag;  // how late the loop was: gaps are not finer than this
};

struct LoadSummary {
  LoadPlan plan;
  std::string server;
  double seconds = 0;  // from the first join to the end
  std::size_t requested = 0;
  std::size_t joined = 0;
  std::size_t with_sound = 0;
  std::size_t failed = 0;
  bool interrupted = false;
  std::map<std::string, LoadFailures> failures;
  Percentiles answered;  // from the request on, of all joins
  Percentiles admitted;
  Percentiles connected;
  Percentiles first_packet;
  Percentiles first_packet_measured;  // of those who came while it was measured
  Percentiles admitted_measured;
  std::uint64_t packets = 0;
  std::int64_t lost = 0;
  std::uint64_t repaired = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t authenticated = 0;
  std::uint64_t unauthenticated = 0;
  std::size_t members_with_loss = 0;
  Percentiles gaps;          // the worst of each member
  Percentiles gaps_already;  // while it was measured, of those who were in before
  double share_with_audible_gap = 0;
  double share_with_audible_gap_already = 0;
  Percentiles jitter;
  std::size_t sampled = 0;
  std::size_t sampled_silent = 0;  // joined, and decrypted nothing
  std::uint64_t opened = 0;
  std::uint64_t not_opened = 0;
  std::vector<LoadSecond> timeline;
  LoadProcess process;
};

// The figures of the records; plan, server, timeline and process are the caller's.
LoadSummary summarize(const std::vector<LoadRecord>& records);
// The share of what should have come.
double load_loss(const LoadSummary& summary);

}  // namespace alcove::client
