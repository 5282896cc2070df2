#include "store/migrations.h"

#include <array>

namespace alcove::store {

std::span<const Migration> sqlite_migrations() {
  static const std::array kMigrations = {migration_0001()};
  return kMigrations;
}

}  // namespace alcove::store
