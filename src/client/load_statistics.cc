#include "client/load_statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "client/load_arrivals.h"

namespace alcove::client {

using base::Duration;

namespace {

double milliseconds_of(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

struct Advice {
  std::string_view reason;
  std::string_view text;
};

constexpr std::array kAdvice = {
    Advice{"rate_limited",
           "Raise limits.rate_limit_factor in the server's configuration: it counts requests, "
           "guests' joins and WebSockets by address (1000 is enough for this machine)."},
    Advice{"http",
           "See that the server runs and is reached. It closes connections over "
           "limits.connections and limits.connections_per_address: raise them."},
    Advice{"events_lost",
           "The server closed the event connection, or could not take it: see "
           "limits.connections and limits.connections_per_address."},
    Advice{"files",
           "Raise the limit of open files: ulimit -n 20000, or LimitNOFILE= of a service."},
    Advice{"room.full", "Raise limits.members in the server's configuration."},
    Advice{"server.full", "Raise limits.rooms in the server's configuration."},
    Advice{"relay.full",
           "The relay has as much to do as it can: fewer members, more processors, or "
           "another relay."},
    Advice{"relay.overloaded",
           "The relay refuses listeners before the others hear gaps: fewer members, more "
           "processors, or another relay."},
    Advice{"relay.timeout", "The relay does not keep up with the joins: a lower --rate."},
    Advice{"account.required", "Set accounts.guests = true in the server's configuration."},
    Advice{"room.not_admitted", "Use the whole link, with what follows #."},
    Advice{"not_let_in",
           "Somebody has to be on the stage, with a client that lets in: "
           "alcove-client start or join --speak."},
    Advice{"no_path",
           "The relay's UDP port must be reachable. Over loopback the relay has to "
           "listen on 127.0.0.1 (media.listen) and say so (media.public_addresses empty, or "
           "with it)."},
};

// Which of the records, and how long.
template <typename Choose>
Percentiles collect(const std::vector<LoadRecord>& records, Choose choose) {
  std::vector<Duration> values;
  for (const LoadRecord& record : records)
    if (const std::optional<Duration> value = choose(record)) values.push_back(*value);
  return percentiles_of(std::move(values));
}

template <base::Instant LoadRecord::* event>
std::optional<Duration> since_request(const LoadRecord& record) {
  if (record.requested == base::kNever || record.*event == base::kNever) return std::nullopt;
  // Sound can come before the event connection tells of the admission, never before the request.
  return std::max(record.*event - record.requested, Duration::zero());
}

bool had_sound(const LoadRecord& record) { return record.packets > 0; }

double share_of(const std::vector<LoadRecord>& records, auto is_counted, auto has) {
  const auto all = std::ranges::count_if(records, is_counted);
  const auto some = std::ranges::count_if(
      records, [&](const LoadRecord& record) { return is_counted(record) && has(record); });
  return all == 0 ? 0 : static_cast<double>(some) / static_cast<double>(all);
}

void add_gaps(const std::vector<LoadRecord>& records, LoadSummary& summary) {
  const auto was_already = [](const LoadRecord& r) { return had_sound(r) && r.already; };
  summary.gaps = collect(records, [](const LoadRecord& r) {
    return had_sound(r) ? std::optional(r.worst_gap) : std::nullopt;
  });
  summary.gaps_already = collect(records, [&](const LoadRecord& r) {
    return was_already(r) ? std::optional(r.worst_gap_measured) : std::nullopt;
  });
  summary.share_with_audible_gap = share_of(records, had_sound, [](const LoadRecord& r) {
    return r.worst_gap > LoadArrivals::kAudibleGap;
  });
  summary.share_with_audible_gap_already = share_of(records, was_already, [](const LoadRecord& r) {
    return r.worst_gap_measured > LoadArrivals::kAudibleGap;
  });
}

void add_join_times(const std::vector<LoadRecord>& records, LoadSummary& summary) {
  summary.answered = collect(records, since_request<&LoadRecord::answered>);
  summary.admitted = collect(records, since_request<&LoadRecord::admitted>);
  summary.connected = collect(records, since_request<&LoadRecord::connected>);
  summary.first_packet = collect(records, since_request<&LoadRecord::first_packet>);
  summary.admitted_measured = collect(records, [](const LoadRecord& r) {
    return r.already ? std::nullopt : since_request<&LoadRecord::admitted>(r);
  });
  summary.first_packet_measured = collect(records, [](const LoadRecord& r) {
    return r.already ? std::nullopt : since_request<&LoadRecord::first_packet>(r);
  });
}

void add_counts(const LoadRecord& record, LoadSummary& summary) {
  const bool joined = record.admitted != base::kNever;
  if (record.requested != base::kNever) ++summary.requested;
  if (joined) ++summary.joined;
  if (had_sound(record)) ++summary.with_sound;
  if (!record.failure.empty()) {
    ++summary.failed;
    LoadFailures& failures = summary.failures[record.failure];
    if (failures.count++ == 0) {
      failures.message = record.message;
      failures.advice = load_advice(record.failure);
    }
  }
  summary.packets += record.packets;
  summary.lost += record.lost;
  summary.repaired += record.repaired;
  summary.duplicates += record.duplicates;
  summary.authenticated += record.authenticated;
  summary.unauthenticated += record.unauthenticated;
  if (record.lost > 0) ++summary.members_with_loss;
  summary.opened += record.opened;
  summary.not_opened += record.not_opened;
  if (!record.sampled || !joined) return;
  ++summary.sampled;
  if (record.opened == 0) ++summary.sampled_silent;
}

}  // namespace

Percentiles percentiles_of(std::vector<Duration> values) {
  Percentiles result;
  result.count = values.size();
  if (values.empty()) return result;
  std::ranges::sort(values);
  const auto at = [&](double share) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    return milliseconds_of(values[std::max<std::size_t>(rank, 1) - 1]);
  };
  result.p50 = at(0.50);
  result.p90 = at(0.90);
  result.p95 = at(0.95);
  result.p99 = at(0.99);
  result.max = milliseconds_of(values.back());
  return result;
}

std::string_view load_advice(std::string_view reason) {
  const auto found = std::ranges::find(kAdvice, reason, &Advice::reason);
  return found == kAdvice.end() ? std::string_view() : found->text;
}

double load_loss(const LoadSummary& summary) {
  const double expected = static_cast<double>(summary.packets) + static_cast<double>(summary.lost);
  return expected == 0 ? 0 : static_cast<double>(summary.lost) / expected;
}

LoadSummary summarize(const std::vector<LoadRecord>& records) {
  LoadSummary summary;
  for (const LoadRecord& record : records) add_counts(record, summary);
  add_join_times(records, summary);
  add_gaps(records, summary);
  summary.jitter = collect(records, [](const LoadRecord& r) {
    return had_sound(r) ? std::optional(r.jitter) : std::nullopt;
  });
  return summary;
}

}  // namespace alcove::client
