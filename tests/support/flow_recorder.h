#pragma once
// An inspector that notes what a flow table tells it.

#include <map>
#include <string>
#include <vector>

#include "audit/inspector.h"

namespace alcove::test {

class FlowRecorder final : public audit::Inspector {
 public:
  struct Piece {
    std::uint32_t flow = 0;
    audit::Direction direction{};
    std::uint64_t offset = 0;
    std::uint64_t number = 0;
    bool after_gap = false;
    std::string text;
  };

  void handle_flow(audit::Flow& flow) override { begun.push_back(flow.key); }
  void handle_packet(audit::Flow& flow, audit::Direction direction,
                     const audit::Packet& packet) override {
    packets.push_back({flow.id, direction, packet.number});
  }
  void handle_stream(audit::Flow& flow, audit::Direction direction,
                     const audit::StreamPiece& piece) override {
    pieces.push_back({flow.id, direction, piece.offset, piece.number, piece.after_gap,
                      std::string(base::as_text(piece.bytes))});
  }
  void handle_decrypted(audit::Flow& flow, audit::Direction direction,
                        const audit::StreamPiece& piece) override {
    decrypted.push_back({flow.id, direction, piece.offset, piece.number, piece.after_gap,
                         std::string(base::as_text(piece.bytes))});
  }
  void handle_flow_end(audit::Flow& flow) override {
    ended.push_back(flow.id);
    traffic[flow.id] = flow.traffic;
  }
  void finish() override { ++finished; }

  std::string stream(std::uint32_t flow, audit::Direction direction) const {
    std::string text;
    for (const Piece& piece : pieces)
      if (piece.flow == flow && piece.direction == direction) text += piece.text;
    return text;
  }

  struct Seen {
    std::uint32_t flow = 0;
    audit::Direction direction{};
    std::uint64_t number = 0;
    auto operator<=>(const Seen&) const = default;
  };
  std::vector<audit::FlowKey> begun;
  std::vector<Seen> packets;
  std::vector<Piece> pieces;
  std::vector<Piece> decrypted;
  std::vector<std::uint32_t> ended;
  std::map<std::uint32_t, std::array<audit::FlowTraffic, 2>> traffic;
  int finished = 0;
};

}  // namespace alcove::test
