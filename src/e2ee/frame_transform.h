#pragma once
// What happens to every Opus frame between the codec and RTP. This is the place of the room's keys:
// whatever implements FrameTransform decides what the relay can read. docs/protocol/frames.md has
// the exact bytes. One thread each; no throw.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "base/bytes.h"

namespace alcove::e2ee {

// Of a server's packet_bucket: the size of every payload.
inline constexpr std::size_t kMinPacketBucket = 64;
inline constexpr std::size_t kMaxPacketBucket = 1200;

// A received frame whose voice is the holder of seat (1 to 255) among the room's stage members.
// opus points into the payload or into the transform, and is valid until the next call of open().
struct OpenedFrame {
  std::uint8_t seat = 0;
  base::Bytes opus;
};

// Why a frame was not opened. The last two can be over in a moment, when the log catches up with
// the sound: such a frame may be held (HeldFrames).
enum class OpenFault : std::uint8_t {
  kDropped,
  kUnknownEpoch,  // of an epoch after the newest known one
  kEmptySeat,     // nobody holds the seat
};

// Why frames were dropped. Nothing is reported frame by frame: every one is hostile until opened.
struct FrameCounters {
  std::uint64_t sealed = 0;
  std::uint64_t opened = 0;
  std::uint64_t too_long = 0;     // seal: an Opus frame that is empty or does not fit the bucket
  std::uint64_t no_seat = 0;      // seal: the sender has no seat, no epoch, or may not send
  std::uint64_t bad_size = 0;     // open: not exactly the bucket
  std::uint64_t bad_header = 0;   // open: not an SFrame header in its shortest form
  std::uint64_t bad_seat = 0;     // open: seat 0, or above 255
  std::uint64_t bad_length = 0;   // open: 0, or past the end
  std::uint64_t bad_padding = 0;  // open: a byte after the frame is not zero
  // open: these two also count a frame that is held and opened later.
  std::uint64_t unknown_epoch = 0;
  std::uint64_t empty_seat = 0;
  std::uint64_t old_epoch = 0;   // open: of an epoch that is not kept any more
  std::uint64_t replayed = 0;    // open: a repeated counter, or one older than the window
  std::uint64_t not_opened = 0;  // open: not sealed with the key of the seat's holder
};

class FrameTransform {
 public:
  virtual ~FrameTransform() = default;
  // Writes the RTP payload for an Opus frame at the start of out and returns its size, which is the
  // same for every frame. nullopt: nothing may be sent (counted), or out is smaller than
  // sealed_size().
  virtual std::optional<std::size_t> seal(base::Bytes opus, base::MutableBytes out) = 0;
  // A fault is counted.
  virtual std::expected<OpenedFrame, OpenFault> open(base::Bytes payload) = 0;
  // Whether open() would not say kUnknownEpoch or kEmptySeat; counts nothing.
  virtual bool can_open(base::Bytes payload) const = 0;
  virtual std::size_t sealed_size() const = 0;
  virtual const FrameCounters& counters() const = 0;
};

}  // namespace alcove::e2ee
