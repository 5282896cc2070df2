#include "e2ee/frame_transform.h"

#include <algorithm>

namespace alcove::e2ee {

using base::Bytes;
using base::MutableBytes;

PaddedFrames::PaddedFrames(std::size_t bucket) : bucket_(bucket) {
  CHECK(bucket >= kMinBucket && bucket <= kMaxBucket);
}

std::optional<std::size_t> PaddedFrames::seal(Bytes opus, MutableBytes out) {
  if (seat_ == 0) {
    ++counters_.no_seat;
    return std::nullopt;
  }
  if (opus.empty() || opus.size() > bucket_ - kHeaderSize) {
    ++counters_.too_long;
    return std::nullopt;
  }
  if (out.size() < bucket_) return std::nullopt;
  base::ByteWriter writer(out.first(bucket_));
  writer.write_u8(seat_);
  writer.write_u16(static_cast<std::uint16_t>(opus.size()));
  writer.write_bytes(opus);
  writer.write_zeros(bucket_ - writer.size());
  CHECK(writer.ok());
  ++counters_.sealed;
  return bucket_;
}

std::expected<OpenedFrame, OpenFault> PaddedFrames::open(Bytes payload) {
  if (payload.size() != bucket_) {
    ++counters_.bad_size;
    return std::unexpected(OpenFault::kDropped);
  }
  base::ByteReader reader(payload);
  const std::uint8_t seat = *reader.read_u8();
  const std::uint16_t length = *reader.read_u16();
  if (seat == 0) {
    ++counters_.bad_seat;
    return std::unexpected(OpenFault::kDropped);
  }
  if (length == 0 || length > reader.remaining()) {
    ++counters_.bad_length;
    return std::unexpected(OpenFault::kDropped);
  }
  const Bytes opus = *reader.read_bytes(length);
  // Padding is checked so that a frame has one encoding, and no hidden channel for a sender's
  // client.
  if (!std::ranges::all_of(reader.rest(), [](std::uint8_t byte) { return byte == 0; })) {
    ++counters_.bad_padding;
    return std::unexpected(OpenFault::kDropped);
  }
  ++counters_.opened;
  return OpenedFrame{seat, opus};
}

}  // namespace alcove::e2ee
