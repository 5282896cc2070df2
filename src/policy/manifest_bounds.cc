#include "policy/manifest_bounds.h"

#include <algorithm>

#include "base/address.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace alcove::policy {
namespace {

constexpr int kMaxEndpoints = 256;
constexpr int kMaxAddresses = 64;
constexpr int kMaxPorts = 64;
constexpr int kMaxWebFiles = 4096;
constexpr std::size_t kMaxHost = 253;  // RFC 1035, section 2.3.4, without the last dot
constexpr std::size_t kMaxOwner = 256;
constexpr std::size_t kMaxPolicy = 256 << 10;
constexpr std::size_t kMaxWebPath = 1024;
constexpr std::size_t kMaxName = 256;
constexpr std::int64_t kMaxTimeMs = 253402300799999;  // the year 9999: shown, never reckoned with

bool is_text(std::string_view text, std::size_t longest) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return text.size() <= longest && base::is_utf8(text) && std::ranges::none_of(text, is_control);
}

bool is_country(std::string_view code) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  return code.empty() || (code.size() == 2 && std::ranges::all_of(code, is_upper));
}

bool is_hash(std::string_view bytes) { return bytes.size() == sizeof(crypto::Sha256Digest); }

// A name in lower case, or a literal.
bool is_host(std::string_view host) {
  if (base::IpAddress::parse(host)) return true;
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return host.size() <= kMaxHost && !host.starts_with('.') && !host.ends_with('.') &&
         host.find("..") == std::string_view::npos && std::ranges::all_of(host, is_plain);
}

std::string_view find_fault(const v1::ManifestEndpoint& endpoint) {
  if (endpoint.addresses_size() > kMaxAddresses) return "an endpoint has more than 64 addresses";
  if (endpoint.ports_size() > kMaxPorts) return "an endpoint has more than 64 ports";
  if (endpoint.host().empty() && endpoint.addresses_size() == 0)
    return "an endpoint has neither a host nor an address";
  if (!endpoint.host().empty() && !is_host(endpoint.host()))
    return "an endpoint's host is not a name in lower case";
  for (const std::string& address : endpoint.addresses())
    if (!base::IpAddress::parse(address)) return "an endpoint's address is not a literal";
  for (const std::uint32_t port : endpoint.ports())
    if (port == 0 || port > 65'535) return "an endpoint's port is not from 1 to 65535";
  if (!is_country(endpoint.country()) || !is_country(endpoint.owner_country()))
    return "a country is not two capital letters";
  if (!is_text(endpoint.owner(), kMaxOwner)) return "an owner is too long or not plain text";
  return {};
}

}  // namespace

std::string_view find_fault(const v1::Manifest& manifest) {
  if (manifest.version() != 1) return "it has a version that is not known here";
  if (manifest.created_at_ms() < 0) return "it was made before 1970";
  if (manifest.created_at_ms() > kMaxTimeMs) return "it was made after the year 9999";
  if (manifest.endpoints_size() > kMaxEndpoints) return "it has more than 256 endpoints";
  if (manifest.web_files_size() > kMaxWebFiles) return "it has more than 4096 web files";
  if (manifest.policy_toml().size() > kMaxPolicy) return "its policy is longer than 256 KiB";
  if (!is_text(manifest.software(), kMaxName)) return "its software is not a plain name";
  const v1::GeoDatabaseId& database = manifest.database();
  if (!is_text(database.name(), kMaxName * 16) || !is_text(database.date(), kMaxName) ||
      (!database.sha256().empty() && !is_hash(database.sha256())))
    return "its database is not a name, a date and a hash";
  for (const v1::ManifestEndpoint& endpoint : manifest.endpoints())
    if (const std::string_view fault = find_fault(endpoint); !fault.empty()) return fault;
  for (const v1::WebFile& file : manifest.web_files())
    if (!file.path().starts_with('/') || !is_text(file.path(), kMaxWebPath) ||
        !is_hash(file.sha256()))
      return "a web file has no path or no hash";
  return {};
}

}  // namespace alcove::policy
