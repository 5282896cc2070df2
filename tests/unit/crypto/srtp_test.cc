#include "crypto/srtp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "crypto/replay_window.h"

namespace alcove::crypto {
namespace {

using base::Buffer;
using base::Bytes;
using base::MutableBytes;

constexpr std::uint32_t kSsrc = 0x01020304;

SrtpKeyMaterial material_of(SrtpProfile profile, std::uint64_t seed = 1) {
  base::SeededRandom random(seed);
  SrtpKeyMaterial material{.profile = profile};
  random.fill(material.key);
  random.fill(material.salt);
  return material;
}

Buffer header_of(std::uint16_t sequence, std::uint32_t ssrc = kSsrc) {
  Buffer header(12);
  base::ByteWriter writer(header);
  writer.write_u16(0x806f);
  writer.write_u16(sequence);
  writer.write_u32(sequence * 960U);
  writer.write_u32(ssrc);
  return header;
}

Buffer rtcp_of(std::uint32_t ssrc) {
  Buffer compound(28);
  base::ByteWriter writer(compound);
  writer.write_u32(0x80c80006);
  writer.write_u32(ssrc);
  return compound;
}

struct Way {
  SrtpProfile profile;
  SealingMethod sealing;
};

class SrtpTest : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (resolve_sealing(GetParam().sealing) != GetParam().sealing)
      GTEST_SKIP() << "not on this machine";
  }
  Buffer seal(std::uint64_t index, std::uint32_t ssrc = kSsrc) {
    const Buffer payload(40, static_cast<std::uint8_t>(index));
    Buffer out(200);
    out.resize(sender_.protect_rtp(header_of(static_cast<std::uint16_t>(index), ssrc), payload,
                                   static_cast<std::uint32_t>(index >> 16), out));
    return out;
  }
  Buffer seal_rtcp(std::uint32_t ssrc = kSsrc) {
    Buffer out(200);
    out.resize(sender_.protect_rtcp(rtcp_of(ssrc), out));
    return out;
  }
  std::expected<std::uint64_t, SrtpError> open(Buffer packet) {
    const auto info = receiver_.unprotect_rtp(packet);
    if (!info) return std::unexpected(info.error());
    return info->index;
  }
  std::expected<std::size_t, SrtpError> open_rtcp(Buffer packet) {
    return receiver_.unprotect_rtcp(packet);
  }

  SrtpSender sender_{material_of(GetParam().profile), GetParam().sealing};
  SrtpReceiver receiver_{material_of(GetParam().profile)};
};

constexpr auto failed(SrtpError error) { return std::unexpected(error); }

TEST_P(SrtpTest, RoundTripGivesThePlainPacketInPlace) {
  Buffer packet = seal(1000);
  EXPECT_EQ(packet.size(), 12 + 40 + srtp_overhead(GetParam().profile));
  EXPECT_NE(packet[12], 1000 & 0xff);
  const auto info = receiver_.unprotect_rtp(packet);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->payload_offset, 12U);
  EXPECT_EQ(info->payload_size, 40U);
  EXPECT_EQ(info->index, 1000U);
  EXPECT_EQ(info->ssrc, kSsrc);
  const Bytes payload = Bytes(packet).subspan(info->payload_offset, info->payload_size);
  for (const std::uint8_t byte : payload) EXPECT_EQ(byte, 1000 & 0xff);
}

TEST_P(SrtpTest, InPlaceProtectionGivesTheSameBytes) {
  Buffer packet = header_of(77);
  packet.insert(packet.end(), 40, 77);
  packet.resize(200);
  const Bytes plain(packet);
  packet.resize(sender_.protect_rtp(plain.first(12), plain.subspan(12, 40), 0, packet));
  EXPECT_EQ(packet, seal(77));

  Buffer compound = rtcp_of(kSsrc);
  const std::size_t plain_size = compound.size();
  compound.resize(200);
  compound.resize(sender_.protect_rtcp(Bytes(compound).first(plain_size), compound));
  EXPECT_EQ(open_rtcp(compound), plain_size);
}

