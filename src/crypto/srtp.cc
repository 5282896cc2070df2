#include "crypto/srtp.h"

#include <optional>

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

// The windows of up to kMaxSources SSRCs.
class SourceTable {
 public:
  // The window of ssrc, else the free place it would get, else null.
  ReplayWindow* find(std::uint32_t ssrc) {
    for (std::size_t i = 0; i < count_; ++i)
      if (sources_[i].ssrc == ssrc) return &sources_[i].window;
    return count_ < sources_.size() ? &sources_[count_].window : nullptr;
  }
  // After authentication, with what find(ssrc) returned.
  void accept(std::uint32_t ssrc, ReplayWindow& window, std::uint64_t index) {
    if (window.empty()) sources_[count_++].ssrc = ssrc;
    window.accept(index);
  }

 private:
  struct Source {
    std::uint32_t ssrc = 0;
    ReplayWindow window;
  };
  std::array<Source, SrtpReceiver::kMaxSources> sources_{};
  std::size_t count_ = 0;
};

static_assert(ReplayWindow::kSize == SrtpReceiver::kReplayWindow);

void place(base::MutableBytes out, base::Bytes part) {
  if (!part.empty() && part.data() != out.data())
    std::memmove(out.data(), part.data(), part.size());
}

}  // namespace

struct SrtpSender::Impl {
  explicit Impl(const SrtpDerivedKeys& keys, SrtpProfile profile)
      : rtp(profile, keys.rtp, SrtpDirection::kSeal),
        rtcp(profile, keys.rtcp, SrtpDirection::kSeal) {}
  SrtpTransform rtp;
  SrtpTransform rtcp;
  std::uint32_t next_rtcp_index = 1;
};

SrtpSender::SrtpSender(const SrtpKeyMaterial& material)
    : impl_(std::make_unique<Impl>(derive_srtp_keys(material), material.profile)) {}
SrtpSender::SrtpSender(SrtpSender&&) noexcept = default;
SrtpSender& SrtpSender::operator=(SrtpSender&&) noexcept = default;
SrtpSender::~SrtpSender() = default;

SrtpProfile SrtpSender::profile() const { return impl_->rtp.profile(); }

std::size_t SrtpSender::protect_rtp(base::Bytes header, base::Bytes payload,
                                    std::uint32_t rollover_counter, base::MutableBytes out) {
  const std::size_t plain_size = header.size() + payload.size();
  const std::size_t size = plain_size + srtp_overhead(profile());
  CHECK(header.size() >= kRtpFixedHeader && out.size() >= size);
  place(out, header);
  place(out.subspan(header.size()), payload);
  const std::uint64_t index = std::uint64_t{rollover_counter} << 16 | read_u16(out, 2);
  impl_->rtp.seal_rtp(out.first(size), header.size(), index);
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
        rtcp(profile, keys.rtcp, SrtpDirection::kOpen) {}
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
