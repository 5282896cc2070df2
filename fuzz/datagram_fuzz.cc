// A live shard, of two, that gets arbitrary datagrams, authentic packets with arbitrary content,
// messages of the other shard, and time. The input is a list of steps: a byte that says what to do,
// a byte that says how, and for most two bytes of length and that many bytes.
//
// A handshake costs more than a thousand steps, so one connected member serves many inputs; it is
// made anew after some hundreds, and whenever an input has ended it.

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "crypto/dtls.h"
#include "crypto/hash.h"
#include "crypto/srtp.h"
#include "relay/offer.h"
#include "relay/shard.h"
#include "rtc/ice_credentials.h"
#include "wire/rtp.h"
#include "wire/sdp.h"
#include "wire/stun.h"

namespace {

namespace base = alcove::base;
namespace crypto = alcove::crypto;
namespace relay = alcove::relay;
namespace rtc = alcove::rtc;
namespace v1 = alcove::v1;
namespace wire = alcove::wire;
using base::Bytes;
using base::Instant;

constexpr unsigned kShards = 2;
constexpr int kInputsPerWorld = 400;

enum Step : std::uint8_t {
  kStrangersDatagram,
  kMembersDatagram,
  kRoutedDatagram,
  kRtp,
  kRtcp,
  kCheck,
  kCommand,
  kForwarded,
  kRoute,
  kPresence,
  kSpeaker,
  kSlot,
  kLoss,
  kConnectionClosed,
  kWait,
  kSteps,
};

const crypto::Certificate& relay_certificate() {
  static const crypto::Certificate instance = [] {
    base::SeededRandom random(1);
    return crypto::Certificate::generate(random, {});
  }();
  return instance;
}
const crypto::Certificate& member_certificate() {
  static const crypto::Certificate instance = [] {
    base::SeededRandom random(2);
    return crypto::Certificate::generate(random, {});
  }();
  return instance;
}
const crypto::DtlsContext& member_context() {
  static const crypto::DtlsContext instance(member_certificate());
  return instance;
}

std::string text(Bytes bytes) { return std::string(base::as_text(bytes)); }

relay::ShardOptions make_options() {
  relay::ShardOptions options;
  options.count = kShards;
  options.max_endpoints = 8;
  options.max_routed_paths = 16;
  options.candidates = {
      {base::TransportProtocol::kUdp, {base::IpAddress::v4({192, 0, 2, 1}), 7878}}};
  return options;
}

// The shard with one member connected to it, whose keys are known here.
class World {
 public:
  World() {
    member_ice_ = rtc::make_ice_credentials(random_);
    open();
    handle_check(0, {});
    crypto::DtlsSession dtls(member_context(), crypto::DtlsRole::kClient,
                             relay_certificate().fingerprint());
    dtls.start(now_);
    for (int round = 0; round < 10 && dtls.state() == crypto::DtlsState::kHandshaking; ++round) {
      for (const base::Buffer& datagram : dtls.take_outgoing())
        shard_.handle_datagram(now_, path(0), datagram, out_);
      // Handshakes wait for their turn.
      now_ += base::milliseconds(10);
      shard_.handle_timeout(now_, out_);
      for (const auto& entry : out_.datagrams.entries())
        dtls.handle_datagram(now_, out_.datagrams.bytes(entry));
      settle();
    }
    CHECK(dtls.state() == crypto::DtlsState::kConnected);
    sender_.emplace(dtls.srtp_keys().local);
    CHECK(is_connected());
    shard_.handle_shard_message(now_, relay::RoomPresence{room_, 1, true}, out_);
    settle();
  }

  bool is_connected() const { return shard_.counters().endpoints_connected == 1; }

  void run(base::ByteReader& reader) {
    while (const auto step = reader.read_u8()) {
      const std::uint8_t how = reader.read_u8().value_or(0);
      const std::size_t length = reader.read_u16().value_or(0);
      const Bytes content = *reader.read_bytes(std::min(length, reader.remaining()));
      now_ += base::milliseconds(*step / kSteps);
      take_step(static_cast<Step>(*step % kSteps), how, content);
      settle();
    }
  }

