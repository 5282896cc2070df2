#pragma once
// Datagrams of media inside of something else: TURN (RFC 8656) and TCP (RFC 4571, and TURN's own
// over TCP). One thread an object.

#include <cstdint>
#include <optional>

#include "audit/inspector.h"
#include "base/bytes.h"

namespace alcove::audit {

// What ChannelData, a Send or a Data indication carries; nullopt for anything else.
std::optional<base::Bytes> unwrap_turn(base::Bytes datagram);

// One direction of a TCP stream, cut into datagrams. It decides by the first bytes whether the
// stream is framed at all, and gives up for good at a gap or at what cannot be.
class MediaDeframer {
 public:
  static constexpr std::size_t kMaxDatagram = 2048;  // a longer one is skipped, and not media

  // Calls visit(datagram, number, time). False when the stream is not framed media.
  template <typename Visitor>
  bool feed(const StreamPiece& piece, Visitor&& visit) {
    if (!begin(piece)) return false;
    while (const auto datagram = next()) visit(*datagram, piece.number, piece.time);
    end();
    return framing_ != Framing::kNone;
  }
  std::size_t memory() const { return held_.capacity(); }

 private:
  enum class Framing : std::uint8_t { kUndecided, kNone, kLength, kTurn };
  bool begin(const StreamPiece& piece);
  std::optional<base::Bytes> next();
  void end();
  void give_up();
  // The size on the wire of the frame that begins here, and where its datagram is.
  struct Frame {
    std::size_t size = 0;
    std::size_t offset = 0;
    std::size_t length = 0;
  };
  std::optional<Frame> read_frame(base::Bytes bytes) const;

  Framing framing_ = Framing::kUndecided;
  bool began_ = false;
  base::Buffer held_;
  base::Bytes bytes_;
  std::size_t skip_ = 0;
};

}  // namespace alcove::audit
