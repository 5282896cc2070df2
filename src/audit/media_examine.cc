// What a window of payloads, and the end of a stream, tell.

#include <algorithm>

#include "audit/codec_recognizer.h"
#include "audit/media_findings.h"
#include "audit/media_inspector.h"
#include "audit/media_state.h"
#include "audit/sframe_recognizer.h"

namespace alcove::audit {
namespace {

// Payloads of an unknown codec are called clear only with more than a sign of structure: there are
// formats with unusual headers around what is encrypted.
constexpr double kClearlyStructured = 30;
constexpr std::uint32_t kRefusedAll = 20;
constexpr std::uint64_t kLeastUnopened = 50;

}  // namespace

bool MediaInspector::examine_opened(const Flow& flow, Stream& stream) {
  MediaStreamSummary& summary = stream.rtp.summary();
  PayloadSample bodies;
  const bool sframe = looks_like_sframe(stream.rtp.sample(), bodies);
  const Recognition inside =
      recognize_codec(sframe ? bodies : stream.rtp.sample(), summary.payload_type);
  if (!inside.enough) return false;
  summary.byte_entropy = inside.structure.byte_entropy;
  if (inside.random) {
    summary.protection = Protection::kOpenedInner;
    add_opened_inner(findings_, flow, stream.rtp, sframe);
    return true;
  }
  const bool plain = inside.codec != Codec::kNone || inside.structure.body > kClearlyStructured;
  if (!plain) return false;
  summary.protection = Protection::kOpenedPlain;
  summary.codec = inside.codec;
  summary.speech = summary.speech || inside.speech.speech;
  add_opened_plain(findings_, flow, stream.rtp, inside);
  return summary.speech;
}

bool MediaInspector::examine_clear(Flow& flow, State& state, Stream& stream) {
  MediaStreamSummary& summary = stream.rtp.summary();
  const Recognition recognition = recognize_codec(stream.rtp.sample(), summary.payload_type);
  if (!recognition.enough) return false;
  summary.byte_entropy = recognition.structure.byte_entropy;
  const bool readable =
      recognition.codec != Codec::kNone || (recognition.structure.body > kClearlyStructured &&
                                            summary.protection == Protection::kUnknown);
  if (readable) {
    summary.protection = Protection::kNone;
    summary.codec = recognition.codec;
    flow.application = Application::kRtp;
    add_readable(findings_, flow, stream.rtp, recognition);
    summary.speech = summary.speech || recognition.speech.speech;
    return summary.speech;
  }
  if (summary.protection == Protection::kUnknown && (recognition.random || state.dtls)) {
    summary.protection = Protection::kEncrypted;
    if (flow.application == Application::kRtp || flow.application == Application::kUnknown)
      flow.application = Application::kSrtp;
  }
  return false;
}

void MediaInspector::finish_stream(Flow& flow, State& state, Stream& stream) {
  MediaStreamSummary& summary = stream.rtp.summary();
  if (stream.rtp.sample().size() >= kLeastPackets) examine(flow, state, stream);
  if (summary.protection == Protection::kUnknown && state.dtls && !stream.rtp.opened)
    summary.protection = Protection::kEncrypted;
  tell_unopened(flow, state, stream);
  add_traffic_findings(findings_, flow, stream.rtp);
  count_packets(findings_, flow, stream.rtp);
  sampled_ -= stream.rtp.sample().memory();
  stream.rtp.sample().clear();
  if (stream.opener != nullptr) --opened_;
  summary.size_entropy = stream.rtp.sizes().entropy();
  summary.distinct_sizes = stream.rtp.sizes().distinct();
  stream.rtp.sizes().fill_bins(summary.sizes);
  if (summaries_.size() < kMaxSummaries)
    summaries_.push_back(summary);
  else
    ++counters_.summaries_left_out;
}

void MediaInspector::tell_unopened(const Flow& flow, const State& state, Stream& stream) {
  const MediaStreamSummary& summary = stream.rtp.summary();
  if (keys_.empty() || summary.protection == Protection::kNone || stream.rtp.opened ||
      summary.packets < kLeastUnopened)
    return;
  const bool unsupported =
      state.keys != nullptr && state.keys->state() == DtlsSrtpDecrypt::State::kUnsupported;
  if (unsupported) {
    add_stream_finding(findings_, FindingCode::kUndecryptable, flow, stream.rtp,
                       "The key log has the keys of this session, whose version of DTLS or profile "
                       "of SRTP this program does not open.",
                       "Le journal a les clés de cette session, mais ce programme n'ouvre pas sa "
                       "version de DTLS ou son profil SRTP.");
  } else if (stream.refused >= kRefusedAll) {
    add_stream_finding(findings_, FindingCode::kUndecryptable, flow, stream.rtp,
                       "No packet was authentic under the keys of this session's handshake.",
                       "Aucun paquet n'est authentique avec les clés de cette session.");
  } else {
    add_stream_finding(findings_, FindingCode::kMediaUnopened, flow, stream.rtp,
                       "The key log has no keys of this session, or its handshake is not in the "
                       "capture.",
                       "Le journal n'a pas les clés de cette session, ou sa négociation n'est pas "
                       "dans la capture.");
  }
}

}  // namespace alcove::audit
