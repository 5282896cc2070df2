// The SRTP receiver with arbitrary packets. The first byte takes the profile, RTP or RTCP, and
// whether the rest goes in as it is or protected first, so that what follows authentication is
// reached too.

#include <algorithm>

#include "base/bytes.h"
#include "crypto/srtp.h"

namespace {

using alcove::base::Buffer;
using alcove::base::Bytes;
using alcove::base::MutableBytes;
namespace crypto = alcove::crypto;

constexpr std::size_t kHeader = 12;
constexpr std::size_t kRtcpHead = 8;

crypto::SrtpKeyMaterial material_of(bool gcm) {
  crypto::SrtpKeyMaterial material;
  material.profile =
      gcm ? crypto::SrtpProfile::kAeadAes128Gcm : crypto::SrtpProfile::kAes128CmHmacSha1_80;
  material.key.fill(0x11);
  material.salt.fill(0x22);
  return material;
}

struct Pair {
  explicit Pair(bool gcm) : sender(material_of(gcm)), receiver(material_of(gcm)) {}
  crypto::SrtpSender sender;
  crypto::SrtpReceiver receiver;
};

void check_rtp(Pair& pair, Buffer packet, bool protect) {
  if (protect && packet.size() >= kHeader) {
    const Buffer plain = packet;
    packet.resize(plain.size() + crypto::kMaxSrtpOverhead);
    packet.resize(pair.sender.protect_rtp(Bytes(plain).first(kHeader),
                                          Bytes(plain).subspan(kHeader), 0, packet));
  }
  const auto info = pair.receiver.unprotect_rtp(packet);
  if (info) CHECK(info->payload_offset + info->payload_size <= packet.size());
}

void check_rtcp(Pair& pair, Buffer packet, bool protect) {
  if (protect && packet.size() >= kRtcpHead) {
    const Buffer plain = packet;
    packet.resize(plain.size() + crypto::kMaxSrtcpOverhead);
    packet.resize(pair.sender.protect_rtcp(plain, packet));
  }
  const auto size = pair.receiver.unprotect_rtcp(packet);
  if (size) CHECK(*size >= kRtcpHead && *size <= packet.size());
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Pair gcm(true);
  Pair counter_mode(false);
  alcove::base::ByteReader reader(Bytes(data, size));
  while (const auto step = reader.read_u8()) {
    const std::size_t length =
        std::min<std::size_t>(reader.read_u8().value_or(0), reader.remaining());
    const Buffer packet = alcove::base::to_buffer(*reader.read_bytes(length));
    Pair& pair = (*step & 1) != 0 ? gcm : counter_mode;
    const bool protect = (*step & 2) != 0;
    if ((*step & 4) != 0) {
      check_rtcp(pair, packet, protect);
    } else {
      check_rtp(pair, packet, protect);
    }
  }
  return 0;
}