TEST_P(SrtpTest, ResendIsByteIdentical) { EXPECT_EQ(seal(70000), seal(70000)); }

TEST_P(SrtpTest, EmptyPayloadCsrcsAndExtension) {
  Buffer header = header_of(5);
  header[0] = 0x92;                                                // extension, two CSRCs
  header.insert(header.end(), {1, 1, 1, 1, 2, 2, 2, 2});           // CSRCs
  header.insert(header.end(), {0xbe, 0xde, 0, 1, 0x10, 9, 0, 0});  // one word
  Buffer out(100);
  out.resize(sender_.protect_rtp(header, {}, 0, out));
  EXPECT_EQ(Buffer(out.begin(), out.begin() + 28), header);  // authenticated, but clear
  const auto info = receiver_.unprotect_rtp(out);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->payload_offset, header.size());
  EXPECT_EQ(info->payload_size, 0U);
}

TEST_P(SrtpTest, AnyDamagedByteFails) {
  const Buffer packet = seal(9);
  for (std::size_t i = 0; i < packet.size(); ++i) {
    Buffer damaged = packet;
    damaged[i] ^= static_cast<std::uint8_t>(1 << (i % 8));
    EXPECT_FALSE(open(damaged)) << i;
  }
  const Buffer compound = seal_rtcp();
  for (std::size_t i = 0; i < compound.size(); ++i) {
    Buffer damaged = compound;
    damaged[i] ^= static_cast<std::uint8_t>(1 << (i % 8));
    EXPECT_FALSE(open_rtcp(damaged)) << i;
  }
  EXPECT_EQ(open(packet), 9U);  // none of that left a trace
  EXPECT_TRUE(open_rtcp(compound));
}

TEST_P(SrtpTest, AnyTruncationFails) {
  const Buffer packet = seal(9);
  for (std::size_t size = 0; size < packet.size(); ++size)
    EXPECT_FALSE(open({packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size)}));
  const Buffer compound = seal_rtcp();
  for (std::size_t size = 0; size < compound.size(); ++size)
    EXPECT_FALSE(
        open_rtcp({compound.begin(), compound.begin() + static_cast<std::ptrdiff_t>(size)}));
}

TEST_P(SrtpTest, ErrorsAreTold) {
  EXPECT_EQ(open({}), failed(SrtpError::kMalformed));
  EXPECT_EQ(open(Buffer(11, 0x80)), failed(SrtpError::kMalformed));
  EXPECT_EQ(open(Buffer(100, 0x00)), failed(SrtpError::kMalformed));
  EXPECT_EQ(open(Buffer(60, 0x9f)), failed(SrtpError::kMalformed));  // extension beyond the end
  EXPECT_EQ(open_rtcp({}), failed(SrtpError::kMalformed));
  EXPECT_EQ(open_rtcp(Buffer(100, 0x00)), failed(SrtpError::kMalformed));
  Buffer damaged = seal(1);
  damaged.back() ^= 1;
  EXPECT_EQ(open(damaged), failed(SrtpError::kAuthFailed));
  Buffer unencrypted = seal_rtcp();
  const std::size_t from_end = GetParam().profile == SrtpProfile::kAeadAes128Gcm ? 4 : 14;
  unencrypted[unencrypted.size() - from_end] &= 0x7f;
  EXPECT_EQ(open_rtcp(unencrypted), failed(SrtpError::kUnencrypted));
}

TEST_P(SrtpTest, OtherKeysFail) {
  SrtpReceiver other(material_of(GetParam().profile, 2));
  Buffer packet = seal(1);
  EXPECT_EQ(other.unprotect_rtp(packet).error(), SrtpError::kAuthFailed);
  Buffer compound = seal_rtcp();
  EXPECT_EQ(other.unprotect_rtcp(compound).error(), SrtpError::kAuthFailed);
}

