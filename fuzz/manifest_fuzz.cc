// Manifests and pages of the log from anybody. The first byte says which: a file as it comes, a
// body that is then signed well, or a page whose entries are signed where the log asks for it.

#include <google/protobuf/stubs/logging.h>

#include <cstdlib>

#include "policy/manifest.h"
#include "policy/transparency_log.h"

namespace {

using namespace alcove;

void require(bool condition) {
  if (!condition) std::abort();
}

const crypto::Ed25519PrivateKey& key() {
  static const auto one = crypto::Ed25519PrivateKey::from_seed({1});
  return one;
}

void use(const policy::VerifiedManifest& verified) {
  const v1::Manifest& manifest = verified.manifest;
  require(manifest.endpoints_size() <= 256 && manifest.web_files_size() <= 4096);
  for (const v1::ManifestEndpoint& endpoint : manifest.endpoints()) {
    if (endpoint.purpose() == v1::ManifestEndpoint::PURPOSE_HOUSE && !endpoint.host().empty())
      require(policy::find_house(manifest, endpoint.host()) != nullptr);
    for (const std::string& text : endpoint.addresses()) {
      const auto address = base::IpAddress::parse(text);
      require(address && policy::lists_address(endpoint, *address));
      if (endpoint.ports_size() == 0) continue;
      const base::SocketAddress at{*address, static_cast<std::uint16_t>(endpoint.ports(0))};
      for (const auto transport : {policy::Transport::kUdp, policy::Transport::kTcp})
        if (const auto* found = policy::find_endpoint(manifest, endpoint.purpose(), at, transport))
          require(found->purpose() == endpoint.purpose());
    }
  }
}

void read_page(const std::string& bytes) {
  v1::TransparencyPage page;
  if (!page.ParseFromString(bytes)) return;
  policy::TransparencyLog log;
  for (const v1::SignedTransparencyEntry& entry : page.entries()) {
    const std::uint64_t size = log.head().size;
    if (!log.append(entry)) {
      require(log.head().size == size);
      v1::TransparencyEntry body;
      if (!body.ParseFromString(entry.entry()) || body.summary().size() > 2000) continue;
      const auto made = policy::make_entry(log.head(), body, body.at_ms(), key());
      if (!log.append(made)) continue;
    }
    require(log.head().size == size + 1);
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  google::protobuf::SetLogHandler(nullptr);
  if (size == 0) return 0;
  const base::Bytes rest(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      if (const auto verified = policy::read_manifest(rest)) use(*verified);
      break;
    case 1: {
      v1::Manifest manifest;
      if (!manifest.ParseFromArray(rest.data(), static_cast<int>(rest.size()))) break;
      if (const auto verified = policy::verify_manifest(policy::sign_manifest(manifest, key())))
        use(*verified);
      break;
    }
    default:
      read_page(std::string(base::as_text(rest)));
  }
  return 0;
}
