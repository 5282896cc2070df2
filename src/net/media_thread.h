#pragma once
// One thread of the media port: waits, reads, calls its handler, executes the handler's output.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/datagram.h"
#include "net/connection_limits.h"
#include "net/file_descriptor.h"
#include "net/media_handler.h"
#include "net/media_port.h"
#include "net/stream_connections.h"
#include "net/tcp_listener.h"
#include "net/udp_socket.h"

namespace alcove::net {

class MediaThread {
 public:
  // listeners are shared by all threads and outlive this.
  MediaThread(unsigned index, std::vector<UdpSocket> sockets,
              const std::vector<TcpListener>& listeners, ConnectionLimits& limits,
              StreamConnections::Options options);
  ~MediaThread();
  MediaThread(const MediaThread&) = delete;
  MediaThread& operator=(const MediaThread&) = delete;

  // peers are all threads of the port in the order of their index, this one included.
  void start(MediaHandler& handler, std::vector<MediaThread*> peers);
  void request_stop();
  void join();

  // The calls below: any thread.
  void wake();
  void adopt(FileDescriptor descriptor);
  void add_counters(MediaPortCounters& sum) const;

 private:
  // What other threads left here: frames for connections of this thread, and ends of connections.
  struct Inbox {
    base::DatagramQueue frames;
    std::size_t frame_bytes = 0;
    std::vector<std::uint64_t> closes;
    std::vector<std::uint64_t> ended;
    std::vector<FileDescriptor> adopted;
    bool handler_wake = false;
    void clear();
  };

  void run();
  void dispatch(base::Instant now, std::uint64_t token, std::uint32_t events);
  void receive(base::Instant now, UdpSocket& socket);
  void accept(base::Instant now, const TcpListener& listener);
  void take_inbox(base::Instant now);
  void finish_batch(base::Instant now);
  void run_timers(base::Instant now);
  void send_datagrams();
  void send_output();
  void send_frame(const base::Path& path, base::Bytes frame);
  void send_held_frames();
  void hand_over();
  void report_ended(base::Instant now);
  UdpSocket* socket_for(const base::Path& path);
  bool same_way(const base::Path& a, const base::Path& b) const;
  void pause_listeners(base::Instant now);
  void resume_listeners();
  int timeout_milliseconds(base::Instant now) const;
  void watch(int descriptor, std::uint64_t token, std::uint32_t events);
  void publish_counters();
  void signal();

  const unsigned index_;
  FileDescriptor epoll_;
  FileDescriptor event_;
  std::vector<UdpSocket> sockets_;
  const std::vector<TcpListener>& listeners_;
  StreamConnections connections_;
  ReceiveBatch batch_;
  base::Instant listeners_resume_at_ = base::kNever;
  base::Duration worked_{};  // thread_time() at the end of the last batch

  MediaHandler* handler_ = nullptr;
  std::vector<MediaThread*> peers_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> signalled_ = false;

  std::mutex inbox_mutex_;
  Inbox inbox_;
  Inbox taken_;
  // Collected in a batch for each other thread, then handed over under one lock.
  std::vector<Inbox> outboxes_;

  // Frames that were made in the middle of a call: the connection they are for may be the one that
  // is being read.
  base::DatagramQueue held_frames_;

  std::uint64_t misaddressed_ = 0;
  mutable std::mutex counters_mutex_;
  MediaPortCounters published_;
};

}  // namespace alcove::net
