#include "audit/dtls_records.h"

#include <algorithm>

namespace alcove::audit {
namespace {

constexpr std::size_t kMaxRanges = 64;  // of one message: a sane sender's fragments are few

}  // namespace

bool starts_like_dtls(base::Bytes datagram) {
  if (datagram.size() < kDtlsRecordHeader) return false;
  if (datagram[0] < tls_type::kChangeCipherSpec || datagram[0] > 26) return false;
  if (datagram[1] != 0xfe || (datagram[2] != 0xff && datagram[2] != 0xfd)) return false;
  const std::size_t length = static_cast<std::size_t>(datagram[11]) << 8 | datagram[12];
  return length != 0 && length <= kMaxTlsFragment && kDtlsRecordHeader + length <= datagram.size();
}

std::optional<DtlsRecord> DtlsRecordReader::next() {
  if (!starts_like_dtls(rest_)) return std::nullopt;
  base::ByteReader reader(rest_);
  DtlsRecord record;
  record.type = *reader.read_u8();
  record.version = *reader.read_u16();
  record.epoch = *reader.read_u16();
  record.sequence = static_cast<std::uint64_t>(*reader.read_u16()) << 32;
  record.sequence |= *reader.read_u32();
  const std::size_t length = *reader.read_u16();
  record.header = rest_.first(kDtlsRecordHeader);
  record.fragment = rest_.subspan(kDtlsRecordHeader, length);
  rest_ = rest_.subspan(kDtlsRecordHeader + length);
  return record;
}

std::optional<HandshakeMessage> DtlsHandshakeReader::next(base::Bytes& fragment) {
  base::ByteReader reader(fragment);
  const auto type = reader.read_u8();
  const auto length = reader.read_u24();
  const auto sequence = reader.read_u16();
  const auto offset = reader.read_u24();
  const auto size = reader.read_u24();
  const auto part = size ? reader.read_bytes(*size) : std::nullopt;
  if (!part) {
    fragment = {};
    return std::nullopt;
  }
  fragment = reader.rest();
  if (*length > kMaxHandshakeMessage || *offset > *length || *size > *length - *offset)
    return std::nullopt;
  if (*size == *length) return HandshakeMessage{*type, *part};
  if (part->empty()) return std::nullopt;
  return add(*sequence, *type, *length, *offset, *part);
}

std::optional<HandshakeMessage> DtlsHandshakeReader::add(std::uint16_t sequence, std::uint8_t type,
                                                         std::size_t length, std::size_t offset,
                                                         base::Bytes part) {
  auto found = partial_.find(sequence);
  if (found != partial_.end() &&
      (found->second.type != type || found->second.body.size() != length)) {
    bytes_ -= found->second.body.size();
    partial_.erase(found);
    found = partial_.end();
  }
  if (found == partial_.end()) {
    if (partial_.size() >= kMaxMessages || bytes_ + length > kMaxBytes) return std::nullopt;
    found = partial_.emplace(sequence, Partial{type, base::Buffer(length), {}}).first;
    bytes_ += length;
  }
  Partial& partial = found->second;
  std::ranges::copy(part, partial.body.begin() + static_cast<std::ptrdiff_t>(offset));
  if (!cover(partial, offset, offset + part.size())) return std::nullopt;
  whole_.swap(partial.body);
  bytes_ -= length;
  partial_.erase(found);
  return HandshakeMessage{type, whole_};
}

// Joins [begin, end) with what is there; true when the whole body is.
bool DtlsHandshakeReader::cover(Partial& partial, std::size_t begin, std::size_t end) {
  auto at = partial.have.upper_bound(begin);
  if (at != partial.have.begin() && std::prev(at)->second >= begin) --at;
  while (at != partial.have.end() && at->first <= end) {
    begin = std::min(begin, at->first);
    end = std::max(end, at->second);
    at = partial.have.erase(at);
  }
  if (partial.have.size() < kMaxRanges) partial.have.emplace(begin, end);
  return begin == 0 && end == partial.body.size();
}

}  // namespace alcove::audit
