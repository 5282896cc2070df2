#pragma once
// Finds thousands of byte strings in a stream of bytes at once. Most positions are dismissed by one
// look, at every third place, into a table of pairs of neighbours, the next by a bitmap of
// four-byte beginnings; what remains is searched in the sorted patterns. The cost of a position is
// bounded by a logarithm of the patterns and the longest one, whatever the bytes are. Built once,
// then only read. One thread.

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace alcove::audit {

class PatternMatcher {
 public:
  static constexpr std::size_t kMinPattern = 4;
  static constexpr std::size_t kMaxPattern = 1024;

  // Of kMinPattern to kMaxPattern bytes; value is given back with each match. Before build().
  void add(base::Bytes pattern, std::uint32_t value);
  void build();
  std::size_t size() const { return patterns_.size(); }
  std::size_t longest() const { return longest_; }

  // Calls visit(at, length, value) for each occurrence that begins in [begin, end), at one place
  // the longest first.
  template <typename Visitor>
  void scan(base::Bytes text, std::size_t begin, std::size_t end, Visitor&& visit) const {
    for (std::size_t at = next_candidate(text, begin); at < end && at < text.size();
         at = next_candidate(text, at + 1))
      for (std::size_t index = longest_at(text, at); index != kNone;
           index = patterns_[index].parent)
        visit(at, std::size_t{patterns_[index].length}, patterns_[index].value);
  }

 private:
  static constexpr std::size_t kPairs = kMinPattern - 1;
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Pattern {
    std::uint32_t begin = 0;  // in bytes_
    std::uint16_t length = 0;
    std::uint32_t value = 0;
    std::uint32_t parent = kNone;  // the next shorter (or equal) one that this begins with
  };
  struct Bucket {  // patterns that share their first four bytes
    std::uint32_t prefix = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;  // 0: empty
  };

  base::Bytes bytes_of(const Pattern& pattern) const {
    return base::Bytes(bytes_).subspan(pattern.begin, pattern.length);
  }
  // The first position from at on whose four bytes may begin a pattern; text.size() for none.
  std::size_t next_candidate(base::Bytes text, std::size_t at) const;
  // The longest pattern that the text has at this place, or kNone.
  std::size_t longest_at(base::Bytes text, std::size_t at) const;
  bool may_begin(const std::uint8_t* bytes) const;
  const Bucket* find_bucket(std::uint32_t prefix) const;
  void link_parents();
  void fill_buckets();

  base::Buffer bytes_;
  std::vector<Pattern> patterns_;  // sorted
  std::array<std::uint64_t, 65'536 / 64> pairs_{};
  std::vector<std::uint64_t> bitmap_;
  unsigned bitmap_shift_ = 0;
  std::vector<Bucket> buckets_;  // open addressing, a power of two
  std::size_t longest_ = 0;
};

}  // namespace alcove::audit
