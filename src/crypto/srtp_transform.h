#pragma once
// The cryptographic half of SRTP: one direction of RTP or RTCP under given session keys, in place.
// No counters, no windows: those are in srtp.cc. Private to src/crypto. One thread an object.
//
// A keyed context of OpenSSL is over a kilobyte, and a listener would have four: outgoing and
// incoming RTP and RTCP. So it is made with the first packet, and where packets are rare there is
// one a thread, keyed anew for each.

#include <cstdint>
#include <memory>

#include "crypto/hmac_key.h"
#include "crypto/srtp.h"

struct evp_cipher_ctx_st;

namespace alcove::crypto {

enum class SrtpDirection : std::uint8_t { kSeal, kOpen };
enum class SrtpContext : std::uint8_t { kOwn, kShared };

using SrtpIv = std::array<std::uint8_t, 16>;  // GCM uses 12
// The salt as make_srtp_iv() takes it.
using SrtpSalt = std::array<std::uint8_t, kMaxSrtpSaltSize>;
SrtpIv make_srtp_iv(SrtpProfile profile, const SrtpSalt& salt, std::uint32_t ssrc,
                    std::uint64_t index);

class SrtpTransform {
 public:
  SrtpTransform(SrtpProfile profile, const SrtpSessionKeys& keys, SrtpDirection direction,
                SrtpContext context = SrtpContext::kOwn);
  SrtpTransform(SrtpTransform&&) noexcept = default;
  SrtpTransform& operator=(SrtpTransform&&) noexcept = default;
  ~SrtpTransform();

  SrtpProfile profile() const { return profile_; }

  // packet: a header, and space for the payload and srtp_overhead() bytes. payload lies anywhere,
  // also in its place already. The header's sequence number is the low 16 bits of index.
  void seal_rtp(base::MutableBytes packet, std::size_t header_size, base::Bytes payload,
                std::uint64_t index);
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
  evp_cipher_ctx_st* keyed_context();
  SrtpIv make_iv(std::uint32_t ssrc, std::uint64_t index) const {
    return make_srtp_iv(profile_, salt_, ssrc, index);
  }
  void apply_counter_mode(const SrtpIv& iv, base::Bytes data, std::uint8_t* out);
  void seal_gcm(const SrtpIv& iv, base::Bytes head, base::Bytes word, base::Bytes data,
                std::uint8_t* out, base::MutableBytes tag);
  bool open_gcm(const SrtpIv& iv, base::Bytes head, base::Bytes word, base::MutableBytes data,
                base::Bytes tag);

  struct FreeContext {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  SrtpProfile profile_;
  SrtpDirection direction_;
  SrtpContext kind_;
  SrtpSalt salt_;
  std::array<std::uint8_t, kSrtpKeySize> cipher_key_;
  HmacSha1Key auth_;
  std::unique_ptr<evp_cipher_ctx_st, FreeContext> context_;
};

}  // namespace alcove::crypto
