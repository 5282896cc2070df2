#pragma once
// The relay inside `alcove serve`: one shard a media thread, with bounded queues between the
// threads and the control thread. Protocol code stays in src/relay, sockets in src/net.

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "control/relay_link.h"
#include "crypto/certificate.h"
#include "net/event_loop.h"
#include "net/handoff_queue.h"
#include "net/media_port.h"
#include "relay/counters.h"
#include "relay/load_meter.h"
#include "relay/shard.h"
#include "relay/shard_assigner.h"

namespace alcove::app {

class ShardThread;

class RelayRuntime final : public control::RelayLink {
 public:
  using OnEvent = std::function<void(const v1::RelayEvent&)>;

  // options are for all shards; index and count are set here. on_event is called on the loop's
  // thread. loop and port outlive the runtime.
  RelayRuntime(net::EventLoop& loop, net::MediaPort& port, unsigned threads,
               relay::ShardOptions options, OnEvent on_event);
  // The port is stopped first.
  ~RelayRuntime() override;
  RelayRuntime(const RelayRuntime&) = delete;
  RelayRuntime& operator=(const RelayRuntime&) = delete;

  void start();
  // Control thread.
  void send(const v1::RelayCommand& command) override;
  // Any thread; the sum over the shards, at most a second old.
  relay::ShardCounters counters() const;
  // By shard, at most a second old.
  std::vector<relay::Load> loads() const;
  // Commands, events and messages that found a full queue.
  std::uint64_t dropped() const;

 private:
  friend class ShardThread;
  void deliver_events(std::vector<v1::RelayEvent>& events);
  void take_events();

  net::EventLoop& loop_;
  net::MediaPort& port_;
  const OnEvent on_event_;
  const crypto::Certificate certificate_;
  relay::ShardAssigner assigner_;
  std::vector<std::unique_ptr<ShardThread>> shards_;
  net::HandoffQueue<v1::RelayEvent> events_;
  std::vector<v1::RelayEvent> taken_;
  std::atomic<bool> events_posted_ = false;
  // Events that were posted and not taken when the runtime ends find it gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace alcove::app
