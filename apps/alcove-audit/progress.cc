#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include "audit/report_words.h"
#include "console.h"
#include "net/clock.h"

namespace alcove::app {

using audit::pick;

namespace {

constexpr base::Duration kTerminalStep = base::milliseconds(200);
constexpr base::Duration kLineStep = base::seconds(3);

double seconds(base::Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

}  // namespace

ProgressLine::ProgressLine(const Outputs& outputs)
    : language_(outputs.language),
      terminal_(isatty(STDERR_FILENO) != 0),
      on_(!outputs.quiet && (terminal_ || outputs.progress)),
      begin_(net::monotonic_now()),
      next_(begin_ + (terminal_ ? kTerminalStep : kLineStep)),
      last_(begin_) {}

ProgressLine::~ProgressLine() { clear(); }

bool ProgressLine::due() { return on_ && net::monotonic_now() >= next_; }

void ProgressLine::clear() {
  if (shown_ && terminal_) write_stderr("\r\x1b[K");
  shown_ = false;
}

void ProgressLine::print(const std::string& line) {
  next_ = net::monotonic_now() + (terminal_ ? kTerminalStep : kLineStep);
  write_stderr(terminal_ ? "\r\x1b[K" + line : line + "\n");
  shown_ = true;
}

void ProgressLine::show_file(std::uint64_t done, std::uint64_t total,
                             const audit::Auditor::Progress& progress) {
  if (!due()) return;
  const double elapsed = seconds(net::monotonic_now() - begin_);
  const double rate = elapsed > 0 ? static_cast<double>(done) / elapsed : 0;
  std::string line;
  if (total > 0) line += fmt::format("{:3} %  ", std::min<std::uint64_t>(done * 100 / total, 100));
  line += fmt::format("{}, {}/s", audit::size_text(done, language_),
                      audit::size_text(static_cast<std::uint64_t>(rate), language_));
  if (total > done && rate > 0) {
    const auto left = std::chrono::duration<double>(static_cast<double>(total - done) / rate);
    line += fmt::format(
        ", {} {}",
        audit::duration_text(std::chrono::duration_cast<std::chrono::nanoseconds>(left), language_),
        pick(language_, "left", "restantes"));
  }
  line += fmt::format(", {} {}, {} {}", audit::number_text(progress.frames, language_),
                      pick(language_, "packets", "paquets"),
                      audit::number_text(progress.findings, language_),
                      pick(language_, "findings", "constats"));
  print(line);
}

void ProgressLine::show_watch(const audit::Auditor::Progress& progress, std::uint64_t dropped) {
  if (!due()) return;
  const base::Instant now = net::monotonic_now();
  const double rate =
      static_cast<double>(progress.frames - last_frames_) / std::max(seconds(now - last_), 1e-3);
  last_ = now;
  last_frames_ = progress.frames;
  print(fmt::format(
      "{}  {} {} ({}/s), {} {}, {} {}{}", audit::duration_text(now - begin_, language_),
      audit::number_text(progress.frames, language_), pick(language_, "packets", "paquets"),
      audit::number_text(static_cast<std::uint64_t>(rate), language_),
      audit::number_text(progress.flows, language_), pick(language_, "flows", "flux"),
      audit::number_text(progress.findings, language_), pick(language_, "findings", "constats"),
      dropped == 0 ? ""
                   : fmt::format(", {} {}", audit::number_text(dropped, language_),
                                 pick(language_, "MISSED", "MANQUÉS"))));
}

}  // namespace alcove::app
