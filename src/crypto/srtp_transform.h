#pragma once
// The cryptographic half of SRTP: one direction of RTP or RTCP under given session keys, in place.
// No counters, no windows: those are in srtp.cc. Private to src/crypto. One thread an object.

#include <cstdint>
#include <memory>

#include "crypto/hmac_sha1_key.h"
#include "crypto/srtp.h"

struct evp_cipher_ctx_st;

namespace alcove::crypto {

enum class SrtpDirection : std::uint8_t { kSeal, kOpen };

class SrtpTransform {
 public:
  SrtpTransform(SrtpProfile profile, const SrtpSessionKeys& keys, SrtpDirection direction);

  SrtpProfile profile() const { return profile_; }

  // packet: header, payload and srtp_overhead() bytes to be filled. The header's sequence number is
  // the low 16 bits of index.
  void seal_rtp(base::MutableBytes packet, std::size_t header_size, std::uint64_t index);
  // packet: at least header_size + srtp_overhead(). False when it is not authentic.
  bool open_rtp(base::MutableBytes packet, std::size_t header_size, std::uint64_t index);

  // packet: at least 8 bytes of compound packet and srtcp_overhead() bytes to be filled. index
  // below 2^31.
  void seal_rtcp(base::MutableBytes packet, std::uint32_t index);
  // packet: at least 8 + srtcp_overhead(), with the E flag. False when it is not authentic.
  bool open_rtcp(base::MutableBytes packet);
  // The last word of what is encrypted or authenticated: E flag and index. Same size condition.
  static std::uint32_t rtcp_index_word(SrtpProfile profile, base::Bytes packet);

 private:
  using Iv = std::array<std::uint8_t, 16>;  // GCM uses 12
  Iv make_iv(std::uint32_t ssrc, std::uint64_t index) const;
  void apply_counter_mode(const Iv& iv, base::MutableBytes data);
  void seal_gcm(const Iv& iv, base::Bytes head, base::Bytes word, base::MutableBytes data,
                base::MutableBytes tag);
  bool open_gcm(const Iv& iv, base::Bytes head, base::Bytes word, base::MutableBytes data,
                base::Bytes tag);

  struct FreeContext {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  SrtpProfile profile_;
  std::array<std::uint8_t, kMaxSrtpSaltSize> salt_;
  HmacSha1Key auth_;
  std::unique_ptr<evp_cipher_ctx_st, FreeContext> context_;
};

}  // namespace alcove::crypto
