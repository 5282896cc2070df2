// The published test vectors, on the session keys and from the master key.

#include <gtest/gtest.h>

#include "crypto/ipsec_mb/gcm.h"
#include "crypto/srtp.h"
#include "crypto/srtp_transform.h"
#include "vectors.h"

namespace alcove::crypto {
namespace {

using base::Buffer;
using base::Bytes;
using base::MutableBytes;
using base::to_hex;
using testing::Vectors;

constexpr SrtpProfile kGcm = SrtpProfile::kAeadAes128Gcm;
constexpr SrtpProfile kCm = SrtpProfile::kAes128CmHmacSha1_80;
constexpr std::size_t kHeader = 12;

SrtpKeyMaterial master_of(const Vectors& vectors, const std::string& prefix) {
  SrtpKeyMaterial material{.profile = kCm};
  vectors.copy_to(prefix + "master_key", material.key);
  vectors.copy_to(prefix + "master_salt", material.salt);
  return material;
}

TEST(SrtpVectors, Rfc3711Keystream) {
  const Vectors vectors("srtp/rfc3711.txt");
  constexpr std::size_t kKeystream = 1044512;
  SrtpSessionKeys keys;
  vectors.copy_to("keystream_key", keys.cipher_key);
  vectors.copy_to("keystream_salt", keys.salt);
  Buffer packet(kHeader + kKeystream + srtp_overhead(kCm));
  packet[0] = 0x80;
  SrtpTransform(kCm, keys, SrtpDirection::kSeal)
      .seal_rtp(packet, kHeader, Bytes(packet).subspan(kHeader, kKeystream), 0);
  const Bytes keystream = Bytes(packet).subspan(kHeader, kKeystream);
  EXPECT_EQ(to_hex(keystream.first(48)), to_hex(vectors.get("keystream_first")));
  EXPECT_EQ(to_hex(keystream.last(48)), to_hex(vectors.get("keystream_last")));
}

TEST(SrtpVectors, Rfc3711KeyDerivation) {
  const Vectors vectors("srtp/rfc3711.txt");
  const SrtpSessionKeys keys = derive_srtp_keys(master_of(vectors, "derivation_")).rtp;
  EXPECT_EQ(to_hex(keys.cipher_key), to_hex(vectors.get("derivation_cipher_key")));
  EXPECT_EQ(to_hex(keys.salt), to_hex(vectors.get("derivation_cipher_salt")));
  EXPECT_EQ(to_hex(keys.auth_key), to_hex(vectors.get("derivation_auth_key")));
}

SrtpSessionKeys gcm_keys(const Vectors& vectors) {
  SrtpSessionKeys keys;
  vectors.copy_to("session_key", keys.cipher_key);
  vectors.copy_to("session_salt", keys.salt);
  return keys;
}

TEST(SrtpVectors, Rfc7714Rtp) {
  const Vectors vectors("srtp/rfc7714.txt");
  constexpr std::uint64_t kIndex = 0xf17b;
  Buffer packet = vectors.get("rtp_plain");
  packet.resize(packet.size() + srtp_overhead(kGcm));
  const Bytes payload = Bytes(vectors.get("rtp_plain")).subspan(kHeader);
  SrtpTransform(kGcm, gcm_keys(vectors), SrtpDirection::kSeal)
      .seal_rtp(packet, kHeader, payload, kIndex);
  EXPECT_EQ(to_hex(packet), to_hex(vectors.get("rtp_sealed")));
  SrtpTransform open(kGcm, gcm_keys(vectors), SrtpDirection::kOpen);
  ASSERT_TRUE(open.open_rtp(packet, kHeader, kIndex));
  packet.resize(packet.size() - srtp_overhead(kGcm));
  EXPECT_EQ(to_hex(packet), to_hex(vectors.get("rtp_plain")));
}

TEST(SrtpVectors, Rfc7714Rtcp) {
  const Vectors vectors("srtp/rfc7714.txt");
  Buffer packet = vectors.get("rtcp_plain");
  packet.resize(packet.size() + srtcp_overhead(kGcm));
  SrtpTransform(kGcm, gcm_keys(vectors), SrtpDirection::kSeal).seal_rtcp(packet, 0x5d4);
  EXPECT_EQ(to_hex(packet), to_hex(vectors.get("rtcp_sealed")));
  SrtpTransform open(kGcm, gcm_keys(vectors), SrtpDirection::kOpen);
  ASSERT_TRUE(open.open_rtcp(packet));
  packet.resize(packet.size() - srtcp_overhead(kGcm));
  EXPECT_EQ(to_hex(packet), to_hex(vectors.get("rtcp_plain")));
}

TEST(SrtpVectors, Rfc7714RtpByIpsecMb) {
  if (!ipsec_mb::is_available()) GTEST_SKIP() << "no intel-ipsec-mb for this machine";
  const Vectors vectors("srtp/rfc7714.txt");
  Buffer packet = vectors.get("rtp_plain");
  const Bytes payload = Bytes(vectors.get("rtp_plain")).subspan(kHeader);
  packet.resize(packet.size() + srtp_overhead(kGcm));
  const SrtpSessionKeys keys = gcm_keys(vectors);
  const SrtpIv iv = make_srtp_iv(kGcm, keys.salt, 0x5501a0b2, 0xf17b);
  std::array<std::uint8_t, 12> short_iv;
  std::memcpy(short_iv.data(), iv.data(), short_iv.size());
  ipsec_mb::seal(ipsec_mb::GcmKey(keys.cipher_key), short_iv, Bytes(packet).first(kHeader), payload,
                 packet.data() + kHeader);
  EXPECT_EQ(to_hex(packet), to_hex(vectors.get("rtp_sealed")));
}

class SrtpSealingTest : public ::testing::TestWithParam<SealingMethod> {};
INSTANTIATE_TEST_SUITE_P(Methods, SrtpSealingTest,
                         ::testing::Values(SealingMethod::kIpsecMb, SealingMethod::kOpenSsl),
                         [](const auto& test) {
                           return test.param == SealingMethod::kIpsecMb ? "IpsecMb" : "OpenSsl";
                         });

TEST_P(SrtpSealingTest, WholePacketsFromTheMasterKey) {
  if (resolve_sealing(GetParam()) != GetParam()) GTEST_SKIP() << "not on this machine";
  const Vectors vectors("srtp/whole_packets.txt");
  const SrtpKeyMaterial material = master_of(vectors, "");
  SrtpSender sender(material, GetParam());
  SrtpReceiver receiver(material);
  std::array<std::uint8_t, 200> out{};

  const Buffer& rtp = vectors.get("rtp_plain");
  const std::size_t rtp_size =
      sender.protect_rtp(Bytes(rtp).first(kHeader), Bytes(rtp).subspan(kHeader), 0, out);
  EXPECT_EQ(to_hex(Bytes(out).first(rtp_size)), to_hex(vectors.get("rtp_sealed")));
  ASSERT_TRUE(receiver.unprotect_rtp(MutableBytes(out).first(rtp_size)));
  EXPECT_EQ(to_hex(Bytes(out).first(rtp.size())), to_hex(rtp));

  const Buffer& rtcp = vectors.get("rtcp_plain");
  const std::size_t rtcp_size = sender.protect_rtcp(rtcp, out);
  EXPECT_EQ(to_hex(Bytes(out).first(rtcp_size)), to_hex(vectors.get("rtcp_sealed")));
  ASSERT_EQ(receiver.unprotect_rtcp(MutableBytes(out).first(rtcp_size)), rtcp.size());
  EXPECT_EQ(to_hex(Bytes(out).first(rtcp.size())), to_hex(rtcp));
}

}  // namespace
}  // namespace alcove::crypto
