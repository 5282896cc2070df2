#pragma once
// The log as a member got it, for export (LogExport in keys.proto). One thread.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "alcove/v1/keys.pb.h"
#include "roomlog/objects.h"

namespace alcove::e2ee {

class LogRecord {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

  LogRecord(const v1::SignedObject& genesis, bool keep);
  // What a joiner was given; its admit is added next.
  void begin(const v1::LogChain& chain);
  // From here on every entry is there: the roster is as of head.
  void begin_full(std::span<const roomlog::Certificate> roster, const v1::SignedObject& head,
                  bool head_is_authority);
  // The newest entry took its member off the stage, and with that the roster away: what follows is
  // the short path alone.
  void leave_stage();
  // Further entries; dropped once kMaxBytes are kept.
  void add(const v1::SignedObject& entry, bool is_authority);
  const v1::LogExport& log() const { return log_; }

 private:
  bool take(const v1::SignedObject& object);
  // All but the entries of class authority is left out, and of these the one with this body.
  void restart(std::string_view without);

  bool keep_;
  std::size_t bytes_ = 0;
  v1::LogExport log_;
  std::vector<bool> is_authority_;  // of each of the entries
};

}  // namespace alcove::e2ee
