#include "audit/tls_inspector.h"

#include <fmt/core.h>

#include "audit/endpoint_text.h"

namespace alcove::audit {
namespace {

// RFC 5764, section 4.1.2.
constexpr std::uint16_t kSrtpNull80 = 0x0005;
constexpr std::uint16_t kSrtpNull32 = 0x0006;

bool is_old(std::uint16_t version, bool datagram) {
  return datagram ? version == 0xfeff : version < 0x0303;
}

std::string subject_of(const Flow& flow, std::string_view what) {
  const std::string& name = flow.server_name;
  return fmt::format("{}: {}", name.empty() ? endpoint_text(flow) : name, what);
}

}  // namespace

bool starts_like_quic(base::Bytes payload) {
  constexpr std::size_t kMaxConnectionId = 20;
  if (payload.size() < 7 || (payload[0] & 0xc0) != 0xc0) return false;
  base::ByteReader reader(payload.subspan(1));
  const std::uint32_t version = *reader.read_u32();
  const bool known = version == 1 || version == 0x6b3343cf || version >> 8 == 0xff0000;
  const auto destination = reader.read_u8();
  if (!known || *destination > kMaxConnectionId || !reader.skip(*destination)) return false;
  const auto source = reader.read_u8();
  return source && *source <= kMaxConnectionId && reader.skip(*source);
}

TlsInspector::State& TlsInspector::state_of(Flow& flow) {
  auto& state = flow.states[slot];
  if (!state) state = std::make_unique<State>();
  return static_cast<State&>(*state);
}

void TlsInspector::handle_packet(Flow& flow, Direction direction, const Packet& packet) {
  if (packet.protocol != ip_protocol::kUdp || packet.payload.empty()) return;
  if (starts_like_dtls(packet.payload)) {
    handle_dtls(flow, direction, packet);
  } else if (flow.application == Application::kUnknown && starts_like_quic(packet.payload)) {
    flow.application = Application::kQuic;
  }
}

void TlsInspector::handle_dtls(Flow& flow, Direction direction, const Packet& packet) {
  if (flow.application == Application::kUnknown || flow.application == Application::kStun)
    flow.application = Application::kDtls;
  DtlsRecordReader reader(packet.payload);
  while (const auto record = reader.next()) {
    if (record->type != tls_type::kHandshake || record->epoch != 0) continue;
    auto& handshake = state_of(flow).datagrams[static_cast<std::size_t>(direction)];
    if (!handshake) handshake = std::make_unique<DtlsHandshakeReader>();
    const std::size_t before = handshake->held();
    const Evidence where{packet.number, packet.time, flow.id, {}};
    handshake->feed(record->fragment, [&](const HandshakeMessage& message) {
      handle_message(flow, message, where, true);
    });
    if (held_bytes_.change(before, handshake->held())) continue;
    held_bytes_.change(handshake->held(), 0);
    handshake.reset();
    tell_limit(where);
  }
}

void TlsInspector::handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) {
  const auto side = static_cast<std::size_t>(direction);
  State& state = state_of(flow);
  if (state.done[side]) return;
  auto& stream = state.streams[side];
  if (!stream) {
    const bool tls = piece.bytes.size() < kTlsRecordHeader
                         ? piece.offset == 0 && starts_like_tls(piece.bytes)
                         : starts_like_tls(piece.bytes);
    if (!tls) {
      // The other side may have begun with TLS; this one did not.
      state.done[side] = true;
      return;
    }
    stream = std::make_unique<OfStream>();
  }
  bool encrypted = false;
  const std::size_t before = stream->held();
  const bool going_on = stream->splitter.feed(piece, [&](const TlsRecord& record) {
    if (flow.application == Application::kUnknown) flow.application = Application::kTls;
    if (record.type != tls_type::kHandshake) encrypted = true;
    if (encrypted) return;
    stream->handshake.feed(record.fragment, [&](const HandshakeMessage& message) {
      handle_message(flow, message, {record.number, record.time, flow.id, {}}, false);
    });
  });
  const bool fits = held_bytes_.change(before, stream->held());
  if (going_on && !encrypted && fits) return;
  if (!fits) tell_limit({piece.number, piece.time, flow.id, {}});
  // Nothing in clear follows that is of interest here.
  held_bytes_.change(stream->held(), 0);
  stream.reset();
  state.done[side] = true;
}

void TlsInspector::handle_flow_end(Flow& flow) {
  if (!flow.states[slot]) return;
  State& state = static_cast<State&>(*flow.states[slot]);
  for (const auto& stream : state.streams)
    if (stream) held_bytes_.change(stream->held(), 0);
  for (const auto& handshake : state.datagrams)
    if (handshake) held_bytes_.change(handshake->held(), 0);
}

void TlsInspector::tell_limit(const Evidence& where) {
  findings_.add(FindingCode::kLimitReached, "TLS handshakes", where);
}

void TlsInspector::handle_message(Flow& flow, const HandshakeMessage& message,
                                  const Evidence& where, bool datagram) {
  if (message.type == handshake_type::kClientHello) {
    const auto hello = parse_client_hello(message.body, datagram);
    if (hello && !hello->server_name.empty()) flow.server_name = hello->server_name;
  } else if (message.type == handshake_type::kServerHello) {
    if (const auto hello = parse_server_hello(message.body)) judge(flow, *hello, where, datagram);
  }
}

void TlsInspector::judge(Flow& flow, const ServerHello& hello, const Evidence& where,
                         bool datagram) {
  const FindingCode code = datagram ? FindingCode::kWeakDtls : FindingCode::kWeakTls;
  const auto tell = [&](std::string_view what) {
    Evidence evidence = where;
    evidence.excerpt =
        fmt::format("{}, cipher suite 0x{:04x}", version_name(hello.version), hello.suite);
    findings_.add(code, subject_of(flow, what), evidence);
  };
  if (is_old(hello.version, datagram)) tell(version_name(hello.version));
  const SuiteWeakness weakness = suite_weakness(hello.suite);
  if (weakness != SuiteWeakness::kNone) tell(weakness_name(weakness));
  if (hello.srtp_profile &&
      (*hello.srtp_profile == kSrtpNull80 || *hello.srtp_profile == kSrtpNull32))
    tell("SRTP NULL");
}

}  // namespace alcove::audit
