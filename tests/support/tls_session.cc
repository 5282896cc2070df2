#include "support/tls_session.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/check.h"

namespace alcove::test {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Free<SSL_free>>;

void use_own_certificate(SSL_CTX* context) {
  const std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, Free<X509_free>> certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  CHECK(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  CHECK(SSL_CTX_use_certificate(context, certificate.get()) == 1);
  CHECK(SSL_CTX_use_PrivateKey(context, key.get()) == 1);
}

// Both ends, joined by memory.
class Pair {
 public:
  Pair(const SSL_METHOD* method, int version, const std::string& suite, const char* srtp)
      : client_context_(SSL_CTX_new(method)), server_context_(SSL_CTX_new(method)) {
    use_own_certificate(server_context_.get());
    for (SSL_CTX* context : {client_context_.get(), server_context_.get()}) {
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
      SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
      if (!suite.empty() && version == TLS1_3_VERSION)
        CHECK(SSL_CTX_set_ciphersuites(context, suite.c_str()) == 1);
      else if (!suite.empty())
        CHECK(SSL_CTX_set_cipher_list(context, suite.c_str()) == 1);
      if (srtp != nullptr) CHECK(SSL_CTX_set_tlsext_use_srtp(context, srtp) == 0);
    }
    SSL_CTX_set_keylog_callback(client_context_.get(), [](const SSL* ssl, const char* line) {
      static_cast<Pair*>(SSL_get_app_data(ssl))->key_log.append(line).append("\n");
    });
    client.reset(SSL_new(client_context_.get()));
    server.reset(SSL_new(server_context_.get()));
    for (SSL* ssl : {client.get(), server.get()}) {
      SSL_set_app_data(ssl, this);
      SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
      SSL_set_mtu(ssl, 1200);
    }
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
  }

  void handshake() {
    for (int i = 0;
         i < 20 && (!SSL_is_init_finished(client.get()) || !SSL_is_init_finished(server.get()));
         ++i) {
      SSL_do_handshake(client.get());
      move(true);
      SSL_do_handshake(server.get());
      move(false);
    }
    CHECK(SSL_is_init_finished(client.get()) && SSL_is_init_finished(server.get()));
  }
  void send(bool from_client, const std::string& text) {
    SSL* const sender = from_client ? client.get() : server.get();
    SSL* const receiver = from_client ? server.get() : client.get();
    CHECK(SSL_write(sender, text.data(), static_cast<int>(text.size())) ==
          static_cast<int>(text.size()));
    move(from_client);
    std::string got(text.size(), '\0');
    CHECK(SSL_read(receiver, got.data(), static_cast<int>(got.size())) ==
          static_cast<int>(got.size()));
    move(!from_client);
  }

  Session client, server;
  std::vector<WireBytes> wire;
  std::string key_log;

 private:
  void move(bool from_client) {
    BIO* const out = SSL_get_wbio(from_client ? client.get() : server.get());
    BIO* const in = SSL_get_rbio(from_client ? server.get() : client.get());
    std::array<std::uint8_t, 32768> bytes;
    const int size = BIO_read(out, bytes.data(), bytes.size());
    if (size <= 0) return;
    wire.push_back({from_client, {bytes.begin(), bytes.begin() + size}});
    BIO_write(in, bytes.data(), size);
  }

  Context client_context_, server_context_;
};

}  // namespace

TlsTranscript tls_session(const TlsSettings& settings, const std::vector<std::string>& messages) {
  Pair pair(TLS_method(), settings.version_13 ? TLS1_3_VERSION : TLS1_2_VERSION, settings.suite,
            nullptr);
  pair.handshake();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (settings.key_update && i == 2)
      CHECK(SSL_key_update(pair.client.get(), SSL_KEY_UPDATE_REQUESTED) == 1);
    pair.send(i % 2 == 0, messages[i]);
  }
  return {pair.wire, pair.key_log};
}

DtlsTranscript dtls_session(const std::string& profile, const std::string& suite) {
  Pair pair(DTLS_method(), DTLS1_2_VERSION, suite, profile.c_str());
  pair.handshake();
  DtlsTranscript out{pair.wire, pair.key_log, {}, {}};
  const bool gcm = profile == "SRTP_AEAD_AES_128_GCM";
  if (!gcm && profile != "SRTP_AES128_CM_SHA1_80") return out;
  const std::size_t salt = gcm ? 12 : 14;
  base::Buffer exported(2 * (16 + salt));
  constexpr std::string_view kLabel = "EXTRACTOR-dtls_srtp";
  CHECK(SSL_export_keying_material(pair.client.get(), exported.data(), exported.size(),
                                   kLabel.data(), kLabel.size(), nullptr, 0, 0) == 1);
  auto at = exported.begin();
  for (crypto::SrtpKeyMaterial* material : {&out.client, &out.server}) {
    material->profile =
        gcm ? crypto::SrtpProfile::kAeadAes128Gcm : crypto::SrtpProfile::kAes128CmHmacSha1_80;
    std::copy_n(at, 16, material->key.begin());
    at += 16;
  }
  for (crypto::SrtpKeyMaterial* material : {&out.client, &out.server}) {
    std::copy_n(at, salt, material->salt.begin());
    at += static_cast<std::ptrdiff_t>(salt);
  }
  return out;
}

}  // namespace alcove::test
