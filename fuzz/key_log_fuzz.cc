// Key logs from anywhere: what is found is what a line said, and nothing grows without bound.

#include <cstdlib>

#include "audit/key_log.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  audit::KeyLog log;
  const std::string_view text = base::as_text({data, size});
  log.add(text.substr(0, size / 2));
  log.add(text.substr(size / 2));
  audit::KeyLog::Random random{};
  random.fill(0x11);
  const auto secret = log.find(random, audit::SecretLabel::kMasterSecret);
  if (secret && (secret->size() != 48 || !log.knows(random))) std::abort();
  if (log.size() > size / 64) std::abort();  // a line needs more than its random's digits
  return 0;
}
