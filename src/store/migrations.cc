#include "store/migrations.h"

#include <array>

namespace alcove::store {

std::span<const Migration> sqlite_migrations() {
  static const std::array migrations = {migration_0001()};
  return migrations;
}

}  // namespace alcove::store
