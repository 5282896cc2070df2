#pragma once
// One direction of a TCP connection as a stream of bytes, from segments in any order. One thread.
//
// What comes first wins: bytes that came again are left out, and counted where they are known to
// differ. A hole that is not filled is given up when waiting for it costs too much.

#include <array>
#include <cstdint>
#include <map>

#include "audit/inspector.h"

namespace alcove::audit {

class TcpStream {
 public:
  // Bytes that wait for a hole to be filled, with what keeping them takes.
  static constexpr std::size_t kMaxWaiting = std::size_t{256} << 10;
  static constexpr std::size_t kMaxWaitingInAll = std::size_t{32} << 20;
  static constexpr std::size_t kSegmentCost = 112;

  // Shared by all streams of a table.
  struct Totals {
    std::size_t waiting = 0;
    std::uint64_t gaps = 0;
    std::uint64_t different = 0;  // segments that repeat bytes with others
  };

  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void handle_piece(const StreamPiece& piece) = 0;
  };

  explicit TcpStream(Totals& totals) : totals_(totals) {}
  ~TcpStream() { totals_.waiting -= waiting_cost_; }
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  // Where the stream begins: the byte after a SYN. Once more is nothing new; another number begins
  // the stream anew after a gap.
  void begin(std::uint32_t sequence, Sink& sink);
  // A segment's data, at its sequence number (of the first byte of data, behind a SYN). length: as
  // sent, of which bytes may be a beginning. Without begin() before, the stream begins here.
  void add(std::uint32_t sequence, base::Bytes bytes, std::uint32_t length, const Packet& packet,
           Sink& sink);
  // Hands on what waits, holes or not.
  void flush(Sink& sink);

  bool begun() const { return begun_; }
  // False as well where nothing has begun.
  bool begins_at(std::uint32_t sequence) const { return begun_ && first_sequence_ == sequence; }

 private:
  struct Waiting {
    base::Buffer bytes;
    std::uint32_t length = 0;  // more than bytes.size(): what is behind them was cut off
    std::uint64_t number = 0;
    CaptureTime time;
  };
  using Map = std::map<std::uint64_t, Waiting>;  // by position; they do not overlap

  // What was handed on lately, to tell whether a repetition is one.
  struct Delivered {
    std::uint32_t sequence = 0;
    std::uint32_t length = 0;
    std::uint64_t hash = 0;
  };

  void restart(std::uint32_t sequence, Sink& sink);
  void handle_old(std::uint32_t sequence, base::Bytes bytes, std::uint32_t length,
                  const Packet& packet, Sink& sink);
  void deliver(base::Bytes bytes, std::uint32_t length, std::uint64_t number, CaptureTime time,
               Sink& sink);
  void remember(std::uint32_t sequence, base::Bytes bytes);
  void wait(std::uint64_t begin, base::Bytes bytes, std::uint32_t length, const Packet& packet);
  void wait_between(std::uint64_t begin, std::uint64_t end, std::uint64_t segment_begin,
                    base::Bytes bytes, const Packet& packet);
  void compare(const Waiting& earlier, std::uint64_t earlier_begin, std::uint64_t begin,
               base::Bytes bytes);
  void hand_on_ready(Sink& sink);
  void give_up_hole(Sink& sink);

  Totals& totals_;
  bool begun_ = false;
  bool gap_ = false;  // before the next piece
  bool differs_ = false;
  std::uint8_t far_behind_ = 0;  // segments in a row
  std::uint32_t first_sequence_ = 0;
  std::uint32_t next_sequence_ = 0;
  std::uint64_t position_ = 0;
  Map waiting_;
  std::size_t waiting_cost_ = 0;
  std::array<Delivered, 8> delivered_{};
  std::uint8_t delivered_at_ = 0;
};

}  // namespace alcove::audit
