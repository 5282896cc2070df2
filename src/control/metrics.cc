#include "control/metrics.h"

#include <fmt/core.h>

#include <iterator>

namespace alcove::control {
namespace {

class Writer {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(out(), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
    name_ = name;
  }
  void sample(std::uint64_t value) { fmt::format_to(out(), "{} {}\n", name_, value); }
  void sample(std::string_view label, std::string_view label_value, std::uint64_t value) {
    fmt::format_to(out(), "{}{{{}=\"{}\"}} {}\n", name_, label, label_value, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }
  std::string text_;
  std::string_view name_;
};

}  // namespace

std::string Metrics::text(const Gauges& gauges) const {
  Writer w;
  w.family("alcove_rooms", "gauge", "Live rooms.");
  w.sample(gauges.rooms);
  w.family("alcove_room_members", "gauge", "Members of live rooms.");
  w.sample("role", "listener", gauges.listeners);
  w.sample("role", "speaker", gauges.speakers);
  w.sample("role", "moderator", gauges.moderators);
  w.family("alcove_websockets", "gauge", "Open WebSocket connections.");
  w.sample(gauges.websockets);
  w.family("alcove_pending_joins", "gauge", "Joins that wait for the relay.");
  w.sample(gauges.pending_joins);
  w.family("alcove_candidates", "gauge", "Joins that wait to be admitted.");
  w.sample(gauges.candidates);
  w.family("alcove_http_responses_total", "counter", "API responses by class of status.");
  for (std::size_t status = 1; status < responses_.size(); ++status)
    w.sample("class", fmt::format("{}xx", status), responses_.at(status));
  w.family("alcove_joins_total", "counter", "Joins that succeeded.");
  w.sample(joins_);
  w.family("alcove_join_failures_total", "counter", "Joins that failed, by reason.");
  for (const auto& [reason, count] : join_failures_) w.sample("reason", reason, count);
  w.family("alcove_log_ins_total", "counter", "Attempts to log in.");
  w.sample("result", "success", log_ins_);
  w.sample("result", "failure", failed_log_ins_);
  w.family("alcove_registrations_total", "counter", "New accounts.");
  w.sample(registrations_);
  w.family("alcove_rate_limited_total", "counter", "Requests refused by a rate limit.");
  w.sample(rate_limited_);
  w.family("alcove_offers_total", "counter", "Requests from where the policy warns or denies.");
  w.sample("result", "warned", offers_warned_);
  w.sample("result", "denied", offers_denied_);
  w.family("alcove_relay_bad_candidates_total", "counter",
           "Answers of a relay with a candidate that may not be told to anybody.");
  w.sample(bad_candidates_);
  w.family("alcove_database_errors_total", "counter", "Database calls that failed.");
  w.sample(database_errors_);
  w.family("alcove_websocket_messages_total", "counter", "WebSocket messages queued for members.");
  w.sample(messages_);
  w.family("alcove_websocket_message_bytes_total", "counter",
           "Bytes of these messages, with padding.");
  w.sample(message_bytes_);
  w.family("alcove_websocket_bad_messages_total", "counter",
           "WebSocket messages that were refused.");
  w.sample(bad_messages_);
  w.family("alcove_log_entries_total", "counter", "Entries of rooms' logs that members wrote.");
  w.sample("result", "appended", entries_);
  w.sample("result", "refused", refused_entries_);
  return w.take();
}

}  // namespace alcove::control
