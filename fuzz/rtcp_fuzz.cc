// RTCP compounds from anybody: every view is read to its end, and written again.

#include <cstdlib>

#include "wire/rtcp.h"

namespace {

using namespace alcove;

std::uint32_t g_sum = 0;  // keeps the reads

struct Reader {
  wire::RtcpWriter& writer;

  static std::vector<wire::ReportBlock> list(const wire::ReportBlocks& blocks) {
    std::vector<wire::ReportBlock> all;
    all.reserve(blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) all.push_back(blocks[i]);
    if (blocks.find(7)) ++g_sum;
    return all;
  }
  void operator()(const wire::SenderReport& report) const {
    writer.add_sender_report(report.sender, list(report.blocks));
  }
  void operator()(const wire::ReceiverReport& report) const {
    writer.add_receiver_report(report.ssrc, list(report.blocks));
  }
  void operator()(const wire::SourceName& name) const {
    writer.add_source_names(std::span(&name, 1));
  }
  void operator()(const wire::Goodbye& goodbye) const {
    for (std::size_t i = 0; i < goodbye.size(); ++i) g_sum += goodbye[i];
    writer.add_goodbye(1);
  }
  void operator()(const wire::Nack& nack) const {
    std::vector<std::uint16_t> lost;
    nack.for_each_lost(100, [&](std::uint16_t sequence) { lost.push_back(sequence); });
    writer.add_nack(nack.sender_ssrc, nack.media_ssrc, lost);
  }
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes bytes(data, size);
  const auto compound = wire::parse_rtcp(bytes);
  if (!compound) return 0;
  if (const auto ssrc = wire::rtcp_sender_ssrc(bytes)) g_sum += *ssrc;
  std::vector<std::uint8_t> buffer(2 * size + 1024);
  wire::RtcpWriter writer(buffer);
  for (const wire::RtcpPacket& packet : *compound) std::visit(Reader{writer}, packet);
  const base::Bytes written = writer.finish();
  if (written.empty()) return 0;
  const auto again = wire::parse_rtcp(written);
  if (!again || again->size() != compound->size()) std::abort();
  return 0;
}
