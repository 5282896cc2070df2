// Answers of a server that would send its clients elsewhere: of what the guard lets pass, whatever
// the WebRTC peer takes as a candidate is listed. And the file of known servers.

#include <cstdlib>

#include "client/known_servers.h"
#include "client/manifest_guard.h"
#include "unit/client/test_manifest.h"
#include "wire/sdp.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  static client::ManifestGuard& guard = *[] {
    auto* made = new client::ManifestGuard({false, "localhost", 8080});
    if (!made->accept(client::test::verified(client::test::make_manifest()))) std::abort();
    return made;
  }();
  const std::string_view text = base::as_text({data, size});
  const base::Result<void> allowed = guard.check_answer(text);
  if (!allowed) require(!allowed.error().message.empty() && allowed.error().message.size() < 1000);
  const auto answer = wire::parse_sdp(text);
  if (allowed && answer)
    for (const wire::SdpMedia& media : answer->media)
      for (const wire::IceCandidate& candidate : media.candidates)
        require(guard.check({candidate.address, candidate.protocol, {}}).has_value());
  const client::KnownServers servers = client::KnownServers::parse(text);
  require(client::KnownServers::parse(servers.text()).text() == servers.text());
  return 0;
}
