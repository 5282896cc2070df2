#pragma once
// Executes what a client::Member asks for: requests, the WebSocket, datagrams, output. One thread.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "client/audio_sink.h"
#include "client/audio_source.h"
#include "client/member.h"
#include "crypto/random.h"
#include "egress.h"
#include "net/event_loop.h"
#include "net/http_client.h"
#include "net/udp_endpoint.h"
#include "net/websocket_client.h"
#include "options.h"
#include "standard_input.h"

namespace alcove::app {

class Runner final : public net::DatagramHandler {
 public:
  // egress: for the server of the options.
  Runner(Options options, std::unique_ptr<Egress> egress);
  ~Runner() override;

  // Until the visit is over; the exit status.
  int run();

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes bytes) override;
  void handle_batch_end(base::Instant now) override;
  void handle_connected(base::Instant now, const base::Path& path) override;
  void handle_connection_closed(base::Instant now, std::uint64_t connection) override;

 private:
  class Socket;

  client::Outcome open_files();
  client::Outcome open_identity();
  client::Outcome open_audit_files();
  bool open_sockets();
  void read_standard_input();
  bool handle_input(base::Bytes bytes);
  void watch_network();
  void handle_network_change(std::vector<base::IpAddress> interfaces);
  void interrupt();
  void abandon_requests(base::Instant now);
  void renew_http();

  void flush(base::Instant now);
  void execute(client::HttpCall& call);
  void execute(client::OpenWebSocket& open);
  void execute(client::SendWebSocket& send);
  void execute(client::CloseWebSocket& close);
  void execute(rtc::OpenTcpConnection& open);
  void execute(rtc::CloseTcpConnection& close);
  void execute(client::SaveFile& save);
  void print(const client::MemberEvent& event) const;
  int end();

  net::Url url_of(std::string target) const;

  Options options_;
  std::unique_ptr<Egress> egress_;
  crypto::SystemRandom random_;
  net::EventLoop loop_;
  std::unique_ptr<net::HttpClient> http_;
  std::set<std::uint64_t> requests_;  // unanswered
  std::unique_ptr<client::AudioSource> source_;
  client::LivePcm* live_ = nullptr;  // source_, where it is standard input
  std::unique_ptr<client::AudioSink> sink_;
  std::unique_ptr<e2ee::KeyLog> key_log_;
  std::unique_ptr<client::PayloadLog> payload_log_;
  std::unique_ptr<client::Member> member_;
  std::map<std::uint64_t, std::unique_ptr<Socket>> sockets_;
  net::UdpEndpoint endpoint_;
  std::vector<base::SocketAddress> local_addresses_;
  std::vector<base::IpAddress> interfaces_;
  std::map<std::uint64_t, base::SocketAddress> connecting_;
  std::unique_ptr<StandardInput> input_;
  bool input_waits_ = false;
  std::string line_;
  net::Timer timer_;
  net::Timer network_timer_;
  int interrupts_ = 0;
};

}  // namespace alcove::app
