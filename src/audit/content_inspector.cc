#include "audit/content_inspector.h"

#include <algorithm>

#include "audit/content_rules.h"
#include "audit/dtls_records.h"
#include "audit/endpoint_text.h"
#include "audit/stun_attributes.h"
#include "audit/vendor_protocols.h"
#include "policy/decide.h"

namespace alcove::audit {
namespace {

constexpr std::size_t kHorizon = 192;  // of a stream's end that waits for more: a field's length
constexpr std::size_t kContext = 64;   // before a place, that the rules look at
constexpr std::size_t kMaxPrivateAddresses = 256;

bool judged_elsewhere(Application application, bool stream) {
  switch (application) {
    case Application::kTls:
    case Application::kQuic:
    case Application::kDns:
    case Application::kMdns:
      return true;
    case Application::kStun:
    case Application::kDtls:
    case Application::kSrtp:
      return stream;  // of datagrams each is looked at by itself
    default:
      return false;
  }
}

bool is_broadcast(const base::IpAddress& address) {
  return address.is_v4() && std::ranges::all_of(address.bytes(), [](auto b) { return b == 0xff; });
}

}  // namespace

ContentInspector::ContentInspector(const std::vector<std::string>& identifiers, Findings& findings)
    : findings_(findings) {
  for (const std::string& identifier : identifiers) {
    if (identifier.size() < kMinIdentifier || identifier.size() > kMaxIdentifier) continue;
    if (identifiers_.size() == kMaxIdentifiers) break;
    const auto index = static_cast<std::uint32_t>(identifiers_.size());
    for (PatternMatcher* matcher : {&known_, &all_})
      add_identifier(*matcher, identifier, [index](Encoding encoding) {
        return index << 2 | static_cast<std::uint32_t>(encoding);
      });
    identifiers_.push_back(identifier);
  }
  for_each_rule([this](std::string_view start, ContentRule rule) {
    all_.add(base::as_bytes(start), kRuleBit | static_cast<std::uint32_t>(rule));
  });
  known_.build();
  all_.build();
}

ContentInspector::State& ContentInspector::state_of(Flow& flow) {
  auto& state = flow.states[slot];
  if (!state) state = std::make_unique<State>();
  return static_cast<State&>(*state);
}

void ContentInspector::handle_flow(Flow& flow) {
  State& state = state_of(flow);
  for (const base::IpAddress& address : {flow.key.client.ip, flow.key.server.ip}) {
    const policy::AddressClass address_class = policy::classify(address);
    if (address_class == policy::AddressClass::kMulticast || is_broadcast(address))
      state.local = true;
    if (address_class == policy::AddressClass::kGlobal) state.global = true;
    if (address_class == policy::AddressClass::kPrivate &&
        private_addresses_.size() < kMaxPrivateAddresses)
      private_addresses_.insert(address);
  }
  state.vendor_name = is_vendor_name(flow.server_name);
}

void ContentInspector::handle_packet(Flow& flow, Direction direction, const Packet& packet) {
  State& state = state_of(flow);
  if (state.vendor_name)
    findings_.add(FindingCode::kVendorProtocol, flow.server_name, &flow, &packet,
                  make_excerpt(packet.payload, 0, 40));
  if (packet.protocol == ip_protocol::kTcp || packet.payload.empty()) return;
  Text text{flow, state, direction, packet.payload, nullptr, {packet.number, packet.time}};
  text.readable = !state.local && !judged_elsewhere(flow.application, false) &&
                  !starts_like_stun(packet.payload) && !starts_like_dtls(packet.payload);
  if (text.readable) judge_vendor(text);
  judge(text, 0, packet.payload.size());
}

void ContentInspector::handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) {
  State& state = state_of(flow);
  bool& began = state.began[static_cast<std::size_t>(direction)];
  if (!began && flow.application == Application::kUnknown) {
    Text text{flow, state, direction, piece.bytes, nullptr, {piece.number, piece.time}};
    judge_vendor(text);
  }
  began = true;
  scan_stream(flow, direction, piece, Stream::kWire);
}

void ContentInspector::handle_decrypted(Flow& flow, Direction direction, const StreamPiece& piece) {
  scan_stream(flow, direction, piece, Stream::kOpened);
}

void ContentInspector::handle_unmasked(Flow& flow, Direction direction, const StreamPiece& piece,
                                       bool opened) {
  scan_stream(flow, direction, piece, opened ? Stream::kOpenedUnmasked : Stream::kUnmasked);
}

void ContentInspector::handle_flow_end(Flow& flow) {
  for (const Direction direction : {Direction::kForward, Direction::kBackward})
    for (std::size_t i = 0; i < kStreams; ++i)
      finish_stream(flow, direction, static_cast<Stream>(i));
  for (const auto& stream : state_of(flow).streams)
    for (const auto& kept : stream)
      if (kept) held_bytes_.change(kept->tail.kept().size(), 0);
}

