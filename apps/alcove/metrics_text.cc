#include "alcove/metrics_text.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace alcove::app {
namespace {

class Text {
 public:
  void counter(std::string_view name, std::uint64_t value) { add(name, "counter", value); }
  void gauge(std::string_view name, std::uint64_t value) { add(name, "gauge", value); }
  void type(std::string_view name) {
    fmt::format_to(std::back_inserter(text_), "# TYPE alcove_{} counter\n", name);
  }
  void labelled(std::string_view name, std::string_view reason, std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "alcove_{}{{reason=\"{}\"}} {}\n", name, reason,
                   value);
  }
  template <typename Value>
  void shard_gauge(std::string_view name, std::span<const relay::Load> loads, Value value) {
    fmt::format_to(std::back_inserter(text_), "# TYPE alcove_{} gauge\n", name);
    for (std::size_t shard = 0; shard < loads.size(); ++shard)
      fmt::format_to(std::back_inserter(text_), "alcove_{}{{shard=\"{}\"}} {}\n", name, shard,
                     value(loads[shard]));
  }
  std::string take() { return std::move(text_); }

 private:
  void add(std::string_view name, std::string_view kind, std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "# TYPE alcove_{} {}\nalcove_{} {}\n", name, kind,
                   name, value);
  }
  std::string text_;
};

void add_http(Text& text, const net::HttpCounters& http) {
  text.gauge("http_connections", http.connections_open);
  text.counter("http_connections_accepted_total", http.connections_accepted);
  text.counter("http_connections_refused_total", http.connections_refused);
  text.counter("http_connections_to_media_total", http.connections_to_media);
  text.counter("http_requests_total", http.requests);
  text.counter("http_client_errors_total", http.client_errors);
  text.counter("http_server_errors_total", http.server_errors);
  text.gauge("http_websockets", http.websockets_open);
  text.counter("http_websockets_dropped_total", http.websockets_dropped);
}

void add_media(Text& text, const net::MediaPortCounters& media) {
  text.counter("media_datagrams_received_total", media.datagrams_received);
  text.counter("media_datagrams_sent_total", media.datagrams_sent);
  text.counter("media_receive_dropped_total", media.receive_dropped);
  text.counter("media_send_dropped_total", media.send_dropped);
  text.counter("media_send_calls_total", media.send_calls);
  text.counter("media_datagrams_sent_merged_total", media.sent_merged);
  text.counter("media_datagrams_received_merged_total", media.received_merged);
  text.gauge("media_connections", media.connections_open);
  text.counter("media_connections_accepted_total", media.connections_accepted);
  text.counter("media_connections_refused_total", media.connections_refused);
  text.counter("media_connections_bad_total", media.connections_closed_bad);
  text.counter("media_connections_idle_total", media.connections_closed_idle);
  text.counter("media_frames_received_total", media.frames_received);
  text.counter("media_frames_dropped_total", media.frames_dropped);
}

void add_relay(Text& text, const relay::ShardCounters& relay) {
  text.counter("relay_datagrams_total", relay.datagrams_received);
  text.counter("relay_datagrams_forwarded_total", relay.datagrams_forwarded_to_shards);
  text.counter("relay_speaker_packets_total", relay.speaker_packets);
  text.counter("relay_slot_packets_total", relay.slot_packets);
  text.counter("relay_listener_packets_total", relay.listener_packets);
  text.counter("relay_held_packets_total", relay.held_packets);
  text.counter("relay_retransmissions_total", relay.retransmissions);
  text.counter("relay_nacks_to_speakers_total", relay.nacks_to_speakers);
  text.counter("relay_endpoints_opened_total", relay.endpoints_opened);
  text.counter("relay_endpoints_gone_total", relay.endpoints_gone);
  text.gauge("relay_endpoints", relay.endpoints);
  text.gauge("relay_endpoints_connected", relay.endpoints_connected);
  text.gauge("relay_shard_rooms", relay.rooms);
  text.counter("relay_refused_overloaded_total", relay.refused_overloaded);
  text.counter("relay_handshake_flights_total", relay.handshake_flights);
  text.gauge("relay_handshakes_waiting", relay.handshakes_waiting);
  text.type("relay_dropped_total");
  for (std::size_t i = 0; i < relay.dropped.size(); ++i)
    text.labelled("relay_dropped_total", relay::name(static_cast<relay::DropReason>(i)),
                  relay.dropped[i]);
}

double seconds_of(base::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void add_loads(Text& text, std::span<const relay::Load> loads) {
  text.shard_gauge("relay_shard_busy_ratio", loads,
                   [](const relay::Load& load) { return load.busy / 1000.0; });
  text.shard_gauge("relay_shard_queue_age_seconds", loads,
                   [](const relay::Load& load) { return seconds_of(load.queue_age); });
  text.shard_gauge("relay_shard_fan_out_seconds", loads,
                   [](const relay::Load& load) { return seconds_of(load.longest_fan_out); });
  text.shard_gauge("relay_shard_overloaded", loads,
                   [](const relay::Load& load) { return load.overloaded ? 1.0 : 0.0; });
}

}  // namespace

std::string metrics_text(const net::HttpCounters& http, const net::MediaPortCounters& media,
                         const relay::ShardCounters& relay, std::span<const relay::Load> loads,
                         std::uint64_t queue_drops) {
  Text text;
  add_http(text, http);
  add_media(text, media);
  add_relay(text, relay);
  add_loads(text, loads);
  text.counter("queue_drops_total", queue_drops);
  return text.take();
}

}  // namespace alcove::app
