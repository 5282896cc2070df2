#pragma once
// Standard input on the event loop: a thread of its own reads it, because it may be a file, a pipe
// or a terminal, and hands over one piece at a time.

#include <functional>
#include <thread>

#include "base/bytes.h"
#include "net/event_loop.h"

namespace alcove::app {

class StandardInput {
 public:
  // Both on the loop's thread. on_bytes answers whether the next piece is wanted now; after false,
  // resume() asks for it. on_end comes once.
  using OnBytes = std::function<bool(base::Bytes)>;
  using OnEnd = std::function<void()>;
  static constexpr std::size_t kPiece = 4096;

  StandardInput(net::EventLoop& loop, OnBytes on_bytes, OnEnd on_end);
  // Stops the thread, also in the middle of a read.
  ~StandardInput();
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

  void resume();

 private:
  void read_all();
  bool wait_until_wanted() const;
  bool wait_until_readable() const;

  net::EventLoop& loop_;
  OnBytes on_bytes_;
  OnEnd on_end_;
  // Pipes in place of locks: a byte in wanted_ asks for a piece, the end of stop_ ends the thread.
  int wanted_[2] = {-1, -1};
  int stop_[2] = {-1, -1};
  std::thread thread_;
};

}  // namespace alcove::app
