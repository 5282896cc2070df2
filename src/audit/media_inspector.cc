#include "audit/media_inspector.h"

#include <algorithm>

#include "audit/media_findings.h"
#include "audit/media_state.h"
#include "audit/rtcp_check.h"
#include "crypto/random.h"
#include "wire/demux.h"

namespace alcove::audit {
namespace {

constexpr std::uint8_t kConfirmedBy = 3;  // packets in a row after the first
constexpr std::uint16_t kMaxSequenceStep = 64;
constexpr std::uint32_t kMaxTimestampStep = 1U << 21;  // 23 s at 90 kHz
constexpr std::size_t kLongestPayload = 1500;
constexpr std::size_t kIpv4Overhead = 28;
constexpr std::size_t kIpv6Overhead = 48;

std::uint64_t key_of(std::uint32_t ssrc, Direction direction) {
  return std::uint64_t{ssrc} << 1 | static_cast<std::uint64_t>(direction);
}

std::size_t size_as_sent(const Packet& packet) {
  const std::size_t overhead = packet.source.ip.is_v4() ? kIpv4Overhead : kIpv6Overhead;
  if (!packet.cut || packet.wire_length < overhead) return packet.payload.size();
  return std::max(packet.payload.size(), packet.wire_length - overhead);
}

}  // namespace

MediaInspector::MediaInspector(Findings& findings, const KeyLog& keys)
    : findings_(findings), keys_(keys), chance_(crypto::SystemRandom().next_u64()) {}
MediaInspector::~MediaInspector() = default;

MediaInspector::State* MediaInspector::find_state(Flow& flow) {
  return static_cast<State*>(flow.states[slot].get());
}

MediaInspector::State& MediaInspector::state_of(Flow& flow) {
  if (flow.states[slot] == nullptr) flow.states[slot] = std::make_unique<State>();
  return *find_state(flow);
}

void MediaInspector::handle_packet(Flow& flow, Direction direction, const Packet& packet) {
  if (packet.protocol != ip_protocol::kUdp || packet.fragment || packet.payload.size() < 8) return;
  handle_datagram(flow, direction,
                  {packet.payload, {packet.number, packet.time}, size_as_sent(packet)}, false);
}

void MediaInspector::handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) {
  handle_framed(flow, direction, piece, false);
}

void MediaInspector::handle_decrypted(Flow& flow, Direction direction, const StreamPiece& piece) {
  handle_framed(flow, direction, piece, true);
}

void MediaInspector::handle_framed(Flow& flow, Direction direction, const StreamPiece& piece,
                                   bool decrypted) {
  State* state = find_state(flow);
  const std::size_t index = static_cast<std::size_t>(direction) + (decrypted ? 2 : 0);
  if (state == nullptr || state->framing[index] == nullptr) {
    if (piece.offset != 0 || piece.after_gap) return;
    state = &state_of(flow);
    if (!state->framed && framed_flows_ >= kMaxFramedFlows) return;
    if (!state->framed) ++framed_flows_;
    state->framed = true;
    state->framing[index] = std::make_unique<MediaDeframer>();
  }
  const bool framed = state->framing[index]->feed(
      piece, [&](base::Bytes datagram, std::uint64_t number, CaptureTime time) {
        if (datagram.size() >= 8)
          handle_datagram(flow, direction, {datagram, {number, time}, datagram.size()}, false);
      });
  if (framed) return;
  state->framing[index].reset();
  const bool any = std::ranges::any_of(state->framing, [](const auto& f) { return f != nullptr; });
  if (state->framed && !any) {
    state->framed = false;
    --framed_flows_;
  }
}

void MediaInspector::handle_datagram(Flow& flow, Direction direction, const Datagram& datagram,
                                     bool unwrapped) {
  switch (wire::classify_packet(datagram.bytes)) {
    case wire::PacketKind::kRtp:
      handle_rtp(flow, direction, datagram);
      return;
    case wire::PacketKind::kRtcp:
      handle_rtcp(flow, direction, datagram);
      return;
    case wire::PacketKind::kDtls:
      if (starts_like_dtls(datagram.bytes)) handle_dtls(flow, direction, datagram);
      return;
    case wire::PacketKind::kStun:
    case wire::PacketKind::kUnknown:
      break;
  }
  if (unwrapped) return;
  if (const auto inner = unwrap_turn(datagram.bytes); inner && inner->size() >= 8) {
    const std::size_t around = datagram.bytes.size() - inner->size();
    handle_datagram(flow, direction,
                    {*inner, datagram.when, datagram.size - std::min(around, datagram.size)}, true);
  }
}

