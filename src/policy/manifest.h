#pragma once
// The signed manifest: which endpoints a client of a server may contact (docs/protocol/manifest.md,
// proto/alcove/v1/manifest.proto). Parsing bounds everything: at most 1 MiB, 256 endpoints of 64
// addresses and 64 ports, 4,096 web files. Any thread.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "alcove/v1/manifest.pb.h"
#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "policy/decide.h"

namespace alcove::policy {

inline constexpr std::size_t kMaxManifest = 1 << 20;

// What the link's genesis pins: SHA-256 of the 32 bytes of the key.
crypto::Sha256Digest manifest_key_hash(const crypto::Ed25519PublicKey& key);

v1::SignedManifest sign_manifest(const v1::Manifest& manifest,
                                 const crypto::Ed25519PrivateKey& key);

// A manifest whose signature and bounds hold. The error says which does not.
struct VerifiedManifest {
  v1::Manifest manifest;
  crypto::Ed25519PublicKey key{};
  crypto::Sha256Digest sha256{};  // of the signed bytes
};
base::Result<VerifiedManifest> verify_manifest(const v1::SignedManifest& manifest);
// A file or an HTTP body: JSON in protobuf's mapping, or protobuf.
base::Result<VerifiedManifest> read_manifest(base::Bytes file);

enum class Transport : std::uint8_t { kUdp, kTcp };
// Null when no endpoint of the purpose lists exactly this address, port and protocol.
const v1::ManifestEndpoint* find_endpoint(const v1::Manifest& manifest,
                                          v1::ManifestEndpoint::Purpose purpose,
                                          const base::SocketAddress& address, Transport transport);
// The house endpoint that lists this host (a name, or a literal without brackets); null: none.
const v1::ManifestEndpoint* find_house(const v1::Manifest& manifest, std::string_view host);
// Whether that endpoint allows the address its name resolved to.
bool lists_address(const v1::ManifestEndpoint& endpoint, const base::IpAddress& address);

// Why an endpoint of the manifest is against a policy: the first denied address, or nullopt.
std::optional<Decision> first_denied(const v1::ManifestEndpoint& endpoint, const Policy& policy,
                                     const GeoDatabase& database);

}  // namespace alcove::policy
