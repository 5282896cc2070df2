#pragma once
// The relay of bench_fanout: the real shards and the real media threads, connected as in
// apps/alcove. While members connect, the shards are driven from here; then they are the threads'.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "bench/fanout_channel.h"
#include "bench/fanout_methods.h"
#include "bench/ground.h"
#include "crypto/certificate.h"
#include "crypto/random.h"
#include "net/handoff_queue.h"
#include "net/media_handler.h"
#include "net/media_port.h"
#include "relay/shard.h"

namespace alcove::bench {

// What one media thread has done so far.
struct ThreadFigures {
  CpuTime cpu;
  relay::ShardCounters counters;
  std::vector<double> transit_ms;  // taken: the next call begins anew
};

class FanoutRelay;

class BenchThread final : public net::MediaHandler {
 public:
  BenchThread(FanoutRelay& relay, const relay::ShardOptions& options,
              const crypto::Certificate& certificate);

  relay::Shard& shard() { return shard_; }
  relay::ShardOutput& output() { return output_; }
  // Any thread; the media thread answers.
  ThreadFigures figures();
  void push_check(Message check) { checks_.push_one(std::move(check)); }
  void push_messages(std::vector<relay::ShardMessage>& messages) { messages_.push(messages); }

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes bytes) override;
  void handle_connection_closed(base::Instant now, std::uint64_t connection) override;
  void handle_wake(base::Instant now) override;
  void handle_timeout(base::Instant now) override { shard_.handle_timeout(now, output_); }
  void handle_batch_end(base::Instant now) override;
  base::Instant next_deadline() const override { return shard_.next_deadline(); }
  base::DatagramQueue& datagrams() override { return output_.datagrams; }
  // The media thread asks for these once it has sent the datagrams.
  std::vector<std::uint64_t>& connections_to_close() override;

 private:
  struct Pending {
    base::Instant read;
    std::uint64_t packets;  // listener packets once this one has been sent to all
  };
  void handle_message(base::Instant now, relay::ShardMessage&& message);
  void expect(base::Instant read, unsigned speaker_shard);

  FanoutRelay& relay_;
  const unsigned index_;
  crypto::SystemRandom random_;
  relay::Shard shard_;
  relay::ShardOutput output_;
  net::HandoffQueue<Message> checks_;
  net::HandoffQueue<relay::ShardMessage> messages_;
  std::vector<Message> taken_checks_;
  std::vector<relay::ShardMessage> taken_messages_;
  std::vector<std::vector<relay::ShardMessage>> outgoing_;

  std::vector<Pending> pending_;
  std::uint64_t expected_ = 0;
  std::vector<double> transit_ms_;

  std::mutex mutex_;
  std::condition_variable answered_;
  bool asked_ = false;
  ThreadFigures answer_;
};

struct FanoutRelayOptions {
  Network network = Network::kLoopback;
  unsigned threads = 1;
  Methods methods;
};

class FanoutRelay {
 public:
  FanoutRelay(const FanoutRelayOptions& options, Channel& channel);
  ~FanoutRelay();

  // Serves the peers' handshakes until all are connected. at_member is called after each.
  bool connect_all(const std::function<void(std::size_t)>& at_member);
  // The shards belong to the media threads from now on.
  void start();
  // Passes on renewals of consent until the peers say that those were all, or the deadline. False:
  // the peers are gone.
  bool serve_checks(base::Instant until);
  // The ages of frames at the listeners that are sampled, so far.
  const std::vector<double>& ages() const { return ages_; }
  ThreadFigures figures();
  net::MediaPortCounters port_counters() const { return port_->counters(); }

 private:
  friend class BenchThread;
  unsigned shard_of(const base::SocketAddress& member) const;
  unsigned shard_of_speaker(const base::JoinId& speaker) const;
  base::Path path_of(const base::SocketAddress& member) const;
  bool open(const Message& message);
  void serve_datagrams(const Message& message);
  void take_ages(const Message& message);
  void take_check(const Message& message);
  void settle(base::Instant now);

  FanoutRelayOptions options_;
  Channel& channel_;
  crypto::SystemRandom random_;
  crypto::Certificate certificate_;
  std::unique_ptr<net::MediaPort> port_;
  std::vector<std::unique_ptr<BenchThread>> threads_;
  std::vector<std::size_t> members_of_;  // by shard
  std::unordered_map<base::JoinId, unsigned> speakers_;
  std::string room_;
  std::vector<double> ages_;
};

}  // namespace alcove::bench
