#pragma once
// DTLS 1.2 (RFC 6347) for SRTP keys alone (RFC 5764), sans-IO.
//
// Where this differs from OpenSSL's own ways, and why:
// - No DTLSv1_listen and no cookie: browsers' ClientHello comes in two datagrams, which it cannot
// take,
//   and an authenticated STUN check has already shown that the address is the peer's. So pass
//   datagrams in only from an address that such a check came from.
// - OpenSSL's retransmission timer reads the system's clock and its server does not answer a
// repeated
//   ClientHello. It is switched off; the datagrams of the last flight are kept here and sent again
//   when the peer repeats itself or after 50 ms, doubling to 1.6 s, on the caller's clock.
//   Plaintext records get new sequence numbers then (RFC 6347, section 4.1), or a peer that could
//   not use them in the first order would drop them as replays; encrypted ones are sent unchanged.
// - After the handshake the SSL (75 KB) is freed: nothing but SRTP follows. Later alerts cannot be
// read;
//   that a peer left is known from signalling and consent.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "base/tls_key_log.h"
#include "crypto/certificate.h"
#include "crypto/srtp.h"

namespace alcove::crypto {

enum class DtlsRole : std::uint8_t { kClient, kServer };

// Which SRTP profiles are offered or accepted. The server's order decides.
enum class DtlsSrtpProfiles : std::uint8_t {
  kGcmThenCm,  // what Alcove uses
  kCmOnly,     // a peer without AEAD, for tests and interoperability
};

// What all sessions with one certificate share (an SSL_CTX). Immutable; any thread; must outlive
// the sessions that are still handshaking.
class DtlsContext {
 public:
  // key_log: is told each session's secrets, for audits of one's own traffic; outlives the sessions
  // and is called on their threads. Null: none.
  explicit DtlsContext(const Certificate& certificate,
                       DtlsSrtpProfiles profiles = DtlsSrtpProfiles::kGcmThenCm,
                       base::TlsKeyLog* key_log = nullptr);
  DtlsContext(DtlsContext&&) noexcept;
  DtlsContext& operator=(DtlsContext&&) noexcept;
  ~DtlsContext();

  const Fingerprint& fingerprint() const { return fingerprint_; }

  // For dtls.cc.
  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
  Fingerprint fingerprint_;
};

enum class DtlsState : std::uint8_t { kHandshaking, kConnected, kFailed };

enum class DtlsFailure : std::uint8_t {
  kNone,
  kTimeout,      // no handshake within 30 s of its first datagram
  kFingerprint,  // the peer's certificate is not the one its SDP named
  kNoProfile,    // the peer offers no SRTP profile of ours
  kPeerAlert,    // the peer gave up
  kProtocol,     // anything else that OpenSSL refuses
};

// One handshake. One thread. After every call that takes `now`, send take_outgoing() and ask for
// next_deadline() again. Small: OpenSSL's state exists from the first datagram to the end of the
// handshake only.
class DtlsSession {
 public:
  // expected: the fingerprint from the peer's SDP. A peer with another certificate gets an alert,
  // before any key exists. The server waits for the peer; the client's first flight is start().
  DtlsSession(const DtlsContext& context, DtlsRole role, const Fingerprint& expected);
  DtlsSession(DtlsSession&&) noexcept;
  DtlsSession& operator=(DtlsSession&&) noexcept;
  ~DtlsSession();

  // The client's first flight; once. CHECKs the role.
  void start(base::Instant now);
  // Any bytes, in any state: what is not DTLS or comes too late is ignored.
  void handle_datagram(base::Instant now, base::Bytes datagram);
  // To be called at next_deadline(); earlier is harmless.
  void handle_timeout(base::Instant now);
  // kNever when there is nothing to wait for.
  base::Instant next_deadline() const;

  // Datagrams of at most 1,200 bytes, in the order of sending; each is handed out once.
  std::vector<base::Buffer> take_outgoing();

  DtlsState state() const;
  DtlsFailure failure() const;  // kNone unless kFailed
  // Valid in kConnected (CHECK): local protects what this side sends, remote opens what it
  // receives.
  struct SrtpKeys {
    SrtpKeyMaterial local;
    SrtpKeyMaterial remote;
  };
  const SrtpKeys& srtp_keys() const;

  // The first authentic SRTP or SRTCP packet of the peer shows that it has the server's last
  // flight, which is kept for a peer that repeats itself until then, 60 s at most. Cheap to call
  // for each.
  void confirm_peer_received();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace alcove::crypto
