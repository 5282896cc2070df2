#pragma once
// A map with a bound: when it is full, the entry that was not used for the longest goes. Ordered,
// not hashed, since its keys come from outside. One thread.

#include <cstddef>
#include <list>
#include <map>
#include <utility>

namespace alcove::control {

template <typename Key, typename Value>
class LruMap {
 public:
  explicit LruMap(std::size_t max_size) : max_size_(max_size) {}

  std::size_t size() const { return index_.size(); }

  // Counts as a use. Valid until the next insertion.
  Value* find(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }

  // Replaces an older value.
  Value& insert(const Key& key, Value value) {
    erase(key);
    if (index_.size() >= max_size_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, std::move(value));
    index_[key] = entries_.begin();
    return entries_.front().second;
  }

  void erase(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    entries_.erase(found->second);
    index_.erase(found);
  }

  // predicate(const Value&).
  template <typename Predicate>
  void erase_if(Predicate predicate) {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      if (predicate(std::as_const(entry->second))) {
        index_.erase(entry->first);
        entry = entries_.erase(entry);
      } else {
        ++entry;
      }
    }
  }

 private:
  using Entries = std::list<std::pair<Key, Value>>;
  std::size_t max_size_;
  Entries entries_;  // the last used first
  std::map<Key, typename Entries::iterator> index_;
};

}  // namespace alcove::control
