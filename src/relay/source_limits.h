#pragma once
// A budget for each source address, in a bounded table: the source that was not seen for the
// longest makes room. One thread.

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

#include "base/time.h"
#include "relay/source_key.h"
#include "relay/token_bucket.h"

namespace alcove::relay {

class SourceLimits {
 public:
  SourceLimits(std::int64_t per_second, std::int64_t burst, std::size_t max_sources)
      : fresh_(per_second, burst), max_sources_(max_sources) {}

  // Whether the source has used its budget up. A source that is not in the table has not.
  bool is_exhausted(base::Instant now, const base::IpAddress& source) {
    const auto found = index_.find(source_key(source));
    return found != index_.end() && !found->second->second.has(now, 1);
  }
  // False when there was nothing left to take.
  bool take(base::Instant now, const base::IpAddress& source) {
    return bucket(source_key(source)).take(now, 1);
  }
  std::size_t size() const { return index_.size(); }

 private:
  using Sources = std::list<std::pair<SourceKey, TokenBucket>>;

  TokenBucket& bucket(const SourceKey& key) {
    if (const auto found = index_.find(key); found != index_.end()) {
      sources_.splice(sources_.begin(), sources_, found->second);
      return found->second->second;
    }
    if (index_.size() >= max_sources_) {
      index_.erase(sources_.back().first);
      sources_.pop_back();
    }
    sources_.emplace_front(key, fresh_);
    index_.emplace(key, sources_.begin());
    return sources_.front().second;
  }

  const TokenBucket fresh_;
  const std::size_t max_sources_;
  Sources sources_;  // the last used first
  std::unordered_map<SourceKey, Sources::iterator, SourceKeyHash> index_;
};

}  // namespace alcove::relay
