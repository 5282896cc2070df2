// The report as JSON (docs/audit-report.schema.json).

#include <nlohmann/json.hpp>

#include "audit/finding_texts.h"
#include "audit/report.h"
#include "audit/report_verdict.h"
#include "audit/report_words.h"
#include "base/text.h"

namespace alcove::audit {

namespace {

using Json = nlohmann::ordered_json;

// RFC 3339, microseconds.
std::string iso(CaptureTime time) {
  std::string text = time_text(time);
  text[text.find(' ')] = 'T';
  text.resize(text.find(' '));
  return text + "Z";
}

Json evidence_json(const Evidence& evidence) {
  Json json = {{"packet", evidence.packet}, {"time", iso(evidence.time)}};
  if (evidence.flow != 0) json["flow"] = evidence.flow;
  if (!evidence.excerpt.empty()) json["excerpt"] = clean_text(evidence.excerpt);
  return json;
}

Json finding_json(const Finding& finding, Language language) {
  const FindingText& text = finding_text(finding.code, language);
  Json evidence = Json::array();
  for (const Evidence& one : finding.evidence) evidence.push_back(evidence_json(one));
  return {
      {"code", code_text(finding.code)},
      {"severity", severity_id(severity_of(finding.code))},
      {"title", text.title},
      {"subject", clean_text(finding.subject)},
      {"detail", clean_text(language == Language::kFrench ? finding.detail_fr : finding.detail_en)},
      {"meaning", text.meaning},
      {"action", text.action},
      {"count", finding.count},
      {"last_packet", finding.last_packet},
      {"flows", finding.flows},
      {"evidence", std::move(evidence)}};
}

Json country_or_null(const policy::Country& country) {
  return country.known() ? Json(country.code()) : Json(nullptr);
}

Json traffic_json(const FlowTraffic& traffic) {
  Json json = {{"packets", traffic.packets},
               {"bytes", traffic.bytes},
               {"payload_bytes", traffic.payload_bytes}};
  if (traffic.packets > 0) {
    json["first_packet"] = traffic.first_number;
    json["last_packet"] = traffic.last_number;
    json["first"] = iso(traffic.first);
    json["last"] = iso(traffic.last);
  }
  return json;
}

Json flow_json(const FlowSummary& flow, const Report& report, Language language) {
  const policy::GeoRecord& record = flow.decision.record;
  Json json = {{"id", flow.id},
               {"protocol", transport_text(flow.key.protocol)},
               {"client", flow.key.client.text()},
               {"server", flow.key.server.text()},
               {"application", application_text(flow.application)},
               {"server_name", clean_text(flow.server_name)},
               {"remote", remote_of(flow.key).ip.text()},
               {"country", country_or_null(record.country)},
               {"asn", record.asn},
               {"owner", clean_text(record.owner)},
               {"owner_country", country_or_null(record.owner_country)},
               {"anycast", record.anycast},
               {"forward", traffic_json(flow.traffic[0])},
               {"backward", traffic_json(flow.traffic[1])}};
  if (report.has_policy) {
    json["denied"] = flow.denied;
    json["reason"] = clean_text(language == Language::kFrench ? policy::explain_fr(flow.decision)
                                                              : policy::explain_en(flow.decision));
  }
  if (report.has_manifest) json["in_manifest"] = flow.in_manifest;
  return json;
}

Json countries_json(const Report& report) {
  Json json = Json::array();
  for (const CountrySummary& country : report.countries) {
    json.push_back({{"country", country_or_null(country.country)},
                    {"private", country.private_addresses},
                    {"flows", country.flows},
                    {"packets", country.packets},
                    {"bytes", country.bytes},
                    {"denied", country.denied}});
  }
  return json;
}

Json timeline_json(const Timeline& timeline) {
  Json bins = Json::array();
  for (const Timeline::Bin& bin : timeline.bins) {
    bins.push_back({{"packets", bin.packets},
                    {"bytes", bin.bytes},
                    {"denied_packets", bin.denied_packets},
                    {"media_packets", bin.media_packets}});
  }
  return {{"begin", iso(timeline.begin)},
          {"bin_seconds", static_cast<double>(timeline.bin.count()) / 1e9},
          {"bins", std::move(bins)}};
}

Json media_json(const Report& report) {
  Json json = Json::array();
  for (const MediaStreamSummary& stream : report.media) {
    json.push_back(
        {{"flow", stream.flow},
         {"direction", stream.direction == Direction::kForward ? "forward" : "backward"},
         {"ssrc", stream.ssrc},
         {"payload_type", stream.payload_type},
         {"packets", stream.packets},
         {"first_packet", stream.first_packet},
         {"last_packet", stream.last_packet},
         {"first", iso(stream.first)},
         {"last", iso(stream.last)},
         {"protection", protection_id(stream.protection)},
         {"codec", stream.codec == Codec::kNone ? Json(nullptr) : Json(codec_text(stream.codec))},
         {"speech", stream.speech},
         {"byte_entropy", stream.byte_entropy},
         {"size_entropy", stream.size_entropy},
         {"distinct_sizes", stream.distinct_sizes},
         {"sizes", stream.sizes}});
  }
  return json;
}

Json capture_json(const Report& report) {
  const CaptureReader::Counters& capture = report.capture;
  const PacketDecoder::Counters& packets = report.packets;
  const FlowTable::Counters& flows = report.flow_counters;
  return {{"name", clean_text(report.input)},
          {"format", clean_text(report.format)},
          {"begin", iso(report.begin)},
          {"end", iso(report.end)},
          {"frames", capture.frames},
          {"bytes", capture.bytes},
          {"cut_frames", capture.cut_frames},
          {"dropped_by_capture", capture.dropped_by_capture},
          {"bad_blocks", capture.bad_blocks},
          {"ended_early", capture.ended_early},
          {"packets", packets.packets},
          {"not_ip", packets.not_ip},
          {"unknown_link_type", packets.unknown_link_type},
          {"malformed", packets.malformed},
          {"fragments", packets.fragments},
          {"fragments_given_up", packets.fragments_given_up},
          {"flows", flows.flows},
          {"flows_dropped", flows.flows_dropped},
          {"stream_gaps", flows.stream_gaps},
          {"retransmitted_differently", flows.retransmitted_differently}};
}

Json verdict_json(const Report& report, Language language) {
  const Verdict verdict = verdict_of(report, language);
  const Tally counts = tally(report);
  return {{"clean", report.clean()}, {"errors", counts.errors},      {"warnings", counts.warnings},
          {"notes", counts.infos},   {"headline", verdict.headline}, {"points", verdict.points},
          {"limits", verdict.limits}};
}

Json manifest_json(const ManifestFacts& manifest) {
  return {{"key_hash", manifest.key_hash},   {"sha256", manifest.sha256},
          {"serial", manifest.serial},       {"created_at_ms", manifest.created_at_ms},
          {"endpoints", manifest.endpoints}, {"software", clean_text(manifest.software)}};
}

}  // namespace

std::string to_json(const Report& report, Language language) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings)
    findings.push_back(finding_json(finding, language));
  Json flows = Json::array();
  for (const FlowSummary& flow : report.flows) flows.push_back(flow_json(flow, report, language));
  Json database = nullptr;
  if (!report.database.name.empty()) {
    database = {{"name", clean_text(report.database.name)},
                {"date", clean_text(report.database.date)},
                {"sha256", base::to_hex(report.database.sha256)}};
  }
  Json policy = nullptr;
  if (report.has_policy)
    policy = {{"sha256", report.policy_sha256}, {"text", clean_lines(report.policy_text)}};
  Json manifest = nullptr;
  if (report.has_manifest) manifest = manifest_json(report.manifest);
  const Json json = {{"format", "alcove-audit"},
                     {"version", 1},
                     {"tool", clean_text(report.tool)},
                     {"language", pick(language, "en", "fr")},
                     {"verdict", verdict_json(report, language)},
                     {"capture", capture_json(report)},
                     {"given", {{"keys", report.has_keys}, {"identifiers", report.identifiers}}},
                     {"policy", std::move(policy)},
                     {"manifest", std::move(manifest)},
                     {"database", std::move(database)},
                     {"findings", std::move(findings)},
                     {"findings_left_out", report.findings_left_out},
                     {"countries", countries_json(report)},
                     {"timeline", timeline_json(report.timeline)},
                     {"media", media_json(report)},
                     {"flows", std::move(flows)},
                     {"flows_left_out", report.flows_left_out}};
  // Everything was cleaned above; what a library's text may still hold is replaced, never thrown.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace alcove::audit
