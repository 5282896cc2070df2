#pragma once
// What an inspector keeps of all flows together while it waits for more: a capture of many flows
// that never finish anything must not fill the memory. One thread.

#include <cstddef>

namespace alcove::audit {

class HeldBytes {
 public:
  explicit HeldBytes(std::size_t limit = 16 << 20) : limit_(limit) {}

  // One flow's part changes. False when it has to let go of what it keeps.
  bool change(std::size_t before, std::size_t after) {
    total_ += after;
    total_ -= before;
    return after <= before || total_ <= limit_;
  }

 private:
  std::size_t limit_;
  std::size_t total_ = 0;
};

}  // namespace alcove::audit
