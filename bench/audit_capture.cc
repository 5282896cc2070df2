#include "bench/audit_capture.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "tests/support/capture_builder.h"

namespace alcove::bench {
namespace {

constexpr std::size_t kMembers = 1000;
constexpr std::size_t kConnections = 100;
constexpr std::size_t kMediaPayload = 172;
constexpr std::size_t kSegment = 1400;
constexpr std::size_t kRecord = 16384;    // of TLS, its header not counted
constexpr std::uint32_t kSegments = 400;  // of a connection
constexpr std::uint64_t kStep = 20'000;   // ns between packets: 50,000 a second
constexpr std::size_t kNoise = 1 << 20;

base::SocketAddress member_address(std::size_t number) {
  const auto high = static_cast<std::uint8_t>(number >> 8);
  const auto low = static_cast<std::uint8_t>(number);
  const auto port = static_cast<std::uint16_t>(40000 + number);
  if (number % 5 != 0) return {base::IpAddress::v4({10, 1, high, low}), port};
  return {base::IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 0xde, 0, 0, 0, 0, 0, 0, 0, 2, high, low}),
          port};
}

class Writer {
 public:
  explicit Writer(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {
    if (file_ == nullptr) {
      std::perror(path.c_str());
      std::exit(1);
    }
    std::setvbuf(file_, nullptr, _IOFBF, 1 << 20);
    // An empty capture is the header of the file.
    put(test::CaptureBuilder().pcap());
  }
  ~Writer() {
    if (file_ != nullptr) std::fclose(file_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  std::size_t write(base::Bytes ip) {
    const std::uint32_t length = static_cast<std::uint32_t>(ip.size()) + 14;
    const std::uint32_t record[] = {static_cast<std::uint32_t>(time_ / 1'000'000'000),
                                    static_cast<std::uint32_t>(time_ % 1'000'000'000), length,
                                    length};
    const std::uint8_t type[] = {static_cast<std::uint8_t>(ip[0] >> 4 == 4 ? 0x08 : 0x86),
                                 static_cast<std::uint8_t>(ip[0] >> 4 == 4 ? 0x00 : 0xdd)};
    constexpr std::uint8_t kMacs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    put({reinterpret_cast<const std::uint8_t*>(record), sizeof record});
    put(kMacs);
    put(type);
    put(ip);
    time_ += kStep;
    return 16 + length;
  }
  void finish() {
    if (std::fclose(std::exchange(file_, nullptr)) != 0) std::exit(1);
  }

 private:
  void put(base::Bytes bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return;
    std::perror("capture");
    std::exit(1);
  }

  std::FILE* file_;
  std::uint64_t time_ = 1'790'000'000'000'000'000;
};

struct Media {
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
};

struct Connection {
  base::SocketAddress client;
  std::uint32_t sent = 0;      // by the client
  std::uint32_t received = 0;  // bytes from the server
  std::uint32_t segments = 0;
};

class Generator {
 public:
  Generator(Writer& writer, std::uint64_t size)
      : writer_(writer), size_(size), noise_(kNoise), media_(2 * kMembers), open_(kConnections) {
    random_.fill(noise_);
  }

  CaptureMix run() {
    mix_.bytes = 24;
    mix_.flows = kMembers;
    for (Connection& connection : open_) begin(connection);
    while (mix_.bytes < size_) {
      // Bursts of ten segments stand for fifteen packets: 27 of 100 packets are of TLS.
      const std::uint32_t pick = random_.below(10'000);
      if (pick < 9550) {
        media();
      } else if (pick < 9796) {
        burst(open_[random_.below(kConnections)]);
      } else {
        dns();
      }
    }
    return mix_;
  }

 private:
  base::Bytes noise(std::size_t size) {
    return base::Bytes(noise_).subspan(random_.below(static_cast<std::uint32_t>(kNoise - size)),
                                       size);
  }
  void add(base::Bytes ip, std::uint64_t& packets, std::uint64_t& bytes) {
    const std::size_t written = writer_.write(ip);
    mix_.bytes += written;
    bytes += written;
    ++packets;
    ++mix_.packets;
  }

  void media() {
    const std::uint32_t pick = random_.below(2 * kMembers);
    Media& stream = media_[pick];
    payload_.clear();
    payload_.resize(12);
    base::ByteWriter header(payload_);
    header.write_u16(0x806f);  // version 2, payload type 111
    header.write_u16(++stream.sequence);
    header.write_u32(stream.timestamp += 960);
    header.write_u32(0x5eed0000 + pick);
    const base::Bytes sealed = noise(kMediaPayload - 12);
    payload_.insert(payload_.end(), sealed.begin(), sealed.end());
    const base::SocketAddress member = member_address(pick / 2);
    const base::SocketAddress& house = member.ip.is_v4() ? relay_ : relay6_;
    add(pick % 2 == 0 ? test::udp_packet(member, house, payload_)
                      : test::udp_packet(house, member, payload_),
        mix_.media_packets, mix_.media_bytes);
  }

  void tcp(const Connection& connection, bool forward, std::uint8_t flags, base::Bytes payload) {
    add(test::tcp_packet(forward ? connection.client : web_, forward ? web_ : connection.client,
                         1000 + (forward ? connection.sent : connection.received),
                         1000 + (forward ? connection.received : connection.sent), flags, payload),
        mix_.tls_packets, mix_.tls_bytes);
  }

  void begin(Connection& connection) {
    const std::uint64_t number = ++connections_;
    connection = {};
    connection.client = {member_address(number % kMembers / 5 * 5 + 1).ip,
                         static_cast<std::uint16_t>(1024 + number % 60000)};
    ++mix_.flows;
    tcp(connection, true, 0x02, {});
    ++connection.sent;
    tcp(connection, false, 0x12, {});
    ++connection.received;
    tcp(connection, true, 0x10, {});
  }

  void burst(Connection& connection) {
    for (int i = 0; i < 10; ++i) {
      payload_ = base::to_buffer(noise(kSegment));
      // Records of 16 KiB follow each other; a header stands wherever one begins.
      const std::size_t position = (connection.received - 1) % (kRecord + 5);
      const std::size_t next = position == 0 ? 0 : kRecord + 5 - position;
      for (std::size_t at = 0; at < 5; ++at)
        if (next + at < kSegment) payload_[next + at] = kRecordHeader[at];
      tcp(connection, false, 0x18, payload_);
      connection.received += kSegment;
      if (i % 2 == 1) tcp(connection, true, 0x10, {});
    }
    connection.segments += 10;
    if (connection.segments < kSegments) return;
    tcp(connection, false, 0x11, {});
    tcp(connection, true, 0x11, {});
    begin(connection);
  }

  void dns() {
    ++mix_.flows;
    const base::SocketAddress client = {member_address(1 + 5 * random_.below(100)).ip,
                                        static_cast<std::uint16_t>(1024 + random_.below(60000))};
    base::Buffer query = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 6};
    for (int i = 0; i < 6; ++i) query.push_back(static_cast<std::uint8_t>('a' + random_.below(26)));
    for (const char c : std::string_view("\7example\0\0\1\0\1", 13))
      query.push_back(static_cast<std::uint8_t>(c));
    add(test::udp_packet(client, dns_, query), mix_.dns_packets, mix_.dns_bytes);
    query[2] = 0x81;
    query[3] = 0x80;
    query[7] = 1;
    for (const int byte : {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 9})
      query.push_back(static_cast<std::uint8_t>(byte));
    add(test::udp_packet(dns_, client, query), mix_.dns_packets, mix_.dns_bytes);
  }

  static constexpr std::uint8_t kRecordHeader[5] = {0x17, 3, 3, kRecord >> 8, kRecord & 0xff};

  Writer& writer_;
  std::uint64_t size_;
  base::SeededRandom random_{1};
  base::Buffer noise_;
  base::Buffer payload_;
  std::vector<Media> media_;
  std::vector<Connection> open_;
  std::uint64_t connections_ = 0;
  CaptureMix mix_;
  base::SocketAddress relay_ = test::at("198.51.100.1", 7878);
  base::SocketAddress relay6_ = test::at("2001:db8:de::1", 7878);
  base::SocketAddress web_ = test::at("198.51.100.1", 443);
  base::SocketAddress dns_ = test::at("198.51.100.53", 53);
};

}  // namespace

CaptureMix write_capture(const std::string& path, std::uint64_t size) {
  Writer writer(path);
  const CaptureMix mix = Generator(writer, size).run();
  writer.finish();
  return mix;
}

}  // namespace alcove::bench
