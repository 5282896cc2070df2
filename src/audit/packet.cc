#include "audit/packet.h"

#include <algorithm>

#include "audit/fragments.h"
#include "audit/ip.h"
#include "audit/link_layer.h"
#include "audit/load.h"

namespace alcove::audit {
namespace {

constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kTcpHeader = 20;

bool is_tunnel(std::uint8_t protocol) {
  constexpr std::uint8_t kIpv4InIp = 4;
  constexpr std::uint8_t kIpv6InIp = 41;
  constexpr std::uint8_t kGre = 47;
  constexpr std::uint8_t kEsp = 50;
  return protocol == kIpv4InIp || protocol == kIpv6InIp || protocol == kGre || protocol == kEsp;
}

// Of the protocols whose first four bytes are ports.
bool has_ports(std::uint8_t protocol) {
  constexpr std::uint8_t kDccp = 33;
  constexpr std::uint8_t kSctp = 132;
  constexpr std::uint8_t kUdpLite = 136;
  return protocol == ip_protocol::kUdp || protocol == ip_protocol::kTcp || protocol == kDccp ||
         protocol == kSctp || protocol == kUdpLite;
}

}  // namespace

class PacketDecoder::Implementation {
 public:
  const Packet* decode(const Frame& frame) {
    const LinkPayload link = open_link_layer(frame.link_type, frame.bytes);
    switch (link.outcome) {
      case LinkOutcome::kIp:
        break;
      case LinkOutcome::kNotIp:
        ++counters_.not_ip;
        return nullptr;
      case LinkOutcome::kMalformed:
        ++counters_.malformed;
        return nullptr;
      case LinkOutcome::kUnknownType:
        ++counters_.unknown_link_type;
        return nullptr;
    }
    const auto before = static_cast<std::uint32_t>(frame.bytes.size() - link.ip.size());
    auto headers = parse_ip(link.ip, std::max(frame.wire_length, before) - before);
    if (!headers) {
      ++counters_.malformed;
      return nullptr;
    }
    ++counters_.packets;
    packet_ = {};
    packet_.number = packet_.first_number = frame.number;
    packet_.time = frame.time;
    packet_.wire_length = headers->length;
    packet_.source.ip = headers->source;
    packet_.destination.ip = headers->destination;
    packet_.protocol = headers->protocol;
    if (headers->fragment && !complete(*headers)) return &packet_;
    read_transport(*headers);
    return &packet_;
  }

  const Counters& counters() const { return counters_; }

 private:
  // False: the fragment is not yet whole. Else the headers are those of the whole.
  bool complete(IpHeaders& headers) {
    ++counters_.fragments;
    const auto whole = fragments_.add(headers, packet_.number, packet_.time);
    counters_.fragments_given_up = fragments_.given_up();
    if (!whole) {
      packet_.fragment = true;
      packet_.payload_length = headers.payload_length;
      return false;
    }
    packet_.first_number = whole->first_number;
    headers.protocol = whole->protocol;
    headers.payload = whole->payload;
    headers.payload_length = static_cast<std::uint32_t>(whole->payload.size());
    headers.fragment = false;
    skip_extension_headers(headers);
    // A fragment of fragments: nobody sends it, and nothing would bound it.
    if (headers.fragment) headers.malformed = true;
    packet_.protocol = headers.protocol;
    return true;
  }

  void read_transport(const IpHeaders& headers) {
    if (is_tunnel(headers.protocol)) ++counters_.tunnelled;
    packet_.payload = headers.payload;
    packet_.payload_length = headers.payload_length;
    bool good = !headers.malformed;
    if (good && has_ports(headers.protocol) && headers.payload.size() >= 4) {
      packet_.source.port = load_big<std::uint16_t>(headers.payload.data());
      packet_.destination.port = load_big<std::uint16_t>(headers.payload.data() + 2);
    }
    if (good && headers.protocol == ip_protocol::kUdp) good = read_udp();
    if (good && headers.protocol == ip_protocol::kTcp) good = read_tcp();
    if (!good) {
      ++counters_.malformed;
      packet_.payload = {};
      packet_.payload_length = 0;
    }
    packet_.cut = packet_.payload.size() < packet_.payload_length;
  }

  // Takes the transport's header of length bytes off the payload, which is at least as long as
  // sent.
  void drop_header(std::size_t length) {
    packet_.payload_length -= static_cast<std::uint32_t>(length);
    packet_.payload =
        packet_.payload.subspan(std::min<std::size_t>(length, packet_.payload.size()));
  }

  bool read_udp() {
    if (packet_.payload_length < kUdpHeader) return false;
    if (packet_.payload.size() < kUdpHeader) {
      drop_header(kUdpHeader);
      return true;
    }
    const std::uint32_t length = load_big<std::uint16_t>(packet_.payload.data() + 4);
    // 0: left to the network card, as lengths of IP are.
    if (length != 0) {
      if (length < kUdpHeader || length > packet_.payload_length) return false;
      packet_.payload_length = length;
      packet_.payload =
          packet_.payload.first(std::min<std::size_t>(length, packet_.payload.size()));
    }
    drop_header(kUdpHeader);
    return true;
  }

  bool read_tcp() {
    if (packet_.payload_length < kTcpHeader) return false;
    if (packet_.payload.size() < kTcpHeader) {
      packet_.payload = {};
      packet_.payload_length -= kTcpHeader;
      return true;
    }
    const std::uint8_t* header = packet_.payload.data();
    const std::size_t length = static_cast<std::size_t>(header[12] >> 4) * 4;
    if (length < kTcpHeader || length > packet_.payload_length) return false;
    packet_.sequence = load_big<std::uint32_t>(header + 4);
    packet_.tcp_flags = header[13];
    drop_header(length);
    return true;
  }

  Counters counters_;
  Fragments fragments_;
  Packet packet_;
};

PacketDecoder::PacketDecoder() : implementation_(std::make_unique<Implementation>()) {}
PacketDecoder::~PacketDecoder() = default;
const Packet* PacketDecoder::decode(const Frame& frame) { return implementation_->decode(frame); }
const PacketDecoder::Counters& PacketDecoder::counters() const {
  return implementation_->counters();
}

}  // namespace alcove::audit
