#include "audit/tls_records.h"

#include <algorithm>

namespace alcove::audit {

bool starts_like_tls(base::Bytes bytes) {
  if (bytes.empty()) return false;
  if (bytes[0] < tls_type::kChangeCipherSpec || bytes[0] > 24) return false;
  if (bytes.size() > 1 && bytes[1] != 3) return false;
  if (bytes.size() > 2 && bytes[2] > 4) return false;
  if (bytes.size() < kTlsRecordHeader) return true;
  const std::size_t length = static_cast<std::size_t>(bytes[3]) << 8 | bytes[4];
  return length != 0 && length <= kMaxTlsFragment;
}

bool TlsRecordSplitter::begin(const StreamPiece& piece) {
  if (broken_) return false;
  if (piece.after_gap) {
    held_.clear();
    searching_ = true;
  }
  if (searching_) {
    // Segments mostly begin records; a place in the middle would be a guess.
    if (piece.bytes.size() < kTlsRecordHeader || !starts_like_tls(piece.bytes)) return false;
    searching_ = false;
    resynchronized_ = true;
  }
  piece_number_ = piece.number;
  piece_time_ = piece.time;
  piece_offset_ = piece.offset;
  if (held_.empty()) {
    bytes_ = piece.bytes;
    offset_ = piece.offset;
  } else {
    merged_.swap(held_);
    merged_.insert(merged_.end(), piece.bytes.begin(), piece.bytes.end());
    held_.clear();
    bytes_ = merged_;
    offset_ = piece.offset + piece.bytes.size() - merged_.size();
  }
  return true;
}

std::optional<TlsRecord> TlsRecordSplitter::next() {
  if (bytes_.empty()) return std::nullopt;
  if (!starts_like_tls(bytes_)) {
    broken_ = true;
    bytes_ = {};
    return std::nullopt;
  }
  if (bytes_.size() < kTlsRecordHeader) return std::nullopt;
  const std::size_t length = static_cast<std::size_t>(bytes_[3]) << 8 | bytes_[4];
  if (bytes_.size() < kTlsRecordHeader + length) return std::nullopt;
  TlsRecord record;
  record.type = bytes_[0];
  record.version = static_cast<std::uint16_t>(bytes_[1] << 8 | bytes_[2]);
  record.header = bytes_.first(kTlsRecordHeader);
  record.fragment = bytes_.subspan(kTlsRecordHeader, length);
  record.offset = offset_;
  const bool was_held = offset_ < piece_offset_;
  record.number = was_held ? held_number_ : piece_number_;
  record.time = was_held ? held_time_ : piece_time_;
  bytes_ = bytes_.subspan(kTlsRecordHeader + length);
  offset_ += kTlsRecordHeader + length;
  return record;
}

void TlsRecordSplitter::end() {
  if (!bytes_.empty()) {
    const bool was_held = offset_ < piece_offset_;
    if (!was_held) {
      held_number_ = piece_number_;
      held_time_ = piece_time_;
    }
    held_.assign(bytes_.begin(), bytes_.end());
  }
  bytes_ = {};
  merged_ = {};  // many streams that wait must not keep it twice
}

void TlsHandshakeReader::add(base::Bytes fragment) {
  const std::size_t skipped = std::min(skip_, fragment.size());
  skip_ -= skipped;
  fragment = fragment.subspan(skipped);
  bytes_.insert(bytes_.end(), fragment.begin(), fragment.end());
}

std::optional<HandshakeMessage> TlsHandshakeReader::next() {
  constexpr std::size_t kHeader = 4;
  const base::Bytes rest = base::Bytes(bytes_).subspan(position_);
  if (rest.size() < kHeader) return std::nullopt;
  const std::size_t length =
      static_cast<std::size_t>(rest[1]) << 16 | static_cast<std::size_t>(rest[2]) << 8 | rest[3];
  if (length > kMaxHandshakeMessage) {
    skip_ = kHeader + length - std::min(kHeader + length, rest.size());
    position_ += std::min(kHeader + length, rest.size());
    return std::nullopt;
  }
  if (rest.size() < kHeader + length) return std::nullopt;
  position_ += kHeader + length;
  return HandshakeMessage{rest[0], rest.subspan(kHeader, length)};
}

void TlsHandshakeReader::compact() {
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(position_));
  position_ = 0;
}

}  // namespace alcove::audit
