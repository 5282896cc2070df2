#include "bench/fanout_peers.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "base/check.h"
#include "crypto/random.h"
#include "net/clock.h"
#include "rtc/client_peer.h"
#include "wire/demux.h"

namespace alcove::bench {
namespace {

constexpr base::Duration kConnectWithin = base::seconds(20);
constexpr base::Duration kRenewEvery = base::seconds(10);

// Datagrams of this kind are what the relay takes as consent; the last one serves again and again.
void keep_check(const base::DatagramQueue& queue, base::Buffer& check) {
  for (const auto& entry : queue.entries()) {
    const base::Bytes bytes = queue.bytes(entry);
    const bool is_request = bytes.size() > 1 && bytes[0] == 0 && bytes[1] == 1;
    if (is_request && wire::classify_packet(bytes) == wire::PacketKind::kStun)
      check = base::to_buffer(bytes);
  }
}

struct Speaker {
  int descriptor = -1;
  base::Path path;
  std::unique_ptr<rtc::ClientPeer> peer;
  base::Instant due;
  std::uint32_t timestamp = 0;
  bool started = false;
};

class Peers {
 public:
  Peers(const PeersOptions& options, Channel& channel) : options_(options), channel_(channel) {}

  void run() {
    const auto hello = channel_.receive();
    if (!hello) return;
    relay_ = {sender_address(options_.network), hello->address.port};
    base::Instant renewed = net::monotonic_now();
    for (std::size_t i = 0; i < options_.listeners; ++i) {
      const base::SocketAddress own{listener_address(options_.network, i), kListenerPort};
      const auto peer = connect(own, false, &checks_.emplace_back());
      if (!peer) return;
      if (net::monotonic_now() - renewed < kRenewEvery) continue;
      renew(0, checks_.size());
      renewed = net::monotonic_now();
    }
    for (std::size_t i = 0; i < options_.speakers; ++i) {
      if (!open_speaker()) return;
    }
    channel_.send({.kind = MessageKind::kReady});
    // All at once, so that consent lasts as long as it can.
    renew(0, checks_.size());
    channel_.send({.kind = MessageKind::kReady});
    if (channel_.receive()) speak();
  }

