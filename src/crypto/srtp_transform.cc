#include "crypto/srtp_transform.h"

#include <openssl/evp.h>

#include "base/bytes.h"
#include "crypto/wipe.h"

namespace alcove::crypto {
namespace {

constexpr std::size_t kGcmTag = 16;
constexpr std::size_t kCmTag = 10;  // 80 bits of the HMAC
constexpr std::size_t kIndexWord = 4;
constexpr std::size_t kRtcpHead = 8;  // the first header and SSRC stay clear
constexpr std::uint32_t kEncryptedFlag = 0x80000000;

// Fetched once: a fetch for each of thousands of contexts would take the library's lock each time.
const EVP_CIPHER* cipher_of(SrtpProfile profile) {
  static EVP_CIPHER* const gcm = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  static EVP_CIPHER* const ctr = EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr);
  return profile == SrtpProfile::kAeadAes128Gcm ? gcm : ctr;
}

std::uint32_t load_u32(base::Bytes bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

void store_u32(base::MutableBytes out, std::uint32_t value) {
  out[0] = static_cast<std::uint8_t>(value >> 24);
  out[1] = static_cast<std::uint8_t>(value >> 16);
  out[2] = static_cast<std::uint8_t>(value >> 8);
  out[3] = static_cast<std::uint8_t>(value);
}

int size_of(base::Bytes bytes) { return static_cast<int>(bytes.size()); }

bool add_clear(EVP_CIPHER_CTX* context, base::Bytes bytes) {
  int size = 0;
  return bytes.empty() ||
         EVP_CipherUpdate(context, nullptr, &size, bytes.data(), size_of(bytes)) == 1;
}

bool transform(EVP_CIPHER_CTX* context, base::Bytes data, std::uint8_t* out) {
  int size = 0;
  return data.empty() || EVP_CipherUpdate(context, out, &size, data.data(), size_of(data)) == 1;
}

Sha1Digest rtp_mac(const HmacSha1Key& key, base::Bytes authenticated, std::uint64_t index) {
  std::array<std::uint8_t, 4> rollover;
  store_u32(rollover, static_cast<std::uint32_t>(index >> 16));
  return key.mac({authenticated, rollover});
}

}  // namespace

void SrtpTransform::FreeContext::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

SrtpTransform::SrtpTransform(SrtpProfile profile, const SrtpSessionKeys& keys,
                             SrtpDirection direction, SrtpContext context)
    : profile_(profile),
      direction_(direction),
      kind_(context),
      salt_(keys.salt),
      cipher_key_(keys.cipher_key) {
  if (profile_ == SrtpProfile::kAes128CmHmacSha1_80) auth_ = HmacSha1Key(keys.auth_key);
}

SrtpTransform::~SrtpTransform() { wipe(cipher_key_); }

evp_cipher_ctx_st* SrtpTransform::keyed_context() {
  thread_local std::unique_ptr<evp_cipher_ctx_st, FreeContext> shared;
  std::unique_ptr<evp_cipher_ctx_st, FreeContext>& context =
      kind_ == SrtpContext::kOwn ? context_ : shared;
  const bool is_keyed = context != nullptr && kind_ == SrtpContext::kOwn;
  if (is_keyed) return context.get();
  if (context == nullptr) context.reset(EVP_CIPHER_CTX_new());
  // Counter mode is its own inverse; OpenSSL's set-up of it for decryption does the same.
  const int encrypt = direction_ == SrtpDirection::kSeal ? 1 : 0;
  CHECK(context != nullptr);
  CHECK(EVP_CipherInit_ex(context.get(), cipher_of(profile_), nullptr, cipher_key_.data(), nullptr,
                          encrypt) == 1);
  return context.get();
}

// RFC 3711, section 4.1.1: (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16). RFC 7714,
// sections 8.1 and 9.1: two zero bytes, SSRC, then six bytes of rollover counter and sequence
// number (or two zero bytes and the SRTCP index), XOR salt. So only the place of the SSRC and of
// the index differ.
SrtpIv make_srtp_iv(SrtpProfile profile, const SrtpSalt& salt, std::uint32_t ssrc,
                    std::uint64_t index) {
  const bool gcm = profile == SrtpProfile::kAeadAes128Gcm;
  const std::size_t salt_size = srtp_salt_size(profile);
  const std::size_t ssrc_at = gcm ? 2 : 4;
  SrtpIv iv{};
  std::memcpy(iv.data(), salt.data(), salt_size);
  for (std::size_t i = 0; i < 4; ++i)
    iv[ssrc_at + i] ^= static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
  for (std::size_t i = 0; i < 6; ++i)
    iv[salt_size - 6 + i] ^= static_cast<std::uint8_t>(index >> (40 - 8 * i));
  return iv;
}

void SrtpTransform::apply_counter_mode(const SrtpIv& iv, base::Bytes data, std::uint8_t* out) {
  EVP_CIPHER_CTX* const context = keyed_context();
  CHECK(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, iv.data(), -1) == 1);
  CHECK(transform(context, data, out));
}

