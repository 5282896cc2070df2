#pragma once
// Datagrams to send, as effects of sans-IO protocol code that the caller executes. One thread.

#include <span>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace alcove::base {

// The largest datagram that is sent or accepted.
inline constexpr std::size_t kMaxDatagram = 1500;

// A queue of datagrams in the order of sending, in one block of memory that is used again after
// clear(): nothing is allocated for each datagram once it has grown to its working size.
class DatagramQueue {
 public:
  struct Entry {
    Path path;
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  // Space for a datagram of at most max_size bytes; valid until the next call. Follow with
  // commit().
  MutableBytes reserve(std::size_t max_size) {
    if (bytes_.size() < used_ + max_size) bytes_.resize((used_ + max_size) * 2);
    return MutableBytes(bytes_).subspan(used_, max_size);
  }
  // The first size bytes of the space just reserved are a datagram for path.
  void commit(const Path& path, std::size_t size) {
    CHECK(used_ + size <= bytes_.size());
    entries_.push_back({path, used_, size});
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
};

}  // namespace alcove::base
