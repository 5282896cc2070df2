#include "alcove/invite_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "control/invite.h"
#include "crypto/random.h"
#include "net/clock.h"
#include "store/store.h"

namespace alcove::app {

int create_invite(const Config& config, std::int64_t uses, std::int64_t valid_seconds) {
  std::error_code ignored;
  const std::filesystem::path directory = std::filesystem::path(config.store.path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
  const auto store = store::open_sqlite(config.store.path);
  if (!store) {
    fmt::print(stderr, "alcove: cannot open the database {}: {}\n", config.store.path,
               store.error().message);
    return 1;
  }
  crypto::SystemRandom random;
  const std::string code = control::make_invite_code(random);
  const base::Result<void> created =
      (*store)->create_invite({.code_hash = control::hash_invite_code(code),
                               .uses_left = uses,
                               .expires_at = net::wall_now() + base::seconds(valid_seconds)});
  if (!created) {
    fmt::print(stderr, "alcove: cannot store the invite: {}\n", created.error().message);
    return 1;
  }
  fmt::print("{}\n", code);
  return 0;
}

}  // namespace alcove::app
