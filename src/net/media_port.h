#pragma once
// The media port: one UDP port number, and passive ICE-TCP (RFC 6544) on the same number, served by
// N threads. Each thread has its own SO_REUSEPORT sockets, its own connections and its own
// MediaHandler.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "net/datagram_methods.h"
#include "net/media_handler.h"

namespace alcove::net {

inline constexpr unsigned kMaxMediaThreads = 64;

struct MediaPortOptions {
  // Local addresses to listen on; 0.0.0.0 and :: are all of a family. A system without IPv6 is
  // served without it when :: was asked for.
  std::vector<base::IpAddress> listen = {base::IpAddress(), base::IpAddress::v6({})};
  std::uint16_t port = 7878;  // 0: the system chooses
  unsigned threads = 1;       // 1 to kMaxMediaThreads
  int socket_buffer = 4 << 20;
  SendMethod sending = SendMethod::kAuto;
  ReceiveMethod receiving = ReceiveMethod::kAuto;
  std::size_t max_connections = 8192;
  std::size_t max_connections_for_address = 512;  // networks that block UDP often have one address
  base::Duration first_frame_within = base::seconds(5);
  base::Duration idle_limit = base::seconds(60);
};

// Of all threads, since the start.
struct MediaPortCounters {
  std::uint64_t datagrams_received = 0;
  std::uint64_t datagrams_sent = 0;
  std::uint64_t receive_dropped = 0;
  std::uint64_t send_dropped = 0;
  std::uint64_t send_calls = 0;       // sendmmsg
  std::uint64_t sent_merged = 0;      // of those sent, in a message with others (GSO)
  std::uint64_t received_merged = 0;  // of those received (GRO)
  std::uint64_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t connections_closed_bad = 0;
  std::uint64_t connections_closed_idle = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t frames_dropped = 0;
};

class MediaPort {
 public:
  // Binds everything, or says what is taken. The TCP listeners are bound first and exclusively:
  // with SO_REUSEPORT alone a second program could share the UDP port without an error.
  static base::Result<std::unique_ptr<MediaPort>> open(const MediaPortOptions& options);
  // Stops.
  ~MediaPort();
  MediaPort(const MediaPort&) = delete;
  MediaPort& operator=(const MediaPort&) = delete;

  std::uint16_t port() const;
  // What was bound; the wildcards stay wildcards.
  std::vector<base::IpAddress> listening() const;

  // One handler for each thread; they outlive stop(). Once.
  void start(const std::vector<MediaHandler*>& handlers);
  // Any thread. Makes the thread's handler take what is in its queues. Before start() it is kept.
  void wake(unsigned thread);
  // Any thread. Takes over an accepted TCP connection from which nothing has been read, such as
  // media on the HTTPS port.
  void adopt(int descriptor);
  // Whether GRO was asked for and all sockets have it.
  bool uses_gro() const;

  // Sends what is queued, then ends the threads. Not from a media thread.
  void stop();

  // Any thread; a moment old.
  MediaPortCounters counters() const;

 private:
  class Implementation;
  explicit MediaPort(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::net
