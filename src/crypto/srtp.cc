#include "crypto/srtp.h"

#include <optional>
#include <vector>

#include "crypto/ipsec_mb/gcm.h"
#include "crypto/replay_window.h"
#include "crypto/srtp_transform.h"

namespace alcove::crypto {
namespace {

constexpr std::size_t kRtpFixedHeader = 12;
constexpr std::size_t kRtcpHead = 8;
constexpr std::uint32_t kEncryptedFlag = 0x80000000;
constexpr std::uint32_t kRtcpIndexEnd = 0x80000000;

bool is_version_2(base::Bytes packet) { return packet[0] >> 6 == 2; }
std::uint16_t read_u16(base::Bytes packet, std::size_t at) {
  return static_cast<std::uint16_t>(packet[at] << 8 | packet[at + 1]);
}
std::uint32_t read_u32(base::Bytes packet, std::size_t at) {
  return std::uint32_t{read_u16(packet, at)} << 16 | read_u16(packet, at + 2);
}

// The size of fixed header, CSRCs and extension (RFC 3550, section 5.1), when they and tag_size
// more bytes are there.
std::optional<std::size_t> rtp_header_size(base::Bytes packet, std::size_t tag_size) {
  if (packet.size() < kRtpFixedHeader + tag_size || !is_version_2(packet)) return std::nullopt;
  const std::size_t limit = packet.size() - tag_size;
  std::size_t size = kRtpFixedHeader + std::size_t{4} * (packet[0] & 0x0fU);
  if ((packet[0] & 0x10) != 0) {
    if (size + 4 > limit) return std::nullopt;
    size += 4 + std::size_t{4} * read_u16(packet, size + 2);
  }
  if (size > limit) return std::nullopt;
  return size;
}

// RFC 3711, section 3.3.1 and appendix A: the index nearest to the highest one so far. nullopt
// before the beginning and beyond the last rollover.
std::optional<std::uint64_t> estimate_index(const ReplayWindow& window, std::uint16_t sequence) {
  if (window.empty()) return sequence;
  constexpr std::uint64_t kHalf = 1 << 15;
  constexpr std::uint64_t kLastRollover = 0xffffffff;
  const std::uint64_t rollover = window.highest() >> 16;
  const std::uint64_t last = window.highest() & 0xffff;
  std::uint64_t guess = rollover;
  if (last < kHalf) {
    if (sequence > last + kHalf) {
      if (rollover == 0) return std::nullopt;
      guess = rollover - 1;
    }
  } else if (last - kHalf > sequence) {
    if (rollover == kLastRollover) return std::nullopt;
    guess = rollover + 1;
  }
  return guess << 16 | sequence;
}

// The windows of up to kMaxSources SSRCs. Most peers have one or none, so memory is taken as they
// come.
class SourceTable {
 public:
  // The window of ssrc, else a new one, else null.
  ReplayWindow* find(std::uint32_t ssrc) {
    for (Source& source : sources_)
      if (source.ssrc == ssrc) return &source.window;
    return sources_.size() < SrtpReceiver::kMaxSources ? &next_ : nullptr;
  }
  // After authentication, with what find(ssrc) returned.
  void accept(std::uint32_t ssrc, ReplayWindow& window, std::uint64_t index) {
    window.accept(index);
    if (&window != &next_) return;
    sources_.push_back({ssrc, next_});
    next_ = {};
  }

