#include "client/speaker.h"

#include <algorithm>

namespace alcove::client {

std::size_t Speaker::read_frame() {
  std::size_t count = source_.read(frame_);
  // Once only: a file without a sample must not spin.
  if (count < frame_.size() && loop_ && source_.finished() && source_.rewind())
    count += source_.read(std::span(frame_).subspan(count));
  std::fill(frame_.begin() + static_cast<std::ptrdiff_t>(count), frame_.end(), std::int16_t{0});
  return count;
}

std::optional<SpokenFrame> Speaker::tick(bool may_send) {
  const std::uint32_t timestamp = timestamp_;
  skip(1);
  if (!may_send) {
    if (source_.is_live()) read_frame();
    stop();
    return std::nullopt;
  }
  if (read_frame() == 0 && finished()) {
    sending_ = false;
    return std::nullopt;
  }
  const bool was_sending = sending_;
  sending_ = activity_.handle_frame(frame_);
  if (!sending_) return std::nullopt;
  if (!was_sending) encoder_.reset();
  const base::Bytes opus = encoder_.encode(frame_);
  if (opus.empty()) return std::nullopt;
  return SpokenFrame{opus, timestamp, !was_sending};
}

}  // namespace alcove::client