 private:
  // The member has several addresses; odd ones are TCP connections.
  static base::Path path(std::uint8_t which) {
    base::Path path;
    path.local = {base::IpAddress::v4({192, 0, 2, 1}), 7878};
    path.remote = {base::IpAddress::v4({198, 51, 100, which}), 5'000};
    if (which % 2 == 0) return path;
    path.protocol = base::TransportProtocol::kTcp;
    path.connection = which;
    return path;
  }

  void open() {
    wire::OfferOptions offer;
    offer.ice = member_ice_;
    offer.fingerprint = member_certificate().fingerprint();
    offer.source = {0x1234'5678, "member"};
    v1::RelayCommand command;
    command.mutable_open()->set_join_id(text(join_.bytes()));
    command.mutable_open()->set_relay_room(text(room_.bytes()));
    command.mutable_open()->set_sdp_offer(wire::write_offer(offer));
    command.mutable_open()->set_may_send(true);
    shard_.handle_command(now_, command, out_);
    CHECK(out_.events.size() == 1 && out_.events[0].has_opened());
    const auto answer = wire::parse_sdp(out_.events[0].opened().sdp_answer());
    CHECK(answer && !answer->media.empty() && answer->media[0].ice);
    relay_ice_ = *answer->media[0].ice;
    settle();
  }

  void handle_check(std::uint8_t which, Bytes transaction) {
    wire::TransactionId id{};
    std::copy_n(transaction.begin(), std::min(transaction.size(), id.size()), id.begin());
    std::array<std::uint8_t, 256> buffer;
    wire::StunWriter writer(buffer);
    writer.begin(wire::StunClass::kRequest, wire::kStunBinding, id);
    writer.add_username(relay_ice_.ufrag + ":" + member_ice_.ufrag);
    writer.add_priority(1);
    writer.add_ice_controlling(1);
    if (which % 3 == 0) writer.add_use_candidate();
    writer.add_integrity(base::as_bytes(relay_ice_.pwd), crypto::hmac_sha1);
    writer.add_fingerprint();
    const Bytes check = writer.finish();
    if (which < 128)
      shard_.handle_datagram(now_, path(which), check, out_);
    else
      shard_.handle_shard_message(
          now_, relay::ForwardedDatagram{1, now_, path(which), base::to_buffer(check)}, out_);
  }

  void take_step(Step step, std::uint8_t how, Bytes content) {
    switch (step) {
      case kStrangersDatagram:
        return shard_.handle_datagram(now_, path(how), content, out_);
      case kMembersDatagram:
        return shard_.handle_datagram(now_, path(0), content, out_);
      case kRoutedDatagram:
        shard_.handle_shard_message(now_, relay::RoutePath{path(how), how % 4U}, out_);
        return shard_.handle_datagram(now_, path(how), content, out_);
      case kRtp:
        return send_rtp(how, content);
      case kRtcp:
        return send_rtcp(content);
      case kCheck:
        return handle_check(how, content);
      case kCommand: {
        v1::RelayCommand command;
        if (!command.ParseFromArray(content.data(), static_cast<int>(content.size()))) return;
        return shard_.handle_command(now_, command, out_);
      }
      case kConnectionClosed:
        return shard_.handle_connection_closed(now_, how, out_);
      case kWait:
        now_ += base::milliseconds(how * 10);
        if (how % 4 == 0 && shard_.next_deadline() != base::kNever)
          now_ = std::max(now_, shard_.next_deadline());
        return shard_.handle_timeout(now_, out_);
      default:
        return shard_.handle_shard_message(now_, make_message(step, how, content), out_);
    }
  }

  // The content is header and payload; each packet has its own index, as an honest sender's.
  void send_rtp(std::uint8_t how, Bytes content) {
    if (content.size() > 1'400) return;
    std::array<std::uint8_t, 1'500> plain{};
    std::copy(content.begin(), content.end(), plain.begin());
    std::size_t header_size = wire::kRtpHeaderSize;
    if (how % 2 == 0) {
      index_ += 1 + how / 64U;
      wire::write_rtp_header(std::span(plain).first<wire::kRtpHeaderSize>(),
                             {.marker = how % 4 == 0,
                              .payload_type = wire::kOpusPayloadType,
                              .sequence = static_cast<std::uint16_t>(index_),
                              .timestamp = static_cast<std::uint32_t>(index_ * 960),
                              .ssrc = 0x1234'5678});
    } else {
      plain[0] = static_cast<std::uint8_t>(0x80U | (plain[0] & 0x3fU));
      const auto header = wire::parse_rtp_header(plain);
      if (header) header_size = header->size;
    }
    const std::size_t size = std::max(content.size(), header_size);
    std::array<std::uint8_t, 1'500> packet;
    // A header with an extension that takes up everything.
    if (size + crypto::kMaxSrtpOverhead > packet.size()) return;
    const std::size_t protected_size = sender_->protect_rtp(
        Bytes(plain).first(header_size), Bytes(plain).subspan(header_size, size - header_size),
        static_cast<std::uint32_t>(index_ >> 16), packet);
    shard_.handle_datagram(now_, path(0), Bytes(packet).first(protected_size), out_);
  }

  void send_rtcp(Bytes content) {
    if (content.size() < 8 || content.size() > 1'400) return;
    std::array<std::uint8_t, 1'500> packet;
    const std::size_t size = sender_->protect_rtcp(content, packet);
    if (size != 0) shard_.handle_datagram(now_, path(0), Bytes(packet).first(size), out_);
  }

  relay::ShardMessage make_message(Step step, std::uint8_t how, Bytes content) {
    base::ByteReader numbers(content);
    const std::uint64_t first = numbers.read_u64().value_or(how);
    const std::uint64_t second = numbers.read_u32().value_or(0);
    const base::RelayRoomId room = how % 8 == 0 ? base::RelayRoomId() : room_;
    const base::JoinId who = how % 8 == 1 ? join_ : base::JoinId();
    const auto payload = std::make_shared<const base::Buffer>(
        base::to_buffer(content.first(std::min<std::size_t>(content.size(), 1'200))));
    switch (step) {
      case kForwarded:
        return relay::ForwardedDatagram{how % 4U, now_, path(how), base::to_buffer(content)};
      case kRoute:
        if (how % 2 == 0) return relay::UnroutePath{path(how), how % 4U};
        return relay::RoutedConnectionClosed{how};
      case kPresence:
        return relay::RoomPresence{room, how % 4U, how >= 64};
      case kSpeaker: {
        if (how >= 224) return relay::SpeakerStopped{room, who};
        const relay::SpeakerFrame frame{who,          how / 32U,
                                        first,        static_cast<std::uint32_t>(second),
                                        how % 2 == 0, now_ - base::milliseconds(how)};
        return relay::SpeakerPacket{room, frame, payload};
      }
      case kSlot: {
        const relay::Placement placement{how % 8U, first, first - std::min(first, second), how,
                                         how % 2 == 0};
        return relay::SlotPacket{room, who, placement, now_ - base::milliseconds(how), payload};
      }
      default: {
        if (how % 2 == 0) return relay::RoomLoss{room, now_, how};
        relay::ListenerLoss loss{room, now_, {}};
        loss.count[how % loss.count.size()] = static_cast<std::uint32_t>(second);
        return loss;
      }
    }
  }

  // What comes out can be executed: every datagram fits, every message has another shard.
  void settle() {
    for (const auto& entry : out_.datagrams.entries()) {
      CHECK(entry.size > 0 && entry.size <= base::kMaxDatagram);
      CHECK(out_.datagrams.bytes(entry).size() == entry.size);
    }
    for (const relay::AddressedShardMessage& message : out_.to_shards) CHECK(message.target == 1);
    CHECK(shard_.counters().endpoints <= 8);
    out_.clear();
  }

  Instant now_{base::seconds(1'000)};
  base::SeededRandom random_{3};
  relay::Shard shard_{make_options(), relay_certificate(), random_};
  relay::ShardOutput out_;
  base::JoinId join_ = base::JoinId::make(random_);
  base::RelayRoomId room_ = base::RelayRoomId::make(random_);
  wire::IceCredentials member_ice_;
  wire::IceCredentials relay_ice_;
  std::optional<crypto::SrtpSender> sender_;
  std::uint64_t index_ = 1'000;
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<World> world;
  static int inputs = 0;
  if (!world || ++inputs == kInputsPerWorld || !world->is_connected()) {
    world = std::make_unique<World>();
    inputs = 0;
  }
  base::ByteReader reader(Bytes(data, size));
  world->run(reader);
  return 0;
}
