#include "audit/tcp_stream.h"

#include <algorithm>
#include <iterator>

#include "audit/load.h"

namespace alcove::audit {
namespace {

// A repetition lies at most a window behind. What is further back, some segments in a row, belongs
// to a later connection whose beginning was not captured.
constexpr std::uint32_t kFarBehind = 4U << 20;
constexpr std::uint8_t kFarBehindInARow = 4;

// Tells a repetition with the same bytes from one with others, wherever they differ in one word;
// not against somebody who seeks two segments of one hash. Every byte of every stream comes by
// here, so it adds and rotates in lanes that do not wait for each other.
std::uint64_t hash_of(base::Bytes bytes) {
  constexpr std::size_t kLanes = 8;
  std::array<std::uint64_t, kLanes> lanes = {bytes.size()};
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8 * kLanes; left -= 8 * kLanes, at += 8 * kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] = std::rotl(lanes[lane], 23) + load_native<std::uint64_t>(at + 8 * lane);
  }
  for (; left >= 8; left -= 8, at += 8)
    lanes[0] = std::rotl(lanes[0], 23) + load_native<std::uint64_t>(at);
  for (; left > 0; --left, ++at) lanes[0] = std::rotl(lanes[0], 23) + *at;
  std::uint64_t hash = 0;
  for (const std::uint64_t lane : lanes) hash = (std::rotl(hash, 31) ^ lane) * 0x9e3779b97f4a7c15;
  return hash;
}

base::Bytes part(base::Bytes bytes, std::uint64_t begin, std::uint64_t end) {
  const std::size_t from = std::min<std::uint64_t>(begin, bytes.size());
  return bytes.subspan(from, std::min<std::uint64_t>(end, bytes.size()) - from);
}

}  // namespace

void TcpStream::begin(std::uint32_t sequence, Sink& sink) {
  if (begun_) {
    if (sequence != first_sequence_) restart(sequence, sink);
    return;
  }
  begun_ = true;
  first_sequence_ = next_sequence_ = sequence;
}

void TcpStream::restart(std::uint32_t sequence, Sink& sink) {
  flush(sink);
  gap_ = true;
  far_behind_ = 0;
  delivered_ = {};
  first_sequence_ = next_sequence_ = sequence;
}

void TcpStream::add(std::uint32_t sequence, base::Bytes bytes, std::uint32_t length,
                    const Packet& packet, Sink& sink) {
  if (length == 0) return;
  if (!begun_) begin(sequence, sink);
  const auto ahead = static_cast<std::int32_t>(sequence - next_sequence_);
  if (ahead == 0 && waiting_.empty()) {
    far_behind_ = 0;
    remember(sequence, bytes);
    deliver(bytes, length, packet.number, packet.time, sink);
    return;
  }
  if (ahead < 0) {
    handle_old(sequence, bytes, length, packet, sink);
    return;
  }
  far_behind_ = 0;
  remember(sequence, bytes);
  wait(position_ + static_cast<std::uint32_t>(ahead), bytes, length, packet);
  hand_on_ready(sink);
  while (waiting_cost_ > kMaxWaiting) give_up_hole(sink);
  if (totals_.waiting > kMaxWaitingInAll) flush(sink);
}

void TcpStream::handle_old(std::uint32_t sequence, base::Bytes bytes, std::uint32_t length,
                           const Packet& packet, Sink& sink) {
  const std::uint32_t behind = next_sequence_ - sequence;
  if (length <= behind) {
    if (behind > kFarBehind) {
      if (++far_behind_ < kFarBehindInARow) return;
      restart(sequence, sink);
      add(sequence, bytes, length, packet, sink);
      return;
    }
    far_behind_ = 0;
    const std::uint64_t hash = hash_of(bytes);
    const auto known = std::ranges::find_if(delivered_, [&](const Delivered& entry) {
      return entry.sequence == sequence && entry.length == bytes.size();
    });
    if (known != delivered_.end() && known->hash != hash) ++totals_.different;
    return;
  }
  // Begins with old bytes and goes on with new ones.
  add(next_sequence_, bytes.subspan(std::min<std::size_t>(behind, bytes.size())), length - behind,
      packet, sink);
}

