#pragma once
// Repair of lost packets (RFC 4585, generic NACK): what to ask for again, and what to keep to
// answer. One thread.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace alcove::rtc {

// The receiver's side of one stream. Sequence numbers are extended ones (they never wrap).
class NackGenerator {
 public:
  static constexpr std::size_t kMaxMissing = 64;  // older ones are given up
  static constexpr int kMaxRequests = 4;          // for one packet
  static constexpr base::Duration kGiveUpAfter = base::milliseconds(400);
  // A gap may be mere reordering: it is asked for after this.
  static constexpr base::Duration kFirstDelay = base::milliseconds(10);
  static constexpr base::Duration kShortestRetry = base::milliseconds(40);

  // Every packet that arrived, repaired ones too. A jump of more than kMaxMissing is a new start:
  // its gap is not asked for.
  void handle_packet(base::Instant now, std::uint64_t sequence);

  // Appends the packets to ask for at now to missing, in order; asks again for each about one
  // round_trip later.
  void collect(base::Instant now, base::Duration round_trip, std::vector<std::uint64_t>& missing);

  // When collect would have something to say; kNever when nothing is missing.
  base::Instant next_deadline() const;
  std::size_t missing() const { return missing_.size(); }
  std::uint64_t given_up() const { return given_up_; }
  std::uint64_t repaired() const { return repaired_; }

 private:
  struct Missing {
    std::uint64_t sequence = 0;
    base::Instant since;
    base::Instant next_request;
    int requests = 0;
  };

  std::optional<std::uint64_t> highest_;
  // By sequence, at most kMaxMissing. Of a stream that nobody sends or that loses nothing it takes
  // no memory.
  std::vector<Missing> missing_;
  std::uint64_t given_up_ = 0;
  std::uint64_t repaired_ = 0;
};

// The sender's side: the last packets of one stream by packet index, which counts every packet of
// the stream from any start. After kCapacity packets of the usual size nothing is allocated.
class RetransmissionRing {
 public:
  static constexpr std::size_t kCapacity = 64;  // 1.3 s of 20 ms packets

  struct Packet {
    std::uint64_t index = 0;
    std::uint32_t timestamp = 0;
    bool marker = false;
    base::Bytes payload;  // valid until the next store()
  };

  // Replaces the packet kCapacity before it, or an earlier one of the same index.
  void store(std::uint64_t index, std::uint32_t timestamp, bool marker, base::Bytes payload);
  // nullopt when it was never stored or has been replaced.
  std::optional<Packet> find(std::uint64_t index) const;
  void clear();

 private:
  struct Entry {
    bool used = false;
    std::uint64_t index = 0;
    std::uint32_t timestamp = 0;
    bool marker = false;
    base::Buffer payload;
  };
  std::array<Entry, kCapacity> entries_;
};

}  // namespace alcove::rtc
