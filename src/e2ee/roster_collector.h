#pragma once
// Puts a roster together from its parts, each certificate checked as it comes. One thread.

#include <cstdint>
#include <optional>
#include <vector>

#include "alcove/v1/keys.pb.h"
#include "roomlog/objects.h"

namespace alcove::e2ee {

class RosterCollector {
 public:
  static constexpr std::size_t kMaxPart = 64;
  static constexpr std::size_t kMaxTotal = 65'535;
  enum class Status : std::uint8_t { kMore, kComplete, kBad };

  explicit RosterCollector(const roomlog::Hash& room) : room_(room) {}

  // A part that begins at 0 begins anew. After kComplete and kBad the next part must begin at 0.
  Status add(const v1::RosterPart& part);
  // After kComplete, once. Their order is LogState's to check.
  std::vector<roomlog::Certificate> take_certificates() { return std::move(certificates_); }
  const roomlog::Entry& head() const { return *head_; }

 private:
  Status refuse();

  roomlog::Hash room_;
  std::uint32_t total_ = 0;
  std::vector<roomlog::Certificate> certificates_;
  std::optional<roomlog::Entry> head_;
};

}  // namespace alcove::e2ee