 private:
  bool open_speaker() {
    Speaker& speaker = speakers_.emplace_back();
    speaker.descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    std::memcpy(&address.sin_addr, relay_.ip.bytes().data(), 4);
    CHECK(bind(speaker.descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    getsockname(speaker.descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    const base::SocketAddress own{relay_.ip, ntohs(address.sin_port)};
    address.sin_port = htons(relay_.port);
    CHECK(::connect(speaker.descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) ==
          0);
    speaker.path = {.local = own, .remote = relay_};
    speaker.peer = connect(own, true, nullptr);
    return speaker.peer != nullptr;
  }

  // A handshake over the channel. The peer's time jumps to its next deadline where it waits.
  std::unique_ptr<rtc::ClientPeer> connect(const base::SocketAddress& own, bool speaks,
                                           base::Buffer* check) {
    const base::Instant began = net::monotonic_now();
    auto peer = rtc::ClientPeer::create(
        random_, {.local_addresses = {own}, .use_tcp = false, .wall_time = net::wall_now()});
    channel_.send({.kind = MessageKind::kOpen,
                   .address = own,
                   .speaks = speaks,
                   .bytes = base::to_buffer(base::as_bytes(peer->create_offer()))});
    const auto answer = channel_.receive();
    if (!answer || answer->kind != MessageKind::kAnswer ||
        !peer->set_answer(began, base::as_text(answer->bytes)))
      return fail("the answer does not fit");
    const base::Path path{.local = own, .remote = relay_};
    base::Duration ahead{};
    // One turn more than it takes: the first report, after all else, ends the relay's handshake.
    for (bool reported = false; !reported;) {
      base::Instant now = net::monotonic_now() + ahead;
      if (peer->outgoing().empty()) {
        reported = peer->state() == rtc::PeerState::kConnected;
        now = std::max(now, peer->next_deadline());
        if (speaks) sleep_until(now);
        ahead = now - net::monotonic_now();
        peer->handle_timeout(now);
      }
      if (check != nullptr) keep_check(peer->outgoing(), *check);
      if (!exchange(*peer, path, now)) return nullptr;
      if (net::monotonic_now() - began > kConnectWithin || peer->state() == rtc::PeerState::kFailed)
        return fail("a member cannot connect");
    }
    channel_.send({.kind = MessageKind::kOpened});
    return peer;
  }

  bool exchange(rtc::ClientPeer& peer, const base::Path& path, base::Instant now) {
    channel_.send(
        {.kind = MessageKind::kDatagrams, .address = path.local, .bytes = pack(peer.outgoing())});
    peer.outgoing().clear();
    const auto reply = channel_.receive();
    if (!reply) return false;
    for (const base::Bytes datagram : unpack(reply->bytes))
      peer.handle_datagram(now, path, datagram);
    peer.clear_events();
    return true;
  }

  static std::nullptr_t fail(std::string_view why) {
    fmt::print(stderr, "bench_fanout: {}\n", why);
    return nullptr;
  }

  void renew(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i)
      channel_.send({.kind = MessageKind::kCheck,
                     .address = {listener_address(options_.network, i), kListenerPort},
                     .bytes = checks_[i]});
  }

  void speak() {
    const base::Instant start = net::monotonic_now() + base::milliseconds(5);
    const auto phases = speaker_phases(speakers_.size(), options_.seed);
    for (std::size_t i = 0; i < speakers_.size(); ++i) speakers_[i].due = start + phases[i];
    base::Instant renewed = start;
    std::size_t next_check = 0;
    while (!is_closed()) {
      const auto first = std::ranges::min_element(speakers_, {}, &Speaker::due);
      sleep_until(first->due);
      const base::Instant now = net::monotonic_now();
      first->peer->send_frame(now, payload_, first->timestamp, !first->started);
      first->started = true;
      first->timestamp += 960;
      first->due += kFrame;
      send(*first);
      drain(*first, now);
      if (!options_.renews_consent || first != speakers_.begin()) continue;
      // A fair part each 20 ms, as checks of real listeners come.
      const double done =
          static_cast<double>((now - renewed).count()) / static_cast<double>(kRenewEvery.count());
      const auto until = std::min(
          checks_.size(), static_cast<std::size_t>(done * static_cast<double>(checks_.size())));
      renew(next_check, until);
      next_check = until;
      if (until == checks_.size()) {
        renewed = now;
        next_check = 0;
      }
    }
  }

  void send(Speaker& speaker) {
    for (const auto& entry : speaker.peer->outgoing().entries()) {
      const base::Bytes bytes = speaker.peer->outgoing().bytes(entry);
      [[maybe_unused]] const ssize_t sent =
          ::send(speaker.descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT);
    }
    speaker.peer->outgoing().clear();
  }

  void drain(Speaker& speaker, base::Instant now) {
    std::array<std::uint8_t, base::kMaxDatagram> bytes;
    while (true) {
      const ssize_t size = recv(speaker.descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (size <= 0) break;
      speaker.peer->handle_datagram(now, speaker.path,
                                    base::Bytes(bytes).first(static_cast<std::size_t>(size)));
    }
    if (speaker.peer->next_deadline() <= now) speaker.peer->handle_timeout(now);
    speaker.peer->clear_events();
    send(speaker);
  }

  bool is_closed() const {
    pollfd closed{channel_.descriptor(), POLLRDHUP, 0};
    return poll(&closed, 1, 0) > 0;
  }

  const PeersOptions& options_;
  Channel& channel_;
  crypto::SystemRandom random_;
  base::SocketAddress relay_;
  base::Buffer payload_ = base::Buffer(kPayload, 0x5a);
  std::vector<base::Buffer> checks_;
  std::vector<Speaker> speakers_;
};

}  // namespace

void run_peers(const PeersOptions& options, Channel& channel) { Peers(options, channel).run(); }

}  // namespace alcove::bench
