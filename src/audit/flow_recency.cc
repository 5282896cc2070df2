#include "audit/flow_recency.h"

namespace alcove::audit {

void FlowRecency::add(std::uint32_t number, List list, CaptureTime now) {
  if (number >= links_.size()) links_.resize(number + 1);
  links_[number].list = list;
  links_[number].last = now;
  append(number);
  look_by(now, list);
}

void FlowRecency::move(std::uint32_t number, List list) {
  unlink(number);
  links_[number].list = list;
  append(number);
  look_by(links_[number].last, list);
}

void FlowRecency::remove(std::uint32_t number) { unlink(number); }

void FlowRecency::unlink(std::uint32_t number) {
  const Link& link = links_[number];
  Ends& both = ends(link.list);
  (link.older == kNone ? both.oldest : links_[link.older].newer) = link.newer;
  (link.newer == kNone ? both.newest : links_[link.newer].older) = link.older;
}

void FlowRecency::append(std::uint32_t number) {
  Link& link = links_[number];
  Ends& both = ends(link.list);
  link.older = both.newest;
  link.newer = kNone;
  link.placed = link.last;
  (both.newest == kNone ? both.oldest : links_[both.newest].newer) = number;
  both.newest = number;
}

void FlowRecency::place_last(std::uint32_t number) {
  unlink(number);
  append(number);
}

std::uint32_t FlowRecency::front(Ends& both) {
  while (both.oldest != kNone && links_[both.oldest].last != links_[both.oldest].placed)
    place_last(both.oldest);
  return both.oldest;
}

std::uint32_t FlowRecency::oldest() {
  std::uint32_t found = kNone;
  for (Ends& both : ends_) {
    const std::uint32_t first = front(both);
    if (first == kNone) continue;
    if (found == kNone || links_[first].last < links_[found].last) found = first;
  }
  return found;
}

std::uint32_t FlowRecency::seek_idle(CaptureTime now) {
  next_end_ = CaptureTime::max();
  for (Ends& both : ends_) {
    const std::uint32_t first = front(both);
    if (first == kNone) continue;
    look_by(links_[first].last, links_[first].list);
    if (is_idle(first, now)) return first;
  }
  return kNone;
}

}  // namespace alcove::audit
