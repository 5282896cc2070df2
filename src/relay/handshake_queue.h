#pragma once
// DTLS flights that wait for their turn: public-key operations cost as much as the sending of some
// hundred packets, and media goes first. One flight an endpoint; first in, first out for each
// source address, and sources take turns, so that one cannot keep the others waiting. One thread.

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "relay/source_key.h"

namespace alcove::relay {

inline constexpr std::size_t kMaxQueuedFlights = 2048;
// Of one source; many people may be behind one address.
inline constexpr std::size_t kMaxQueuedFlightsOfSource = 512;
// Of one endpoint: a certificate chain in fragments. What a peer repeats meanwhile is dropped.
inline constexpr std::size_t kMaxFlightDatagrams = 6;

class HandshakeQueue {
 public:
  // Adds to the endpoint's flight, or begins one. False when a bound is reached: dropped.
  bool push(const base::JoinId& endpoint, const base::IpAddress& source, base::Bytes datagram);
  struct Flight {
    base::JoinId endpoint;
    std::vector<base::Buffer> datagrams;
  };
  // Whose turn it is; nullopt when empty.
  std::optional<Flight> pop();
  // The endpoint is gone.
  void remove(const base::JoinId& endpoint);
  bool empty() const { return flights_.empty(); }
  std::size_t size() const { return flights_.size(); }

 private:
  struct Waiting {
    SourceKey source{};
    std::vector<base::Buffer> datagrams;
  };
  std::unordered_map<base::JoinId, Waiting> flights_;
  // Never with an empty queue; turns_ has each source once.
  std::unordered_map<SourceKey, std::deque<base::JoinId>, SourceKeyHash> sources_;
  std::deque<SourceKey> turns_;
};

// How much of the time handshakes get, counted in flights: nothing here reads a clock. One thread.
class HandshakeBudget {
 public:
  static constexpr base::Duration kTick = base::milliseconds(10);
  static constexpr base::Duration kBesideMedia = base::milliseconds(4);  // of each tick
  static constexpr base::Duration kAlone = base::milliseconds(9);
  // What one flight takes until it was measured: half of a handshake.
  static constexpr base::Duration kFirstCost = base::microseconds(330);

  // Media was sent to listeners.
  void note_media(base::Instant now) { last_media_ = now; }
  // When the next flight may be served, at the earliest now.
  base::Instant next_turn(base::Instant now) const;
  // At or after next_turn().
  void spend(base::Instant now);
  // How long some flights have taken, as the caller has measured it.
  void measure(unsigned flights, base::Duration spent);
  base::Duration cost() const { return cost_; }

 private:
  base::Duration allowance(base::Instant now) const;

  base::Instant tick_began_{};
  base::Duration spent_{};
  base::Duration cost_ = kFirstCost;
  std::optional<base::Instant> last_media_;
};

}  // namespace alcove::relay
