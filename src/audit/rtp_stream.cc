#include "audit/rtp_stream.h"

#include <algorithm>
#include <cmath>

namespace alcove::audit {
namespace {

constexpr std::uint16_t kOneByteProfile = 0xbede;  // RFC 8285, section 4.2
constexpr std::uint16_t kTwoByteProfile = 0x1000;  // its upper 12 bits, section 4.3
// A sender with a hangover goes on for longer than this after every word.
constexpr auto kShortBurst = std::chrono::seconds(1);
constexpr auto kLeastPause = std::chrono::milliseconds(60);
constexpr std::uint64_t kWindowGrowth = 4;
constexpr std::uint64_t kSecondWindow = 1000;

}  // namespace

std::uint32_t SizeTable::distinct() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(counts_, [](std::uint32_t n) { return n != 0; }));
}

double SizeTable::mean() const {
  double total = 0, sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    total += counts_[i];
    sum += static_cast<double>(counts_[i]) * static_cast<double>(size_of(i));
  }
  return total == 0 ? 0 : sum / total;
}

double SizeTable::spread() const {
  const double center = mean();
  double total = 0, sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const double off = static_cast<double>(size_of(i)) - center;
    total += counts_[i];
    sum += counts_[i] * off * off;
  }
  return total == 0 ? 0 : std::sqrt(sum / total);
}

void SizeTable::fill_bins(std::array<std::uint32_t, 64>& bins) const {
  for (std::size_t i = 0; i < counts_.size(); ++i)
    bins[std::min<std::size_t>(size_of(i) / 32, bins.size() - 1)] += counts_[i];
}

void LevelWatch::add(const wire::RtpHeader& header) {
  const bool one_byte = header.extension_profile == kOneByteProfile;
  if (!one_byte && (header.extension_profile & 0xfff0) != kTwoByteProfile) return;
  ++packets_;
  base::ByteReader reader(header.extension);
  while (const auto first = reader.read_u8()) {
    if (*first == 0) continue;  // padding
    std::uint8_t id = *first;
    std::size_t size = 0;
    if (one_byte) {
      id = *first >> 4;
      size = (*first & 15U) + 1;
      if (id == 15) return;  // section 4.2: "MUST NOT be processed" from there
    } else {
      const auto length = reader.read_u8();
      if (!length) return;
      size = *length;
    }
    const auto data = reader.read_bytes(size);
    if (!data) return;
    if (size == 1) add_element(id, *data);
  }
}

void LevelWatch::add_element(std::uint8_t id, base::Bytes data) {
  for (Element& element : elements_) {
    if (element.count != 0 && element.id != id) continue;
    element.id = id;
    if (element.count < kValues) element.values[element.count++] = data[0];
    return;
  }
}

bool LevelWatch::moves_like_a_level(const Element& element) {
  std::array<std::uint32_t, 128> levels{};
  double moved = 0;
  std::size_t counting = 0;
  for (std::size_t i = 0; i < element.count; ++i) {
    const int level = element.values[i] & 0x7f;
    ++levels[static_cast<std::size_t>(level)];
    if (i == 0) continue;
    const int before = element.values[i - 1] & 0x7f;
    moved += std::abs(level - before);
    if (((level - before) & 0x7f) == 1) ++counting;
  }
  const double count = element.count;
  const auto distinct = std::ranges::count_if(levels, [](auto n) { return n != 0; });
  // What two packets taken at random would differ by, from the same values in another order.
  double apart = 0;
  for (std::size_t a = 0; a < levels.size(); ++a)
    for (std::size_t b = 0; b < levels.size(); ++b)
      apart += static_cast<double>(levels[a]) * levels[b] *
               std::abs(static_cast<double>(a) - static_cast<double>(b));
  apart /= count * count;
  return distinct >= 8 && static_cast<double>(counting) < 0.5 * count &&
         moved / (count - 1) < 0.75 * apart;
}

std::optional<std::uint8_t> LevelWatch::audio_level_id() const {
  for (const Element& element : elements_) {
    if (element.count < 50 || static_cast<double>(element.count) <
                                  0.8 * std::min<double>(static_cast<double>(packets_), kValues))
      continue;
    if (moves_like_a_level(element)) return element.id;
  }
  return std::nullopt;
}

void BurstWatch::add(const wire::RtpFields& fields, CaptureTime time) {
  if (!began_) {
    began_ = true;
    burst_begin_ = time;
  } else if (static_cast<std::uint16_t>(fields.sequence - last_sequence_) == 1) {
    const std::uint32_t step = fields.timestamp - last_timestamp_;
    if (step != 0 && step < 0x8000'0000 && (step_ == 0 || step < step_)) step_ = step;
    if (step_ != 0 && step < 0x8000'0000 && step > step_ && time - last_ >= kLeastPause) {
      ++bursts_;
      if (last_ - burst_begin_ < kShortBurst) ++short_bursts_;
      burst_begin_ = time;
    }
  }
  last_sequence_ = fields.sequence;
  last_timestamp_ = fields.timestamp;
  last_ = time;
}

RtpStream::RtpStream(std::uint32_t flow, Direction direction, const wire::RtpFields& fields) {
  summary_.flow = flow;
  summary_.direction = direction;
  summary_.ssrc = fields.ssrc;
  summary_.payload_type = fields.payload_type;
}

void RtpStream::count_early(const DatagramTime& when, std::size_t size) {
  if (summary_.packets == 0) {
    summary_.first = when.time;
    summary_.first_packet = when.number;
  }
  if (summary_.packets < kKept) first_packets_[summary_.packets] = when;
  ++summary_.packets;
  summary_.last = when.time;
  summary_.last_packet = when.number;
  sizes_.add(size);
}

void RtpStream::count(const wire::RtpHeader& header, const DatagramTime& when, std::size_t size) {
  count_early(when, size);
  bursts_.add(header.fields, when.time);
  if (header.has_extension && !level_reported) {
    if (levels_ == nullptr) levels_ = std::make_unique<LevelWatch>();
    levels_->add(header);
  }
}

bool RtpStream::wants_payload(std::uint16_t sequence) const {
  if (windows_ >= kMaxWindows || summary_.packets < next_window_at_) return false;
  // Each packet once: what comes twice (a capture of two interfaces, a resend) has structure.
  return sample_.empty() || static_cast<std::int16_t>(sequence - last_sampled_) > 0;
}

bool RtpStream::add_payload(const wire::RtpHeader& header, const DatagramTime& when,
                            base::Bytes payload) {
  const bool kept = sample_.add({.number = when.number,
                                 .time = when.time,
                                 .timestamp = header.fields.timestamp,
                                 .sequence = header.fields.sequence,
                                 .marker = header.fields.marker},
                                payload);
  last_sampled_ = header.fields.sequence;
  return !kept || sample_.full();
}

void RtpStream::next_window(bool learned_all) {
  sample_.clear();
  next_window_at_ = std::max(kSecondWindow, summary_.packets * kWindowGrowth);
  windows_ = learned_all ? kMaxWindows : windows_ + 1;
}

}  // namespace alcove::audit
