#include "audit/payload_structure.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <span>

namespace alcove::audit {
namespace {

constexpr std::size_t kMaxHeader = 32;
// The longest SFrame header is 17 bytes, the longest usual trailer an initialisation vector of 12
// with a key's number, or an MKI before or after a tag.
constexpr std::size_t kBodyBegin = 20;
constexpr std::size_t kBodyEnd = 16;
constexpr std::size_t kLeastGroup = 12;
constexpr std::uint32_t kEnoughForAll = 32;
constexpr double kHeaderLike = 0.85;  // of the steps from piece to piece

using Histogram = std::array<std::uint32_t, 256>;

// Packets of one kind: those that begin with the same byte (an Opus TOC, an SFrame header's first
// byte), which have their header's fields at the same places.
using Group = std::vector<SequencedBytes>;

std::vector<Group> groups_of(const PayloadSample& sample) {
  std::array<Group, 256> by_first;
  for (std::size_t i = 0; i < sample.size(); ++i)
    if (sample[i].size != 0)
      by_first[sample.payload(i)[0]].push_back({sample[i].sequence, sample.payload(i)});
  std::vector<Group> groups;
  for (Group& group : by_first)
    if (group.size() >= kLeastGroup) groups.push_back(std::move(group));
  std::ranges::sort(groups, std::ranges::greater{}, &Group::size);
  if (!groups.empty()) return groups;
  // The first bytes are all different: one kind of packet, without a header.
  Group& everything = groups.emplace_back();
  for (std::size_t i = 0; i < sample.size(); ++i)
    everything.push_back({sample[i].sequence, sample.payload(i)});
  return groups;
}

bool header_like(std::span<const SequencedBytes> pieces, std::size_t position) {
  std::size_t steps = 0, explained = 0;
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    const SequencedBytes& before = pieces[i - 1];
    const SequencedBytes& now = pieces[i];
    if (std::min(before.bytes.size(), now.bytes.size()) <= position) continue;
    const auto change = static_cast<std::uint8_t>(now.bytes[position] - before.bytes[position]);
    const auto gone = static_cast<std::uint8_t>(now.sequence - before.sequence);
    ++steps;
    if (change == 0 || change == 1 || change == 0xff || change == gone) ++explained;
  }
  return steps != 0 && static_cast<double>(explained) >= kHeaderLike * static_cast<double>(steps);
}

Histogram count_body(const PayloadSample& sample) {
  Histogram histogram{};
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const base::Bytes payload = sample.payload(i);
    for (std::size_t at = kBodyBegin; at + kBodyEnd < payload.size(); ++at)
      ++histogram[payload[at]];
  }
  return histogram;
}

bool payloads_alike(const PayloadSample& sample) {
  std::size_t alike = 0;
  for (std::size_t i = 1; i < sample.size(); ++i)
    if (std::ranges::equal(sample.payload(i), sample.payload(i - 1))) ++alike;
  return static_cast<double>(alike) > 0.9 * static_cast<double>(sample.size());
}

double uniform_deviations(const Histogram& histogram) {
  double total = 0, sum = 0;
  for (const std::uint32_t count : histogram) total += count;
  if (total < 5 * 256) return 0;  // the usual least for a chi-squared test
  const double expected = total / 256;
  for (const std::uint32_t count : histogram)
    sum += (count - expected) * (count - expected) / expected;
  return deviations_of(sum, 255);
}

bool nearly_constant(const Histogram& histogram, std::size_t total) {
  std::uint32_t most = 0, second = 0;
  for (const std::uint32_t count : histogram) {
    second = std::max(second, std::min(most, count));
    most = std::max(most, count);
  }
  return total != 0 && static_cast<double>(most) + second > 0.95 * static_cast<double>(total);
}

// Neighbouring counts together, four in all.
template <std::size_t kCount>
std::array<std::uint32_t, 4> fold(const std::array<std::uint32_t, kCount>& counts) {
  std::array<std::uint32_t, 4> folded{};
  for (std::size_t i = 0; i < kCount; ++i) folded[i * 4 / kCount] += counts[i];
  return folded;
}

}  // namespace

