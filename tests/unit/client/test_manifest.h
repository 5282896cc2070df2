#pragma once
// A server's signed manifest: its house by a name, and one relay on UDP and TCP.

#include <string>

#include "base/random.h"
#include "client/api.h"
#include "policy/manifest.h"
#include "policy/transparency_log.h"

namespace alcove::client::test {

inline crypto::Ed25519PrivateKey manifest_key(std::uint64_t seed = 90) {
  base::SeededRandom random(seed);
  return crypto::Ed25519PrivateKey::make(random);
}

inline crypto::Sha256Digest manifest_hash(std::uint64_t seed = 90) {
  return policy::manifest_key_hash(manifest_key(seed).public_key());
}

inline v1::ManifestEndpoint& add_endpoint(v1::Manifest& manifest,
                                          v1::ManifestEndpoint::Purpose purpose,
                                          v1::ManifestEndpoint::Protocol protocol,
                                          std::uint32_t port) {
  v1::ManifestEndpoint& endpoint = *manifest.add_endpoints();
  endpoint.set_purpose(purpose);
  endpoint.set_protocol(protocol);
  endpoint.add_ports(port);
  return endpoint;
}

inline v1::Manifest make_manifest(const std::string& host = "localhost",
                                  std::uint32_t port = 8080) {
  v1::Manifest manifest;
  manifest.set_version(1);
  manifest.set_serial(3);
  manifest.set_created_at_ms(1'800'000'000'000);
  manifest.set_software("alcove");
  add_endpoint(manifest, v1::ManifestEndpoint::PURPOSE_HOUSE, v1::ManifestEndpoint::PROTOCOL_TCP,
               port)
      .set_host(host);
  for (const auto protocol :
       {v1::ManifestEndpoint::PROTOCOL_UDP, v1::ManifestEndpoint::PROTOCOL_TCP}) {
    v1::ManifestEndpoint& relay =
        add_endpoint(manifest, v1::ManifestEndpoint::PURPOSE_RELAY, protocol, 7878);
    relay.add_addresses("198.51.100.10");
    relay.add_addresses("2001:db8:de::10");
  }
  return manifest;
}

inline HttpAnswer answer_of(const google::protobuf::MessageLite& message) {
  return {200, std::string(kProtobufType), message.SerializeAsString()};
}

inline HttpAnswer signed_answer(const v1::Manifest& manifest, std::uint64_t key_seed = 90) {
  return answer_of(policy::sign_manifest(manifest, manifest_key(key_seed)));
}

inline policy::VerifiedManifest verified(const v1::Manifest& manifest) {
  return policy::verify_manifest(policy::sign_manifest(manifest, manifest_key())).value();
}

}  // namespace alcove::client::test