TEST_P(SrtpTest, ReplaysAndPacketsOlderThanTheWindowAreRefused) {
  EXPECT_EQ(open(seal(500)), 500U);
  EXPECT_EQ(open(seal(500)), failed(SrtpError::kReplayed));
  EXPECT_EQ(open(seal(400)), 400U);
  EXPECT_EQ(open(seal(400)), failed(SrtpError::kReplayed));
  EXPECT_EQ(open(seal(373)), 373U);                          // 127 behind: the last in the window
  EXPECT_EQ(open(seal(372)), failed(SrtpError::kReplayed));  // 128 behind
  EXPECT_EQ(open(seal(600)), 600U);
  EXPECT_EQ(open(seal(500)), failed(SrtpError::kReplayed));
  EXPECT_EQ(open(seal(501)), 501U);
}

TEST_P(SrtpTest, RtcpReplaysAreRefused) {
  const Buffer first = seal_rtcp();
  const Buffer second = seal_rtcp();
  EXPECT_TRUE(open_rtcp(second));
  EXPECT_TRUE(open_rtcp(first));
  EXPECT_EQ(open_rtcp(first), failed(SrtpError::kReplayed));
  EXPECT_EQ(open_rtcp(second), failed(SrtpError::kReplayed));
}

TEST_P(SrtpTest, RolloverInOrder) {
  for (std::uint64_t index = 65000; index < 3ULL * 65536; index += 100)
    ASSERT_EQ(open(seal(index)), index);
}

TEST_P(SrtpTest, RolloverWithReorderingAndLossAtTheWrap) {
  for (const std::uint64_t wrap : {65536ULL, 2 * 65536ULL, 7 * 65536ULL}) {
    receiver_ = SrtpReceiver(material_of(GetParam().profile));
    for (std::uint64_t before = 40000; before < wrap; before += 20000)
      ASSERT_EQ(open(seal(before)), before);
    ASSERT_EQ(open(seal(wrap - 3)), wrap - 3);
    ASSERT_EQ(open(seal(wrap + 2)), wrap + 2);  // across, ahead of
    ASSERT_EQ(open(seal(wrap - 1)), wrap - 1);  // the one before the wrap
    ASSERT_EQ(open(seal(wrap)), wrap);
    ASSERT_EQ(open(seal(wrap - 2)), wrap - 2);
    ASSERT_EQ(open(seal(wrap - 1)), failed(SrtpError::kReplayed));
    ASSERT_EQ(open(seal(wrap + 1)), wrap + 1);
    ASSERT_EQ(open(seal(wrap + 100)), wrap + 100);
    ASSERT_EQ(open(seal(wrap - 20)), wrap - 20);
    ASSERT_EQ(open(seal(wrap + 30000)), wrap + 30000);
    ASSERT_EQ(open(seal(wrap - 1)), failed(SrtpError::kReplayed));
  }
}

TEST_P(SrtpTest, BeforeTheFirstRolloverThereIsNothing) {
  ASSERT_EQ(open(seal(3)), 3U);
  // 65,533 would be index -3: no counter gives it.
  EXPECT_EQ(open(seal(65533)), failed(SrtpError::kReplayed));
}

TEST_P(SrtpTest, AForgedPacketMovesNoCounter) {
  ASSERT_EQ(open(seal(65500)), 65500U);
  Buffer forged = seal(65536 + 20000);
  forged.back() ^= 1;
  ASSERT_EQ(open(forged), failed(SrtpError::kAuthFailed));
  EXPECT_EQ(open(seal(65501)), 65501U);
  EXPECT_EQ(open(seal(65536)), 65536U);
}

TEST_P(SrtpTest, SourcesAreBoundedAndOnlyAuthenticOnesCount) {
  for (std::uint32_t ssrc = 100; ssrc < 200; ++ssrc) {
    Buffer forged = seal(1, ssrc);
    forged.back() ^= 1;
    EXPECT_EQ(open(forged), failed(SrtpError::kAuthFailed));
  }
  for (std::uint32_t ssrc = 0; ssrc < SrtpReceiver::kMaxSources; ++ssrc) {
    EXPECT_EQ(open(seal(10ULL * ssrc, ssrc)), 10ULL * ssrc);
    EXPECT_TRUE(open_rtcp(seal_rtcp(ssrc)));
  }
  EXPECT_EQ(open(seal(1, 99)), failed(SrtpError::kTooManySources));
  EXPECT_EQ(open_rtcp(seal_rtcp(99)), failed(SrtpError::kTooManySources));
  // The admitted ones go on, each with its own counter.
  for (std::uint32_t ssrc = 0; ssrc < SrtpReceiver::kMaxSources; ++ssrc)
    EXPECT_EQ(open(seal(10ULL * ssrc + 1, ssrc)), 10ULL * ssrc + 1);
}

