#include "audit_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "audit/auditor.h"
#include "audit/capture_reader.h"
#include "audit/report_words.h"
#include "given.h"
#include "prepare.h"
#include "privileges.h"
#include "progress.h"
#include "report_files.h"

namespace alcove::app {

using base::Result;

namespace {

constexpr std::size_t kPiece = 1 << 20;

// Several files are one capture that was cut in parts: packet numbers go on.
class Renumber final : public audit::CaptureSink {
 public:
  explicit Renumber(audit::Auditor& auditor) : auditor_(auditor) {}
  void handle_frame(const audit::Frame& frame) override {
    audit::Frame numbered = frame;
    numbered.number += before_;
    auditor_.handle_frame(numbered);
  }
  void handle_secrets(base::Bytes key_log) override { auditor_.handle_secrets(key_log); }
  void next_file(std::uint64_t frames) { before_ += frames; }

 private:
  audit::Auditor& auditor_;
  std::uint64_t before_ = 0;
};

struct OpenCapture {
  std::string path;
  net::FileDescriptor file;
  std::uint64_t size = 0;  // 0: not known
};

Result<std::vector<OpenCapture>> open_captures(const std::vector<std::string>& paths) {
  std::vector<OpenCapture> captures;
  for (const std::string& path : paths) {
    auto file = open_for_reading(path);
    if (!file) return std::unexpected(file.error());
    struct stat status{};
    if (::fstat(file->get(), &status) == 0 && S_ISDIR(status.st_mode))
      return base::fail(base::ErrorCode::kInvalidArgument, path + " is a folder");
    const bool regular = S_ISREG(status.st_mode);
    captures.push_back(
        {path, *std::move(file), regular ? static_cast<std::uint64_t>(status.st_size) : 0});
  }
  return captures;
}

std::string input_name(const std::vector<std::string>& paths) {
  std::string name;
  for (const std::string& path : paths) name += (name.empty() ? "" : ", ") + base_name(path);
  return name;
}

class Run {
 public:
  Run(audit::Auditor& auditor, const std::vector<OpenCapture>& captures, const Outputs& outputs)
      : auditor_(auditor), sink_(auditor), progress_(outputs) {
    for (const OpenCapture& capture : captures) total_ += capture.size;
  }

  Result<void> read(const OpenCapture& capture) {
    audit::CaptureReader reader(sink_);
    Result<void> result = feed_all(reader, capture);
    if (result) result = reader.finish();
    add(reader);
    if (result) return {};
    if (reader.counters().frames == 0)
      return base::fail(result.error().code, capture.path + ": " + result.error().message);
    // What was read before counts.
    progress_.clear();
    give_up(fmt::format("{}: {} (after packet {})", capture.path, result.error().message,
                        reader.counters().frames));
    counters_.ended_early = true;
    return {};
  }
  const audit::CaptureReader::Counters& counters() const { return counters_; }
  const std::string& format() const { return format_; }

 private:
  Result<void> feed_all(audit::CaptureReader& reader, const OpenCapture& capture) {
    for (;;) {
      const ssize_t got = ::read(capture.file.get(), piece_.get(), kPiece);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return base::fail(base::ErrorCode::kUnavailable, std::strerror(errno));
      if (got == 0) return {};
      const auto size = static_cast<std::size_t>(got);
      if (auto fed = reader.feed(base::Bytes(piece_.get(), size)); !fed) return fed;
      done_ += size;
      progress_.show_file(done_, total_, auditor_.progress());
    }
  }
  void add(const audit::CaptureReader& reader) {
    const audit::CaptureReader::Counters& counters = reader.counters();
    counters_.frames += counters.frames;
    counters_.cut_frames += counters.cut_frames;
    counters_.dropped_by_capture += counters.dropped_by_capture;
    counters_.bad_blocks += counters.bad_blocks;
    counters_.bytes += counters.bytes;
    counters_.ended_early = counters_.ended_early || counters.ended_early;
    sink_.next_file(counters.frames);
    const std::string format(reader.format());
    if (format_.find(format) == std::string::npos)
      format_ += (format_.empty() ? "" : "; ") + format;
  }

  audit::Auditor& auditor_;
  Renumber sink_;
  ProgressLine progress_;
  std::unique_ptr<std::uint8_t[]> piece_ = std::make_unique<std::uint8_t[]>(kPiece);
  audit::CaptureReader::Counters counters_;
  std::string format_;
  std::uint64_t done_ = 0, total_ = 0;
};

}  // namespace

int audit_files(const Options& options) {
  limit_resources();
  auto captures = open_captures(options.captures);
  if (!captures) return give_up(captures.error().message);
  GivenFiles files = options.given;
  auto given = read_local(files);
  if (!given) return give_up(given.error().message);
  auto reports = ReportFiles::open(options.outputs);
  if (!reports) return give_up(reports.error().message);
  if (auto dropped = become_ordinary(options); !dropped) return give_up(dropped.error().message);
  if (auto read = read_remote(files, *given); !read) return give_up(read.error().message);
  audit::Auditor auditor(to_auditor_options(*given, input_name(options.captures)));
  std::optional<Run> run(std::in_place, auditor, *captures, options.outputs);
  for (const OpenCapture& capture : *captures)
    if (auto read = run->read(capture); !read) return give_up(read.error().message);
  const audit::CaptureReader::Counters counters = run->counters();
  const std::string format = run->format();
  run.reset();  // the progress line goes
  const audit::Report report = auditor.finish(&counters, format);
  if (auto written = reports->write(report); !written) return give_up(written.error().message);
  const int status = status_of(report);
  if (status == kUnusable) give_up("the capture has no packet that could be examined");
  return status;
}

}  // namespace alcove::app
