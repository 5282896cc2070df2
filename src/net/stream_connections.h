#pragma once
// The accepted ICE-TCP connections of one media thread (RFC 6544, passive candidates). One thread.

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "net/connection_limits.h"
#include "net/file_descriptor.h"
#include "net/framing.h"
#include "net/media_handler.h"

namespace alcove::net {

struct StreamCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;     // over a limit
  std::uint64_t closed_bad = 0;  // not STUN first, or a frame that is too long
  std::uint64_t closed_idle = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t frames_dropped = 0;  // older audio of a slow connection, or no such connection
};

class StreamConnections {
 public:
  struct Options {
    base::Duration first_frame_within = base::seconds(5);
    base::Duration idle_limit = base::seconds(60);
  };
  // The low byte of a connection's id is the thread that owns it.
  static unsigned owner_of(std::uint64_t connection) { return connection & 0xff; }

  StreamConnections(int epoll, unsigned thread, ConnectionLimits& limits, Options options);
  ~StreamConnections();
  StreamConnections(const StreamConnections&) = delete;
  StreamConnections& operator=(const StreamConnections&) = delete;

  void adopt(base::Instant now, FileDescriptor descriptor, const base::SocketAddress& remote);
  // Events of epoll for the connection that its data names. Frames go to the handler; ended
  // connections are added to ended().
  void handle_events(base::Instant now, std::uint64_t connection, std::uint32_t events,
                     MediaHandler& handler);
  // Queues a frame; flush() writes.
  void send(std::uint64_t connection, base::Bytes frame);
  void flush();
  // Without being reported in ended().
  void close(std::uint64_t connection);
  // Ends what is idle; cheap when called often.
  void expire(base::Instant now);
  base::Instant next_deadline() const;

  std::vector<std::uint64_t>& ended() { return ended_; }
  const StreamCounters& counters() const { return counters_; }

 private:
  struct Connection;
  bool read(base::Instant now, Connection& connection, MediaHandler& handler);
  bool write(std::uint64_t id, Connection& connection);
  void end(std::uint64_t connection);

  const int epoll_;
  const unsigned thread_;
  ConnectionLimits& limits_;
  const Options options_;
  std::uint64_t sequence_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::uint64_t> to_flush_;
  std::vector<std::uint64_t> ended_;
  base::Instant next_sweep_{};
  StreamCounters counters_;
};

}  // namespace alcove::net
