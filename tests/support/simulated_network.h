#pragma once
// A network on virtual time: loss, duplication, reordering and delay from a seed, so that a run is
// the same each time. Nodes are sans-IO programs; run_for() is the loop that src/net has with real
// sockets. All in the header, so that each test program only includes it.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/datagram.h"
#include "base/random.h"
#include "base/time.h"

namespace alcove::simulation {

// What one node is to the network. All calls are at the network's time.
class SimulatedNode {
 public:
  virtual ~SimulatedNode() = default;
  // path is as this node sees it: local is its own address.
  virtual void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram) = 0;
  virtual void handle_timeout(base::Instant now) = 0;
  virtual base::Instant next_deadline() = 0;
  // Sent, then cleared, after each call.
  virtual base::DatagramQueue& outgoing() = 0;
  // After each call, before outgoing() is sent: the place to act on events.
  virtual void after_call(base::Instant /*now*/) {}

  virtual void handle_tcp_opened(base::Instant /*now*/, const base::SocketAddress& /*remote*/,
                                 const base::Path& /*path*/) {}
  virtual void handle_tcp_failed(base::Instant /*now*/, const base::SocketAddress& /*remote*/) {}
  virtual void handle_tcp_closed(base::Instant /*now*/, std::uint64_t /*connection*/) {}
};

struct NetworkConditions {
  double loss = 0;         // of each UDP datagram, 0 to 1
  double duplication = 0;  // the second copy is delayed on its own
  double reordering = 0;   // a datagram is held back by reordering_delay more
  base::Duration delay = base::milliseconds(10);  // one way
  base::Duration jitter{};                        // uniform, added to delay
  base::Duration reordering_delay = base::milliseconds(30);
};

struct NetworkCounters {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t blocked = 0;      // by the filter
  std::uint64_t unreachable = 0;  // nobody has the address
};

class SimulatedNetwork {
 public:
  using NodeId = std::size_t;
  // False drops what is sent by the path, TCP connections' beginnings too. path is the sender's.
  using Filter = std::function<bool(const base::Path& path)>;

  explicit SimulatedNetwork(std::uint64_t seed, NetworkConditions conditions = {});

  // node outlives the network. It receives what is sent to any port of its addresses, and its first
  // address of the right family stands for an unspecified source.
  NodeId add(SimulatedNode& node, std::vector<base::IpAddress> addresses);
  // The node's addresses are others from now on; its TCP connections are gone without a word.
  void change_addresses(NodeId id, std::vector<base::IpAddress> addresses);

  void set_conditions(const NetworkConditions& conditions) { conditions_ = conditions; }
  void set_filter(Filter filter) { filter_ = std::move(filter); }

  // A connection from a node to remote: it is told after a round trip, or that it failed.
  void open_tcp(NodeId id, const base::SocketAddress& remote);
  // Both sides are told.
  void close_tcp(NodeId id, std::uint64_t connection);

  // Runs call at a time, or now when that has passed. Nodes touched by it must be polled (poll()).
  void at(base::Instant time, std::function<void()> call);
  void after(base::Duration delay, std::function<void()> call) {
    at(now_ + delay, std::move(call));
  }
  // Sends the node's outgoing() and asks for its deadline again: after any call to it from outside.
  void poll(NodeId id);

  base::Instant now() const { return now_; }
  void run_for(base::Duration duration) { run_until(now_ + duration); }
  void run_until(base::Instant end);
  // True as soon as done() holds, asked after each step; false when limit has passed.
  bool run_until(const std::function<bool()>& done, base::Duration limit);
  const NetworkCounters& counters() const { return counters_; }

 private:
  struct Node {
    SimulatedNode* node = nullptr;
    std::vector<base::IpAddress> addresses;
    base::Instant deadline = base::kNever;
  };
  struct Delivery {
    base::Path path;  // the receiver's
    base::Buffer datagram;
  };
  struct Timed {
    base::Instant time;
    std::uint64_t order = 0;
    std::function<void()> call;
    bool operator>(const Timed& other) const {
      return time != other.time ? time > other.time : order > other.order;
    }
  };
  struct NodeTimer {
    base::Instant time;
    NodeId id = 0;
    bool operator>(const NodeTimer& other) const {
      return time != other.time ? time > other.time : id > other.id;
    }
  };
  struct TcpEnd {
    NodeId node = 0;
    base::Path path;               // as this end sees it
    std::uint64_t other = 0;       // the other end's connection
    base::Instant last_arrival{};  // at the other end: the order holds
  };

