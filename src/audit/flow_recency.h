#pragma once
// Which flows have been idle for how long. One thread.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "audit/frame.h"

namespace alcove::audit {

// Flows by number (FlowIndex) in three lists, each from the longest idle to the last used, right to
// a second: a use moves a flow only where its place is older than that, so that most packets touch
// one line of memory.
class FlowRecency {
 public:
  enum class List : std::uint8_t { kClosed, kDatagrams, kConnections };
  static constexpr std::size_t kLists = 3;
  static constexpr std::chrono::nanoseconds kPrecision = std::chrono::seconds(1);
  static constexpr std::uint32_t kNone = 0xffffffff;

  // How long a flow of the list may be idle. Of a closed connection the last acknowledgements and
  // repetitions come late.
  static constexpr std::chrono::nanoseconds idle_limit(List list) {
    constexpr std::array<std::chrono::seconds, kLists> kLimits = {
        std::chrono::seconds(10), std::chrono::seconds(120), std::chrono::hours(1)};
    return kLimits[static_cast<std::size_t>(list)];
  }

  void add(std::uint32_t number, List list, CaptureTime now);
  void touch(std::uint32_t number, CaptureTime now) {
    Link& link = links_[number];
    link.last = now;
    if (now - link.placed > kPrecision || now < link.placed) {
      unlink(number);
      append(number);
    }
  }
  void move(std::uint32_t number, List list);
  void remove(std::uint32_t number);

  bool is_idle(std::uint32_t number, CaptureTime now) const {
    const Link& link = links_[number];
    return now - link.last > idle_limit(link.list);
  }
  // The one that is idle longest, to a second; kNone when there is none.
  std::uint32_t oldest() const;
  // One whose time is over, or kNone.
  std::uint32_t next_idle(CaptureTime now) { return now <= next_end_ ? kNone : seek_idle(now); }

 private:
  struct Link {
    std::uint32_t older = kNone;
    std::uint32_t newer = kNone;
    CaptureTime last;
    CaptureTime placed;
    List list = List::kClosed;
  };
  struct Ends {
    std::uint32_t oldest = kNone;
    std::uint32_t newest = kNone;
  };
  Ends& ends(List list) { return ends_[static_cast<std::size_t>(list)]; }
  void unlink(std::uint32_t number);
  void append(std::uint32_t number);
  std::uint32_t seek_idle(CaptureTime now);
  void look_by(CaptureTime last, List list) {
    next_end_ = std::min(next_end_, last + idle_limit(list));
  }

  std::vector<Link> links_;
  std::array<Ends, kLists> ends_;
  // Before it no flow's time is over, so that most packets need not look.
  CaptureTime next_end_ = CaptureTime::max();
};

}  // namespace alcove::audit