TEST_P(SrtpTest, TheRolloverCounterIsAuthenticated) {
  ASSERT_EQ(open(seal(10)), 10U);
  EXPECT_EQ(open(seal(65536 + 11)), failed(SrtpError::kAuthFailed));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, SrtpTest,
    ::testing::Values(Way{SrtpProfile::kAeadAes128Gcm, SealingMethod::kIpsecMb},
                      Way{SrtpProfile::kAeadAes128Gcm, SealingMethod::kOpenSsl},
                      Way{SrtpProfile::kAes128CmHmacSha1_80, SealingMethod::kOpenSsl}),
    [](const auto& test) {
      if (test.param.profile == SrtpProfile::kAes128CmHmacSha1_80) return "Cm";
      return test.param.sealing == SealingMethod::kIpsecMb ? "GcmByIpsecMb" : "GcmByOpenSsl";
    });

TEST(SrtpSealing, BothMethodsGiveTheSameBytesInPlaceAndNot) {
  if (!has_ipsec_mb()) GTEST_SKIP() << "no intel-ipsec-mb for this machine";
  base::SeededRandom random(7);
  const auto material = material_of(SrtpProfile::kAeadAes128Gcm, 3);
  const SrtpSender fast(material, SealingMethod::kIpsecMb);
  const SrtpSender plain(material, SealingMethod::kOpenSsl);
  for (std::uint32_t step = 0; step < 3000; ++step) {
    Buffer header = header_of(static_cast<std::uint16_t>(random.next_u32()), random.next_u32());
    const std::size_t more = step % 16;  // CSRCs
    header[0] = static_cast<std::uint8_t>(0x80 | more);
    header.resize(header.size() + 4 * more, 0x5a);
    Buffer payload(step < 300 ? step : random.below(1400));
    random.fill(payload);
    const std::uint64_t index = random.next_u64() & 0xffffffffffff;
    Buffer expected = header;
    expected.resize(header.size() + payload.size() + 16);
    Buffer apart = expected;
    Buffer in_place = expected;
    std::ranges::copy(payload, in_place.begin() + static_cast<std::ptrdiff_t>(header.size()));
    plain.rtp_sealer().seal(expected, header.size(), payload, index);
    fast.rtp_sealer().seal(apart, header.size(), payload, index);
    ASSERT_EQ(apart, expected) << payload.size();
    const Bytes inside = Bytes(in_place).subspan(header.size(), payload.size());
    fast.rtp_sealer().seal(in_place, header.size(), inside, index);
    ASSERT_EQ(in_place, expected) << payload.size();
  }
}

TEST(ReplayWindow, AgreesWithASet) {
  base::SeededRandom random(4);
  ReplayWindow window;
  std::vector<bool> accepted(40000, false);
  std::uint64_t highest = 0;
  for (int step = 0; step < 20000; ++step) {
    const std::uint64_t jump = random.below(50) == 0 ? 300 : 3;
    const std::uint64_t index =
        std::min<std::uint64_t>(highest + random.below(static_cast<std::uint32_t>(jump)),
                                accepted.size() - 1) -
        std::min<std::uint64_t>(highest, random.below(140));
    const bool expected =
        window.empty() || index > highest || (highest - index < 128 && !accepted[index]);
    ASSERT_EQ(window.is_new(index), expected) << index << " after " << highest;
    if (!expected) continue;
    window.accept(index);
    accepted[index] = true;
    highest = std::max(highest, index);
  }
}

}  // namespace
}  // namespace alcove::crypto
