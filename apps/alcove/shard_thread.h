#pragma once
// Adapts relay::Shard to a media thread. All but the queues belongs to that thread.

#include <atomic>
#include <mutex>
#include <vector>

#include "alcove/relay_runtime.h"
#include "crypto/random.h"
#include "net/media_handler.h"

namespace alcove::app {

class ShardThread final : public net::MediaHandler {
 public:
  ShardThread(RelayRuntime& runtime, const relay::ShardOptions& options,
              const crypto::Certificate& certificate);

  // Any thread: wake the media thread after these.
  bool push_command(v1::RelayCommand command) { return commands_.push_one(std::move(command)); }
  void push_messages(std::vector<relay::ShardMessage>& messages) { messages_.push(messages); }
  relay::ShardCounters counters() const;
  relay::Load load() const;
  bool overloaded() const { return overloaded_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return commands_.dropped() + messages_.dropped(); }

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes bytes) override;
  void handle_connection_closed(base::Instant now, std::uint64_t connection) override;
  void handle_wake(base::Instant now) override;
  void handle_timeout(base::Instant now) override;
  void handle_batch_end(base::Instant now) override;
  void handle_batch_cost(base::Instant ended, base::Duration work) override;
  base::Instant next_deadline() const override { return shard_.next_deadline(); }
  base::DatagramQueue& datagrams() override { return output_.datagrams; }
  std::vector<std::uint64_t>& connections_to_close() override { return output_.close_connections; }

 private:
  void hand_over_messages();
  void handle_commands(base::Instant now);

  RelayRuntime& runtime_;
  const unsigned index_;
  crypto::SystemRandom random_;
  relay::Shard shard_;
  relay::ShardOutput output_;
  net::HandoffQueue<v1::RelayCommand> commands_;
  net::HandoffQueue<relay::ShardMessage> messages_;
  // Kept, so that their memory is used again.
  std::vector<v1::RelayCommand> taken_commands_;
  std::size_t next_command_ = 0;  // of those taken
  std::vector<relay::ShardMessage> taken_messages_;
  std::vector<std::vector<relay::ShardMessage>> outgoing_;  // by shard

  base::Instant published_at_{};
  mutable std::mutex counters_mutex_;
  relay::ShardCounters published_;
  relay::Load published_load_;
  std::atomic<bool> overloaded_ = false;
};

}  // namespace alcove::app