  bool step(base::Instant end);
  bool happens(double probability);
  base::Duration draw_delay();
  void send(NodeId id, const base::DatagramQueue::Entry& entry, base::Bytes datagram);
  void send_udp(base::Path path, base::Bytes datagram);
  void send_tcp(const base::Path& path, base::Bytes datagram);
  void deliver(const Delivery& delivery);
  void accept_tcp(NodeId id, const base::SocketAddress& remote);
  const NodeId* find_node(const base::IpAddress& address) const;

  base::SeededRandom random_;
  NetworkConditions conditions_;
  Filter filter_;
  base::Instant now_{base::seconds(1000)};
  std::uint64_t next_order_ = 0;
  std::uint64_t next_connection_ = 1;
  std::uint16_t next_port_ = 40'000;
  std::vector<Node> nodes_;
  std::map<base::IpAddress, NodeId> by_address_;
  std::unordered_map<std::uint64_t, TcpEnd> tcp_;
  std::priority_queue<Timed, std::vector<Timed>, std::greater<>> queue_;
  std::priority_queue<NodeTimer, std::vector<NodeTimer>, std::greater<>> timers_;
  NetworkCounters counters_;
};

inline SimulatedNetwork::SimulatedNetwork(std::uint64_t seed, NetworkConditions conditions)
    : random_(seed), conditions_(conditions) {}

inline SimulatedNetwork::NodeId SimulatedNetwork::add(SimulatedNode& node,
                                                      std::vector<base::IpAddress> addresses) {
  const NodeId id = nodes_.size();
  for (const base::IpAddress& address : addresses) by_address_[address] = id;
  nodes_.push_back({&node, std::move(addresses)});
  poll(id);
  return id;
}

inline void SimulatedNetwork::change_addresses(NodeId id, std::vector<base::IpAddress> addresses) {
  for (const base::IpAddress& address : nodes_[id].addresses) by_address_.erase(address);
  for (const base::IpAddress& address : addresses) by_address_[address] = id;
  nodes_[id].addresses = std::move(addresses);
  std::erase_if(tcp_, [id](const auto& end) { return end.second.node == id; });
}

inline void SimulatedNetwork::at(base::Instant time, std::function<void()> call) {
  queue_.push({std::max(time, now_), next_order_++, std::move(call)});
}

inline void SimulatedNetwork::poll(NodeId id) {
  SimulatedNode& node = *nodes_[id].node;
  node.after_call(now_);
  base::DatagramQueue& outgoing = node.outgoing();
  for (const base::DatagramQueue::Entry& entry : outgoing.entries())
    send(id, entry, outgoing.bytes(entry));
  outgoing.clear();
  const base::Instant deadline = node.next_deadline();
  if (deadline == nodes_[id].deadline) return;
  nodes_[id].deadline = deadline;
  if (deadline != base::kNever) timers_.push({deadline, id});
}

inline void SimulatedNetwork::run_until(base::Instant end) {
  while (step(end)) {
  }
  now_ = std::max(now_, end);
}

inline bool SimulatedNetwork::run_until(const std::function<bool()>& done, base::Duration limit) {
  const base::Instant end = now_ + limit;
  while (!done()) {
    if (step(end)) continue;
    now_ = end;
    return done();
  }
  return true;
}

// The next event, a delivery or a node's deadline; false when there is none until end.
inline bool SimulatedNetwork::step(base::Instant end) {
  while (!timers_.empty() && nodes_[timers_.top().id].deadline != timers_.top().time)
    timers_.pop();  // the node has another deadline now
  const base::Instant timer = timers_.empty() ? base::kNever : timers_.top().time;
  const base::Instant event = queue_.empty() ? base::kNever : queue_.top().time;
  if (std::min(timer, event) > end || std::min(timer, event) == base::kNever) return false;
  if (event <= timer) {
    Timed next = std::move(const_cast<Timed&>(queue_.top()));  // popped at once
    queue_.pop();
    now_ = std::max(now_, next.time);
    next.call();
    return true;
  }
  const NodeId id = timers_.top().id;
  timers_.pop();
  now_ = std::max(now_, timer);
  // A node whose deadline does not move would stop time: it is asked again a little later.
  nodes_[id].deadline = base::kNever;
  nodes_[id].node->handle_timeout(now_);
  poll(id);
  if (nodes_[id].deadline != base::kNever && nodes_[id].deadline <= now_) {
    nodes_[id].deadline = now_ + base::Duration(1);
    timers_.push({nodes_[id].deadline, id});
  }
  return true;
}

inline bool SimulatedNetwork::happens(double probability) {
  return probability > 0 && static_cast<double>(random_.next_u32()) < probability * 4294967296.0;
}

inline base::Duration SimulatedNetwork::draw_delay() {
  base::Duration delay = conditions_.delay;
  if (conditions_.jitter.count() > 0)
    delay += base::Duration(random_.below(static_cast<std::uint32_t>(conditions_.jitter.count())));
  return delay;
}