 private:
  struct Source {
    std::uint32_t ssrc = 0;
    ReplayWindow window;
  };
  std::vector<Source> sources_;
  ReplayWindow next_;
};

static_assert(ReplayWindow::kSize == SrtpReceiver::kReplayWindow);

void place(base::MutableBytes out, base::Bytes part) {
  if (!part.empty() && part.data() != out.data())
    std::memmove(out.data(), part.data(), part.size());
}

}  // namespace

struct SrtpSender::Impl {
  Impl(const SrtpDerivedKeys& keys, SrtpProfile profile, SealingMethod sealing)
      : rtp(profile, keys.rtp, SrtpDirection::kSeal),
        rtcp(profile, keys.rtcp, SrtpDirection::kSeal, SrtpContext::kShared),
        salt(keys.rtp.salt) {
    if (profile == SrtpProfile::kAeadAes128Gcm &&
        resolve_sealing(sealing) == SealingMethod::kIpsecMb)
      key = std::make_unique<ipsec_mb::GcmKey>(keys.rtp.cipher_key);
  }
  SrtpTransform rtp;
  SrtpTransform rtcp;
  SrtpSalt salt;
  std::unique_ptr<ipsec_mb::GcmKey> key;  // null: rtp seals
  std::uint32_t next_rtcp_index = 1;
};

SrtpSender::SrtpSender(const SrtpKeyMaterial& material, SealingMethod sealing)
    : impl_(std::make_unique<Impl>(derive_srtp_keys(material), material.profile, sealing)) {}
SrtpSender::SrtpSender(SrtpSender&&) noexcept = default;
SrtpSender& SrtpSender::operator=(SrtpSender&&) noexcept = default;
SrtpSender::~SrtpSender() = default;

SrtpProfile SrtpSender::profile() const { return impl_->rtp.profile(); }

RtpSealer SrtpSender::rtp_sealer() const {
  RtpSealer sealer;
  sealer.key_ = impl_->key.get();
  sealer.transform_ = &impl_->rtp;
  sealer.profile_ = impl_->rtp.profile();
  std::memcpy(sealer.salt_.data(), impl_->salt.data(), sealer.salt_.size());
  return sealer;
}

void RtpSealer::prefetch() const {
  if (key_ != nullptr) key_->prefetch();
}

void RtpSealer::seal(base::MutableBytes packet, std::size_t header_size, base::Bytes payload,
                     std::uint64_t index) const {
  if (key_ == nullptr) return transform_->seal_rtp(packet, header_size, payload, index);
  CHECK(packet.size() >= header_size + payload.size() + kMaxSrtpOverhead);
  // RFC 7714, section 8.1: two zero bytes, the SSRC and the index, XOR salt.
  std::array<std::uint8_t, 12> iv = salt_;
  for (std::size_t i = 0; i < 4; ++i) iv[2 + i] ^= packet[8 + i];
  for (std::size_t i = 0; i < 6; ++i) iv[6 + i] ^= static_cast<std::uint8_t>(index >> (40 - 8 * i));
  ipsec_mb::seal(*key_, iv, packet.first(header_size), payload, packet.data() + header_size);
}

std::size_t SrtpSender::protect_rtp(base::Bytes header, base::Bytes payload,
                                    std::uint32_t rollover_counter, base::MutableBytes out) {
  const std::size_t size = header.size() + payload.size() + srtp_overhead(profile());
  CHECK(header.size() >= kRtpFixedHeader && out.size() >= size);
  place(out, header);
  const std::uint64_t index = std::uint64_t{rollover_counter} << 16 | read_u16(out, 2);
  rtp_sealer().seal(out.first(size), header.size(), payload, index);
  return size;
}

std::size_t SrtpSender::protect_rtcp(base::Bytes compound, base::MutableBytes out) {
  const std::size_t size = compound.size() + srtcp_overhead(profile());
  CHECK(compound.size() >= kRtcpHead && out.size() >= size);
  if (impl_->next_rtcp_index == kRtcpIndexEnd) return 0;
  place(out, compound);
  impl_->rtcp.seal_rtcp(out.first(size), impl_->next_rtcp_index++);
  return size;
}

struct SrtpReceiver::Impl {
  explicit Impl(const SrtpDerivedKeys& keys, SrtpProfile profile)
      : rtp(profile, keys.rtp, SrtpDirection::kOpen),
        rtcp(profile, keys.rtcp, SrtpDirection::kOpen, SrtpContext::kShared) {}
  SrtpTransform rtp;
  SrtpTransform rtcp;
  SourceTable rtp_sources;
  SourceTable rtcp_sources;
};

SrtpReceiver::SrtpReceiver(const SrtpKeyMaterial& material)
    : impl_(std::make_unique<Impl>(derive_srtp_keys(material), material.profile)) {}
SrtpReceiver::SrtpReceiver(SrtpReceiver&&) noexcept = default;
SrtpReceiver& SrtpReceiver::operator=(SrtpReceiver&&) noexcept = default;
SrtpReceiver::~SrtpReceiver() = default;

SrtpProfile SrtpReceiver::profile() const { return impl_->rtp.profile(); }

std::expected<RtpInfo, SrtpError> SrtpReceiver::unprotect_rtp(base::MutableBytes packet) {
  const std::size_t tag_size = srtp_overhead(profile());
  const std::optional<std::size_t> header_size = rtp_header_size(packet, tag_size);
  if (!header_size) return std::unexpected(SrtpError::kMalformed);
  const std::uint32_t ssrc = read_u32(packet, 8);
  ReplayWindow* window = impl_->rtp_sources.find(ssrc);
  if (window == nullptr) return std::unexpected(SrtpError::kTooManySources);
  const std::optional<std::uint64_t> index = estimate_index(*window, read_u16(packet, 2));
  if (!index || !window->is_new(*index)) return std::unexpected(SrtpError::kReplayed);
  if (!impl_->rtp.open_rtp(packet, *header_size, *index))
    return std::unexpected(SrtpError::kAuthFailed);
  impl_->rtp_sources.accept(ssrc, *window, *index);
  return RtpInfo{.payload_offset = *header_size,
                 .payload_size = packet.size() - tag_size - *header_size,
                 .index = *index,
                 .ssrc = ssrc};
}

std::expected<std::size_t, SrtpError> SrtpReceiver::unprotect_rtcp(base::MutableBytes packet) {
  const std::size_t overhead = srtcp_overhead(profile());
  if (packet.size() < kRtcpHead + overhead || !is_version_2(packet))
    return std::unexpected(SrtpError::kMalformed);
  const std::uint32_t word = SrtpTransform::rtcp_index_word(profile(), packet);
  if ((word & kEncryptedFlag) == 0) return std::unexpected(SrtpError::kUnencrypted);
  const std::uint32_t ssrc = read_u32(packet, 4);
  ReplayWindow* window = impl_->rtcp_sources.find(ssrc);
  if (window == nullptr) return std::unexpected(SrtpError::kTooManySources);
  const std::uint32_t index = word & ~kEncryptedFlag;
  if (!window->is_new(index)) return std::unexpected(SrtpError::kReplayed);
  if (!impl_->rtcp.open_rtcp(packet)) return std::unexpected(SrtpError::kAuthFailed);
  impl_->rtcp_sources.accept(ssrc, *window, index);
  return packet.size() - overhead;
}

}  // namespace alcove::crypto
