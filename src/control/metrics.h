#pragma once
// Counters for the operator, in Prometheus' text format. No label comes from outside. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace alcove::control {

struct Gauges {
  std::size_t rooms = 0;
  std::size_t listeners = 0;
  std::size_t speakers = 0;
  std::size_t moderators = 0;
  std::size_t websockets = 0;
  std::size_t pending_joins = 0;
  std::size_t candidates = 0;
};

class Metrics {
 public:
  void count_response(int status) { ++responses_.at(static_cast<std::size_t>(status / 100) % 6); }
  void count_join() { ++joins_; }
  // reason is text from the source code.
  void count_join_failure(std::string_view reason) {
    ++join_failures_[reason.empty() ? "other" : reason];
  }
  void count_log_in(bool success) { ++(success ? log_ins_ : failed_log_ins_); }
  void count_registration() { ++registrations_; }
  void count_rate_limited() { ++rate_limited_; }
  void count_offer_denied() { ++offers_denied_; }
  void count_offer_warned() { ++offers_warned_; }
  // A relay's answer named an address that no relay may be reached at.
  void count_bad_candidate() { ++bad_candidates_; }
  void count_database_error() { ++database_errors_; }
  void count_message(std::size_t bytes) {
    ++messages_;
    message_bytes_ += bytes;
  }
  void count_bad_message() { ++bad_messages_; }
  void count_entry(bool appended) { ++(appended ? entries_ : refused_entries_); }

  std::string text(const Gauges& gauges) const;

 private:
  std::array<std::uint64_t, 6> responses_{};
  std::uint64_t joins_ = 0;
  std::map<std::string_view, std::uint64_t> join_failures_;
  std::uint64_t log_ins_ = 0;
  std::uint64_t failed_log_ins_ = 0;
  std::uint64_t registrations_ = 0;
  std::uint64_t rate_limited_ = 0;
  std::uint64_t offers_denied_ = 0;
  std::uint64_t offers_warned_ = 0;
  std::uint64_t bad_candidates_ = 0;
  std::uint64_t database_errors_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t message_bytes_ = 0;
  std::uint64_t bad_messages_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t refused_entries_ = 0;
};

}  // namespace alcove::control
