#include "audit/stun_inspector.h"

#include <fmt/core.h>

#include "audit/endpoint_text.h"
#include "policy/decide.h"

namespace alcove::audit {
namespace {

constexpr std::size_t kMinHalf = 4;  // RFC 8445, section 5.3
constexpr std::uint16_t kBinding = 1;
constexpr std::size_t kFrameHeader = 2;
constexpr std::string_view kClient = "client";
constexpr std::string_view kServer = "server";

}  // namespace

void StunInspector::handle_packet(Flow& flow, Direction direction, const Packet& packet) {
  if (packet.protocol != ip_protocol::kUdp || !starts_like_stun(packet.payload)) return;
  if (flow.application == Application::kUnknown) flow.application = Application::kStun;
  judge(flow, direction, packet.payload, {packet.number, packet.time, flow.id, {}});
}

void StunInspector::handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) {
  auto& kept = flow.states[slot];
  const auto side = static_cast<std::size_t>(direction);
  if (!kept) kept = std::make_unique<State>();
  State& state = static_cast<State&>(*kept);
  if (state.ended[side]) return;
  if (!state.begun[side]) {
    state.begun[side] = true;
    const bool framed =
        piece.bytes.size() > kFrameHeader && starts_like_stun(piece.bytes.subspan(kFrameHeader));
    if (!framed) {
      state.ended[side] = true;
      return;
    }
    if (flow.application == Application::kUnknown) flow.application = Application::kStun;
  }
  take_frames(flow, direction, piece, state);
}

void StunInspector::take_frames(Flow& flow, Direction direction, const StreamPiece& piece,
                                State& state) {
  const auto side = static_cast<std::size_t>(direction);
  base::Buffer& held = state.held[side];
  const std::size_t before = held.size();
  const auto let_go = [&] {
    held_bytes_.change(held.size(), 0);
    held = {};
    state.ended[side] = true;
  };
  if (piece.after_gap) return let_go();
  base::Bytes rest = piece.bytes;
  while (!rest.empty()) {
    if (held.empty()) state.number[side] = piece.number;
    const std::size_t wanted =
        held.size() < kFrameHeader
            ? kFrameHeader
            : kFrameHeader + (static_cast<std::size_t>(held[0]) << 8 | held[1]);
    const std::size_t taken = std::min(wanted - held.size(), rest.size());
    held.insert(held.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(taken));
    rest = rest.subspan(taken);
    if (held.size() < wanted || wanted == kFrameHeader) {
      if (held.size() == kFrameHeader && held[0] == 0 && held[1] == 0) held.clear();
      continue;
    }
    judge(flow, direction, base::Bytes(held).subspan(kFrameHeader),
          {state.number[side], piece.time, flow.id, {}});
    held.clear();
  }
  if (held_bytes_.change(before, held.size())) return;
  let_go();
  findings_.add(FindingCode::kLimitReached, "STUN over TCP",
                {piece.number, piece.time, flow.id, {}});
}

void StunInspector::handle_flow_end(Flow& flow) {
  if (!flow.states[slot]) return;
  for (const base::Buffer& held : static_cast<State&>(*flow.states[slot]).held)
    held_bytes_.change(held.size(), 0);
}

void StunInspector::judge(Flow& flow, Direction direction, base::Bytes message,
                          const Evidence& where) {
  const auto stun = read_stun_attributes(message);
  if (!stun) return;
  const auto tell = [&](std::string_view subject, std::string_view excerpt) {
    Evidence evidence = where;
    evidence.excerpt = excerpt;
    findings_.add(FindingCode::kStunAttribute, subject, evidence);
  };
  if (stun->request && stun->username) {
    if (stun->realm || stun->method != kBinding)
      tell(fmt::format("USERNAME of TURN at {}", endpoint_text(flow)), cut_secret(*stun->username));
    else
      judge_username(flow, direction, *stun->username, where);
  }
  if (stun->request && stun->software && direction == Direction::kForward) {
    const std::string software =
        make_excerpt(base::as_bytes(*stun->software), 0, stun->software->size());
    tell(fmt::format("SOFTWARE {}", software), software);
  }
  if (stun->mapped_address) judge_address(flow, *stun->mapped_address, "XOR-MAPPED-ADDRESS", where);
  if (stun->peer_address) judge_address(flow, *stun->peer_address, "XOR-PEER-ADDRESS", where);
}

// RFC 8445, section 7.2.2: the name of who is asked, a colon, the name of who asks.
void StunInspector::judge_username(Flow& flow, Direction direction, std::string_view username,
                                   const Evidence& where) {
  const std::size_t colon = username.find(':');
  if (colon == std::string_view::npos) return;
  std::string_view asked = username.substr(0, colon);
  std::string_view asking = username.substr(colon + 1);
  if (direction == Direction::kBackward) std::swap(asked, asking);
  judge_half(flow, kClient, asking, asked, where);
  judge_half(flow, kServer, asked, asking, where);
}

void StunInspector::judge_half(Flow& flow, std::string_view who, std::string_view half,
                               std::string_view other, const Evidence& where) {
  if (half.size() < kMinHalf) return;
  // Browsers draw 24 bits: only of one address is a repetition hardly ever chance.
  const base::IpAddress& owner = who == kClient ? flow.key.client.ip : flow.key.server.ip;
  const std::string key = fmt::format("{} {} {}", who, owner.text(), half);
  Name* const name = find(key);
  if (name == nullptr) {
    young_.emplace(key, Name{std::string(other), flow.id, where.time, where});
    return;
  }
  const bool other_session = name->other != other;
  const bool came_back = name->flow != flow.id && where.time - name->last > kPause;
  name->last = where.time;
  name->flow = flow.id;
  if (!other_session && !came_back) return;
  name->other = other;
  const std::string subject = fmt::format("USERNAME of the {}: {}", who, cut_secret(half));
  Evidence evidence = where;
  evidence.excerpt = name->first.excerpt = cut_secret(half);
  if (name->first.packet != 0) findings_.add(FindingCode::kStunAttribute, subject, name->first);
  name->first.packet = 0;
  findings_.add(FindingCode::kStunAttribute, subject, evidence);
}

void StunInspector::judge_address(Flow& flow, const base::SocketAddress& address,
                                  const char* attribute, const Evidence& where) {
  if (policy::classify(address.ip) != policy::AddressClass::kPrivate) return;
  if (policy::classify(remote_end(flow).ip) != policy::AddressClass::kGlobal) return;
  Evidence evidence = where;
  evidence.excerpt = address.text();
  findings_.add(FindingCode::kStunAttribute, fmt::format("{} {}", attribute, address.ip.text()),
                evidence);
}

StunInspector::Name* StunInspector::find(const std::string& key) {
  if (young_.size() >= kGeneration) {
    old_ = std::move(young_);
    young_.clear();
  }
  if (const auto found = young_.find(key); found != young_.end()) return &found->second;
  const auto found = old_.find(key);
  if (found == old_.end()) return nullptr;
  return &young_.emplace(key, found->second).first->second;
}

}  // namespace alcove::audit
