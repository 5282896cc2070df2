#include "net/log_sink.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "net/clock.h"

namespace alcove::net {
namespace {

constexpr std::size_t kMaxQueuedLines = 4096;

std::string with_time(std::string_view line) {
  const base::WallTime now = wall_now();
  const auto whole = std::chrono::floor<std::chrono::seconds>(now);
  const std::time_t calendar = std::chrono::system_clock::to_time_t(whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z {}\n", fmt::gmtime(calendar),
                     (now - whole).count(), line);
}

}  // namespace

class LogWriter::Implementation {
 public:
  explicit Implementation(int descriptor) : descriptor_(descriptor) {
    CHECK(current == nullptr);
    current = this;
    thread_ = std::thread([this] { run(); });
  }

  ~Implementation() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
    current = nullptr;
  }

  static void sink(base::LogLevel, std::string_view line) { current->push(line); }

 private:
  void push(std::string_view line) {
    std::string text = with_time(line);
    {
      const std::scoped_lock lock(mutex_);
      if (lines_.size() >= kMaxQueuedLines) {
        ++dropped_;
        return;
      }
      lines_.push_back(std::move(text));
    }
    changed_.notify_one();
  }

  void run() {
    std::vector<std::string> taken;
    bool stopping = false;
    while (!stopping) {
      std::uint64_t dropped = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !lines_.empty(); });
        lines_.swap(taken);
        std::swap(dropped, dropped_);
        stopping = stopping_;
      }
      std::string text;
      for (const std::string& line : taken) text += line;
      if (dropped != 0) text += with_time(fmt::format("warning log.dropped lines={}", dropped));
      taken.clear();
      write_all(text);
    }
  }

  void write_all(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = write(descriptor_, text.data(), text.size());
      if (written > 0)
        text.remove_prefix(static_cast<std::size_t>(written));
      else if (errno != EINTR)
        return;  // nobody reads: there is no other place to say so
    }
  }

  static inline Implementation* current = nullptr;

  const int descriptor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::uint64_t dropped_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

LogWriter::LogWriter(base::LogLevel level, int descriptor)
    : implementation_(std::make_unique<Implementation>(descriptor)) {
  base::set_log_level(level);
  base::set_log_sink(&Implementation::sink);
}

LogWriter::~LogWriter() { base::set_log_sink(nullptr); }

}  // namespace alcove::net
