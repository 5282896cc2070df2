#include "bench/fanout_peers.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "bench/fanout_member.h"
#include "crypto/random.h"
#include "net/clock.h"
#include "rtc/client_peer.h"
#include "wire/demux.h"

namespace alcove::bench {
namespace {

constexpr base::Duration kConnectWithin = base::seconds(20);
constexpr std::size_t kAgesPerMessage = 10'000;
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
  LiveMember member;
  base::Instant due{};
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
      if (!connect_listener(i)) return;
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
  bool connect_listener(std::size_t i) {
    const base::SocketAddress own{listener_address(options_.network, i), kListenerPort};
    // Evenly spread, the last one among them.
    const bool is_sampled =
        options_.sampled != 0 && (i + 1) * options_.sampled / options_.listeners !=
                                     i * options_.sampled / options_.listeners;
    base::Buffer& check = checks_.emplace_back();
    if (!is_sampled) return connect(own, {.check = &check}) != nullptr;
    LiveMember& member = samples_.emplace_back(own.ip, own.port, relay_);
    member.set_peer(connect(own, {.check = &check, .in_real_time = true}));
    return member.has_peer();
  }

  bool open_speaker() {
    Speaker& speaker = speakers_.emplace_back(LiveMember(relay_.ip, 0, relay_));
    speaker.member.set_peer(
        connect(speaker.member.path().local, {.speaks = true, .in_real_time = true}));
    return speaker.member.has_peer();
  }

  struct How {
    base::Buffer* check = nullptr;  // where to keep a check that renews consent
    bool speaks = false;
    bool in_real_time = false;  // or the peer's time jumps to its next deadline where it waits
  };

  // A handshake over the channel.
  std::unique_ptr<rtc::ClientPeer> connect(const base::SocketAddress& own, const How& how) {
    const base::Instant began = net::monotonic_now();
    auto peer = rtc::ClientPeer::create(
        random_, {.local_addresses = {own}, .use_tcp = false, .wall_time = net::wall_now()});
    channel_.send({.kind = MessageKind::kOpen,
                   .address = own,
                   .speaks = how.speaks,
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
        if (how.in_real_time) sleep_until(now);
        ahead = now - net::monotonic_now();
        peer->handle_timeout(now);
      }
      if (how.check != nullptr) keep_check(peer->outgoing(), *how.check);
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
    while (!is_told()) {
      const auto first = std::ranges::min_element(speakers_, {}, &Speaker::due);
      sleep_until(first->due);
      const base::Instant now = net::monotonic_now();
      first->member.speak(now, first->timestamp, !first->started);
      first->started = true;
      first->timestamp += 960;
      first->due += kFrame;
      if (first == speakers_.begin())
        serve_members(*std::ranges::min_element(speakers_, {}, &Speaker::due));
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
    send_ages();
  }

  // In the pause before the next packet, for which it must leave time.
  void serve_members(const Speaker& next) {
    std::vector<float> of_speakers;
    for (Speaker& speaker : speakers_) speaker.member.serve(net::monotonic_now(), of_speakers);
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (next.due - net::monotonic_now() < base::milliseconds(2)) return;
      samples_[next_sample_++ % samples_.size()].serve(net::monotonic_now(), ages_);
    }
  }

  void send_ages() {
    // Or the other side would be told of a reset, in place of what is sent here.
    if (!channel_.receive()) return;
    for (std::size_t i = 0; i < ages_.size(); i += kAgesPerMessage) {
      const auto part = std::span(ages_).subspan(i, std::min(kAgesPerMessage, ages_.size() - i));
      Message message{.kind = MessageKind::kAges, .bytes = base::Buffer(part.size_bytes())};
      std::memcpy(message.bytes.data(), part.data(), part.size_bytes());
      channel_.send(message);
    }
    channel_.send({.kind = MessageKind::kReady});
  }

  // Any message, or the end of the channel.
  bool is_told() const {
    pollfd told{channel_.descriptor(), POLLIN | POLLRDHUP, 0};
    return poll(&told, 1, 0) > 0;
  }

  const PeersOptions& options_;
  Channel& channel_;
  crypto::SystemRandom random_;
  base::SocketAddress relay_;
  std::vector<base::Buffer> checks_;
  std::vector<Speaker> speakers_;
  std::vector<LiveMember> samples_;
  std::size_t next_sample_ = 0;
  std::vector<float> ages_;
};

}  // namespace

void run_peers(const PeersOptions& options, Channel& channel) { Peers(options, channel).run(); }

}  // namespace alcove::bench
