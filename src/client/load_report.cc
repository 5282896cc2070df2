#include "client/load_report.h"

#include <fmt/format.h>

#include <cmath>
#include <concepts>

#include "client/member_event.h"

namespace alcove::client {

namespace {

// An object as text, a field after the other.
class JsonObject {
 public:
  void add_raw(std::string_view name, std::string_view value) {
    text_ += fmt::format("{}{}:{}", text_.size() > 1 ? "," : "", json_string(name), value);
  }
  void add(std::string_view name, std::string_view value) { add_raw(name, json_string(value)); }
  // Not for what merely converts to it, such as a literal.
  template <std::same_as<bool> Bool>
  void add(std::string_view name, Bool value) {
    add_raw(name, value ? "true" : "false");
  }
  void add(std::string_view name, double value) {
    add_raw(name, std::isfinite(value) ? fmt::format("{:.6g}", value) : "null");
  }
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  void add(std::string_view name, Number value) {
    add_raw(name, fmt::format("{}", value));
  }
  void add(std::string_view name, const Percentiles& value) {
    JsonObject object;
    object.add("count", value.count);
    object.add("p50", value.p50);
    object.add("p90", value.p90);
    object.add("p95", value.p95);
    object.add("p99", value.p99);
    object.add("max", value.max);
    add_raw(name, object.finish());
  }
  std::string finish() { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

std::string plan_json(const LoadPlan& plan) {
  JsonObject object;
  object.add("profile", to_text(plan.profile));
  object.add("members", plan.members);
  object.add("rate", plan.rate);
  object.add("seconds", std::chrono::duration<double>(plan.stay).count());
  object.add("already", plan.already);
  object.add("sample", plan.sample);
  return object.finish();
}

std::string failures_json(const LoadSummary& summary) {
  std::string text = "[";
  for (const auto& [reason, failures] : summary.failures) {
    JsonObject object;
    object.add("reason", reason);
    object.add("count", failures.count);
    object.add("message", failures.message);
    object.add("advice", failures.advice);
    text += (text.size() > 1 ? "," : "") + object.finish();
  }
  return text + "]";
}

std::string joins_json(const LoadSummary& summary) {
  JsonObject object;
  object.add("answered", summary.answered);
  object.add("connected", summary.connected);
  object.add("admitted", summary.admitted);
  object.add("first_packet", summary.first_packet);
  object.add("admitted_measured", summary.admitted_measured);
  object.add("first_packet_measured", summary.first_packet_measured);
  return object.finish();
}

std::string packets_json(const LoadSummary& summary) {
  JsonObject object;
  object.add("received", summary.packets);
  object.add("lost", summary.lost);
  object.add("loss", load_loss(summary));
  object.add("members_with_loss", summary.members_with_loss);
  object.add("repaired", summary.repaired);
  object.add("duplicates", summary.duplicates);
  object.add("authenticated", summary.authenticated);
  object.add("unauthenticated", summary.unauthenticated);
  return object.finish();
}

std::string gaps_json(const LoadSummary& summary) {
  JsonObject object;
  object.add("worst", summary.gaps);
  object.add("share_over_80_ms", summary.share_with_audible_gap);
  object.add("worst_already", summary.gaps_already);
  object.add("share_over_80_ms_already", summary.share_with_audible_gap_already);
  return object.finish();
}

std::string sample_json(const LoadSummary& summary) {
  JsonObject object;
  object.add("members", summary.sampled);
  object.add("silent", summary.sampled_silent);
  object.add("opened", summary.opened);
  object.add("not_opened", summary.not_opened);
  return object.finish();
}

std::string process_json(const LoadProcess& process) {
  JsonObject object;
  object.add("processor_seconds", process.processor_seconds);
  object.add("resident_kib", process.resident_kib);
  object.add("datagrams_dropped", process.datagrams_dropped);
  object.add("lag_ms", process.lag);
  return object.finish();
}

std::string timeline_json(const LoadSummary& summary) {
  std::string text = "[";
  for (const LoadSecond& second : summary.timeline) {
    JsonObject object;
    object.add("second", second.second);
    object.add("inside", second.inside);
    object.add("joining", second.joining);
    object.add("failed", second.failed);
    object.add("packets", second.packets);
    text += (text.size() > 1 ? "," : "") + object.finish();
  }
  return text + "]";
}

std::string text_of(const Percentiles& p) {
  return fmt::format("half within {:.0f} ms, 95 % {:.0f} ms, 99 % {:.0f} ms, the longest {:.0f} ms",
                     p.p50, p.p95, p.p99, p.max);
}

std::string_view text_of(LoadStage stage) {
  switch (stage) {
    case LoadStage::kFilling:
      return "coming";
    case LoadStage::kSettling:
      return "settling";
    case LoadStage::kMeasuring:
      return "measuring";
    case LoadStage::kLeaving:
      return "leaving";
    case LoadStage::kNew:
    case LoadStage::kOver:
      break;
  }
  return "";
}

}  // namespace

std::string load_json(const LoadSummary& summary) {
  JsonObject object;
  object.add("event", "load");
  object.add_raw("plan", plan_json(summary.plan));
  object.add("server", summary.server);
  object.add("seconds", summary.seconds);
  object.add("interrupted", summary.interrupted);
  object.add("requested", summary.requested);
  object.add("joined", summary.joined);
  object.add("with_sound", summary.with_sound);
  object.add("failed", summary.failed);
  object.add_raw("failures", failures_json(summary));
  object.add_raw("join_ms", joins_json(summary));
  object.add_raw("packets", packets_json(summary));
  object.add_raw("gap_ms", gaps_json(summary));
  object.add("jitter_ms", summary.jitter);
  object.add_raw("sample", sample_json(summary));
  object.add_raw("load", process_json(summary.process));
  object.add_raw("timeline", timeline_json(summary));
  return object.finish();
}

std::string load_text(const LoadSummary& summary) {
  std::string out =
      fmt::format("{} joins in {:.0f} s: {} let in, {} with sound, {} failed.\n", summary.requested,
                  summary.seconds, summary.joined, summary.with_sound, summary.failed);
  for (const auto& [reason, failures] : summary.failures)
    out += fmt::format("  {} times {}: {}{}{}\n", failures.count, reason, failures.message,
                       failures.advice.empty() ? "" : " ", failures.advice);
  out += fmt::format("From the request to being let in: {}.\n", text_of(summary.admitted));
  out += fmt::format("From the request to the first packet: {}.\n", text_of(summary.first_packet));
  if (summary.plan.profile != LoadProfile::kSteady)
    out += fmt::format("  of those who came while it was measured: {}.\n",
                       text_of(summary.first_packet_measured));
  out += fmt::format("{} packets received, {} lost ({:.4f} %), {} repaired, {} twice.\n",
                     summary.packets, summary.lost, load_loss(summary) * 100, summary.repaired,
                     summary.duplicates);
  out += fmt::format("Worst gap of each member: {}; {:.2f} % had one above 80 ms.\n",
                     text_of(summary.gaps), summary.share_with_audible_gap * 100);
  if (summary.gaps_already.count > 0)
    out += fmt::format("  while measured, of those who were there before: {}; {:.2f} %.\n",
                       text_of(summary.gaps_already), summary.share_with_audible_gap_already * 100);
  out += fmt::format(
      "{} members decrypted {} frames; {} frames did not open, {} members heard nothing.\n",
      summary.sampled, summary.opened, summary.not_opened, summary.sampled_silent);
  out +=
      fmt::format("The load itself: {:.1f} s of processor time, {} MiB, late by up to {:.0f} ms.\n",
                  summary.process.processor_seconds, summary.process.resident_kib / 1024,
                  summary.process.lag.max);
  return out;
}

std::string load_progress_line(const LoadCrowd::Progress& progress,
                               const LoadCrowd::Progress& before) {
  const double passed =
      std::chrono::duration<double>(progress.since_start - before.since_start).count();
  const double packets =
      passed <= 0 ? 0 : static_cast<double>(progress.packets - before.packets) / passed;
  return fmt::format("{:4} s  {:9}  {} in, {} joining, {} leaving, {} failed, {:.0f} packets/s",
                     std::chrono::duration_cast<base::seconds>(progress.since_start).count(),
                     text_of(progress.stage), progress.counts.inside, progress.counts.joining,
                     progress.counts.leaving, progress.failed, packets);
}

}  // namespace alcove::client
