#include "audit/dtls_srtp_decrypt.h"

#include <algorithm>

#include "crypto/tls_keys.h"

namespace alcove::audit {
namespace {

constexpr std::uint16_t kDtls12 = 0xfefd;
constexpr std::size_t kMaxHello = 4096;  // with post-quantum key shares about 1,800
constexpr std::string_view kExporterLabel = "EXTRACTOR-dtls_srtp";

std::optional<crypto::SrtpProfile> profile_of(std::uint16_t number) {
  switch (number) {
    case 0x0001:
      return crypto::SrtpProfile::kAes128CmHmacSha1_80;
    case 0x0007:
      return crypto::SrtpProfile::kAeadAes128Gcm;
    default:
      return std::nullopt;
  }
}

// Suites whose name ends in SHA384 and which TLS 1.2 has (RFC 5288, 5289).
crypto::TlsHash hash_of(std::uint16_t suite) {
  static constexpr std::array<std::uint16_t, 10> kSha384 = {0x009d, 0x009f, 0x00a1, 0xc024, 0xc026,
                                                            0xc028, 0xc02a, 0xc02c, 0xc02e, 0xc030};
  return std::ranges::find(kSha384, suite) != kSha384.end() ? crypto::TlsHash::kSha384
                                                            : crypto::TlsHash::kSha256;
}

// Certificates and the like are not needed, and would be much to keep.
bool is_small_hello(base::Bytes fragment) {
  base::ByteReader reader(fragment);
  const auto type = reader.read_u8();
  const auto length = reader.read_u24();
  return length && *length <= kMaxHello &&
         (*type == handshake_type::kClientHello || *type == handshake_type::kServerHello);
}

}  // namespace

void DtlsSrtpDecrypt::handle_datagram(Direction direction, base::Bytes datagram) {
  DtlsRecordReader records(datagram);
  while (const auto record = records.next()) {
    if (record->epoch != 0 || record->type != tls_type::kHandshake) continue;
    if (!is_small_hello(record->fragment)) continue;
    // A second handshake on the same flow: new keys.
    if (readers_ == nullptr) {
      if (record->fragment[0] != handshake_type::kClientHello) continue;
      const auto hello = parse_client_hello(
          record->fragment.subspan(std::min<std::size_t>(12, record->fragment.size())), true);
      if (!hello || hello->random == client_random_) continue;
      *this = DtlsSrtpDecrypt();
    }
    DtlsHandshakeReader& reader = readers_->by_direction[static_cast<std::size_t>(direction)];
    reader.feed(record->fragment,
                [&](const HandshakeMessage& message) { handle_message(direction, message); });
    if (has_hellos()) readers_.reset();
  }
}

void DtlsSrtpDecrypt::handle_message(Direction direction, const HandshakeMessage& message) {
  if (message.type == handshake_type::kClientHello) {
    if (const auto hello = parse_client_hello(message.body, true)) {
      client_random_ = hello->random;
      client_ = direction;
    }
  } else if (message.type == handshake_type::kServerHello && client_random_ &&
             direction != client_) {
    const auto hello = parse_server_hello(message.body);
    if (!hello || hello->hello_retry_request) return;
    server_ = {hello->random, hello->version, hello->suite, hello->srtp_profile};
    state_ = State::kNoKeys;
  }
}

void DtlsSrtpDecrypt::find_keys(const KeyLog& keys) {
  if (state_ != State::kNoKeys || looked_at_ == keys.version()) return;
  looked_at_ = keys.version();
  const auto master = keys.find(*client_random_, SecretLabel::kMasterSecret);
  if (!master) {
    // DTLS 1.3 exports from another secret, and hides use_srtp in EncryptedExtensions.
    if (keys.knows(*client_random_)) state_ = State::kUnsupported;
    return;
  }
  const auto profile = server_->profile ? profile_of(*server_->profile) : std::nullopt;
  if (!profile || server_->version != kDtls12) {
    state_ = State::kUnsupported;
    return;
  }
  const std::size_t salt_size = crypto::srtp_salt_size(*profile);
  std::array<std::uint8_t, 64> seed;
  std::ranges::copy(*client_random_, seed.begin());
  std::ranges::copy(server_->random, seed.begin() + 32);
  base::Buffer exported(2 * (crypto::kSrtpKeySize + salt_size));
  crypto::tls12_prf(hash_of(server_->suite), *master, kExporterLabel, seed, exported);
  base::ByteReader reader(exported);
  for (crypto::SrtpKeyMaterial& material : keys_) {
    material.profile = *profile;
    std::ranges::copy(*reader.read_bytes(crypto::kSrtpKeySize), material.key.begin());
  }
  for (crypto::SrtpKeyMaterial& material : keys_)
    std::ranges::copy(*reader.read_bytes(salt_size), material.salt.begin());
  state_ = State::kReady;
}

std::optional<crypto::SrtpKeyMaterial> DtlsSrtpDecrypt::keys_of(Direction direction) const {
  if (state_ != State::kReady) return std::nullopt;
  return keys_[direction == client_ ? 0 : 1];
}

}  // namespace alcove::audit
