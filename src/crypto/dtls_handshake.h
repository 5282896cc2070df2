#pragma once
// OpenSSL's half of a DTLS handshake: datagrams in, datagrams out, no time. Private to src/crypto.

#include <optional>
#include <vector>

#include "crypto/dtls.h"
#include "crypto/openssl_handles.h"

namespace alcove::crypto {

struct DtlsContext::Impl {
  SslContext ssl_context;
};

// Lives as long as the handshake does. One thread. Its address is known to OpenSSL: it does not
// move.
class DtlsHandshake {
 public:
  DtlsHandshake(SSL_CTX* context, DtlsRole role, const Fingerprint& expected);
  DtlsHandshake(const DtlsHandshake&) = delete;
  DtlsHandshake& operator=(const DtlsHandshake&) = delete;

  enum class Progress : std::uint8_t { kWaiting, kDone, kFailed };
  struct Step {
    Progress progress = Progress::kWaiting;
    DtlsFailure failure = DtlsFailure::kNone;
    // A whole flight, or after a failure an alert; often nothing.
    std::vector<base::Buffer> datagrams;
  };
  // An empty datagram only starts the client.
  Step advance(base::Bytes datagram);

  // After kDone.
  DtlsSession::SrtpKeys export_keys() const;

  // For OpenSSL's callbacks. A read takes the whole datagram, and there is one a step.
  std::optional<base::Buffer> take_incoming();
  void add_outgoing(base::Bytes datagram);
  bool check_peer(X509* certificate);

 private:
  DtlsFailure failure_of_last_call(int result) const;

  Ssl ssl_;
  DtlsRole role_;
  Fingerprint expected_;
  bool wrong_fingerprint_ = false;
  std::optional<base::Buffer> incoming_;
  std::vector<base::Buffer> outgoing_;
  std::uint64_t next_incoming_number_ = 0;
};

}  // namespace alcove::crypto
