// Streams and datagrams of any bytes under all rules: an identifier that stands in a stream is
// found, however it is cut into pieces.

#include <cstdlib>
#include <string>

#include "audit/content_inspector.h"

namespace {

using namespace alcove;

const std::string kIdentifier = "user-4000123457";

std::uint64_t count_in_stream(base::Bytes bytes, std::size_t step) {
  static audit::Findings findings;
  static audit::ContentInspector inspector({kIdentifier, "room"}, findings);
  findings = {};
  audit::Flow flow;
  flow.id = 1;
  flow.key.client = {*base::IpAddress::parse("192.168.1.23"), 50000};
  flow.key.server = {*base::IpAddress::parse("198.51.100.7"), 80};
  flow.key.protocol = audit::ip_protocol::kTcp;
  inspector.handle_flow(flow);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    audit::StreamPiece piece;
    piece.bytes = bytes.subspan(at, std::min(step, bytes.size() - at));
    piece.offset = at;
    piece.number = at + 1;
    inspector.handle_stream(flow, audit::Direction::kForward, piece);
  }
  inspector.handle_flow_end(flow);
  std::uint64_t count = 0;
  for (const audit::Finding& finding : findings.sorted()) {
    if (finding.subject.empty() && finding.code != audit::FindingCode::kDeviceString) std::abort();
    if (finding.code == audit::FindingCode::kKnownIdentifier && finding.subject == kIdentifier)
      count += finding.count;
  }
  return count;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes bytes(data, size);
  if (bytes.empty()) return 0;
  std::uint64_t expected = 0;
  const std::string_view text = base::as_text(bytes);
  for (std::size_t at = text.find(kIdentifier); at != std::string_view::npos;
       at = text.find(kIdentifier, at + 1))
    ++expected;
  if (count_in_stream(bytes, bytes.size()) != expected) std::abort();
  if (count_in_stream(bytes, 1 + bytes[0] % 11) != expected) std::abort();
  return 0;
}
