#pragma once
// Records of one direction of a TLS session, opened with secrets of a key log: TLS 1.3 (RFC 8446,
// section 5.2) and the AEAD suites of TLS 1.2 (RFC 5246, 6.2.3.3; RFC 5288, RFC 7905). One thread.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "audit/key_log.h"
#include "audit/tls_hello.h"
#include "audit/tls_records.h"
#include "crypto/aead.h"
#include "crypto/tls_keys.h"

namespace alcove::audit {

struct TlsSuite {
  crypto::AeadKind aead = crypto::AeadKind::kAes128Gcm;
  crypto::TlsHash hash = crypto::TlsHash::kSha256;
};
// nullopt for suites that are not opened: CBC, CCM and others.
std::optional<TlsSuite> tls13_suite(std::uint16_t number);
std::optional<TlsSuite> tls12_suite(std::uint16_t number);

struct OpenedRecord {
  std::uint8_t type = 0;  // the inner one
  base::Bytes content;    // valid until the next call
};

class TlsOpener {
 public:
  virtual ~TlsOpener() = default;
  // nullopt when it does not open. after_gap: records before it may be missing.
  virtual std::optional<OpenedRecord> open(const TlsRecord& record, bool after_gap) = 0;
};

// Either secret may be missing; empty spans then. Moves from the handshake's key to the traffic's
// by itself, and on at key updates.
std::unique_ptr<TlsOpener> make_tls13_opener(TlsSuite suite, base::Bytes handshake_secret,
                                             base::Bytes traffic_secret);

struct Tls12Secrets {
  base::Bytes master;
  HelloRandom client{};
  HelloRandom server{};
};
// To be asked for the records after the direction's ChangeCipherSpec.
std::unique_ptr<TlsOpener> make_tls12_opener(TlsSuite suite, const Tls12Secrets& secrets,
                                             bool from_client);

}  // namespace alcove::audit
