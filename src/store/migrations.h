#pragma once
// The schema's history: one file for each version (migration_NNNN.cc), never changed once released.
// Private to src/store.

#include <span>
#include <string_view>

namespace alcove::store {

struct Migration {
  int version;  // 1, 2, …
  std::span<const std::string_view> statements;
};

// In the order of their versions, without a gap.
std::span<const Migration> sqlite_migrations();

// Each in its own file.
Migration migration_0001();

}  // namespace alcove::store
