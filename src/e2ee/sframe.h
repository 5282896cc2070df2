#pragma once
// SFrame (RFC 9605), AES_128_GCM_SHA256_128: one key, and the header. One thread.

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "crypto/aes_gcm.h"

namespace alcove::e2ee {

using SFrameBaseKey = std::array<std::uint8_t, 16>;

struct SFrameHeader {
  std::uint64_t key_id = 0;
  std::uint64_t counter = 0;
  std::size_t size = 0;  // bytes on the wire
};
// RFC 9605, section 4.3; nullopt when it does not fit, or is not the shortest encoding.
std::optional<SFrameHeader> parse_sframe_header(base::Bytes frame);
std::size_t sframe_header_size(std::uint64_t key_id, std::uint64_t counter);
void write_sframe_header(std::uint64_t key_id, std::uint64_t counter, base::ByteWriter& out);

class SFrameKey {
 public:
  static constexpr std::size_t kTagSize = 16;
  SFrameKey(const SFrameBaseKey& base_key, std::uint64_t key_id);
  std::uint64_t key_id() const { return key_id_; }
  // Header, ciphertext and tag at the start of out; nullopt when out is too small.
  std::optional<std::size_t> seal(std::uint64_t counter, base::Bytes metadata,
                                  base::Bytes plaintext, base::MutableBytes out);
  // The plaintext at the start of out; header is that of frame. nullopt when it does not open.
  std::optional<std::size_t> open(const SFrameHeader& header, base::Bytes metadata,
                                  base::Bytes frame, base::MutableBytes out);

 private:
  std::uint64_t key_id_;
  std::array<std::uint8_t, 12> salt_{};
  crypto::Aes128Gcm aead_;
};

}  // namespace alcove::e2ee
