#include "relay/handshake_queue.h"

#include <algorithm>
#include <utility>

namespace alcove::relay {
namespace {

// Speech pauses; the next word is not to find a thread that is busy with handshakes.
constexpr base::Duration kMediaLasts = base::milliseconds(500);
constexpr base::Duration kLeastCost = base::microseconds(50);
constexpr base::Duration kGreatestCost = base::milliseconds(4);
constexpr int kSmoothing = 16;

}  // namespace

bool HandshakeQueue::push(const base::JoinId& endpoint, const base::IpAddress& source,
                          base::Bytes datagram) {
  if (const auto found = flights_.find(endpoint); found != flights_.end()) {
    std::vector<base::Buffer>& datagrams = found->second.datagrams;
    if (datagrams.size() >= kMaxFlightDatagrams) return false;
    datagrams.push_back(base::to_buffer(datagram));
    return true;
  }
  if (flights_.size() >= kMaxQueuedFlights) return false;
  const SourceKey key = source_key(source);
  std::deque<base::JoinId>& waiting = sources_[key];
  if (waiting.size() >= kMaxQueuedFlightsOfSource) return false;
  if (waiting.empty()) turns_.push_back(key);
  waiting.push_back(endpoint);
  Waiting& flight = flights_[endpoint];
  flight.source = key;
  flight.datagrams.push_back(base::to_buffer(datagram));
  return true;
}

std::optional<HandshakeQueue::Flight> HandshakeQueue::pop() {
  if (turns_.empty()) return std::nullopt;
  const SourceKey key = turns_.front();
  turns_.pop_front();
  const auto source = sources_.find(key);
  const base::JoinId endpoint = source->second.front();
  source->second.pop_front();
  if (source->second.empty())
    sources_.erase(source);
  else
    turns_.push_back(key);
  auto node = flights_.extract(endpoint);
  return Flight{endpoint, std::move(node.mapped().datagrams)};
}

void HandshakeQueue::remove(const base::JoinId& endpoint) {
  const auto node = flights_.extract(endpoint);
  if (node.empty()) return;
  const auto source = sources_.find(node.mapped().source);
  std::erase(source->second, endpoint);
  if (!source->second.empty()) return;
  std::erase(turns_, source->first);
  sources_.erase(source);
}

base::Duration HandshakeBudget::allowance(base::Instant now) const {
  const bool beside_media = last_media_ && now - *last_media_ < kMediaLasts;
  return beside_media ? kBesideMedia : kAlone;
}

base::Instant HandshakeBudget::next_turn(base::Instant now) const {
  const base::Instant next_tick = tick_began_ + kTick;
  if (now >= next_tick || spent_ + cost_ <= allowance(now)) return now;
  return next_tick;
}

void HandshakeBudget::spend(base::Instant now) {
  if (now >= tick_began_ + kTick) {
    tick_began_ = now;
    spent_ = {};
  }
  spent_ += cost_;
}

void HandshakeBudget::measure(unsigned flights, base::Duration spent) {
  if (flights == 0) return;
  const base::Duration each = std::clamp(spent / flights, kLeastCost, kGreatestCost);
  cost_ += (each - cost_) / kSmoothing;
}

}  // namespace alcove::relay
