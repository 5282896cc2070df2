#include "audit_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/text.h"

namespace alcove::app {

using base::Result;

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// mode: "w" or "a".
Result<File> open_lines(const std::string& path, const char* mode = "w") {
  const int flags = *mode == 'a' ? O_APPEND : O_TRUNC;
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  std::FILE* file = descriptor < 0 ? nullptr : fdopen(descriptor, mode);
  if (file != nullptr) return File(file);
  if (descriptor >= 0) close(descriptor);
  return base::fail(base::ErrorCode::kUnavailable, path + " cannot be written.");
}

class KeyLogFile final : public e2ee::KeyLog {
 public:
  explicit KeyLogFile(File file) : file_(std::move(file)) {}
  void add(std::string_view kind, base::Bytes secret) override {
    fmt::print(file_.get(), "{} {}\n", kind, base::to_hex(secret));
    std::fflush(file_.get());
  }

 private:
  File file_;
};

class PayloadLogFile final : public client::PayloadLog {
 public:
  explicit PayloadLogFile(File file) : file_(std::move(file)) {}
  void add(base::Instant now, unsigned slot, base::Bytes payload) override {
    fmt::print(file_.get(), "{} {} {}\n", now.time_since_epoch().count() / 1000, slot,
               base::to_hex(payload));
  }

 private:
  File file_;
};

class TlsKeyLogFile final : public base::TlsKeyLog {
 public:
  explicit TlsKeyLogFile(File file) : file_(std::move(file)) {}
  void add_line(std::string_view line) override {
    fmt::print(file_.get(), "{}\n", line);
    std::fflush(file_.get());
  }

 private:
  File file_;
};

}  // namespace

Result<std::unique_ptr<e2ee::KeyLog>> open_key_log(const std::string& path) {
  auto file = open_lines(path);
  if (!file) return std::unexpected(file.error());
  return std::make_unique<KeyLogFile>(*std::move(file));
}

Result<std::unique_ptr<base::TlsKeyLog>> open_tls_key_log(const std::string& path) {
  auto file = open_lines(path, "a");
  if (!file) return std::unexpected(file.error());
  return std::make_unique<TlsKeyLogFile>(*std::move(file));
}

Result<std::unique_ptr<client::PayloadLog>> open_payload_log(const std::string& path) {
  auto file = open_lines(path);
  if (!file) return std::unexpected(file.error());
  return std::make_unique<PayloadLogFile>(*std::move(file));
}

}  // namespace alcove::app