void MediaInspector::handle_dtls(Flow& flow, Direction direction, const Datagram& datagram) {
  State& state = state_of(flow);
  state.dtls = true;
  if (state.streams.empty()) flow.application = Application::kDtls;
  if (keys_.empty()) return;
  if (state.keys == nullptr) {
    if (handshakes_ >= kMaxHandshakes) return;
    state.keys = std::make_unique<DtlsSrtpDecrypt>();
  }
  state.keys->handle_datagram(direction, datagram.bytes);
  const bool handshaking = !state.keys->has_hellos();
  if (handshaking != state.handshaking) handshaking ? ++handshakes_ : --handshakes_;
  state.handshaking = handshaking;
}

void MediaInspector::handle_rtcp(Flow& flow, Direction direction, const Datagram& datagram) {
  static_cast<void>(direction);
  const RtcpCheck check = check_rtcp(datagram.bytes);
  if (!check.clear) return;
  ++counters_.rtcp_packets;
  const Evidence evidence{datagram.when.number, datagram.when.time, flow.id,
                          make_excerpt(datagram.bytes, 0, datagram.bytes.size())};
  findings_.add(FindingCode::kUnencryptedRtcp, media_subject(flow), evidence,
                "RTCP that is not encrypted tells who sends how much, what is lost, and when.",
                "Du RTCP non chiffré révèle qui envoie combien, ce qui se perd, et quand.");
  for (const RtcpName& name : check.names)
    findings_.add(FindingCode::kRtcpName, name.text, evidence,
                  std::string(rtcp_item_name(name.item)) + " in an RTCP source description.",
                  std::string(rtcp_item_name(name.item)) + " dans une description de source RTCP.");
}

void MediaInspector::handle_rtp(Flow& flow, Direction direction, const Datagram& datagram) {
  const auto header = wire::parse_rtp_header(datagram.bytes);
  if (!header) return;
  State& state = state_of(flow);
  const std::uint64_t key = key_of(header->fields.ssrc, direction);
  Stream* stream = state.last;
  if (stream == nullptr || state.last_key != key) {
    const auto found = state.streams.find(key);
    stream = found != state.streams.end() ? found->second.get()
                                          : confirm(flow, state, key, direction, *header, datagram);
    if (stream == nullptr) return;
    state.last = stream;
    state.last_key = key;
  }
  ++counters_.rtp_packets;
  const std::size_t payload = datagram.size - std::min(header->size, datagram.size);
  stream->rtp.count(*header, datagram.when, payload);
  if (!stream->rtp.wants_payload(header->fields.sequence)) return;
  if (datagram.bytes.size() == datagram.size) sample(flow, state, *stream, *header, datagram);
}

// Whoever sends many sources must not push the real one out before its second packet: by chance, in
// a way that cannot be known, and one that has been seen to go on only where chance finds no other.
void MediaInspector::add_candidate(State& state, const Candidate& fresh) {
  const bool full = candidates_ >= kMaxCandidates;
  const std::size_t most = full ? State::kLeastCandidatesOfFlow : State::kMaxCandidatesOfFlow;
  if (full) ++counters_.candidates_left_out;
  if (state.candidates.size() < most) {
    state.candidates.push_back(fresh);
    ++candidates_;
    return;
  }
  for (int attempt = 0; attempt < 4; ++attempt) {
    chance_ = chance_ * 6364136223846793005ULL + 1442695040888963407ULL;
    Candidate& old = state.candidates[(chance_ >> 33) % state.candidates.size()];
    if (old.in_row != 0 && attempt < 3) continue;
    old = fresh;
    return;
  }
}

MediaInspector::Stream* MediaInspector::confirm(Flow& flow, State& state, std::uint64_t key,
                                                Direction direction, const wire::RtpHeader& header,
                                                const Datagram& datagram) {
  const wire::RtpFields& fields = header.fields;
  const Candidate::Early now{
      datagram.when,
      static_cast<std::uint32_t>(datagram.size - std::min(header.size, datagram.size))};
  auto found = std::ranges::find(state.candidates, key, &Candidate::key);
  if (found == state.candidates.end()) {
    add_candidate(state, {key, fields.timestamp, fields.sequence, fields.payload_type, 0, {now}});
    return nullptr;
  }
  const auto sequence_step = static_cast<std::uint16_t>(fields.sequence - found->sequence);
  const std::uint32_t timestamp_step = fields.timestamp - found->timestamp;
  const bool follows = sequence_step >= 1 && sequence_step <= kMaxSequenceStep &&
                       timestamp_step <= kMaxTimestampStep &&
                       fields.payload_type == found->payload_type;
  if (sequence_step == 0 && timestamp_step == 0) return nullptr;  // the same packet again
  found->timestamp = fields.timestamp;
  found->sequence = fields.sequence;
  found->payload_type = fields.payload_type;
  found->in_row = static_cast<std::uint8_t>(follows ? found->in_row + 1 : 0);
  if (found->in_row < kConfirmedBy) {
    found->early[found->in_row] = now;
    return nullptr;
  }
  if (streams_ >= kMaxStreams) {
    if (found->in_row == kConfirmedBy) ++counters_.streams_left_out;
    found->in_row = kConfirmedBy + 1;
    return nullptr;
  }
  auto stream = std::make_unique<Stream>(flow.id, direction, fields);
  for (const Candidate::Early& early : found->early)
    stream->rtp.count_early(early.when, early.size);
  std::swap(*found, state.candidates.back());
  state.candidates.pop_back();
  --candidates_;
  ++streams_;
  ++counters_.streams;
  if (flow.application != Application::kRtp)
    flow.application = state.dtls ? Application::kSrtp : Application::kRtp;
  return (state.streams[key] = std::move(stream)).get();
}