// Waits with the last kHorizon bytes, and with a token that may go on: what begins there is judged
// with what follows.
void ContentInspector::scan_stream(Flow& flow, Direction direction, const StreamPiece& piece,
                                   Stream stream) {
  State& state = state_of(flow);
  auto& kept = state.streams[static_cast<std::size_t>(stream)][static_cast<std::size_t>(direction)];
  if (!kept) kept = std::make_unique<OfStream>();
  if (piece.after_gap) {
    finish_stream(flow, direction, stream);
    kept->resume = 0;
  }
  const std::size_t before = kept->tail.kept().size();
  kept->tail.append(piece, scratch_);
  const std::size_t horizon = std::max(kHorizon, all_.longest());
  std::size_t limit = scratch_.size() - std::min(scratch_.size(), horizon);
  std::size_t run = scratch_.size();
  while (run > 0 && scratch_.size() - run < kMaxToken && is_token_character(scratch_[run - 1]))
    --run;
  if (scratch_.size() - run < kMaxToken) limit = std::min(limit, run);
  limit = std::max(limit, kept->resume);
  Text text{flow, state, direction, scratch_, &kept->tail, {}};
  text.opened = stream == Stream::kOpened || stream == Stream::kOpenedUnmasked;
  text.readable = !text.opened && !judged_elsewhere(flow.application, true);
  judge(text, kept->resume, limit);
  const std::size_t keep = limit - std::min(limit, kContext);
  kept->tail.keep(scratch_, keep);
  kept->resume = limit - keep;
  if (held_bytes_.change(before, kept->tail.kept().size())) return;
  // What crosses this border is missed.
  finish_stream(flow, direction, stream);
  held_bytes_.change(kept->tail.kept().size(), 0);
  kept->tail = {};
  kept->resume = 0;
  findings_.add(FindingCode::kLimitReached, "ends of streams",
                {piece.number, piece.time, flow.id, {}});
}

void ContentInspector::finish_stream(Flow& flow, Direction direction, Stream stream) {
  State& state = state_of(flow);
  const auto& kept =
      state.streams[static_cast<std::size_t>(stream)][static_cast<std::size_t>(direction)];
  if (!kept) return;
  const base::Bytes bytes = kept->tail.kept();
  Text text{flow, state, direction, bytes, &kept->tail, {}};
  text.opened = stream == Stream::kOpened || stream == Stream::kOpenedUnmasked;
  text.readable = !text.opened && !judged_elsewhere(flow.application, true);
  judge(text, kept->resume, bytes.size());
  kept->resume = bytes.size();
}

void ContentInspector::judge(Text& text, std::size_t begin, std::size_t end) {
  if (begin >= end) return;
  const PatternMatcher& matcher = text.readable ? all_ : known_;
  matcher.scan(text.bytes, begin, end,
               [&](std::size_t at, std::size_t length, std::uint32_t value) {
                 if ((value & kRuleBit) == 0)
                   judge_identifier(text, at, length, value);
                 else
                   judge_rule(text, at, length, static_cast<ContentRule>(value & ~kRuleBit));
               });
  if (text.readable)
    for_each_token(text.bytes, begin, end, [&](Span run) { judge_token(text, run); });
}

void ContentInspector::judge_identifier(Text& text, std::size_t at, std::size_t length,
                                        std::uint32_t value) {
  const auto encoding = static_cast<Encoding>(value & 3);
  if (!cannot_be_chance(text.bytes, at, length)) return;
  if (encoding == Encoding::kPlain && !stands_alone(text.bytes, at, length)) return;
  std::string subject = identifiers_[value >> 2];
  if (encoding != Encoding::kPlain) {
    subject += " (";
    subject += encoding_name(encoding);
    subject += ")";
  }
  const std::size_t before = std::min<std::size_t>(at, 16);
  tell(text, text.opened ? FindingCode::kIdentifierInsideTls : FindingCode::kKnownIdentifier,
       subject, at, make_excerpt(text.bytes, at - before, before + length + 16));
}

void ContentInspector::tell(const Text& text, FindingCode code, std::string_view subject,
                            std::size_t at, std::string_view excerpt) {
  const StreamTail::Origin origin = text.tail != nullptr ? text.tail->origin(at) : text.packet;
  Evidence evidence;
  evidence.packet = origin.number;
  evidence.time = origin.time;
  evidence.flow = text.flow.id;
  evidence.excerpt = excerpt;
  findings_.add(code, subject, evidence);
}

std::string ContentInspector::place_of(const Text& text) const {
  return text.flow.server_name.empty() ? endpoint_text(text.flow) : text.flow.server_name;
}

}  // namespace alcove::audit
