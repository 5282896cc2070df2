#pragma once
// Connections to one SQLite file, and SOCI's exceptions turned into errors. Private to src/store.
// Any thread.

#include <soci/soci.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/store.h"

namespace alcove::store {

// Called inside a catch block: what the exception in flight means.
base::Error current_database_error();

// True when the exception is a violated constraint, e.g. a name that is taken.
bool is_constraint_violation(const soci::soci_error& error);

// Takes the write lock at once: a transaction that began by reading could not wait for it later.
class WriteTransaction {
 public:
  explicit WriteTransaction(soci::session& sql) : sql_(sql) { sql_ << "BEGIN IMMEDIATE"; }
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  ~WriteTransaction();  // rolls back what was not committed
  void commit();

 private:
  soci::session& sql_;
  bool done_ = false;
};

class SqliteDatabase {
 public:
  // Opens, sets the pragmas and migrates.
  static base::Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path,
                                                            const SqliteOptions& options);

  // Calls work(soci::session&) -> base::Result<…> on a free connection.
  template <typename Work>
  auto run(Work&& work) -> decltype(work(std::declval<soci::session&>())) {
    try {
      soci::session sql(pool_);
      return std::forward<Work>(work)(sql);
    } catch (const std::exception&) {
      return std::unexpected(current_database_error());
    }
  }

 private:
  explicit SqliteDatabase(unsigned connections) : pool_(connections) {}
  soci::connection_pool pool_;
};

}  // namespace alcove::store
