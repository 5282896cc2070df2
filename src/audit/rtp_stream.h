#pragma once
// What is kept of one RTP stream while the capture is read. One thread.
//
// Per packet: counters and two table entries. Payloads are kept in windows of at most 256 packets,
// which are looked at and forgotten; between windows the stream goes by.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "audit/codec_recognizer.h"
#include "audit/finding.h"
#include "audit/media_stream.h"
#include "audit/payload_sample.h"
#include "wire/rtp.h"

namespace alcove::audit {

struct DatagramTime {
  std::uint64_t number = 0;
  CaptureTime time;
};

// Sizes exactly to 511 bytes, above in steps of 32.
class SizeTable {
 public:
  void add(std::size_t size) {
    ++counts_[size < kExact ? size : std::min(kExact + (size - kExact) / 32, counts_.size() - 1)];
  }
  double entropy() const { return entropy_of(counts_); }
  std::uint32_t distinct() const;
  // Standard deviation and mean, in bytes.
  double spread() const;
  double mean() const;
  void fill_bins(std::array<std::uint32_t, 64>& bins) const;

 private:
  static constexpr std::size_t kExact = 512;
  static std::size_t size_of(std::size_t index) {
    return index < kExact ? index : kExact + (index - kExact) * 32;
  }
  std::array<std::uint32_t, kExact + 48> counts_{};
};

// One-byte elements of header extensions (RFC 8285), by id: whether they are audio levels.
class LevelWatch {
 public:
  void add(const wire::RtpHeader& header);
  // The id of an element that is as RFC 6464 says and moves as a voice's level does: not constant,
  // not a counter, not random from packet to packet.
  std::optional<std::uint8_t> audio_level_id() const;

 private:
  static constexpr std::size_t kIds = 4;
  static constexpr std::size_t kValues = 256;
  struct Element {
    std::uint8_t id = 0;
    std::uint16_t count = 0;
    std::array<std::uint8_t, kValues> values{};
  };
  void add_element(std::uint8_t id, base::Bytes data);
  static bool moves_like_a_level(const Element& element);

  std::array<Element, kIds> elements_{};
  std::size_t packets_ = 0;
};

// Sending that starts and stops: bursts between pauses that the RTP clock shows, too.
class BurstWatch {
 public:
  void add(const wire::RtpFields& fields, CaptureTime time);
  std::uint32_t short_bursts() const { return short_bursts_; }
  std::uint32_t bursts() const { return bursts_; }

 private:
  std::uint32_t step_ = 0;  // the smallest that two neighbours had
  std::uint32_t last_timestamp_ = 0;
  std::uint16_t last_sequence_ = 0;
  bool began_ = false;
  CaptureTime last_;
  CaptureTime burst_begin_;
  std::uint32_t bursts_ = 0;
  std::uint32_t short_bursts_ = 0;
};

class RtpStream {
 public:
  static constexpr std::uint32_t kMaxWindows = 6;
  static constexpr std::size_t kKept = 8;

  RtpStream(std::uint32_t flow, Direction direction, const wire::RtpFields& fields);

  // A packet from before it was known to be a stream.
  void count_early(const DatagramTime& when, std::size_t size);
  // size: of the payload, as sent.
  void count(const wire::RtpHeader& header, const DatagramTime& when, std::size_t size);
  // Whether the next payload should be added to the sample.
  bool wants_payload(std::uint16_t sequence) const;
  // True when the window is full: examine it, then call next_window().
  bool add_payload(const wire::RtpHeader& header, const DatagramTime& when, base::Bytes payload);
  // Forgets the sample; another is taken later, if more could be learned.
  void next_window(bool learned_all);

  PayloadSample& sample() { return sample_; }
  const PayloadSample& sample() const { return sample_; }
  MediaStreamSummary& summary() { return summary_; }
  const MediaStreamSummary& summary() const { return summary_; }
  // The first packets, for evidence.
  std::span<const DatagramTime> first_packets() const {
    return std::span(first_packets_).first(std::min<std::size_t>(summary_.packets, kKept));
  }
  const SizeTable& sizes() const { return sizes_; }
  const BurstWatch& bursts() const { return bursts_; }
  LevelWatch* levels() { return levels_.get(); }
  // Both once a window was examined.
  ClockStep clock;
  std::vector<FindingCode> told;  // about it, each once
  bool level_reported = false;
  bool opened = false;  // payloads of the sample were opened with the hop's keys

 private:
  MediaStreamSummary summary_;
  std::array<DatagramTime, kKept> first_packets_{};
  SizeTable sizes_;
  BurstWatch bursts_;
  std::unique_ptr<LevelWatch> levels_;
  PayloadSample sample_;
  std::uint16_t last_sampled_ = 0;
  std::uint32_t windows_ = 0;
  std::uint64_t next_window_at_ = 0;  // packets
};

}  // namespace alcove::audit
