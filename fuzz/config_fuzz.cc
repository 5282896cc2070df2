// The configuration file as TOML, and the same bytes as one setting.
#include <string_view>

#include "alcove/config.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = alcove::base::as_text({data, size});
  alcove::app::Config config;
  if (alcove::app::apply_toml(config, text, "fuzz")) {
    // Whether it makes sense is another question; asking must be safe.
    const auto checked = alcove::app::check(config);
    static_cast<void>(checked);
  }
  const std::size_t equals = text.find('=');
  if (equals != std::string_view::npos) {
    const auto applied =
        alcove::app::apply_setting(config, text.substr(0, equals), text.substr(equals + 1));
    static_cast<void>(applied);
  }
  return 0;
}
