#include "audit/auditor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "audit/flow_table.h"
#include "audit/inspectors.h"
#include "audit/packet.h"
#include "audit/traffic_summary.h"
#include "base/check.h"
#include "base/text.h"

namespace alcove::audit {

class Auditor::Implementation {
 public:
  explicit Implementation(AuditorOptions options);
  void handle_frame(const Frame& frame);
  void handle_secrets(base::Bytes key_log) { inspectors_.handle_secrets(key_log); }
  Progress progress() const;
  Report finish(const CaptureReader::Counters* counters, std::string_view format);

 private:
  const policy::Policy* policy() const { return policy_ ? &*policy_ : nullptr; }
  const v1::Manifest* manifest() const {
    return options_.manifest ? &options_.manifest->manifest : nullptr;
  }
  void take_policy_of_manifest();
  void judge_manifest();
  void judge_capture(const Report& report);
  void describe_given(Report& report) const;

  AuditorOptions options_;
  std::unique_ptr<policy::GeoDatabase> no_database_;
  const policy::GeoDatabase& database_;
  std::optional<policy::Policy> policy_;
  Findings findings_;
  PacketDecoder decoder_;
  Inspectors inspectors_;
  TrafficSummary summary_;
  FlowTable flows_;
  bool finished_ = false;
  std::uint64_t frames_ = 0;
  CaptureTime begin_, end_;
  std::uint64_t cut_frames_ = 0;
  Evidence first_cut_, last_cut_, first_unknown_link_;
};

namespace {

std::vector<Inspector*> with(std::vector<Inspector*> inspectors, Inspector& last) {
  inspectors.push_back(&last);
  return inspectors;
}

}  // namespace

Auditor::Implementation::Implementation(AuditorOptions options)
    : options_(std::move(options)),
      no_database_(policy::GeoDatabase::empty()),
      database_(options_.database != nullptr ? *options_.database : *no_database_),
      policy_((take_policy_of_manifest(), options_.policy)),
      inspectors_({.policy = policy(),
                   .database = database_,
                   .manifest = manifest(),
                   .identifiers = options_.identifiers,
                   .key_log = options_.key_log},
                  findings_),
      summary_(inspectors_.where(), findings_),
      flows_(with(inspectors_.all(), summary_)) {
  inspectors_.use(flows_);
  findings_.on_first = options_.on_finding;
  judge_manifest();
}

// What was asked for by --policy goes before what the server says of itself.
void Auditor::Implementation::take_policy_of_manifest() {
  if (options_.policy || !options_.manifest || manifest()->policy_toml().empty()) return;
  auto parsed = policy::parse_policy(manifest()->policy_toml());
  if (parsed) {
    options_.policy = *std::move(parsed);
  } else {
    options_.manifest_fault_en = "Its policy cannot be read: " + parsed.error().message;
    options_.manifest_fault_fr = "Sa politique est illisible : " + parsed.error().message;
  }
}

void Auditor::Implementation::judge_manifest() {
  if (!options_.manifest_fault_en.empty()) {
    findings_.add(FindingCode::kManifestInvalid, "manifest", Evidence{}, options_.manifest_fault_en,
                  options_.manifest_fault_fr);
  }
  if (manifest() == nullptr || !policy_) return;
  for (const v1::ManifestEndpoint& endpoint : manifest()->endpoints()) {
    const auto denied = policy::first_denied(endpoint, *policy_, database_);
    if (!denied) continue;
    findings_.add(FindingCode::kManifestAgainstPolicy, denied->address.text(), Evidence{},
                  policy::explain_en(*denied), policy::explain_fr(*denied));
  }
}

void Auditor::Implementation::handle_frame(const Frame& frame) {
  if (frames_++ == 0) begin_ = end_ = frame.time;
  begin_ = std::min(begin_, frame.time);
  end_ = std::max(end_, frame.time);
  const Evidence here{.packet = frame.number, .time = frame.time, .flow = 0, .excerpt = {}};
  if (frame.wire_length > frame.bytes.size()) {
    if (cut_frames_++ == 0) first_cut_ = here;
    last_cut_ = here;
  }
  const std::uint64_t unknown = decoder_.counters().unknown_link_type;
  if (const Packet* packet = decoder_.decode(frame)) flows_.handle_packet(*packet);
  if (unknown == 0 && decoder_.counters().unknown_link_type > 0) first_unknown_link_ = here;
}

Auditor::Progress Auditor::Implementation::progress() const {
  return {.frames = frames_, .flows = flows_.counters().flows, .findings = findings_.size()};
}

// What the capture itself does not show.
void Auditor::Implementation::judge_capture(const Report& report) {
  using enum FindingCode;
  const auto say = [&](FindingCode code, std::string_view subject, std::uint64_t count,
                       const Evidence& evidence, std::string_view english,
                       std::string_view french) {
    if (count == 0) return;
    findings_.add(code, subject, evidence, fmt::format("{}: {}.", english, count),
                  fmt::format("{} : {}.", french, count));
  };
  const CaptureReader::Counters& capture = report.capture;
  say(kCutFrames, "capture", cut_frames_, first_cut_, "Frames cut", "Trames coupées");
  say(kEndedEarly, "capture", capture.ended_early ? capture.frames : 0, {},
      "Whole frames before the end", "Trames entières avant la fin");
  say(kEndedEarly, "blocks", capture.bad_blocks, {}, "Damaged blocks that were skipped",
      "Blocs abîmés qui ont été sautés");
  say(kDroppedByCapture, "capture", capture.dropped_by_capture, {}, "Packets missed",
      "Paquets manqués");
  say(kUnknownLinkType, "frames", report.packets.unknown_link_type, first_unknown_link_,
      "Frames not examined", "Trames non examinées");
  say(kLimitReached, "flows", report.flow_counters.flows_dropped, {}, "Flows ended to make room",
      "Flux terminés pour faire de la place");
  say(kLimitReached, "fragments", report.packets.fragments_given_up, {},
      "Fragments that were never whole", "Fragments jamais complets");
  say(kLimitReached, "keys", inspectors_.sessions_left_out(), {},
      "TLS sessions or keys that were left out", "Sessions TLS ou clés laissées de côté");
  say(kLimitReached, "segments", report.flow_counters.retransmitted_differently, {},
      "TCP segments sent twice with other bytes: which of them the receiver took is not known",
      "Segments TCP envoyés deux fois avec d'autres octets, sans savoir lesquels ont été pris");
}

void Auditor::Implementation::describe_given(Report& report) const {
  report.tool = options_.tool;
  report.input = options_.input;
  report.has_policy = policy_.has_value();
  report.has_manifest = options_.manifest.has_value();
  report.has_keys = inspectors_.has_keys();
  report.identifiers = inspectors_.identifiers();
  if (!database_.is_empty()) report.database = database_.id();
  if (policy_) {
    report.policy_text = policy_->text;
    report.policy_sha256 = base::to_hex(crypto::sha256(base::as_bytes(policy_->text)));
  }
  if (options_.manifest) {
    const policy::VerifiedManifest& manifest = *options_.manifest;
    report.manifest = {.key_hash = base::to_hex(policy::manifest_key_hash(manifest.key)),
                       .sha256 = base::to_hex(manifest.sha256),
                       .serial = manifest.manifest.serial(),
                       .created_at_ms = manifest.manifest.created_at_ms(),
                       .endpoints = static_cast<std::size_t>(manifest.manifest.endpoints_size()),
                       .software = manifest.manifest.software()};
  }
}

Report Auditor::Implementation::finish(const CaptureReader::Counters* counters,
                                       std::string_view format) {
  CHECK(!finished_);
  finished_ = true;
  flows_.finish();
  Report report;
  describe_given(report);
  report.format = format;
  report.begin = begin_;
  report.end = end_;
  if (counters != nullptr) {
    report.capture = *counters;
  } else {
    report.capture.frames = frames_;
    report.capture.cut_frames = cut_frames_;
  }
  report.packets = decoder_.counters();
  report.flow_counters = flows_.counters();
  judge_capture(report);
  summary_.write(report);
  report.media = inspectors_.media_streams();
  report.findings = findings_.sorted();
  report.findings_left_out = findings_.left_out();
  for (Finding& finding : report.findings) {
    if (finding.code != FindingCode::kCutFrames) continue;
    finding.count = cut_frames_;
    finding.last_packet = last_cut_.packet;
  }
  return report;
}

Auditor::Auditor(AuditorOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
Auditor::~Auditor() = default;

void Auditor::handle_frame(const Frame& frame) { implementation_->handle_frame(frame); }
void Auditor::handle_secrets(base::Bytes key_log) { implementation_->handle_secrets(key_log); }
Auditor::Progress Auditor::progress() const { return implementation_->progress(); }
Report Auditor::finish(const CaptureReader::Counters* counters, std::string_view format) {
  return implementation_->finish(counters, format);
}

}  // namespace alcove::audit