inline void SimulatedNetwork::send(NodeId id, const base::DatagramQueue::Entry& entry,
                                   base::Bytes datagram) {
  ++counters_.sent;
  base::Path path = entry.path;
  if (path.protocol == base::TransportProtocol::kTcp) return send_tcp(path, datagram);
  if (path.local.ip.is_unspecified()) {
    for (const base::IpAddress& address : nodes_[id].addresses) {
      if (address.is_v4() != path.remote.ip.is_v4()) continue;
      path.local.ip = address;
      break;
    }
  }
  // What leaves by an address that the node does not have (any more) goes nowhere.
  const NodeId* source = find_node(path.local.ip);
  if (!source || *source != id) {
    ++counters_.unreachable;
    return;
  }
  if (filter_ && !filter_(path)) {
    ++counters_.blocked;
    return;
  }
  send_udp(path, datagram);
}

inline void SimulatedNetwork::send_udp(base::Path path, base::Bytes datagram) {
  std::swap(path.local, path.remote);
  if (happens(conditions_.loss)) {
    ++counters_.lost;
    return;
  }
  const int copies = happens(conditions_.duplication) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    base::Duration delay = draw_delay();
    if (happens(conditions_.reordering)) delay += conditions_.reordering_delay;
    at(now_ + delay,
       [this, delivery = Delivery{path, base::to_buffer(datagram)}] { deliver(delivery); });
  }
}

inline void SimulatedNetwork::send_tcp(const base::Path& path, base::Bytes datagram) {
  const auto end = tcp_.find(path.connection);
  if (end == tcp_.end() || !tcp_.contains(end->second.other)) {
    ++counters_.unreachable;
    return;
  }
  if (filter_ && !filter_(path)) {
    ++counters_.blocked;
    return;
  }
  end->second.last_arrival = std::max(end->second.last_arrival, now_ + draw_delay());
  const std::uint64_t other = end->second.other;
  at(end->second.last_arrival, [this, other, bytes = base::to_buffer(datagram)] {
    const auto receiver = tcp_.find(other);
    if (receiver == tcp_.end()) return;
    ++counters_.delivered;
    const NodeId id = receiver->second.node;
    nodes_[id].node->handle_datagram(now_, receiver->second.path, bytes);
    poll(id);
  });
}

inline void SimulatedNetwork::deliver(const Delivery& delivery) {
  const NodeId* id = find_node(delivery.path.local.ip);
  if (!id) {
    ++counters_.unreachable;
    return;
  }
  ++counters_.delivered;
  nodes_[*id].node->handle_datagram(now_, delivery.path, delivery.datagram);
  poll(*id);
}

inline void SimulatedNetwork::open_tcp(NodeId id, const base::SocketAddress& remote) {
  at(now_ + 2 * draw_delay(), [this, id, remote] { accept_tcp(id, remote); });
}

inline void SimulatedNetwork::accept_tcp(NodeId id, const base::SocketAddress& remote) {
  base::Path ours{base::TransportProtocol::kTcp, {}, remote, next_connection_++};
  for (const base::IpAddress& address : nodes_[id].addresses)
    if (address.is_v4() == remote.ip.is_v4()) ours.local = {address, next_port_++};
  const NodeId* server = find_node(remote.ip);
  if (ours.local.port == 0 || !server || (filter_ && !filter_(ours))) {
    nodes_[id].node->handle_tcp_failed(now_, remote);
    return poll(id);
  }
  const base::Path theirs{base::TransportProtocol::kTcp, remote, ours.local, next_connection_++};
  tcp_[ours.connection] = {id, ours, theirs.connection};
  tcp_[theirs.connection] = {*server, theirs, ours.connection};
  nodes_[id].node->handle_tcp_opened(now_, remote, ours);
  poll(id);
}

inline void SimulatedNetwork::close_tcp(NodeId id, std::uint64_t connection) {
  const auto end = tcp_.find(connection);
  if (end == tcp_.end() || end->second.node != id) return;
  const std::uint64_t other = end->second.other;
  tcp_.erase(end);
  for (const std::uint64_t closed : {connection, other}) {
    const auto far = tcp_.find(other);
    if (closed == other && far == tcp_.end()) continue;
    const NodeId node = closed == other ? far->second.node : id;
    if (closed == other) tcp_.erase(far);
    at(now_ + (closed == other ? draw_delay() : base::Duration(0)), [this, node, closed] {
      nodes_[node].node->handle_tcp_closed(now_, closed);
      poll(node);
    });
  }
}

inline const SimulatedNetwork::NodeId* SimulatedNetwork::find_node(
    const base::IpAddress& address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : &found->second;
}

}  // namespace alcove::simulation
