#pragma once
// What a client tells the person (docs/protocol/room-keys.md, last section), each once for as long
// as it lasts. One thread.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "e2ee/key_events.h"

namespace alcove::e2ee {

class Warnings {
 public:
  explicit Warnings(std::vector<KeyEvent>& events) : events_(events) {}

  // Once for each warning and name until clear().
  void raise(KeyWarning warning, const std::string& name, std::string detail);
  void clear(KeyWarning warning, const std::string& name);
  // Says it again each time.
  void tell(KeyWarning warning, const std::string& name, std::string detail);
  bool is_active(KeyWarning warning, const std::string& name) const {
    return active_.contains({warning, name});
  }

 private:
  // Names come from certificates of a hostile server too: beyond this many, only the first are
  // remembered as active.
  static constexpr std::size_t kMaxActive = 1024;
  std::vector<KeyEvent>& events_;
  std::set<std::pair<KeyWarning, std::string>> active_;
};

}  // namespace alcove::e2ee
