#pragma once
// The files of the manifest, all beside the store: the key, the log of changes, and the manifest as
// last signed. For the thread that starts the program.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alcove/config.h"
#include "base/random.h"
#include "base/result.h"
#include "policy/transparency_log.h"

namespace alcove::app {

struct ManifestPaths {
  std::filesystem::path key;
  std::filesystem::path next_key;  // while a rotation is under way
  std::filesystem::path log;
  std::filesystem::path manifest;
};
ManifestPaths manifest_paths(const Config& config);

// A seed in base64url and a line feed, mode 0600. A key that others can read is refused.
base::Result<crypto::Ed25519PrivateKey> load_key(const std::filesystem::path& path);
// Never over a file that is there.
base::Result<crypto::Ed25519PrivateKey> make_key(const std::filesystem::path& path,
                                                 base::RandomSource& random);
// After the log names the next key: it takes the place of the old one, which is kept beside it as
// NAME.old-N. May be done again after a failure.
base::Result<void> finish_rotation(const ManifestPaths& paths, std::uint64_t log_size);
// All of it or nothing: by a second file and a rename.
base::Result<void> replace_file(const std::filesystem::path& path, std::string_view bytes);
// nullopt when it is not there, cannot be read, or is longer than longest.
std::optional<std::string> read_small_file(const std::filesystem::path& path, std::size_t longest);

// The log of changes as a file: a SignedTransparencyEntry as JSON on each line. Held by one program
// at a time.
class ManifestLog {
 public:
  // Makes it when it is not there. Follows it from the first entry; a last line that was not
  // written to its end is taken away (torn() is true then), and anything else that is wrong is an
  // error that says in words which entry it is.
  static base::Result<std::unique_ptr<ManifestLog>> open(const std::filesystem::path& path);
  // The entries without holding it, for reading beside a server that runs.
  static base::Result<std::vector<v1::SignedTransparencyEntry>> read(
      const std::filesystem::path& path);
  ~ManifestLog();
  ManifestLog(const ManifestLog&) = delete;
  ManifestLog& operator=(const ManifestLog&) = delete;

  const policy::TransparencyLog::Head& head() const { return log_.head(); }
  const std::vector<v1::SignedTransparencyEntry>& entries() const { return entries_; }
  bool torn() const { return torn_; }
  // On the disk when it returns. After an error the file is as it was.
  base::Result<void> append(v1::TransparencyEntry entry, std::int64_t now_ms,
                            const crypto::Ed25519PrivateKey& key);

 private:
  explicit ManifestLog(int descriptor) : descriptor_(descriptor) {}
  base::Result<void> load(const std::filesystem::path& path);

  const int descriptor_;
  std::uint64_t size_ = 0;  // of the file, in bytes
  bool torn_ = false;
  policy::TransparencyLog log_;
  std::vector<v1::SignedTransparencyEntry> entries_;
};

}  // namespace alcove::app
