#pragma once
// Executes what a client::LoadCrowd asks for: requests, WebSockets and datagrams of thousands of
// members on one loop, and the display of the progress. One thread.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client/load_crowd.h"
#include "crypto/random.h"
#include "egress.h"
#include "load_host.h"
#include "net/event_loop.h"
#include "net/http_client.h"
#include "net/udp_endpoint.h"
#include "net/websocket_client.h"

namespace alcove::app {

struct LoadCommand {
  client::LoadOptions options;  // of its room, unless host starts one
  LoadHostOptions host;
  EgressOptions egress;
  std::string html_file;  // empty: none
  bool json = false;
};

class LoadRunner final : public net::DatagramHandler {
 public:
  // egress: for the server of the command.
  LoadRunner(LoadCommand command, std::unique_ptr<Egress> egress);
  ~LoadRunner() override;

  // Until the load is over; the exit status.
  int run();

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes bytes) override;
  void handle_batch_end(base::Instant now) override;
  void handle_connected(base::Instant, const base::Path&) override {}
  void handle_connection_closed(base::Instant, std::uint64_t) override {}

 private:
  class Socket;
  // What a member has open besides the shared sockets.
  struct Connections {
    std::unique_ptr<net::HttpClient> http;
    std::map<std::uint64_t, std::unique_ptr<Socket>> sockets;
    base::SocketAddress own_socket;  // of its own; port 0: it shares one
  };

  client::Outcome open_sockets();
  std::vector<base::SocketAddress> local_addresses(std::size_t member);
  std::optional<base::IpAddress> http_source(std::size_t member) const;
  void interrupt();
  void flush(base::Instant now);
  void execute(std::size_t member, client::HttpCall& call);
  void execute(std::size_t member, client::OpenWebSocket& open);
  void execute(std::size_t member, client::SendWebSocket& send);
  void execute(std::size_t member, client::CloseWebSocket& close);
  void close_idle(std::size_t member, std::uint64_t call);
  void forget_unused(std::size_t member);
  void show_progress();
  void measure_lag();
  int end();
  net::Url url_of(std::string target) const;

  LoadCommand command_;
  std::unique_ptr<Egress> egress_;
  bool on_loopback_;
  crypto::SystemRandom random_;
  net::EventLoop loop_;
  net::UdpEndpoint endpoint_;
  std::vector<base::SocketAddress> shared_sockets_;
  std::unique_ptr<client::LoadCrowd> crowd_;
  std::unordered_map<std::size_t, Connections> connections_;
  client::LoadCrowd::Progress shown_;
  std::vector<base::Duration> lags_;
  base::Instant lag_due_;
  net::Timer timer_;
  base::Instant timer_at_ = base::kNever;
  net::Timer progress_timer_;
  net::Timer lag_timer_;
  bool is_terminal_;
  int interrupts_ = 0;
};

// Starts the room, where the command says so, and loads it; the exit status.
int run_load(LoadCommand command);

}  // namespace alcove::app
