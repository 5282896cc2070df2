#include "crypto/certificate.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

#include <chrono>
#include <utility>

#include "base/text.h"
#include "crypto/certificate_impl.h"
#include "crypto/hash.h"

namespace alcove::crypto {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";
constexpr std::size_t kFingerprintText = 95;  // 32 bytes in hexadecimal, colons between

std::optional<std::uint8_t> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

void set_serial(X509* x509, base::RandomSource& random) {
  std::array<std::uint8_t, 8> bytes = random.bytes<8>();
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0x7f) | 0x40);  // positive, always eight bytes
  BIGNUM* number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
  CHECK(number != nullptr);
  CHECK(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != nullptr);
  BN_free(number);
}

void set_name(X509* x509, base::RandomSource& random) {
  const std::string name = base::to_hex(random.bytes<8>());
  X509_NAME* subject = X509_get_subject_name(x509);
  CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<int>(name.size()), -1, 0) == 1);
  CHECK(X509_set_issuer_name(x509, subject) == 1);
}

void set_validity(X509* x509, base::WallTime now) {
  using std::chrono::days;
  const std::chrono::sys_days today = std::chrono::floor<days>(now);
  const auto seconds_of = [](std::chrono::sys_days day) {
    return static_cast<std::time_t>(
        std::chrono::duration_cast<std::chrono::seconds>(day.time_since_epoch()).count());
  };
  CHECK(ASN1_TIME_set(X509_getm_notBefore(x509), seconds_of(today - days(1))) != nullptr);
  CHECK(ASN1_TIME_set(X509_getm_notAfter(x509), seconds_of(today + days(365))) != nullptr);
}

base::Buffer to_der(X509* x509) {
  const int size = i2d_X509(x509, nullptr);
  CHECK(size > 0);
  base::Buffer der(static_cast<std::size_t>(size));
  unsigned char* out = der.data();
  CHECK(i2d_X509(x509, &out) == size);
  return der;
}

}  // namespace

std::string format_fingerprint(const Fingerprint& fingerprint) {
  std::string text;
  text.reserve(kFingerprintText);
  for (const std::uint8_t byte : fingerprint) {
    if (!text.empty()) text += ':';
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 0x0f];
  }
  return text;
}

std::optional<Fingerprint> parse_fingerprint(std::string_view text) {
  if (text.size() != kFingerprintText) return std::nullopt;
  Fingerprint fingerprint;
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    const std::optional<std::uint8_t> high = hex_value(text[i * 3]);
    const std::optional<std::uint8_t> low = hex_value(text[i * 3 + 1]);
    if (!high || !low || (i > 0 && text[i * 3 - 1] != ':')) return std::nullopt;
    fingerprint[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return fingerprint;
}

Certificate Certificate::generate(base::RandomSource& random, base::WallTime now) {
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_EC_gen("P-256"));
  CHECK(impl->key != nullptr);
  impl->x509.reset(X509_new());
  X509* x509 = impl->x509.get();
  CHECK(x509 != nullptr);
  CHECK(X509_set_version(x509, X509_VERSION_3) == 1);
  set_serial(x509, random);
  set_name(x509, random);
  set_validity(x509, now);
  CHECK(X509_set_pubkey(x509, impl->key.get()) == 1);
  CHECK(X509_sign(x509, impl->key.get(), EVP_sha256()) > 0);
  impl->der = to_der(x509);
  impl->fingerprint = sha256(impl->der);
  return Certificate(std::move(impl));
}

Certificate::Certificate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Certificate::Certificate(Certificate&&) noexcept = default;
Certificate& Certificate::operator=(Certificate&&) noexcept = default;
Certificate::~Certificate() = default;

const Fingerprint& Certificate::fingerprint() const { return impl_->fingerprint; }
std::string Certificate::sha256_fingerprint() const {
  return format_fingerprint(impl_->fingerprint);
}
base::Bytes Certificate::der() const { return impl_->der; }

}  // namespace alcove::crypto
