#pragma once
// The self-signed certificate of a DTLS endpoint (RFC 8827, section 6.5) and its fingerprint in SDP
// (RFC 8122, section 5).

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/time.h"

namespace alcove::crypto {

// SHA-256 over the DER form of a certificate.
using Fingerprint = std::array<std::uint8_t, 32>;

// "AB:CD:…", upper case, as in a=fingerprint:sha-256 AB:CD:….
std::string format_fingerprint(const Fingerprint& fingerprint);
// The part after "sha-256 "; either case. nullopt unless exactly 32 pairs with colons between.
std::optional<Fingerprint> parse_fingerprint(std::string_view text);

// An ECDSA P-256 key with a certificate for it. DTLS 1.2 sends certificates in the clear, so
// nothing in it lasts: key, common name and serial number are random, the dates are rounded to
// days. The relay makes one a process, a client one a join. About 350 bytes, so that a server's
// flight is one datagram. Immutable; any thread. A moved-from certificate may only be destroyed or
// assigned.
class Certificate {
 public:
  // Valid from the day before now for a year (peers check the fingerprint, not the dates). random
  // makes the name and the number; the key comes from the system's generator.
  static Certificate generate(base::RandomSource& random, base::WallTime now);
  Certificate(Certificate&&) noexcept;
  Certificate& operator=(Certificate&&) noexcept;
  ~Certificate();

  const Fingerprint& fingerprint() const;
  // format_fingerprint(fingerprint()).
  std::string sha256_fingerprint() const;
  base::Bytes der() const;

  // For the other files of src/crypto.
  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit Certificate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace alcove::crypto
