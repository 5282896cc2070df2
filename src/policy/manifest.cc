#include "policy/manifest.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "base/text.h"
#include "policy/manifest_bounds.h"

namespace alcove::policy {
namespace {

using base::ErrorCode;

constexpr std::string_view kContext = "alcove manifest v1";

std::string signed_bytes(std::string_view manifest) {
  std::string bytes(kContext);
  bytes.push_back('\0');
  bytes += manifest;
  return bytes;
}

template <typename Array>
bool copy_to(Array& target, const std::string& field) {
  if (field.size() != target.size()) return false;
  std::ranges::copy(base::as_bytes(field), target.begin());
  return true;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

v1::ManifestEndpoint::Protocol to_proto(Transport transport) {
  return transport == Transport::kUdp ? v1::ManifestEndpoint::PROTOCOL_UDP
                                      : v1::ManifestEndpoint::PROTOCOL_TCP;
}

bool has_address(const v1::ManifestEndpoint& endpoint, const base::IpAddress& address) {
  return std::ranges::any_of(endpoint.addresses(), [&](const std::string& text) {
    return base::IpAddress::parse(text) == address;
  });
}

bool parse_json(std::string_view text, v1::SignedManifest& manifest) {
  if (!base::is_utf8(text)) return false;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  return google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &manifest, options)
      .ok();
}

}  // namespace

crypto::Sha256Digest manifest_key_hash(const crypto::Ed25519PublicKey& key) {
  return crypto::sha256(key);
}

v1::SignedManifest sign_manifest(const v1::Manifest& manifest,
                                 const crypto::Ed25519PrivateKey& key) {
  v1::SignedManifest result;
  result.set_manifest(manifest.SerializeAsString());
  result.set_key(std::string(base::as_text(key.public_key())));
  result.set_signature(
      std::string(base::as_text(key.sign(base::as_bytes(signed_bytes(result.manifest()))))));
  return result;
}

base::Result<VerifiedManifest> verify_manifest(const v1::SignedManifest& manifest) {
  const auto bad = [](std::string_view why) {
    return base::fail(ErrorCode::kInvalidArgument,
                      fmt::format("The manifest is not valid: {}.", why));
  };
  VerifiedManifest result;
  crypto::Ed25519Signature signature{};
  if (manifest.manifest().size() > kMaxManifest) return bad("it is larger than 1 MiB");
  if (!copy_to(result.key, manifest.key())) return bad("its key has not 32 bytes");
  if (!copy_to(signature, manifest.signature())) return bad("its signature has not 64 bytes");
  if (!crypto::ed25519_verify(result.key, base::as_bytes(signed_bytes(manifest.manifest())),
                              signature))
    return bad("its signature does not fit: it was changed, or signed with another key");
  if (!result.manifest.ParseFromString(manifest.manifest()))
    return bad("what is signed is not a manifest");
  if (const std::string_view fault = find_fault(result.manifest); !fault.empty()) return bad(fault);
  result.sha256 = crypto::sha256(base::as_bytes(manifest.manifest()));
  return result;
}

base::Result<VerifiedManifest> read_manifest(base::Bytes file) {
  // JSON has a third more in base64, and the key and the signature.
  if (file.size() > kMaxManifest / 2 * 3)
    return base::fail(ErrorCode::kInvalidArgument, "The manifest is larger than 1 MiB.");
  const std::string_view text = base::as_text(file);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  v1::SignedManifest manifest;
  // A field of protobuf may begin with a line feed, and never with a brace.
  const bool maybe_json = first != std::string_view::npos && text[first] == '{';
  const bool parsed = (maybe_json && parse_json(text, manifest)) ||
                      manifest.ParseFromArray(file.data(), static_cast<int>(file.size()));
  if (!parsed || manifest.manifest().empty())
    return base::fail(ErrorCode::kInvalidArgument,
                      "This is not a signed manifest, neither as JSON nor as protobuf.");
  return verify_manifest(manifest);
}

const v1::ManifestEndpoint* find_endpoint(const v1::Manifest& manifest,
                                          v1::ManifestEndpoint::Purpose purpose,
                                          const base::SocketAddress& address, Transport transport) {
  for (const v1::ManifestEndpoint& endpoint : manifest.endpoints())
    if (endpoint.purpose() == purpose && endpoint.protocol() == to_proto(transport) &&
        std::ranges::find(endpoint.ports(), address.port) != endpoint.ports().end() &&
        has_address(endpoint, address.ip))
      return &endpoint;
  return nullptr;
}

const v1::ManifestEndpoint* find_house(const v1::Manifest& manifest, std::string_view host) {
  const auto literal = base::IpAddress::parse(host);
  const std::string name = lower(host.ends_with('.') ? host.substr(0, host.size() - 1) : host);
  for (const v1::ManifestEndpoint& endpoint : manifest.endpoints()) {
    if (endpoint.purpose() != v1::ManifestEndpoint::PURPOSE_HOUSE) continue;
    const bool listed = literal ? has_address(endpoint, *literal) ||
                                      base::IpAddress::parse(endpoint.host()) == literal
                                : !name.empty() && endpoint.host() == name;
    if (listed) return &endpoint;
  }
  return nullptr;
}

bool lists_address(const v1::ManifestEndpoint& endpoint, const base::IpAddress& address) {
  if (endpoint.addresses_size() != 0) return has_address(endpoint, address);
  const auto literal = base::IpAddress::parse(endpoint.host());
  return !literal || *literal == address;
}

}  // namespace alcove::policy
