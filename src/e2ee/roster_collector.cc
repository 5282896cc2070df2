#include "e2ee/roster_collector.h"

namespace alcove::e2ee {

RosterCollector::Status RosterCollector::refuse() {
  certificates_.clear();
  total_ = 0;
  return Status::kBad;
}

RosterCollector::Status RosterCollector::add(const v1::RosterPart& part) {
  if (part.first() == 0) {
    certificates_.clear();
    total_ = part.total();
  }
  const auto count = static_cast<std::size_t>(part.certificates_size());
  if (part.first() != certificates_.size() || part.total() != total_ || total_ > kMaxTotal ||
      count > kMaxPart || count > total_ - certificates_.size() || (count == 0 && total_ != 0))
    return refuse();
  for (const v1::SignedObject& object : part.certificates()) {
    auto certificate = roomlog::parse_certificate(room_, object);
    if (!certificate) return refuse();
    certificates_.push_back(*std::move(certificate));
  }
  if (certificates_.size() < total_) return Status::kMore;
  auto head = roomlog::parse_entry(part.head());
  if (!head) return refuse();
  head_ = *std::move(head);
  return Status::kComplete;
}

}  // namespace alcove::e2ee
