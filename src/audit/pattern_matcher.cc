#include "audit/pattern_matcher.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace alcove::audit {
namespace {

// 32 KiB stay in the first cache; 256 bits a pattern dismiss all but 1 of 256 positions.
constexpr unsigned kMinBitmapBits = 18;
constexpr unsigned kMaxBitmapBits = 25;
constexpr unsigned kBitsOfPattern = 256;

std::uint32_t read_prefix(const std::uint8_t* bytes) {
  std::uint32_t prefix = 0;
  std::memcpy(&prefix, bytes, sizeof(prefix));
  return prefix;
}

std::uint32_t read_pair(const std::uint8_t* bytes) {
  std::uint16_t pair = 0;
  std::memcpy(&pair, bytes, sizeof(pair));
  return pair;
}

std::uint32_t mix(std::uint32_t prefix) { return prefix * 0x9e3779b1U; }

bool begins_with(base::Bytes text, base::Bytes pattern) {
  return text.size() >= pattern.size() &&
         std::memcmp(text.data(), pattern.data(), pattern.size()) == 0;
}

bool less(base::Bytes a, base::Bytes b) {
  const int order = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
  return order != 0 ? order < 0 : a.size() < b.size();
}

}  // namespace

void PatternMatcher::add(base::Bytes pattern, std::uint32_t value) {
  CHECK(pattern.size() >= kMinPattern && pattern.size() <= kMaxPattern && bitmap_.empty());
  patterns_.push_back({static_cast<std::uint32_t>(bytes_.size()),
                       static_cast<std::uint16_t>(pattern.size()), value, kNone});
  bytes_.insert(bytes_.end(), pattern.begin(), pattern.end());
  longest_ = std::max(longest_, pattern.size());
}

void PatternMatcher::build() {
  CHECK(bitmap_.empty());
  std::ranges::sort(patterns_, [this](const Pattern& a, const Pattern& b) {
    if (less(bytes_of(a), bytes_of(b))) return true;
    return !less(bytes_of(b), bytes_of(a)) && a.value < b.value;
  });
  link_parents();
  const auto wanted = std::bit_width(patterns_.size() * kBitsOfPattern);
  const unsigned bits = std::clamp(static_cast<unsigned>(wanted), kMinBitmapBits, kMaxBitmapBits);
  bitmap_shift_ = 32 - bits;
  bitmap_.assign((std::size_t{1} << bits) / 64, 0);
  for (const Pattern& pattern : patterns_) {
    const std::uint32_t bit = mix(read_prefix(bytes_.data() + pattern.begin)) >> bitmap_shift_;
    bitmap_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    for (std::size_t i = 0; i < kPairs; ++i) {
      const std::uint32_t pair = read_pair(bytes_.data() + pattern.begin + i);
      pairs_[pair / 64] |= std::uint64_t{1} << (pair % 64);
    }
  }
  fill_buckets();
}

void PatternMatcher::link_parents() {
  std::vector<std::uint32_t> open;  // each begins with the one before it
  for (std::uint32_t i = 0; i < patterns_.size(); ++i) {
    while (!open.empty() && !begins_with(bytes_of(patterns_[i]), bytes_of(patterns_[open.back()])))
      open.pop_back();
    if (!open.empty()) patterns_[i].parent = open.back();
    open.push_back(i);
  }
}

void PatternMatcher::fill_buckets() {
  buckets_.assign(std::bit_ceil(patterns_.size() * 2 + 1), {});
  for (std::uint32_t i = 0; i < patterns_.size(); ++i) {
    const std::uint32_t prefix = read_prefix(bytes_.data() + patterns_[i].begin);
    std::size_t place = mix(prefix) & (buckets_.size() - 1);
    while (buckets_[place].end != 0 && buckets_[place].prefix != prefix)
      place = (place + 1) & (buckets_.size() - 1);
    if (buckets_[place].end == 0) buckets_[place] = {prefix, i, i};
    buckets_[place].end = i + 1;
  }
}

const PatternMatcher::Bucket* PatternMatcher::find_bucket(std::uint32_t prefix) const {
  std::size_t place = mix(prefix) & (buckets_.size() - 1);
  while (buckets_[place].end != 0) {
    if (buckets_[place].prefix == prefix) return &buckets_[place];
    place = (place + 1) & (buckets_.size() - 1);
  }
  return nullptr;
}

// Every pattern has three pairs of neighbours at its beginning, and one of them stands at a place
// that is a multiple of three: so one look in three places is enough, into a table of pairs.
std::size_t PatternMatcher::next_candidate(base::Bytes text, std::size_t at) const {
  if (patterns_.empty() || text.size() < kMinPattern) return text.size();
  const std::size_t last = text.size() - kMinPattern;
  const std::uint8_t* const bytes = text.data();
  const std::uint64_t* const pairs = pairs_.data();
  const auto known_pair = [=](std::size_t place) {
    const std::uint32_t pair = read_pair(bytes + place);
    return pairs[pair / 64] >> (pair % 64) & 1;
  };
  std::size_t sample = at + kPairs - 1;
  while (sample <= last + kPairs - 1) {
    // Four at once: nearly always none is known.
    if (sample + 3 * kPairs <= last + kPairs - 1 &&
        (known_pair(sample) | known_pair(sample + kPairs) | known_pair(sample + 2 * kPairs) |
         known_pair(sample + 3 * kPairs)) == 0) {
      sample += 4 * kPairs;
      continue;
    }
    if (known_pair(sample) != 0)
      for (std::size_t place = sample - (kPairs - 1); place <= std::min(sample, last); ++place)
        if (may_begin(bytes + place)) return place;
    sample += kPairs;
  }
  return text.size();
}

bool PatternMatcher::may_begin(const std::uint8_t* bytes) const {
  const std::uint32_t bit = mix(read_prefix(bytes)) >> bitmap_shift_;
  return (bitmap_[bit / 64] >> (bit % 64) & 1) != 0;
}

std::size_t PatternMatcher::longest_at(base::Bytes text, std::size_t at) const {
  const base::Bytes here = text.subspan(at);
  const Bucket* const bucket = find_bucket(read_prefix(here.data()));
  if (bucket == nullptr) return kNone;
  // The last pattern that is not behind the text in order: every pattern that the text begins with
  // is that one or one of its parents.
  const auto begin = patterns_.begin() + bucket->begin;
  const auto end = patterns_.begin() + bucket->end;
  const auto behind = std::upper_bound(
      begin, end, here, [this](base::Bytes t, const Pattern& p) { return less(t, bytes_of(p)); });
  if (behind == begin) return kNone;
  std::uint32_t index = static_cast<std::uint32_t>(std::prev(behind) - patterns_.begin());
  while (index != kNone && !begins_with(here, bytes_of(patterns_[index])))
    index = patterns_[index].parent;
  return index;
}

}  // namespace alcove::audit
