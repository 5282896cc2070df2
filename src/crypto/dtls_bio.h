#pragma once
// A BIO of datagrams: one write is one datagram, and a read gives one (a memory BIO loses the
// boundaries). Private to src/crypto.

#include <openssl/bio.h>

namespace alcove::crypto {

class DtlsHandshake;

inline constexpr int kDtlsMtu = 1200;  // of UDP payload: fits every path that WebRTC runs on

// A new BIO for handshake, which must outlive it.
BIO* make_dtls_bio(DtlsHandshake& handshake);

}  // namespace alcove::crypto