void SrtpTransform::seal_gcm(const SrtpIv& iv, base::Bytes head, base::Bytes word, base::Bytes data,
                             std::uint8_t* out, base::MutableBytes tag) {
  EVP_CIPHER_CTX* const context = keyed_context();
  int size = 0;
  CHECK(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, iv.data(), -1) == 1);
  CHECK(add_clear(context, head) && add_clear(context, word) && transform(context, data, out));
  CHECK(EVP_CipherFinal_ex(context, tag.data(), &size) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()),
                            tag.data()) == 1);
}

bool SrtpTransform::open_gcm(const SrtpIv& iv, base::Bytes head, base::Bytes word,
                             base::MutableBytes data, base::Bytes tag) {
  EVP_CIPHER_CTX* const context = keyed_context();
  std::array<std::uint8_t, kGcmTag> expected;  // OpenSSL wants it mutable
  std::memcpy(expected.data(), tag.data(), expected.size());
  std::array<std::uint8_t, kGcmTag> nothing;
  int size = 0;
  CHECK(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, iv.data(), -1) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kGcmTag, expected.data()) == 1);
  CHECK(add_clear(context, head) && add_clear(context, word) &&
        transform(context, data, data.data()));
  return EVP_CipherFinal_ex(context, nothing.data(), &size) == 1;
}

void SrtpTransform::seal_rtp(base::MutableBytes packet, std::size_t header_size,
                             base::Bytes payload, std::uint64_t index) {
  const std::size_t tag_at = header_size + payload.size();
  const SrtpIv iv = make_iv(load_u32(packet.subspan(8)), index);
  std::uint8_t* const out = packet.data() + header_size;
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    seal_gcm(iv, packet.first(header_size), {}, payload, out, packet.subspan(tag_at, kGcmTag));
    return;
  }
  apply_counter_mode(iv, payload, out);
  const Sha1Digest mac = rtp_mac(auth_, packet.first(tag_at), index);
  std::memcpy(packet.data() + tag_at, mac.data(), kCmTag);
}

bool SrtpTransform::open_rtp(base::MutableBytes packet, std::size_t header_size,
                             std::uint64_t index) {
  const std::size_t tag_at = packet.size() - srtp_overhead(profile_);
  const base::MutableBytes payload = packet.subspan(header_size, tag_at - header_size);
  const SrtpIv iv = make_iv(load_u32(packet.subspan(8)), index);
  if (profile_ == SrtpProfile::kAeadAes128Gcm)
    return open_gcm(iv, packet.first(header_size), {}, payload, packet.subspan(tag_at));
  const Sha1Digest mac = rtp_mac(auth_, packet.first(tag_at), index);
  if (!constant_time_equal(base::Bytes(mac).first(kCmTag), packet.subspan(tag_at))) return false;
  apply_counter_mode(iv, payload, payload.data());
  return true;
}

// RFC 7714, section 9.2: the index follows the tag; RFC 3711, section 3.4: it is before the tag.
std::uint32_t SrtpTransform::rtcp_index_word(SrtpProfile profile, base::Bytes packet) {
  const std::size_t from_end =
      profile == SrtpProfile::kAeadAes128Gcm ? kIndexWord : kCmTag + kIndexWord;
  return load_u32(packet.subspan(packet.size() - from_end));
}

void SrtpTransform::seal_rtcp(base::MutableBytes packet, std::uint32_t index) {
  const std::size_t plain_size = packet.size() - srtcp_overhead(profile_);
  const base::MutableBytes data = packet.subspan(kRtcpHead, plain_size - kRtcpHead);
  const SrtpIv iv = make_iv(load_u32(packet.subspan(4)), index);
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    const base::MutableBytes word = packet.subspan(plain_size + kGcmTag);
    store_u32(word, kEncryptedFlag | index);
    seal_gcm(iv, packet.first(kRtcpHead), word, data, data.data(),
             packet.subspan(plain_size, kGcmTag));
    return;
  }
  apply_counter_mode(iv, data, data.data());
  store_u32(packet.subspan(plain_size), kEncryptedFlag | index);
  const Sha1Digest mac = auth_.mac({packet.first(plain_size + kIndexWord)});
  std::memcpy(packet.data() + plain_size + kIndexWord, mac.data(), kCmTag);
}

bool SrtpTransform::open_rtcp(base::MutableBytes packet) {
  const std::size_t plain_size = packet.size() - srtcp_overhead(profile_);
  const base::MutableBytes data = packet.subspan(kRtcpHead, plain_size - kRtcpHead);
  const std::uint32_t index = rtcp_index_word(profile_, packet) & ~kEncryptedFlag;
  const SrtpIv iv = make_iv(load_u32(packet.subspan(4)), index);
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    return open_gcm(iv, packet.first(kRtcpHead), packet.subspan(plain_size + kGcmTag), data,
                    packet.subspan(plain_size, kGcmTag));
  }
  const Sha1Digest mac = auth_.mac({packet.first(plain_size + kIndexWord)});
  const base::Bytes tag = packet.subspan(plain_size + kIndexWord);
  if (!constant_time_equal(base::Bytes(mac).first(kCmTag), tag)) return false;
  apply_counter_mode(iv, data, data.data());
  return true;
}

}  // namespace alcove::crypto