void TcpStream::remember(std::uint32_t sequence, base::Bytes bytes) {
  delivered_[delivered_at_] = {sequence, static_cast<std::uint32_t>(bytes.size()), hash_of(bytes)};
  delivered_at_ = (delivered_at_ + 1) % delivered_.size();
}

void TcpStream::deliver(base::Bytes bytes, std::uint32_t length, std::uint64_t number,
                        CaptureTime time, Sink& sink) {
  if (!bytes.empty()) {
    const StreamPiece piece{bytes, position_, number, time, gap_};
    if (gap_) ++totals_.gaps;
    position_ += length;
    next_sequence_ += length;
    gap_ = length > bytes.size();
    sink.handle_piece(piece);
    return;
  }
  position_ += length;
  next_sequence_ += length;
  gap_ = true;
}

// Keeps what of [begin, begin + length) is not yet there.
void TcpStream::wait(std::uint64_t begin, base::Bytes bytes, std::uint32_t length,
                     const Packet& packet) {
  const std::uint64_t end = begin + length;
  std::uint64_t at = begin;
  differs_ = false;
  auto next = waiting_.upper_bound(begin);
  if (next != waiting_.begin()) --next;
  for (; next != waiting_.end() && next->first < end; ++next) {
    const std::uint64_t next_end = next->first + next->second.length;
    if (next_end <= at) continue;
    if (next->first > at) wait_between(at, next->first, begin, bytes, packet);
    compare(next->second, next->first, begin, bytes);
    at = next_end;
  }
  if (at < end) wait_between(at, end, begin, bytes, packet);
  if (differs_) ++totals_.different;
}

void TcpStream::wait_between(std::uint64_t begin, std::uint64_t end, std::uint64_t segment_begin,
                             base::Bytes bytes, const Packet& packet) {
  const base::Bytes kept = part(bytes, begin - segment_begin, end - segment_begin);
  waiting_.emplace(begin, Waiting{base::to_buffer(kept), static_cast<std::uint32_t>(end - begin),
                                  packet.number, packet.time});
  waiting_cost_ += kept.size() + kSegmentCost;
  totals_.waiting += kept.size() + kSegmentCost;
}

void TcpStream::compare(const Waiting& earlier, std::uint64_t earlier_begin, std::uint64_t begin,
                        base::Bytes bytes) {
  const std::uint64_t from = std::max(earlier_begin, begin);
  const std::uint64_t to = std::min(earlier_begin + earlier.bytes.size(), begin + bytes.size());
  if (from >= to) return;
  if (!std::ranges::equal(part(earlier.bytes, from - earlier_begin, to - earlier_begin),
                          part(bytes, from - begin, to - begin)))
    differs_ = true;
}

void TcpStream::hand_on_ready(Sink& sink) {
  while (!waiting_.empty() && waiting_.begin()->first == position_) {
    const auto node = waiting_.extract(waiting_.begin());
    const Waiting& ready = node.mapped();
    waiting_cost_ -= ready.bytes.size() + kSegmentCost;
    totals_.waiting -= ready.bytes.size() + kSegmentCost;
    deliver(ready.bytes, ready.length, ready.number, ready.time, sink);
  }
}

void TcpStream::give_up_hole(Sink& sink) {
  const std::uint64_t missing = waiting_.begin()->first - position_;
  position_ += missing;
  next_sequence_ += static_cast<std::uint32_t>(missing);
  gap_ = true;
  hand_on_ready(sink);
}

void TcpStream::flush(Sink& sink) {
  while (!waiting_.empty()) give_up_hole(sink);
}

}  // namespace alcove::audit
