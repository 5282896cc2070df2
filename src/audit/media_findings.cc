#include "audit/media_findings.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace alcove::audit {
namespace {

constexpr std::uint64_t kLeastForSizes = 100;
// A stream whose sizes differ for one packet in nine tells half a bit a packet; constant ones tell
// nothing, and an SFrame counter that grows by a byte now and then nearly nothing (and moves a size
// by less than kLeastSpread). A voice in Opus at a variable rate tells 4 to 6 bits.
constexpr double kSizesTell = 0.5;     // bits a packet
constexpr double kLeastSpread = 3;     // bytes
constexpr double kLargestAudio = 500;  // bytes, mean
constexpr std::uint32_t kLeastShortBursts = 5;

// Durations that Opus, G.711 and G.722 have, in units of 48 and 8 kHz. Video's steps (90 kHz by
// frames a second) are none of them.
bool is_audio_step(std::uint32_t units) {
  static constexpr std::array<std::uint32_t, 13> kSteps = {80,  120,  160,  240,  320,  480, 640,
                                                           960, 1440, 1920, 2400, 2880, 5760};
  return std::ranges::find(kSteps, units) != kSteps.end();
}

bool carries_audio(const RtpStream& stream, const MediaStreamSummary& summary) {
  if (summary.codec != Codec::kNone) return true;
  return stream.clock.share > 0.6 && is_audio_step(stream.clock.units) &&
         stream.sizes().mean() < kLargestAudio;
}

FindingCode code_of(Codec codec) {
  switch (codec) {
    case Codec::kOpus:
      return FindingCode::kOpusReadable;
    case Codec::kPcmu:
      return FindingCode::kPcmuReadable;
    case Codec::kPcma:
      return FindingCode::kPcmaReadable;
    case Codec::kG722:
      return FindingCode::kG722Readable;
    case Codec::kNone:
      break;
  }
  return FindingCode::kRtpInClear;
}

std::string source_en(const MediaStreamSummary& summary) {
  return fmt::format("source {:08x}, payload type {}", summary.ssrc, summary.payload_type);
}
std::string source_fr(const MediaStreamSummary& summary) {
  return fmt::format("source {:08x}, type de charge {}", summary.ssrc, summary.payload_type);
}

}  // namespace

std::string media_subject(const Flow& flow) {
  return flow.key.server.text() + (flow.key.protocol == ip_protocol::kTcp ? "/tcp" : "/udp");
}

std::string_view codec_name(Codec codec) {
  switch (codec) {
    case Codec::kOpus:
      return "Opus";
    case Codec::kPcmu:
      return "PCMU";
    case Codec::kPcma:
      return "PCMA";
    case Codec::kG722:
      return "G.722";
    case Codec::kNone:
      break;
  }
  return "";
}

void add_stream_finding(Findings& findings, FindingCode code, const Flow& flow, RtpStream& stream,
                        std::string_view detail_en, std::string_view detail_fr) {
  if (std::ranges::find(stream.told, code) != stream.told.end()) return;
  stream.told.push_back(code);
  const MediaStreamSummary& summary = stream.summary();
  const std::string subject = media_subject(flow);
  const std::string excerpt =
      fmt::format("RTP, source {:08x}, payload type {}", summary.ssrc, summary.payload_type);
  for (const DatagramTime& first : stream.first_packets())
    findings.add(code, subject, Evidence{first.number, first.time, flow.id, excerpt}, detail_en,
                 detail_fr);
}

void count_packets(Findings& findings, const Flow& flow, const RtpStream& stream) {
  const MediaStreamSummary& summary = stream.summary();
  for (const FindingCode code : stream.told)
    findings.count_more(code, media_subject(flow), summary.packets - stream.first_packets().size(),
                        summary.last_packet);
}

