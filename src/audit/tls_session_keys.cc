#include "audit/tls_session_keys.h"

#include <algorithm>

namespace alcove::audit {
namespace {

using crypto::AeadKind;
using crypto::AeadOpener;
using crypto::TlsHash;

// Records that may be missing in a hole of the capture, as far as their number is sought.
constexpr std::uint64_t kMaxMissing = 256;
constexpr std::uint32_t kMaxSearches = 64;  // of a direction
constexpr std::uint8_t kKeyUpdate = 24;     // RFC 8446, section 4.6.3

using Iv = std::array<std::uint8_t, 12>;

Iv nonce_of(const Iv& iv, std::uint64_t sequence) {
  Iv nonce = iv;
  for (std::size_t i = 0; i < 8; ++i)
    nonce[4 + i] ^= static_cast<std::uint8_t>(sequence >> (56 - 8 * i));
  return nonce;
}

// Calls attempt(sequence) for the expected number, and after a gap for those that may follow. True,
// and sequence is the next one, when one opened.
template <typename Attempt>
bool search(std::uint64_t& sequence, bool after_gap, std::uint32_t& searches, Attempt&& attempt) {
  std::uint64_t last = sequence;
  if (after_gap && searches < kMaxSearches) {
    ++searches;
    last += kMaxMissing;
  }
  for (std::uint64_t candidate = sequence; candidate <= last; ++candidate) {
    if (!attempt(candidate)) continue;
    sequence = candidate + 1;
    return true;
  }
  return false;
}

class Tls13Key {
 public:
  Tls13Key(TlsSuite suite, base::Bytes secret)
      : suite_(suite), secret_(base::to_buffer(secret)), opener_(make_opener()) {}

  bool open(const TlsRecord& record, bool after_gap, base::Buffer& out) {
    if (record.fragment.size() < AeadOpener::kTagSize) return false;
    out.resize(record.fragment.size() - AeadOpener::kTagSize);
    return search(sequence_, after_gap, searches_, [&](std::uint64_t sequence) {
      return opener_.open(nonce_of(iv_, sequence), record.header, record.fragment, out);
    });
  }
  void update() {
    base::Buffer next(secret_.size());
    crypto::tls13_expand_label(suite_.hash, secret_, "traffic upd", {}, next);
    secret_ = std::move(next);
    opener_ = make_opener();
    sequence_ = 0;
  }

 private:
  AeadOpener make_opener() {
    std::array<std::uint8_t, 32> key;
    const auto used = base::MutableBytes(key).first(crypto::aead_key_size(suite_.aead));
    crypto::tls13_expand_label(suite_.hash, secret_, "key", {}, used);
    crypto::tls13_expand_label(suite_.hash, secret_, "iv", {}, iv_);
    return {suite_.aead, used};
  }

  TlsSuite suite_;
  base::Buffer secret_;
  Iv iv_{};
  std::uint64_t sequence_ = 0;
  std::uint32_t searches_ = 0;
  AeadOpener opener_;
};

class Tls13Opener final : public TlsOpener {
 public:
  Tls13Opener(TlsSuite suite, base::Bytes handshake_secret, base::Bytes traffic_secret) {
    if (!handshake_secret.empty()) handshake_.emplace(suite, handshake_secret);
    if (!traffic_secret.empty()) traffic_.emplace(suite, traffic_secret);
  }

  std::optional<OpenedRecord> open(const TlsRecord& record, bool after_gap) override {
    if (record.type != tls_type::kApplicationData) return std::nullopt;
    // The end of the handshake is where its key no longer opens.
    if (handshake_ && handshake_->open(record, after_gap, plaintext_)) return inner();
    if (!traffic_ || !traffic_->open(record, after_gap, plaintext_)) return std::nullopt;
    handshake_.reset();
    const auto opened = inner();
    if (opened && opened->type == tls_type::kHandshake && !opened->content.empty() &&
        opened->content[0] == kKeyUpdate)
      traffic_->update();
    return opened;
  }

 private:
  // TLSInnerPlaintext: content, its type, zeros.
  std::optional<OpenedRecord> inner() const {
    std::size_t size = plaintext_.size();
    while (size != 0 && plaintext_[size - 1] == 0) --size;
    if (size == 0) return std::nullopt;
    return OpenedRecord{plaintext_[size - 1], base::Bytes(plaintext_).first(size - 1)};
  }

