// Offers from anybody: whatever is accepted is answered, and the answer must parse.

#include <cstdlib>

#include "wire/sdp.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  const auto offer = wire::parse_sdp(base::as_text({data, size}));
  if (!offer) {
    require(!offer.error().text.empty());
    return 0;
  }
  const auto fault = wire::check_offer(*offer);
  const base::Buffer fingerprint(32, 1);
  const std::string text = wire::write_answer(
      *offer, {.session_id = 1,
               .session_version = 1,
               .ice = {"ufrag", "abcdefghijklmnopqrstuv"},
               .fingerprint = fingerprint,
               .candidates = {{.foundation = "1", .component = 1, .priority = 1, .address = {}}},
               .slots = {{1, "a"}, {2, "b"}, {3, "c"}}});
  const auto answer = wire::parse_sdp(text);
  if (!fault) {
    require(answer.has_value());
    require(answer->media.size() == offer->media.size());
  }
  return 0;
}
