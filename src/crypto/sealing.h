#pragma once
// Which library seals SRTP with AES-128-GCM: intel-ipsec-mb, several times as fast where keys are
// many and packets small, or OpenSSL's EVP, which is everywhere. Both give the same bytes. Any
// thread.

#include <cstdint>
#include <string_view>

namespace alcove::crypto {

enum class SealingMethod : std::uint8_t { kAuto, kIpsecMb, kOpenSsl };

// Whether kIpsecMb can be had: built in, the CPU has what it needs, and the library's own test of
// itself has passed.
bool has_ipsec_mb();
// kAuto is kIpsecMb where it can be had; what cannot be had is kOpenSsl.
SealingMethod resolve_sealing(SealingMethod wanted);
// "auto", "ipsec-mb" or "openssl".
std::string_view name(SealingMethod method);

}  // namespace alcove::crypto
