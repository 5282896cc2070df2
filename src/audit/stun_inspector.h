#pragma once
// What STUN tells to anybody: over UDP, and over TCP in the frames of RFC 4571. Comes before
// ContentInspector. One thread.
//
// What every browser does is no finding: credentials that are new for each session, addresses that
// a NAT has anyway. Told are: an ICE user name of which one half comes back with another other half
// (each session draws both anew), or which comes back in a new flow kPause after it was last seen;
// a TURN user name; SOFTWARE of a client; a private address told to, or by, a server outside.

#include <array>
#include <memory>
#include <string>
#include <unordered_map>

#include "audit/finding.h"
#include "audit/held_bytes.h"
#include "audit/inspector.h"
#include "audit/stun_attributes.h"

namespace alcove::audit {

class StunInspector final : public Inspector {
 public:
  static constexpr std::chrono::seconds kPause{120};
  static constexpr std::size_t kGeneration = 8192;  // names, in each of two generations

  explicit StunInspector(Findings& findings) : findings_(findings) {}  // outlives it

  void handle_packet(Flow& flow, Direction direction, const Packet& packet) override;
  void handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_flow_end(Flow& flow) override;

 private:
  struct State final : FlowState {
    std::array<base::Buffer, 2> held;  // TCP: a frame that is not whole
    std::array<std::uint64_t, 2> number{};
    std::array<bool, 2> ended{};  // not framed STUN and media
    std::array<bool, 2> begun{};
  };
  struct Name {
    std::string other;  // the other half
    std::uint32_t flow = 0;
    CaptureTime last;
    Evidence first;
  };
  void take_frames(Flow& flow, Direction direction, const StreamPiece& piece, State& state);
  void judge(Flow& flow, Direction direction, base::Bytes message, const Evidence& where);
  void judge_username(Flow& flow, Direction direction, std::string_view username,
                      const Evidence& where);
  void judge_half(Flow& flow, std::string_view who, std::string_view half, std::string_view other,
                  const Evidence& where);
  void judge_address(Flow& flow, const base::SocketAddress& address, const char* attribute,
                     const Evidence& where);
  Name* find(const std::string& key);

  Findings& findings_;
  std::unordered_map<std::string, Name> young_, old_;
  HeldBytes held_bytes_;
};

}  // namespace alcove::audit