std::optional<base::Bytes> MediaInspector::payload_of(State& state, Stream& stream,
                                                      const wire::RtpHeader& header,
                                                      base::Bytes packet) {
  const Direction direction = stream.rtp.summary().direction;
  if (state.keys != nullptr && stream.opener == nullptr && stream.refused == 0 &&
      opened_ < kMaxOpened) {
    state.keys->find_keys(keys_);
    if (const auto material = state.keys->keys_of(direction)) {
      stream.opener = std::make_unique<crypto::SrtpReceiver>(*material);
      ++opened_;
      sampled_ -= stream.rtp.sample().memory();
      stream.rtp.sample().clear();  // what came before is of another kind
    }
  }
  const auto strip_padding = [&](base::Bytes payload) {
    if (!header.has_padding || payload.empty()) return payload;
    const std::size_t padding = payload.back();
    return padding == 0 || padding > payload.size() ? payload
                                                    : payload.first(payload.size() - padding);
  };
  if (stream.opener == nullptr) return strip_padding(packet.subspan(header.size));
  scratch_.assign(packet.begin(), packet.end());
  const auto info = stream.opener->unprotect_rtp(scratch_);
  if (!info) {
    if (stream.opened == 0) ++stream.refused;
    return std::nullopt;
  }
  if (stream.opened++ == 0) stream.rtp.opened = true;
  ++counters_.opened_packets;
  return strip_padding(base::Bytes(scratch_).subspan(info->payload_offset, info->payload_size));
}

void MediaInspector::sample(Flow& flow, State& state, Stream& stream, const wire::RtpHeader& header,
                            const Datagram& datagram) {
  if (sampled_ >= kMaxSampled && stream.rtp.sample().empty()) {
    ++counters_.samples_left_out;
    return;
  }
  const auto payload = payload_of(state, stream, header, datagram.bytes);
  if (!payload || payload->size() > kLongestPayload) return;
  const std::size_t before = stream.rtp.sample().memory();
  const bool full = stream.rtp.add_payload(header, datagram.when, *payload);
  sampled_ += stream.rtp.sample().memory() - before;
  if (full) examine(flow, state, stream);
}

void MediaInspector::examine(Flow& flow, State& state, Stream& stream) {
  stream.examined = true;
  stream.rtp.clock = usual_clock_step(stream.rtp.sample());
  const bool learned_all =
      stream.rtp.opened ? examine_opened(flow, stream) : examine_clear(flow, state, stream);
  if (LevelWatch* levels = stream.rtp.levels(); levels != nullptr && !stream.rtp.level_reported) {
    if (const auto id = levels->audio_level_id()) {
      add_audio_level(findings_, flow, stream.rtp, *id);
      stream.rtp.level_reported = true;
    }
  }
  sampled_ -= stream.rtp.sample().memory();
  stream.rtp.next_window(learned_all);
}

void MediaInspector::handle_flow_end(Flow& flow) {
  State* state = find_state(flow);
  if (state == nullptr) return;
  std::vector<Stream*> ordered;
  ordered.reserve(state->streams.size());
  for (const auto& [key, stream] : state->streams) ordered.push_back(stream.get());
  std::ranges::sort(ordered, {}, [](Stream* stream) { return stream->rtp.summary().first_packet; });
  for (Stream* stream : ordered) finish_stream(flow, *state, *stream);
  streams_ -= state->streams.size();
  candidates_ -= state->candidates.size();
  if (state->framed) --framed_flows_;
  if (state->handshaking) --handshakes_;
  flow.states[slot].reset();
}

void MediaInspector::finish() {
  const Evidence nowhere;
  if (counters_.candidates_left_out + counters_.samples_left_out > 0)
    findings_.add(
        FindingCode::kLimitReached, "media sources", nowhere,
        "So many sources or payloads came at once that audio may hide among them.",
        "Tant de sources ou de contenus sont arrivés à la fois que du son a pu s'y cacher.");
  if (counters_.streams_left_out == 0) return;
  findings_.add(FindingCode::kLimitReached, "media streams", nowhere,
                std::to_string(counters_.streams_left_out) +
                    " media streams were counted in their flows but not looked at.",
                std::to_string(counters_.streams_left_out) +
                    " flux de médias ont été comptés dans leurs échanges mais pas examinés.");
}

}  // namespace alcove::audit
