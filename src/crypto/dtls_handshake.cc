#include "crypto/dtls_handshake.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/srtp.h>

#include <string_view>
#include <utility>

#include "crypto/certificate_impl.h"
#include "crypto/dtls_bio.h"
#include "crypto/dtls_records.h"
#include "crypto/hash.h"

namespace alcove::crypto {
namespace {

// Every browser has the first; RSA is for a peer whose own certificate is RSA, never for ours.
constexpr const char* kCipherList =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::string_view kExporterLabel = "EXTRACTOR-dtls_srtp";  // RFC 5764, section 4.2

// Microseconds: an hour, so that OpenSSL's own retransmission never fires.
unsigned int timer_never_fires(SSL* /*ssl*/, unsigned int /*microseconds*/) {
  return 3'600'000'000;
}

// Instead of a chain of authorities: the fingerprint in the SDP is what authenticates the peer (RFC
// 8122). Here rather than after the handshake, so that a wrong peer gets an alert and no keys.
int verify_peer(X509_STORE_CTX* store_context, void* /*argument*/) {
  auto* ssl = static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* handshake = static_cast<DtlsHandshake*>(SSL_get_app_data(ssl));
  if (handshake->check_peer(X509_STORE_CTX_get0_cert(store_context))) {
    X509_STORE_CTX_set_error(store_context, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(store_context, X509_V_ERR_CERT_UNTRUSTED);
  return 0;
}

void log_keys(const SSL* ssl, const char* line) {
  auto* log = static_cast<base::TlsKeyLog*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  log->add_line(line);
}

SslContext make_ssl_context(const Certificate& certificate, DtlsSrtpProfiles profiles,
                            base::TlsKeyLog* key_log) {
  SslContext holder(SSL_CTX_new(DTLS_method()));
  SSL_CTX* context = holder.get();
  CHECK(context != nullptr);
  CHECK(SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_cipher_list(context, kCipherList) == 1);
  CHECK(SSL_CTX_set1_groups_list(context, kGroups) == 1);
  CHECK(SSL_CTX_use_certificate(context, certificate.impl().x509.get()) == 1);
  CHECK(SSL_CTX_use_PrivateKey(context, certificate.impl().key.get()) == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_NO_QUERY_MTU | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_peer, nullptr);
  if (key_log != nullptr) {
    CHECK(SSL_CTX_set_app_data(context, key_log) == 1);
    SSL_CTX_set_keylog_callback(context, log_keys);
  }
  // Returns 0 for success, unlike all others.
  CHECK(SSL_CTX_set_tlsext_use_srtp(context,
                                    profiles == DtlsSrtpProfiles::kCmOnly
                                        ? "SRTP_AES128_CM_SHA1_80"
                                        : "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80") == 0);
  return holder;
}

}  // namespace

DtlsContext::DtlsContext(const Certificate& certificate, DtlsSrtpProfiles profiles,
                         base::TlsKeyLog* key_log)
    : impl_(std::make_unique<Impl>(make_ssl_context(certificate, profiles, key_log))),
      fingerprint_(certificate.fingerprint()) {}
DtlsContext::DtlsContext(DtlsContext&&) noexcept = default;
DtlsContext& DtlsContext::operator=(DtlsContext&&) noexcept = default;
DtlsContext::~DtlsContext() = default;

DtlsHandshake::DtlsHandshake(SSL_CTX* context, DtlsRole role, const Fingerprint& expected)
    : ssl_(SSL_new(context)), role_(role), expected_(expected) {
  SSL* ssl = ssl_.get();
  CHECK(ssl != nullptr);
  SSL_set_app_data(ssl, this);
  CHECK(SSL_set_mtu(ssl, kDtlsMtu) > 0);
  DTLS_set_timer_cb(ssl, timer_never_fires);
  BIO* bio = make_dtls_bio(*this);
  SSL_set_bio(ssl, bio, bio);
  if (role == DtlsRole::kClient) {
    SSL_set_connect_state(ssl);
  } else {
    SSL_set_accept_state(ssl);
  }
}

DtlsHandshake::Step DtlsHandshake::advance(base::Bytes datagram) {
  if (!datagram.empty()) {
    incoming_ = base::to_buffer(datagram);
    // OpenSSL drops a record number that it has seen, even if it had to throw the record away
    // because it came too early (a ChangeCipherSpec before the message ahead of it): a peer that
    // resends its datagrams unchanged would never get through.
    renumber_plaintext_records(*incoming_, next_incoming_number_);
  }
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  Step step;
  if (result == 1) {
    step.progress = Progress::kDone;
    if (SSL_get_selected_srtp_profile(ssl_.get()) == nullptr) {
      SSL_shutdown(ssl_.get());  // tells the peer
      step.progress = Progress::kFailed;
      step.failure = DtlsFailure::kNoProfile;
    }
  } else if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
    step.progress = Progress::kFailed;
    step.failure = failure_of_last_call(result);
  }
  ERR_clear_error();
  incoming_.reset();
  step.datagrams = std::exchange(outgoing_, {});
  return step;
}

DtlsFailure DtlsHandshake::failure_of_last_call(int result) const {
  if (wrong_fingerprint_) return DtlsFailure::kFingerprint;
  const bool got_alert = ERR_GET_REASON(ERR_peek_error()) >= SSL_AD_REASON_OFFSET;
  if (got_alert || SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN)
    return DtlsFailure::kPeerAlert;
  return DtlsFailure::kProtocol;
}

DtlsSession::SrtpKeys DtlsHandshake::export_keys() const {
  const SRTP_PROTECTION_PROFILE* selected = SSL_get_selected_srtp_profile(ssl_.get());
  CHECK(selected != nullptr);
  SrtpKeyMaterial client;
  client.profile = selected->id == SRTP_AEAD_AES_128_GCM ? SrtpProfile::kAeadAes128Gcm
                                                         : SrtpProfile::kAes128CmHmacSha1_80;
  SrtpKeyMaterial server = client;
  // Client's key, server's key, client's salt, server's salt.
  const std::size_t salt_size = srtp_salt_size(client.profile);
  std::array<std::uint8_t, 2 * (kSrtpKeySize + kMaxSrtpSaltSize)> block{};
  CHECK(SSL_export_keying_material(ssl_.get(), block.data(), 2 * (kSrtpKeySize + salt_size),
                                   kExporterLabel.data(), kExporterLabel.size(), nullptr, 0,
                                   0) == 1);
  const std::uint8_t* salts = block.data() + 2 * kSrtpKeySize;
  std::memcpy(client.key.data(), block.data(), kSrtpKeySize);
  std::memcpy(server.key.data(), block.data() + kSrtpKeySize, kSrtpKeySize);
  std::memcpy(client.salt.data(), salts, salt_size);
  std::memcpy(server.salt.data(), salts + salt_size, salt_size);
  OPENSSL_cleanse(block.data(), block.size());
  if (role_ == DtlsRole::kClient) return {.local = client, .remote = server};
  return {.local = server, .remote = client};
}

std::optional<base::Buffer> DtlsHandshake::take_incoming() {
  return std::exchange(incoming_, std::nullopt);
}

void DtlsHandshake::add_outgoing(base::Bytes datagram) {
  outgoing_.push_back(base::to_buffer(datagram));
}

bool DtlsHandshake::check_peer(X509* certificate) {
  Fingerprint actual{};
  unsigned int size = 0;
  wrong_fingerprint_ = certificate == nullptr ||
                       X509_digest(certificate, EVP_sha256(), actual.data(), &size) != 1 ||
                       size != actual.size() || !constant_time_equal(actual, expected_);
  return !wrong_fingerprint_;
}

}  // namespace alcove::crypto
