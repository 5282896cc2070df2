#pragma once
// Datagrams to send, as effects of sans-IO protocol code that the caller executes. One thread.

#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace alcove::base {

// The largest datagram that is sent or accepted.
inline constexpr std::size_t kMaxDatagram = 1500;

// A queue of datagrams in the order of sending, in one block of memory that is used again after
// clear(): nothing is allocated for each datagram once it has grown to its working size.
//
// Who makes thousands in one call asks flush_if_full() in between: where the caller has set a sink,
// it takes what is there, so that the first are on their way while the last are made, and the
// memory stays in the CPU's cache.
class DatagramQueue {
 public:
  struct Entry {  // one cache line
    Path path;
    std::uint32_t offset = 0;  // each begins where the one before ends
    std::uint32_t size = 0;
  };
  using Sink = std::move_only_function<void()>;

  // sink sends what is queued and calls clear(). It outlives the use of this queue.
  void set_sink(std::size_t full_at, Sink sink) {
    full_at_ = full_at;
    sink_ = std::move(sink);
  }
  // Entries and reserved space from before are gone after it.
  void flush_if_full() {
    if (entries_.size() >= full_at_ && sink_) sink_();
  }

  // Space for a datagram of at most max_size bytes; valid until the next call. Follow with
  // commit().
  MutableBytes reserve(std::size_t max_size) {
    if (bytes_.size() < used_ + max_size) {
      CHECK(used_ + max_size <= std::numeric_limits<std::uint32_t>::max() / 2);
      bytes_.resize((used_ + max_size) * 2);
    }
    return MutableBytes(bytes_).subspan(used_, max_size);
  }
  // The first size bytes of the space just reserved are a datagram for path.
  void commit(const Path& path, std::size_t size) {
    CHECK(used_ + size <= bytes_.size());
    entries_.push_back({path, static_cast<std::uint32_t>(used_), static_cast<std::uint32_t>(size)});
    used_ += size;
  }
  void push(const Path& path, Bytes datagram) {
    MutableBytes space = reserve(datagram.size());
    if (!datagram.empty()) std::memcpy(space.data(), datagram.data(), datagram.size());
    commit(path, datagram.size());
  }

  bool empty() const { return entries_.empty(); }
  std::span<const Entry> entries() const { return entries_; }
  Bytes bytes(const Entry& entry) const { return Bytes(bytes_).subspan(entry.offset, entry.size); }
  void clear() {
    entries_.clear();
    used_ = 0;
  }

 private:
  std::vector<Entry> entries_;
  Buffer bytes_;
  std::size_t used_ = 0;
  std::size_t full_at_ = 0;
  Sink sink_;
};

}  // namespace alcove::base
