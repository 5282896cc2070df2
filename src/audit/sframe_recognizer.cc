#include "audit/sframe_recognizer.h"

#include <map>

namespace alcove::audit {
namespace {

constexpr std::size_t kLeastFrames = 20;
constexpr double kShare = 0.95;
constexpr std::size_t kMaxKeys = 4;   // of one sender in a few seconds
constexpr std::size_t kLeastTag = 4;  // AES_128_CTR_HMAC_SHA256_32

// A value of the header: in its four bits, or in the 1 to 8 bytes that they count.
std::optional<std::uint64_t> read_value(std::uint8_t bits, base::ByteReader& reader) {
  if ((bits & 8) == 0) return bits;
  std::uint64_t value = 0;
  const std::size_t size = (bits & 7U) + 1;
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = reader.read_u8();
    if (!byte) return std::nullopt;
    value = value << 8 | *byte;
  }
  const bool shortest = size == 1 ? value >= 8 : value >> (8 * (size - 1)) != 0;
  if (!shortest) return std::nullopt;
  return value;
}

}  // namespace

std::optional<SFrameFields> read_sframe_header(base::Bytes frame) {
  base::ByteReader reader(frame);
  const auto config = reader.read_u8();
  if (!config) return std::nullopt;
  const auto key_id = read_value(*config >> 4, reader);
  const auto counter = key_id ? read_value(*config & 15, reader) : std::nullopt;
  if (!counter) return std::nullopt;
  return SFrameFields{*key_id, *counter, reader.position()};
}

bool looks_like_sframe(const PayloadSample& sample, PayloadSample& bodies) {
  std::map<std::uint64_t, std::uint64_t> last_counter;
  std::size_t good = 0, frames = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const base::Bytes payload = sample.payload(i);
    if (payload.empty()) continue;
    ++frames;
    const auto header = read_sframe_header(payload);
    if (!header || payload.size() < header->size + kLeastTag) continue;
    const auto [known, is_new] = last_counter.try_emplace(header->key_id, header->counter);
    if (last_counter.size() > kMaxKeys) return false;
    const bool grows = is_new || header->counter > known->second;
    known->second = header->counter;
    if (!grows) continue;
    ++good;
    bodies.add(sample[i], payload.subspan(header->size));
  }
  return frames >= kLeastFrames &&
         static_cast<double>(good) >= kShare * static_cast<double>(frames);
}

}  // namespace alcove::audit
