#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "alcove/manifest_files.h"

namespace alcove::app {
namespace {

using base::ErrorCode;
namespace fs = std::filesystem;

// Far more than a server changes in its life; each entry has at most 4 KiB.
constexpr std::size_t kLongestLog = 64 << 20;

struct Followed {
  policy::TransparencyLog log;
  std::vector<v1::SignedTransparencyEntry> entries;
  std::size_t whole = 0;  // bytes up to the end of the last line
};

base::Result<Followed> follow(std::string_view text, const fs::path& path) {
  Followed result;
  while (result.whole < text.size()) {
    const std::size_t end = text.find('\n', result.whole);
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(result.whole, end - result.whole);
    v1::SignedTransparencyEntry entry;
    const bool parsed =
        google::protobuf::util::JsonStringToMessage({line.data(), line.size()}, &entry).ok();
    const auto appended =
        parsed ? result.log.append(entry)
               : base::Result<v1::TransparencyEntry>(base::fail(
                     ErrorCode::kInvalidArgument,
                     fmt::format("Line {} is not an entry.", result.entries.size() + 1)));
    if (!appended)
      return base::fail(
          ErrorCode::kFailedPrecondition,
          fmt::format("the log of the manifest's changes, {}, is broken: {} It was changed by "
                      "something else than this program. Put the file back from a copy. Without "
                      "one, move it and the key away: a new log begins, and everybody who knows "
                      "this server is warned.",
                      path.string(), appended.error().message));
    result.entries.push_back(std::move(entry));
    result.whole = end + 1;
  }
  return result;
}

}  // namespace

base::Result<std::unique_ptr<ManifestLog>> ManifestLog::open(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return base::fail(ErrorCode::kUnavailable,
                      fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  std::unique_ptr<ManifestLog> log(new ManifestLog(descriptor));
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
    return base::fail(
        ErrorCode::kAlreadyExists,
        fmt::format("another program has {} open. Is Alcove already running?", path.string()));
  if (const auto loaded = log->load(path); !loaded) return std::unexpected(loaded.error());
  return log;
}

base::Result<std::vector<v1::SignedTransparencyEntry>> ManifestLog::read(const fs::path& path) {
  const auto text = read_small_file(path, kLongestLog);
  if (!text) return base::fail(ErrorCode::kNotFound, "cannot read " + path.string());
  base::Result<Followed> followed = follow(*text, path);
  if (!followed) return std::unexpected(followed.error());
  return std::move(followed->entries);
}

ManifestLog::~ManifestLog() { close(descriptor_); }

base::Result<void> ManifestLog::load(const fs::path& path) {
  const auto text = read_small_file(path, kLongestLog);
  if (!text)
    return base::fail(ErrorCode::kUnavailable,
                      fmt::format("cannot read {}, or it is over 64 MiB", path.string()));
  base::Result<Followed> followed = follow(*text, path);
  if (!followed) return std::unexpected(followed.error());
  torn_ = followed->whole != text->size();
  size_ = followed->whole;
  if (torn_ && (ftruncate(descriptor_, static_cast<off_t>(size_)) != 0 || fsync(descriptor_) != 0))
    return base::fail(ErrorCode::kUnavailable, "cannot write " + path.string());
  log_ = followed->log;
  entries_ = std::move(followed->entries);
  return {};
}

base::Result<void> ManifestLog::append(v1::TransparencyEntry entry, std::int64_t now_ms,
                                       const crypto::Ed25519PrivateKey& key) {
  const v1::SignedTransparencyEntry made =
      policy::make_entry(log_.head(), std::move(entry), now_ms, key);
  policy::TransparencyLog next = log_;
  if (const auto appended = next.append(made); !appended) return std::unexpected(appended.error());
  std::string line;
  (void)google::protobuf::util::MessageToJsonString(made, &line);
  line += '\n';
  const ssize_t written = pwrite(descriptor_, line.data(), line.size(), static_cast<off_t>(size_));
  if (written != static_cast<ssize_t>(line.size()) || fsync(descriptor_) != 0) {
    const std::string why = std::strerror(errno);
    // What is left of it is a torn line to the next start, should this fail, too.
    const int ignored = ftruncate(descriptor_, static_cast<off_t>(size_));
    static_cast<void>(ignored);
    return base::fail(ErrorCode::kUnavailable,
                      "cannot write the log of the manifest's changes: " + why);
  }
  size_ += line.size();
  log_ = next;
  entries_.push_back(made);
  return {};
}

}  // namespace alcove::app
