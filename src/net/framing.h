#pragma once
// Datagrams on a byte stream: RFC 4571, section 2 (a length of two bytes before each), as ICE uses
// it over TCP (RFC 6544, section 3). Pure; one thread.

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/datagram.h"

namespace alcove::net {

inline constexpr std::size_t kFrameHeader = 2;
// 200 ms of audio for one listener with a full stage, and one DTLS flight.
inline constexpr std::size_t kMaxUnsentFrameBytes = 8'192;

// True when bytes begin like a STUN message (RFC 8489, section 5): what the first frame has to be.
bool looks_like_stun(base::Bytes bytes);

// Cuts the received stream into frames. Memory: one frame.
class FrameReader {
 public:
  // Where the next received bytes go; never empty.
  base::MutableBytes space() { return base::MutableBytes(buffer_).subspan(used_); }
  // size bytes were written to space(). Calls on_frame for each whole frame; empty ones (the null
  // packet) are skipped. False for a frame longer than base::kMaxDatagram, or when on_frame
  // returned false: the stream cannot be read any further.
  template <typename OnFrame>
  bool advance(std::size_t size, OnFrame&& on_frame) {
    used_ += size;
    std::size_t begin = 0;
    while (used_ - begin >= kFrameHeader) {
      const std::size_t length = static_cast<std::size_t>(buffer_[begin]) << 8 | buffer_[begin + 1];
      if (length > base::kMaxDatagram) return false;
      if (used_ - begin - kFrameHeader < length) break;
      const base::Bytes frame = base::Bytes(buffer_).subspan(begin + kFrameHeader, length);
      begin += kFrameHeader + length;
      if (length != 0 && !on_frame(frame)) return false;
    }
    used_ -= begin;
    if (begin != 0 && used_ != 0) std::memmove(buffer_.data(), buffer_.data() + begin, used_);
    return true;
  }

 private:
  std::array<std::uint8_t, 2 * (kFrameHeader + base::kMaxDatagram)> buffer_;
  std::size_t used_ = 0;
};

// Unsent frames, bounded: a new frame pushes out the oldest whole ones. A frame that has partly
// gone out stays, or the stream would break.
class FrameQueue {
 public:
  FrameQueue();

  // Returns how many frames were dropped for it, which may be the new one itself.
  std::size_t push(base::Bytes frame);
  bool empty() const { return used_ == 0; }
  // What to write next; ends with a whole frame.
  base::Bytes unsent() const { return base::Bytes(buffer_).subspan(sent_, used_ - sent_); }
  // The first count bytes of unsent() were written.
  void consume(std::size_t count);

 private:
  void erase(std::size_t offset, std::size_t count);
  std::size_t frame_size_at(std::size_t offset) const;

  base::Buffer buffer_;  // whole frames with their headers; grows once to its bound
  std::size_t used_ = 0;
  std::size_t sent_ = 0;  // of the first frame
};

}  // namespace alcove::net
