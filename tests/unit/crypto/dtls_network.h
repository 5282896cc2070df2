#pragma once
// A DTLS client and server over a network on virtual time that loses, delays and doubles datagrams.

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "crypto/dtls.h"

namespace alcove::crypto::testing {

struct NetworkConditions {
  std::uint32_t loss_percent = 0;
  std::uint32_t duplicate_percent = 0;
  std::uint32_t least_delay_ms = 5;
  std::uint32_t most_delay_ms = 5;  // more than the least reorders
  bool record_per_datagram = false;
};

class DtlsNetwork {
 public:
  // Sees each datagram before it is sent; false loses it.
  using Filter = std::function<bool(DtlsRole from, base::Buffer& datagram)>;

  DtlsNetwork(DtlsSession& client, DtlsSession& server, NetworkConditions conditions = {},
              std::uint64_t seed = 1)
      : client_(client), server_(server), conditions_(conditions), random_(seed) {}

  void set_filter(Filter filter) { filter_ = std::move(filter); }
  base::Instant now() const { return now_; }
  int sent() const { return sent_; }
  std::size_t largest() const { return largest_; }

  void start() {
    client_.start(now_);
    collect();
  }

  // Runs until nothing is to be done, or until the time is past end.
  void run_until(base::Instant end) {
    while (true) {
      const base::Instant deadline = std::min(client_.next_deadline(), server_.next_deadline());
      const base::Instant arrival = in_flight_.empty() ? base::kNever : in_flight_.begin()->first;
      const base::Instant next = std::min(deadline, arrival);
      if (next == base::kNever || next > end) break;
      now_ = std::max(now_, next);
      if (arrival <= deadline) {
        deliver();
      } else {
        client_.handle_timeout(now_);
        server_.handle_timeout(now_);
      }
      collect();
    }
    now_ = end;
  }
  void run_for(base::Duration duration) { run_until(now_ + duration); }

  bool settled() const {
    return client_.state() != DtlsState::kHandshaking && server_.state() != DtlsState::kHandshaking;
  }

  // Steps of 1 ms until both are connected or failed: the time that took.
  std::optional<base::Duration> run_until_settled(base::Duration limit) {
    const base::Instant begin = now_;
    while (!settled() && now_ - begin < limit) run_for(std::chrono::milliseconds(1));
    if (!settled()) return std::nullopt;
    return now_ - begin;
  }

 private:
  struct Packet {
    DtlsRole to = DtlsRole::kServer;
    base::Buffer datagram;
  };

  bool chance(std::uint32_t percent) { return percent > 0 && random_.below(100) < percent; }

  void collect() {
    for (const base::Buffer& datagram : client_.take_outgoing()) split(DtlsRole::kClient, datagram);
    for (const base::Buffer& datagram : server_.take_outgoing()) split(DtlsRole::kServer, datagram);
  }

  void split(DtlsRole from, base::Bytes datagram) {
    while (!datagram.empty()) {
      std::size_t size = datagram.size();
      if (conditions_.record_per_datagram && size >= 13)
        size = std::min<std::size_t>(size, 13U + datagram[11] * 256U + datagram[12]);
      base::Buffer part = base::to_buffer(datagram.first(size));
      datagram = datagram.subspan(size);
      send(from, part);
    }
  }

  void send(DtlsRole from, base::Buffer& datagram) {
    ++sent_;
    largest_ = std::max(largest_, datagram.size());
    if (filter_ && !filter_(from, datagram)) return;
    if (chance(conditions_.loss_percent)) return;
    const int copies = chance(conditions_.duplicate_percent) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const std::uint32_t spread = conditions_.most_delay_ms - conditions_.least_delay_ms;
      const std::uint32_t delay = conditions_.least_delay_ms + random_.below(spread + 1);
      in_flight_.emplace(
          now_ + std::chrono::milliseconds(delay),
          Packet{from == DtlsRole::kClient ? DtlsRole::kServer : DtlsRole::kClient, datagram});
    }
  }

  void deliver() {
    const Packet packet = std::move(in_flight_.begin()->second);
    in_flight_.erase(in_flight_.begin());
    (packet.to == DtlsRole::kClient ? client_ : server_).handle_datagram(now_, packet.datagram);
  }

  DtlsSession& client_;
  DtlsSession& server_;
  NetworkConditions conditions_;
  base::SeededRandom random_;
  Filter filter_;
  base::Instant now_{std::chrono::seconds(1000)};
  std::multimap<base::Instant, Packet> in_flight_;
  int sent_ = 0;
  std::size_t largest_ = 0;
};

}  // namespace alcove::crypto::testing
