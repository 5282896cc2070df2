#pragma once
// SRTP and SRTCP: RFC 3711 with AES_CM_128_HMAC_SHA1_80, RFC 7714 with AEAD_AES_128_GCM. No MKI,
// key derivation rate 0 (one derivation a session), SRTCP always encrypted. One thread an object.
// RTP's ciphers are keyed once, and a packet sets only its IV; nothing is allocated for a packet
// but a direction's first. SRTCP, which is rare, is keyed anew for each packet: it needs no memory.

#include <array>
#include <cstdint>
#include <expected>
#include <memory>

#include "base/bytes.h"
#include "crypto/sealing.h"

namespace alcove::crypto {

class SrtpTransform;
namespace ipsec_mb {
struct GcmKey;
}

enum class SrtpProfile : std::uint8_t {
  kAeadAes128Gcm,  // 0x0007 in use_srtp (RFC 7714, section 14.2)
  // 0x0001 (RFC 5764, section 4.1.2).
  kAes128CmHmacSha1_80,  // NOLINT(readability-identifier-naming): the name in the RFC
};

inline constexpr std::size_t kSrtpKeySize = 16;
inline constexpr std::size_t kMaxSrtpSaltSize = 14;
constexpr std::size_t srtp_salt_size(SrtpProfile profile) {
  return profile == SrtpProfile::kAeadAes128Gcm ? 12 : 14;
}
// What protection adds to a packet; SRTCP has four more bytes for its index.
constexpr std::size_t srtp_overhead(SrtpProfile profile) {
  return profile == SrtpProfile::kAeadAes128Gcm ? 16 : 10;
}
constexpr std::size_t srtcp_overhead(SrtpProfile profile) { return srtp_overhead(profile) + 4; }
inline constexpr std::size_t kMaxSrtpOverhead = 16;
inline constexpr std::size_t kMaxSrtcpOverhead = 20;

// The master key and salt of one direction; of the salt the first srtp_salt_size(profile) bytes
// count.
struct SrtpKeyMaterial {
  SrtpProfile profile = SrtpProfile::kAeadAes128Gcm;
  std::array<std::uint8_t, kSrtpKeySize> key{};
  std::array<std::uint8_t, kMaxSrtpSaltSize> salt{};
};

// The session keys of RFC 3711, section 4.3.1 (for GCM: RFC 7714, section 11; no auth key then).
struct SrtpSessionKeys {
  std::array<std::uint8_t, kSrtpKeySize> cipher_key{};
  std::array<std::uint8_t, 20> auth_key{};
  std::array<std::uint8_t, kMaxSrtpSaltSize> salt{};
};
struct SrtpDerivedKeys {
  SrtpSessionKeys rtp;
  SrtpSessionKeys rtcp;
};
SrtpDerivedKeys derive_srtp_keys(const SrtpKeyMaterial& material);

enum class SrtpError : std::uint8_t {
  kMalformed,  // shorter than header, tag and index, not version 2, or the extension runs out of it
  kUnencrypted,     // SRTCP without the E flag
  kAuthFailed,      // forged, damaged, or for other keys
  kReplayed,        // seen before, or older than the replay window
  kTooManySources,  // of a further SSRC than kMaxSources; not looked at any closer
};

// Seals RTP for a SrtpSender, which must outlive it. It copies, and is small: to be kept where many
// packets are made one after the other. The rule on triples below binds it too.
class RtpSealer {
 public:
  RtpSealer() = default;  // not to be used
  SrtpProfile profile() const { return profile_; }
  // Asks the CPU for the key ahead of seal(): of thousands, none is in its cache.
  void prefetch() const;
  // A header of header_size bytes, at least 12, is at packet's start; payload lies anywhere outside
  // of packet, or in its place after the header. packet has srtp_overhead() bytes more than both.
  // The header's sequence number is the low 16 bits of index.
  void seal(base::MutableBytes packet, std::size_t header_size, base::Bytes payload,
            std::uint64_t index) const;

 private:
  friend class SrtpSender;
  const ipsec_mb::GcmKey* key_ = nullptr;  // null: transform_ does it
  SrtpTransform* transform_ = nullptr;
  std::array<std::uint8_t, 12> salt_{};  // GCM's
  SrtpProfile profile_ = SrtpProfile::kAeadAes128Gcm;
};

// Protects what one endpoint sends to one peer.
//
// One IV is made of SSRC, rollover counter and sequence number, and encrypting two different
// packets under one IV gives both away (and, with GCM, the authentication key). The caller
// guarantees that a triple (SSRC, rollover counter, sequence number) is never used for two
// different packets under one key material: a resend passes the same header, payload and counter
// and gives the same bytes. For SRTCP the sender guarantees it itself, by counting. So there must
// be one sender for a key material: the type does not copy.
class SrtpSender {
 public:
  explicit SrtpSender(const SrtpKeyMaterial& material,
                      SealingMethod sealing = SealingMethod::kAuto);
  SrtpSender(SrtpSender&&) noexcept;
  SrtpSender& operator=(SrtpSender&&) noexcept;
  ~SrtpSender();

  SrtpProfile profile() const;
  // Valid as long as this or what it was moved to.
  RtpSealer rtp_sealer() const;

  // header: the RTP header with CSRCs and extension, at least 12 bytes; it is authenticated and
  // stays clear. out: at least header + payload + srtp_overhead(), may overlap neither (except that
  // header and payload may already lie in place at its start). Returns the size of the SRTP packet
  // at out's start.
  std::size_t protect_rtp(base::Bytes header, base::Bytes payload, std::uint32_t rollover_counter,
                          base::MutableBytes out);

  // compound: a compound RTCP packet of at least 8 bytes, of any SSRC of ours. out: at least
  // compound + srtcp_overhead(), may be in place. Returns the size of the SRTCP packet, or 0 once
  // 2^31 were sent: the session has to end then (RFC 3711, section 9.2).
  std::size_t protect_rtcp(base::Bytes compound, base::MutableBytes out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Where the parts of an authentic RTP packet are after unprotect_rtp.
struct RtpInfo {
  std::size_t payload_offset = 0;  // also the size of the header
  std::size_t payload_size = 0;    // RTP padding included, when the header's P bit is set
  std::uint64_t index = 0;         // rollover counter * 65,536 + sequence number (RFC 3711, 3.3.1)
  std::uint32_t ssrc = 0;
};

// Opens what one peer sends to one endpoint. Each SSRC has its own rollover counter, which begins
// at 0 with the first authentic packet, and its own replay window for RTP and for RTCP. Only an
// authentic packet changes anything, so forged ones can neither fill the table nor move a counter.
class SrtpReceiver {
 public:
  static constexpr std::size_t kMaxSources = 8;  // for RTP, and again for RTCP
  static constexpr std::uint64_t kReplayWindow = 128;

  explicit SrtpReceiver(const SrtpKeyMaterial& material);
  SrtpReceiver(SrtpReceiver&&) noexcept;
  SrtpReceiver& operator=(SrtpReceiver&&) noexcept;
  ~SrtpReceiver();

  SrtpProfile profile() const;

  // Decrypts in place; header and payload stay where they are. After an error the bytes of packet
  // are unspecified.
  std::expected<RtpInfo, SrtpError> unprotect_rtp(base::MutableBytes packet);

  // Decrypts in place; the value is the size of the compound packet at packet's start.
  std::expected<std::size_t, SrtpError> unprotect_rtcp(base::MutableBytes packet);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace alcove::crypto
