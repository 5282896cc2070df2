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

std::uint32_t FlowRecency::oldest() const {
  std::uint32_t found = kNone;
  for (const Ends& both : ends_) {
    if (both.oldest == kNone) continue;
    if (found == kNone || links_[both.oldest].last < links_[found].last) found = both.oldest;
  }
  return found;
}

std::uint32_t FlowRecency::seek_idle(CaptureTime now) {
  next_end_ = CaptureTime::max();
  for (const Ends& both : ends_) {
    if (both.oldest == kNone) continue;
    const Link& link = links_[both.oldest];
    look_by(link.last, link.list);
    if (is_idle(both.oldest, now)) return both.oldest;
  }
  return kNone;
}

}  // namespace alcove::audit
