#include "support/capture_builder.h"

#include <algorithm>

namespace alcove::test {
namespace {

void add_u16(base::Buffer& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
void add_u32(base::Buffer& out, std::uint32_t value) {
  add_u16(out, value >> 16);
  add_u16(out, value & 0xffff);
}
void add_bytes(base::Buffer& out, base::Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
void add_little(base::Buffer& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// RFC 1071 over an even start; a last odd byte counts as if a zero followed.
std::uint32_t sum_of(base::Bytes bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
  return sum;
}
std::uint16_t fold(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void set_transport_checksum(base::Buffer& transport, std::size_t at, const base::IpAddress& source,
                            const base::IpAddress& destination, std::uint8_t protocol) {
  std::uint32_t sum = sum_of(source.bytes(), 0);
  sum = sum_of(destination.bytes(), sum) + protocol + static_cast<std::uint32_t>(transport.size());
  const std::uint16_t checksum = fold(sum_of(transport, sum));
  transport[at] = static_cast<std::uint8_t>(checksum >> 8);
  transport[at + 1] = static_cast<std::uint8_t>(checksum);
}

constexpr std::size_t kSegment = 1400;

}  // namespace

base::Buffer ip_packet(const base::IpAddress& source, const base::IpAddress& destination,
                       std::uint8_t protocol, base::Bytes transport) {
  base::Buffer out;
  if (source.is_v4()) {
    out = {0x45, 0};
    add_u16(out, static_cast<unsigned>(20 + transport.size()));
    add_u32(out, 0x00004000);  // don't fragment
    out.push_back(64);
    out.push_back(protocol);
    add_u16(out, 0);
    add_bytes(out, source.bytes());
    add_bytes(out, destination.bytes());
    const std::uint16_t checksum = fold(sum_of(out, 0));
    out[10] = static_cast<std::uint8_t>(checksum >> 8);
    out[11] = static_cast<std::uint8_t>(checksum);
  } else {
    add_u32(out, 0x60000000);
    add_u16(out, static_cast<unsigned>(transport.size()));
    out.push_back(protocol);
    out.push_back(64);
    add_bytes(out, source.bytes());
    add_bytes(out, destination.bytes());
  }
  add_bytes(out, transport);
  return out;
}

base::Buffer udp_packet(const base::SocketAddress& source, const base::SocketAddress& destination,
                        base::Bytes payload) {
  base::Buffer transport;
  add_u16(transport, source.port);
  add_u16(transport, destination.port);
  add_u16(transport, static_cast<unsigned>(8 + payload.size()));
  add_u16(transport, 0);
  add_bytes(transport, payload);
  set_transport_checksum(transport, 6, source.ip, destination.ip, 17);
  return ip_packet(source.ip, destination.ip, 17, transport);
}

base::Buffer tcp_packet(const base::SocketAddress& source, const base::SocketAddress& destination,
                        std::uint32_t sequence, std::uint32_t acknowledged, std::uint8_t flags,
                        base::Bytes payload) {
  base::Buffer transport;
  add_u16(transport, source.port);
  add_u16(transport, destination.port);
  add_u32(transport, sequence);
  add_u32(transport, acknowledged);
  transport.push_back(0x50);
  transport.push_back(flags);
  add_u16(transport, 65535);
  add_u32(transport, 0);
  add_bytes(transport, payload);
  set_transport_checksum(transport, 16, source.ip, destination.ip, 6);
  return ip_packet(source.ip, destination.ip, 6, transport);
}

std::uint64_t CaptureBuilder::ip(base::Bytes packet) {
  base::Buffer frame;
  if (link_type_ == audit::LinkType::kEthernet) {
    frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    add_u16(frame, packet.empty() || packet[0] >> 4 == 4 ? 0x0800 : 0x86dd);
  }
  add_bytes(frame, packet);
  return raw(frame);
}

std::uint64_t CaptureBuilder::raw(base::Bytes frame) {
  frames_.push_back({time_, base::to_buffer(frame)});
  time_ += step_;
  return frames_.size();
}

CaptureBuilder::Tcp::Tcp(CaptureBuilder& builder, const base::SocketAddress& client,
                         const base::SocketAddress& server)
    : builder_(builder), client_(client), server_(server) {
  builder_.ip(tcp_packet(client_, server_, client_next_++, 0, 0x02, {}));
  builder_.ip(tcp_packet(server_, client_, server_next_++, client_next_, 0x12, {}));
  builder_.ip(tcp_packet(client_, server_, client_next_, server_next_, 0x10, {}));
}

std::uint64_t CaptureBuilder::Tcp::segments(bool forward, base::Bytes bytes) {
  std::uint64_t first = 0;
  for (std::size_t begin = 0; begin < bytes.size(); begin += kSegment) {
    const base::Bytes part = bytes.subspan(begin, std::min(kSegment, bytes.size() - begin));
    std::uint32_t& next = forward ? client_next_ : server_next_;
    const std::uint64_t number =
        builder_.ip(tcp_packet(forward ? client_ : server_, forward ? server_ : client_, next,
                               forward ? server_next_ : client_next_, 0x18, part));
    next += static_cast<std::uint32_t>(part.size());
    if (first == 0) first = number;
  }
  return first;
}

std::uint64_t CaptureBuilder::Tcp::send(base::Bytes bytes) { return segments(true, bytes); }
std::uint64_t CaptureBuilder::Tcp::receive(base::Bytes bytes) { return segments(false, bytes); }

void CaptureBuilder::Tcp::close() {
  builder_.ip(tcp_packet(client_, server_, client_next_++, server_next_, 0x11, {}));
  builder_.ip(tcp_packet(server_, client_, server_next_++, client_next_, 0x11, {}));
  builder_.ip(tcp_packet(client_, server_, client_next_, server_next_, 0x10, {}));
}

std::vector<audit::Frame> CaptureBuilder::frames() const {
  std::vector<audit::Frame> result;
  for (const Stored& stored : frames_) {
    audit::Frame frame;
    frame.number = result.size() + 1;
    frame.time = stored.time;
    frame.link_type = link_type_;
    frame.bytes = stored.bytes;
    frame.wire_length = static_cast<std::uint32_t>(stored.bytes.size());
    result.push_back(frame);
  }
  return result;
}

base::Buffer CaptureBuilder::pcap() const {
  base::Buffer out;
  add_little(out, 0xa1b23c4d);
  add_little(out, 0x00040002);  // version 2.4
  add_little(out, 0);
  add_little(out, 0);
  add_little(out, 262144);
  add_little(out, static_cast<std::uint32_t>(link_type_));
  for (const Stored& stored : frames_) {
    const auto since = stored.time.time_since_epoch().count();
    add_little(out, static_cast<std::uint32_t>(since / 1'000'000'000));
    add_little(out, static_cast<std::uint32_t>(since % 1'000'000'000));
    add_little(out, static_cast<std::uint32_t>(stored.bytes.size()));
    add_little(out, static_cast<std::uint32_t>(stored.bytes.size()));
    add_bytes(out, stored.bytes);
  }
  return out;
}

}  // namespace alcove::test
