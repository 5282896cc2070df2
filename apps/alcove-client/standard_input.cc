#include "standard_input.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace alcove::app {

namespace {

// False when stop is closed at its other end.
bool wait_for(int descriptor, int stop) {
  std::array<pollfd, 2> wanted = {pollfd{descriptor, POLLIN, 0}, pollfd{stop, POLLIN, 0}};
  while (poll(wanted.data(), wanted.size(), -1) < 0) {
    if (errno != EINTR) return false;
  }
  return wanted[1].revents == 0;
}

}  // namespace

StandardInput::StandardInput(net::EventLoop& loop, OnBytes on_bytes, OnEnd on_end)
    : loop_(loop), on_bytes_(std::move(on_bytes)), on_end_(std::move(on_end)) {
  CHECK(pipe2(wanted_, O_CLOEXEC) == 0);
  CHECK(pipe2(stop_, O_CLOEXEC) == 0);
  resume();
  thread_ = std::thread([this] { read_all(); });
}

StandardInput::~StandardInput() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
  close(wanted_[0]);
  close(wanted_[1]);
}

void StandardInput::resume() {
  const char one = 1;
  // One piece is asked for at a time, so the pipe always has room.
  CHECK(write(wanted_[1], &one, 1) == 1);
}

bool StandardInput::wait_until_wanted() const {
  char one = 0;
  return wait_for(wanted_[0], stop_[0]) && read(wanted_[0], &one, 1) == 1;
}

bool StandardInput::wait_until_readable() const { return wait_for(STDIN_FILENO, stop_[0]); }

void StandardInput::read_all() {
  base::Buffer piece(kPiece);
  while (wait_until_wanted() && wait_until_readable()) {
    ssize_t size = read(STDIN_FILENO, piece.data(), piece.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
      size = 0;
    else if (size <= 0)
      break;
    loop_.post([this, bytes = base::Buffer(piece.begin(), piece.begin() + size)] {
      if (on_bytes_(bytes)) resume();
    });
  }
  loop_.post([this] { on_end_(); });
}

}  // namespace alcove::app
