#pragma once
// TLS and DTLS sessions of OpenSSL with both ends in this process, for tests: what goes over the
// wire, in order, and the key log.

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/srtp.h"

namespace alcove::test {

struct WireBytes {
  bool from_client = false;
  base::Buffer bytes;  // of TLS a piece of the stream, of DTLS one datagram
};

struct TlsTranscript {
  std::vector<WireBytes> wire;
  std::string key_log;
};

struct TlsSettings {
  bool version_13 = true;
  std::string suite;        // OpenSSL's name; empty for its own choice
  bool key_update = false;  // before the client's second message (TLS 1.3)
};
// A handshake, then each message as one record, client and server in turn.
TlsTranscript tls_session(const TlsSettings& settings, const std::vector<std::string>& messages);

struct DtlsTranscript {
  std::vector<WireBytes> wire;
  std::string key_log;
  crypto::SrtpKeyMaterial client;  // protects what the client sends
  crypto::SrtpKeyMaterial server;
};
// profile: "SRTP_AEAD_AES_128_GCM" or "SRTP_AES128_CM_SHA1_80"; others give no key material.
DtlsTranscript dtls_session(const std::string& profile, const std::string& suite = "");

}  // namespace alcove::test
