#pragma once
// The end of a stream that a search has to see again, so that what crosses the border of two
// segments is found, and which packet carried which part of it. One thread.

#include <cstdint>
#include <vector>

#include "audit/inspector.h"
#include "base/bytes.h"

namespace alcove::audit {

class StreamTail {
 public:
  struct Origin {
    std::uint64_t number = 0;
    CaptureTime time;
  };

  // Writes the kept end and the piece into text, which the caller shares among all streams. A gap
  // forgets what was kept. Returns where the piece begins.
  std::size_t append(const StreamPiece& piece, base::Buffer& text) {
    if (piece.after_gap) {
      bytes_.clear();
      marks_.clear();
    }
    text.assign(bytes_.begin(), bytes_.end());
    if (marks_.empty() || marks_.back().origin.number != piece.number)
      marks_.push_back({text.size(), {piece.number, piece.time}});
    text.insert(text.end(), piece.bytes.begin(), piece.bytes.end());
    return bytes_.size();
  }
  base::Bytes kept() const { return bytes_; }
  // The packet that carried the byte at this place of the text.
  Origin origin(std::size_t at) const {
    Origin result;
    for (const Mark& mark : marks_) {
      if (mark.at > at) break;
      result = mark.origin;
    }
    return result;
  }
  // Keeps what begins here for the next piece.
  void keep(base::Bytes text, std::size_t from) {
    bytes_.assign(text.begin() + static_cast<std::ptrdiff_t>(from), text.end());
    std::size_t first = 0;
    while (first + 1 < marks_.size() && marks_[first + 1].at <= from) ++first;
    marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(first));
    for (Mark& mark : marks_) mark.at = mark.at > from ? mark.at - from : 0;
  }

 private:
  struct Mark {
    std::size_t at;
    Origin origin;
  };
  base::Buffer bytes_;
  std::vector<Mark> marks_;
};

}  // namespace alcove::audit