std::size_t header_size_of(std::span<const SequencedBytes> pieces) {
  std::size_t size = 0;
  while (size < kMaxHeader && header_like(pieces, size)) ++size;
  return size;
}

void HeadTester::add(base::Bytes frame) {
  const unsigned second = frame.size() > 1 ? frame[1] : 128;
  const double value = (frame[0] * 256.0 + second + 0.5) / 65'536;
  ++values_[frame[0] >> 4];
  for (unsigned bit = 0; bit < 4; ++bit) {
    ones_[bit] += frame[0] >> bit & 1U;
    changes_[bit] += frames_ == 0 ? 0 : (frame[0] ^ before_bits_) >> bit & 1U;
  }
  if (frames_ != 0) {
    // Of two uniform values the distance d is below x with probability 1 - (1 - x)^2.
    const double apart = 1 - std::abs(value - before_);
    const auto bin = static_cast<std::size_t>((1 - apart * apart) * 8);
    ++distances_[std::min<std::size_t>(bin, distances_.size() - 1)];
  }
  ++frames_;
  before_ = value;
  before_bits_ = frame[0];
}

HeadTester::ChiSquare HeadTester::result() const {
  ChiSquare result;
  if (frames_ < kLeast) return result;
  const auto add_even = [&](std::span<const std::uint32_t> counts, std::uint32_t total) {
    const double expected = static_cast<double>(total) / static_cast<double>(counts.size());
    for (const std::uint32_t count : counts)
      result.sum += (count - expected) * (count - expected) / expected;
    result.degrees += static_cast<double>(counts.size()) - 1;
  };
  const auto add_coin = [&](std::uint32_t count, std::uint32_t total) {
    add_even(std::array{count, total - count}, total);
  };
  if (frames_ >= kEnoughForAll) {
    add_even(values_, frames_);
    add_even(distances_, frames_ - 1);
  } else {
    // Too few for so many kinds: the distribution would not hold.
    add_even(fold(values_), frames_);
    add_even(fold(distances_), frames_ - 1);
  }
  for (std::size_t bit = 0; bit < 4; ++bit) {
    add_coin(ones_[bit], frames_);
    add_coin(changes_[bit], frames_ - 1);
  }
  return result;
}

double deviations_of(double chi_square, double degrees) {
  if (degrees == 0) return 0;
  const double spread = 2 / (9 * degrees);
  return (std::cbrt(chi_square / degrees) - (1 - spread)) / std::sqrt(spread);
}

double entropy_of(std::span<const std::uint32_t> counts) {
  double total = 0, sum = 0;
  for (const std::uint32_t count : counts) {
    if (count == 0) continue;
    total += count;
    sum += count * std::log2(static_cast<double>(count));
  }
  return total == 0 ? 0 : std::log2(total) - sum / total;
}

PayloadStructure measure_structure(const PayloadSample& sample) {
  PayloadStructure result;
  Histogram all{};
  for (const std::uint8_t byte : sample.bytes()) ++all[byte];
  const std::size_t total = sample.bytes().size();
  if (total == 0) return result;
  const auto kinds = static_cast<double>(std::ranges::count_if(all, [](auto n) { return n != 0; }));
  result.byte_entropy = std::min(
      8.0, entropy_of(all) + (kinds - 1) / (2 * static_cast<double>(total) * std::numbers::ln2));
  result.constant = nearly_constant(all, total) || payloads_alike(sample);

  double head_sum = 0, head_degrees = 0;
  const std::vector<Group> groups = groups_of(sample);
  for (const Group& group : groups) {
    const std::size_t header_size = header_size_of(group);
    if (&group == &groups.front()) result.header_size = header_size;
    HeadTester tester;
    for (const SequencedBytes& piece : group)
      if (piece.bytes.size() > header_size) tester.add(piece.bytes.subspan(header_size));
    head_sum += tester.result().sum;
    head_degrees += tester.result().degrees;
  }
  result.head = deviations_of(head_sum, head_degrees);
  result.body = uniform_deviations(count_body(sample));
  return result;
}

}  // namespace alcove::audit