void add_readable(Findings& findings, const Flow& flow, RtpStream& stream,
                  const Recognition& recognition) {
  const MediaStreamSummary& summary = stream.summary();
  const auto name = codec_name(recognition.codec);
  add_stream_finding(
      findings, FindingCode::kRtpInClear, flow, stream,
      fmt::format("RTP ({}) whose payload is not encrypted.", source_en(summary)),
      fmt::format("RTP ({}) dont le contenu n'est pas chiffré.", source_fr(summary)));
  if (recognition.codec == Codec::kNone) return;
  add_stream_finding(findings, code_of(recognition.codec), flow, stream,
                     fmt::format("{} that decodes ({}).", name, source_en(summary)),
                     fmt::format("{} qui se décode ({}).", name, source_fr(summary)));
  if (!recognition.speech.speech) return;
  add_stream_finding(
      findings, FindingCode::kSpeechReadable, flow, stream,
      fmt::format("{:.1f} s of {} were decoded and sound like speech: {:.0f} % of what is not "
                  "silent has the pitch of a voice.",
                  recognition.speech.seconds, name, recognition.speech.voiced * 100),
      fmt::format("{:.1f} s de {} ont été décodées et ressemblent à de la parole : {:.0f} % de ce "
                  "qui n'est pas silencieux a la hauteur d'une voix.",
                  recognition.speech.seconds, name, recognition.speech.voiced * 100));
}

void add_opened_plain(Findings& findings, const Flow& flow, RtpStream& stream,
                      const Recognition& recognition) {
  const std::string_view name = codec_name(recognition.codec);
  const bool speech = recognition.speech.speech;
  add_stream_finding(
      findings, FindingCode::kNoInnerEncryption, flow, stream,
      fmt::format("Inside of SRTP, which the hop's keys opened: plain {}{} ({}).",
                  name.empty() ? "payload" : name, speech ? ", with speech" : "",
                  source_en(stream.summary())),
      fmt::format("Dans le SRTP, ouvert par les clés du relais : {} en clair{} ({}).",
                  name.empty() ? "contenu" : name, speech ? ", avec de la parole" : "",
                  source_fr(stream.summary())));
}

void add_opened_inner(Findings& findings, const Flow& flow, RtpStream& stream, bool sframe) {
  add_stream_finding(
      findings, FindingCode::kInnerEncryption, flow, stream,
      sframe ? "Inside of SRTP, which the hop's keys opened: SFrame, whose counters grow and whose "
               "content is random to whoever has the hop's keys alone."
             : "Inside of SRTP, which the hop's keys opened: content that is random, without the "
               "header of SFrame.",
      sframe ? "Dans le SRTP, ouvert par les clés du relais : du SFrame, dont les compteurs "
               "croissent et dont le contenu est aléatoire pour qui n'a que ces clés."
             : "Dans le SRTP, ouvert par les clés du relais : un contenu aléatoire, sans en-tête "
               "SFrame.");
}

void add_traffic_findings(Findings& findings, const Flow& flow, RtpStream& stream) {
  const MediaStreamSummary& summary = stream.summary();
  if (summary.packets < kLeastForSizes || !carries_audio(stream, summary)) return;
  const double entropy = stream.sizes().entropy();
  if (entropy >= kSizesTell && stream.sizes().spread() >= kLeastSpread) {
    add_stream_finding(
        findings, FindingCode::kSizesTellSpeech, flow, stream,
        fmt::format("{} packets of {} sizes: {:.1f} bits a packet tell what the voice does, "
                    "whatever encrypts it ({}).",
                    summary.packets, stream.sizes().distinct(), entropy, source_en(summary)),
        fmt::format("{} paquets de {} tailles : {:.1f} bits par paquet trahissent la voix, quel "
                    "que soit le chiffrement ({}).",
                    summary.packets, stream.sizes().distinct(), entropy, source_fr(summary)));
  }
  const BurstWatch& bursts = stream.bursts();
  if (bursts.short_bursts() >= kLeastShortBursts) {
    add_stream_finding(
        findings, FindingCode::kSilenceTold, flow, stream,
        fmt::format("Sending stopped {} times, {} of them within a second of its start: words and "
                    "pauses show ({}).",
                    bursts.bursts(), bursts.short_bursts(), source_en(summary)),
        fmt::format("L'envoi s'est arrêté {} fois, dont {} dans la seconde de son début : mots et "
                    "pauses se voient ({}).",
                    bursts.bursts(), bursts.short_bursts(), source_fr(summary)));
  }
}

void add_audio_level(Findings& findings, const Flow& flow, RtpStream& stream, std::uint8_t id) {
  add_stream_finding(
      findings, FindingCode::kAudioLevelInClear, flow, stream,
      fmt::format("Header extension {} gives the level of the voice in every packet ({}).", id,
                  source_en(stream.summary())),
      fmt::format("L'extension d'en-tête {} donne le niveau de la voix à chaque paquet ({}).", id,
                  source_fr(stream.summary())));
}

}  // namespace alcove::audit