  std::optional<Tls13Key> handshake_;
  std::optional<Tls13Key> traffic_;
  base::Buffer plaintext_;
};

class Tls12Opener final : public TlsOpener {
 public:
  Tls12Opener(AeadKind kind, base::Bytes key, base::Bytes iv) : kind_(kind), opener_(kind, key) {
    std::ranges::copy(iv, iv_.begin());
  }

  std::optional<OpenedRecord> open(const TlsRecord& record, bool after_gap) override {
    const bool explicit_nonce = kind_ != AeadKind::kChaCha20Poly1305;
    base::ByteReader reader(record.fragment);
    if (explicit_nonce) {
      const auto part = reader.read_bytes(8);
      if (!part) return std::nullopt;
      std::ranges::copy(*part, iv_.begin() + 4);
    }
    const base::Bytes sealed = reader.rest();
    if (sealed.size() < AeadOpener::kTagSize) return std::nullopt;
    plaintext_.resize(sealed.size() - AeadOpener::kTagSize);
    std::array<std::uint8_t, 13> additional;
    const bool opened = search(sequence_, after_gap, searches_, [&](std::uint64_t sequence) {
      base::ByteWriter writer(additional);
      writer.write_u64(sequence);
      writer.write_bytes(record.header.first(3));
      writer.write_u16(static_cast<std::uint16_t>(plaintext_.size()));
      return opener_.open(explicit_nonce ? iv_ : nonce_of(iv_, sequence), additional, sealed,
                          plaintext_);
    });
    if (!opened) return std::nullopt;
    return OpenedRecord{record.type, plaintext_};
  }

 private:
  AeadKind kind_;
  AeadOpener opener_;
  Iv iv_{};
  std::uint64_t sequence_ = 0;
  std::uint32_t searches_ = 0;
  base::Buffer plaintext_;
};

}  // namespace

std::optional<TlsSuite> tls13_suite(std::uint16_t number) {
  switch (number) {
    case 0x1301:
      return TlsSuite{AeadKind::kAes128Gcm, TlsHash::kSha256};
    case 0x1302:
      return TlsSuite{AeadKind::kAes256Gcm, TlsHash::kSha384};
    case 0x1303:
      return TlsSuite{AeadKind::kChaCha20Poly1305, TlsHash::kSha256};
    default:
      return std::nullopt;
  }
}

std::optional<TlsSuite> tls12_suite(std::uint16_t number) {
  switch (number) {
    case 0x009c:  // RSA
    case 0x009e:  // DHE-RSA
    case 0xc02b:  // ECDHE-ECDSA
    case 0xc02f:  // ECDHE-RSA
      return TlsSuite{AeadKind::kAes128Gcm, TlsHash::kSha256};
    case 0x009d:
    case 0x009f:
    case 0xc02c:
    case 0xc030:
      return TlsSuite{AeadKind::kAes256Gcm, TlsHash::kSha384};
    case 0xcca8:
    case 0xcca9:
    case 0xccaa:
      return TlsSuite{AeadKind::kChaCha20Poly1305, TlsHash::kSha256};
    default:
      return std::nullopt;
  }
}

std::unique_ptr<TlsOpener> make_tls13_opener(TlsSuite suite, base::Bytes handshake_secret,
                                             base::Bytes traffic_secret) {
  return std::make_unique<Tls13Opener>(suite, handshake_secret, traffic_secret);
}

std::unique_ptr<TlsOpener> make_tls12_opener(TlsSuite suite, const Tls12Secrets& secrets,
                                             bool from_client) {
  const std::size_t key_size = crypto::aead_key_size(suite.aead);
  const std::size_t iv_size = suite.aead == AeadKind::kChaCha20Poly1305 ? 12 : 4;
  std::array<std::uint8_t, 64> seed;
  std::ranges::copy(secrets.server, seed.begin());
  std::ranges::copy(secrets.client, seed.begin() + 32);
  base::Buffer block(2 * (key_size + iv_size));
  crypto::tls12_prf(suite.hash, secrets.master, "key expansion", seed, block);
  const base::Bytes bytes(block);
  const std::size_t side = from_client ? 0 : 1;
  return std::make_unique<Tls12Opener>(suite.aead, bytes.subspan(side * key_size, key_size),
                                       bytes.subspan(2 * key_size + side * iv_size, iv_size));
}

}  // namespace alcove::audit
