#include "store/sqlite_database.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/log.h"
#include "store/migrations.h"

namespace alcove::store {
namespace {

using base::ErrorCode;

int result_code(const soci::soci_error& error) {
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  return sqlite == nullptr ? SQLITE_ERROR : sqlite->result() & 0xff;
}

base::Error describe(int code) {
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kUnavailable,
              "The database is busy: another process holds it. Try again."};
    case SQLITE_FULL:
      return {ErrorCode::kUnavailable, "The database cannot grow: its disk is full."};
    case SQLITE_IOERR:
      return {ErrorCode::kUnavailable, "The database's disk reports an error."};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return {ErrorCode::kUnavailable,
              "The database file cannot be opened for writing: check its path, "
              "owner and permissions."};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kInternal,
              "The database file is damaged or is not a database: restore a backup."};
    default:
      return {ErrorCode::kInternal, "The database refused a statement."};
  }
}

int current_version(soci::session& sql) {
  sql << "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT";
  int version = 0;
  sql << "SELECT coalesce(max(version), 0) FROM schema_version", soci::into(version);
  return version;
}

base::Result<void> migrate(soci::session& sql) {
  const std::span<const Migration> migrations = sqlite_migrations();
  const int newest = migrations.back().version;
  for (;;) {
    WriteTransaction transaction(
        sql);  // another process may be migrating: look again under the lock
    const int version = current_version(sql);
    if (version > newest) {
      return base::fail(
          ErrorCode::kFailedPrecondition,
          fmt::format("The database has schema {} and this program knows up to {}: it was "
                      "written by a later version. Run that version, or restore a backup.",
                      version, newest));
    }
    if (version < newest) {
      const Migration& next = migrations[static_cast<std::size_t>(version)];
      for (const std::string_view statement : next.statements) sql << std::string(statement);
      sql << "INSERT INTO schema_version (version) VALUES (:version)", soci::use(next.version);
      base::log(base::LogLevel::kInfo, "database_migrated", {{"version", next.version}});
    }
    transaction.commit();
    if (version >= newest) return {};
  }
}

// SQLite would create the file readable by all; the files beside it (-wal, -shm) take its mode.
bool create_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return false;
  ::close(file);
  return true;
}

}  // namespace

base::Error current_database_error() {
  try {
    throw;
  } catch (const soci::soci_error& error) {
    const int code = result_code(error);
    base::log(base::LogLevel::kError, "database_error", {{"sqlite_code", code}});
    return describe(code);
  } catch (const std::exception&) {
    return {ErrorCode::kInternal, "The database call failed."};
  }
}

bool is_constraint_violation(const soci::soci_error& error) {
  return result_code(error) == SQLITE_CONSTRAINT;
}

void WriteTransaction::commit() {
  sql_ << "COMMIT";
  done_ = true;
}

WriteTransaction::~WriteTransaction() {
  if (done_) return;
  try {
    sql_ << "ROLLBACK";
  } catch (const std::exception&) {
    // SQLite rolled back by itself (a full disk does that): there is no transaction to end.
    done_ = true;
  }
}

base::Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path,
                                                                   const SqliteOptions& options) {
  if (path.empty() || path.find('"') != std::string::npos)
    return base::fail(ErrorCode::kInvalidArgument, "The database needs a path without quotes.");
  if (!create_private_file(path)) return std::unexpected(describe(SQLITE_CANTOPEN));
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(options.connections));
  try {
    for (std::size_t i = 0; i < options.connections; ++i) {
      soci::session& sql = database->pool_.at(i);
      sql.open(soci::sqlite3, fmt::format("db=\"{}\"", path));
      sql << fmt::format("PRAGMA busy_timeout = {}", options.busy_timeout.count());
      sql << "PRAGMA foreign_keys = ON";
      // NORMAL is durable enough with WAL: a power cut may lose the last commits, never the file.
      sql << "PRAGMA synchronous = NORMAL";
      std::string mode;
      sql << "PRAGMA journal_mode = WAL", soci::into(mode);
    }
  } catch (const std::exception&) {
    return std::unexpected(current_database_error());
  }
  const base::Result<void> migrated =
      database->run([](soci::session& sql) { return migrate(sql); });
  if (!migrated) return std::unexpected(migrated.error());
  return database;
}

}  // namespace alcove::store
