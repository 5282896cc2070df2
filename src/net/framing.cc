#include "net/framing.h"

#include <cstring>

namespace alcove::net {

bool looks_like_stun(base::Bytes bytes) {
  constexpr std::size_t kHeaderSize = 20;
  constexpr std::array<std::uint8_t, 4> kMagicCookie = {0x21, 0x12, 0xa4, 0x42};
  return bytes.size() >= kHeaderSize && bytes[0] <= 3 &&
         std::memcmp(bytes.data() + 4, kMagicCookie.data(), kMagicCookie.size()) == 0;
}

FrameQueue::FrameQueue() { buffer_.resize(kMaxUnsentFrameBytes); }

std::size_t FrameQueue::frame_size_at(std::size_t offset) const {
  const std::size_t length = static_cast<std::size_t>(buffer_[offset]) << 8 | buffer_[offset + 1];
  return kFrameHeader + length;
}

void FrameQueue::erase(std::size_t offset, std::size_t count) {
  std::memmove(buffer_.data() + offset, buffer_.data() + offset + count, used_ - offset - count);
  used_ -= count;
}

std::size_t FrameQueue::push(base::Bytes frame) {
  if (frame.empty() || frame.size() > base::kMaxDatagram) return 1;
  const std::size_t needed = kFrameHeader + frame.size();
  std::size_t dropped = 0;
  const std::size_t first_whole = sent_ == 0 ? 0 : frame_size_at(0);
  while (used_ + needed > buffer_.size() && used_ > first_whole) {
    erase(first_whole, frame_size_at(first_whole));
    ++dropped;
  }
  base::ByteWriter writer(base::MutableBytes(buffer_).subspan(used_));
  writer.write_u16(static_cast<std::uint16_t>(frame.size()));
  writer.write_bytes(frame);
  if (!writer.ok()) return dropped + 1;
  used_ += writer.size();
  return dropped;
}

void FrameQueue::consume(std::size_t count) {
  CHECK(count <= used_ - sent_);
  sent_ += count;
  std::size_t whole = 0;
  while (whole < used_ && sent_ - whole >= frame_size_at(whole)) whole += frame_size_at(whole);
  if (whole == 0) return;
  erase(0, whole);
  sent_ -= whole;
}

}  // namespace alcove::net
