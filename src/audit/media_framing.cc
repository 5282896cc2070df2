#include "audit/media_framing.h"

#include <algorithm>

namespace alcove::audit {
namespace {

constexpr std::uint32_t kMagicCookie = 0x2112a442;
constexpr std::size_t kStunHeader = 20;
constexpr std::uint16_t kSendIndication = 0x0016;
constexpr std::uint16_t kDataIndication = 0x0017;
constexpr std::uint16_t kDataAttribute = 0x0013;

bool is_channel(std::uint8_t first) { return first >= 64 && first <= 79; }  // RFC 7983

bool is_stun(base::Bytes bytes) {
  base::ByteReader reader(bytes);
  return bytes.size() >= kStunHeader && bytes[0] <= 3 && reader.skip(4) &&
         reader.read_u32() == kMagicCookie;
}

std::size_t length_at(base::Bytes bytes, std::size_t at) {
  return static_cast<std::size_t>(bytes[at]) << 8 | bytes[at + 1];
}

std::size_t padded(std::size_t size) { return (size + 3) / 4 * 4; }

}  // namespace

std::optional<base::Bytes> unwrap_turn(base::Bytes datagram) {
  base::ByteReader reader(datagram);
  if (datagram.size() < 4) return std::nullopt;
  if (is_channel(datagram[0])) {
    const std::size_t length = length_at(datagram, 2);
    // Over UDP padding is optional (section 12.5); more than that is another protocol.
    if (4 + length > datagram.size() || datagram.size() - 4 - length > 3) return std::nullopt;
    return datagram.subspan(4, length);
  }
  if (!is_stun(datagram)) return std::nullopt;
  const auto type = static_cast<std::uint16_t>(length_at(datagram, 0));
  if (type != kSendIndication && type != kDataIndication) return std::nullopt;
  reader.skip(kStunHeader);
  while (const auto attribute = reader.read_u16()) {
    const auto length = reader.read_u16();
    const auto value = length ? reader.read_bytes(*length) : std::nullopt;
    if (!value) return std::nullopt;
    if (*attribute == kDataAttribute) return *value;
    if (!reader.skip(padded(*length) - *length)) return std::nullopt;
  }
  return std::nullopt;
}

bool MediaDeframer::begin(const StreamPiece& piece) {
  if (framing_ == Framing::kNone) return false;
  if (piece.after_gap || (!began_ && piece.offset != 0)) {
    give_up();
    return false;
  }
  began_ = true;
  bytes_ = piece.bytes;
  const std::size_t skipped = std::min(skip_, bytes_.size());
  skip_ -= skipped;
  bytes_ = bytes_.subspan(skipped);
  if (!held_.empty()) {
    held_.insert(held_.end(), bytes_.begin(), bytes_.end());
    bytes_ = held_;
  }
  if (framing_ != Framing::kUndecided || bytes_.size() < 8) return true;
  const std::size_t length = length_at(bytes_, 0);
  const std::uint8_t first = bytes_[2];
  base::ByteReader cookie(bytes_.subspan(4));
  if (bytes_[0] <= 3 && cookie.read_u32() == kMagicCookie) {
    framing_ = Framing::kTurn;
  } else if (length >= 8 && length <= 1500 &&
             (first <= 3 || (first >= 20 && first <= 25) || (first >= 128 && first <= 191))) {
    framing_ = Framing::kLength;
  } else {
    give_up();
  }
  return framing_ != Framing::kNone;
}

std::optional<MediaDeframer::Frame> MediaDeframer::read_frame(base::Bytes bytes) const {
  if (bytes.size() < 4) return std::nullopt;
  if (framing_ == Framing::kLength) {
    const std::size_t length = length_at(bytes, 0);
    return Frame{2 + length, 2, length};
  }
  const std::size_t length = length_at(bytes, 2);
  if (is_channel(bytes[0])) return Frame{padded(4 + length), 0, 4 + length};
  return Frame{kStunHeader + length, 0, kStunHeader + length};
}

std::optional<base::Bytes> MediaDeframer::next() {
  while (framing_ == Framing::kLength || framing_ == Framing::kTurn) {
    const auto frame = read_frame(bytes_);
    if (!frame) return std::nullopt;
    if (framing_ == Framing::kTurn && bytes_[0] > 3 && !is_channel(bytes_[0])) {
      give_up();
      return std::nullopt;
    }
    if (frame->size > bytes_.size()) {
      if (frame->size <= kMaxDatagram) return std::nullopt;
      skip_ = frame->size - bytes_.size();
      bytes_ = {};
      return std::nullopt;
    }
    const base::Bytes datagram = bytes_.subspan(frame->offset, frame->length);
    bytes_ = bytes_.subspan(frame->size);
    if (frame->size <= kMaxDatagram) return datagram;
  }
  return std::nullopt;
}

void MediaDeframer::end() {
  if (framing_ == Framing::kNone) return;
  // Not assign(): bytes_ may lie in held_.
  base::Buffer rest(bytes_.begin(), bytes_.end());
  held_ = std::move(rest);
  bytes_ = {};
}

void MediaDeframer::give_up() {
  framing_ = Framing::kNone;
  held_ = {};
  bytes_ = {};
}

}  // namespace alcove::audit
