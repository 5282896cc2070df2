// Against Wireshark's tools: files that they write, and what tshark says of the same packets.
// Skipped where they are not installed.

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "audit/capture_reader.h"
#include "audit/packet.h"
#include "base/random.h"
#include "base/text.h"
#include "support/capture_builder.h"
#include "support/frame_collector.h"

namespace alcove::audit {
namespace {

using test::at;
using test::CaptureBuilder;
using test::FrameCollector;

class CaptureTools : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "alcove_capture_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static bool has(const std::string& tool) {
    return std::system(("command -v " + tool + " >/dev/null 2>&1").c_str()) == 0;
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, base::Bytes bytes) const {
    std::ofstream(path(name), std::ios::binary) << base::as_text(bytes);
  }
  static std::string output(const std::string& command) {
    std::string text;
    std::array<char, 4096> part{};
    FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
    if (pipe == nullptr) return text;
    while (const std::size_t count = std::fread(part.data(), 1, part.size(), pipe))
      text.append(part.data(), count);
    pclose(pipe);
    return text;
  }
  void read(const std::string& name, FrameCollector& collected, std::string* format) const {
    std::ifstream file(path(name), std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    CaptureReader reader(collected);
    const auto fed = reader.feed(base::as_bytes(content.view()));
    ASSERT_TRUE(fed.has_value()) << fed.error().message;
    ASSERT_TRUE(reader.finish().has_value());
    EXPECT_EQ(reader.counters().bad_blocks, 0u);
    EXPECT_FALSE(reader.counters().ended_early);
    *format = reader.format();
  }

  std::filesystem::path folder_;
};

// Both versions of IP, tags, fragments, ICMP errors, odd flags and lengths.
CaptureBuilder mixed_capture() {
  base::SeededRandom random(11);
  CaptureBuilder builder;
  const auto address = [&](bool v6) {
    const auto port = static_cast<std::uint16_t>(20000 + random.below(40000));
    return v6 ? at("2001:db8:de::" + std::to_string(1 + random.below(9)), port)
              : at("198.51.100." + std::to_string(1 + random.below(200)), port);
  };
  for (int i = 0; i < 300; ++i) {
    const bool v6 = random.below(2) == 0;
    base::Buffer payload(random.below(1200));
    random.fill(payload);
    const auto source = address(v6);
    const auto target = address(v6);
    base::Buffer ip = random.below(2) == 0
                          ? test::udp_packet(source, target, payload)
                          : test::tcp_packet(source, target, random.next_u32(), random.next_u32(),
                                             static_cast<std::uint8_t>(random.below(64)), payload);
    const std::uint32_t kind = random.below(8);
    if (kind == 0) {  // two tags
      base::Buffer frame = *base::from_hex("02000000000102000000000288a8000581000007");
      frame.push_back(v6 ? 0x86 : 0x08);
      frame.push_back(v6 ? 0xdd : 0x00);
      frame.insert(frame.end(), ip.begin(), ip.end());
      builder.raw(frame);
    } else if (kind == 1) {  // an ICMP error about it
      base::Buffer error = {static_cast<std::uint8_t>(v6 ? 1 : 3), 1, 0, 0, 0, 0, 0, 0};
      const std::size_t quoted = std::min<std::size_t>(ip.size(), v6 ? 48 : 28);
      error.insert(error.end(), ip.begin(), ip.begin() + static_cast<long>(quoted));
      builder.ip(test::ip_packet(target.ip, source.ip, v6 ? 58 : 1, error));
    } else if (kind == 2 && !v6 && ip.size() > 700) {  // in two fragments
      base::Buffer first(ip.begin(), ip.begin() + 20 + 640);
      base::Buffer second(ip.begin(), ip.begin() + 20);
      second.insert(second.end(), ip.begin() + 660, ip.end());
      for (base::Buffer* part : {&first, &second}) {
        (*part)[2] = static_cast<std::uint8_t>(part->size() >> 8);
        (*part)[3] = static_cast<std::uint8_t>(part->size());
        (*part)[5] = static_cast<std::uint8_t>(i);
      }
      first[6] = 0x20;
      second[6] = 0;
      second[7] = 80;
      builder.ip(first);
      builder.ip(second);
    } else {
      builder.ip(ip);
    }
  }
  return builder;
}

TEST_F(CaptureTools, TheDecoderAgreesWithTshark) {
  if (!has("tshark")) GTEST_SKIP() << "tshark is not installed";
  const CaptureBuilder builder = mixed_capture();
  write("mixed.pcap", builder.pcap());
  std::istringstream lines(output(
      "tshark -n -r " + path("mixed.pcap") +
      " -o ip.defragment:TRUE -o tcp.desegment_tcp_streams:FALSE -T fields -E separator=, -E "
      "occurrence=f -e ip.src -e ip.dst -e ipv6.src -e ipv6.dst -e ip.proto -e ipv6.nxt -e "
      "udp.srcport -e udp.dstport -e udp.length -e tcp.srcport -e tcp.dstport -e tcp.seq_raw -e "
      "tcp.flags -e tcp.len -e ip.len -e ipv6.plen -e icmp.type -e icmpv6.type -e frame.number"));
  PacketDecoder decoder;
  std::size_t compared = 0;
  for (const Frame& frame : builder.frames()) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    std::vector<std::string> fields;
    std::istringstream parts(line);
    for (std::string field; std::getline(parts, field, ',');) fields.push_back(field);
    ASSERT_EQ(fields.size(), 19u) << line;
    ASSERT_EQ(fields[18], std::to_string(frame.number));
    const Packet* packet = decoder.decode(frame);
    ASSERT_NE(packet, nullptr) << line;
    const bool v4 = packet->source.ip.is_v4();
    EXPECT_EQ(packet->source.ip.text(), fields[v4 ? 0 : 2]) << line;
    EXPECT_EQ(packet->destination.ip.text(), fields[v4 ? 1 : 3]) << line;
    EXPECT_EQ(std::to_string(packet->protocol), fields[v4 ? 4 : 5]) << line;
    EXPECT_EQ(std::to_string(packet->wire_length - (v4 ? 0 : 40)), fields[v4 ? 14 : 15]) << line;
    // Behind an ICMP error tshark shows what it quotes.
    if (packet->protocol != ip_protocol::kUdp && packet->protocol != ip_protocol::kTcp) continue;
    if (packet->fragment) continue;
    ++compared;
    const bool udp = packet->protocol == ip_protocol::kUdp;
    EXPECT_EQ(std::to_string(packet->source.port), fields[udp ? 6 : 9]) << line;
    EXPECT_EQ(std::to_string(packet->destination.port), fields[udp ? 7 : 10]) << line;
    if (udp) {
      EXPECT_EQ(std::to_string(packet->payload_length + 8), fields[8]) << line;
    } else {
      EXPECT_EQ(std::to_string(packet->sequence), fields[11]) << line;
      EXPECT_EQ(packet->tcp_flags, std::stoul(fields[12], nullptr, 16) & 0xff) << line;
      EXPECT_EQ(std::to_string(packet->payload_length), fields[13]) << line;
    }
  }
  EXPECT_GT(compared, 200u);
  EXPECT_GT(decoder.counters().fragments, 10u);
  EXPECT_EQ(decoder.counters().fragments_given_up, 0u);
}

TEST_F(CaptureTools, FilesThatEditcapWrites) {
  if (!has("editcap")) GTEST_SKIP() << "editcap is not installed";
  const CaptureBuilder builder = mixed_capture();
  write("in.pcap", builder.pcap());
  FrameCollector expected;
  std::string format;
  read("in.pcap", expected, &format);
  write("keys.txt", base::as_bytes("CLIENT_RANDOM 00 11\n"));
  struct Case {
    const char* arguments;
    const char* format;
    bool nanoseconds;
  };
  for (const Case& c : {Case{"-F pcap", "pcap, microseconds, little-endian", false},
                        Case{"-F nsecpcap", "pcap, nanoseconds, little-endian", true},
                        Case{"-F modpcap", "pcap, microseconds, little-endian", false},
                        Case{"-F pcapng", "pcapng 1.0", true},
                        Case{"-F pcapng --inject-secrets tls,keys.txt", "pcapng 1.0", true}}) {
    const std::string command = "cd " + folder_.string() + " && editcap " + c.arguments +
                                " in.pcap out 2>/dev/null >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    FrameCollector collected;
    read("out", collected, &format);
    EXPECT_EQ(format, c.format);
    ASSERT_EQ(collected.frames.size(), expected.frames.size()) << c.arguments;
    for (std::size_t i = 0; i < expected.frames.size(); ++i) {
      EXPECT_EQ(collected.frames[i].bytes, expected.frames[i].bytes);
      const auto time = collected.frames[i].time;
      EXPECT_EQ(c.nanoseconds ? time : std::chrono::floor<std::chrono::microseconds>(time),
                c.nanoseconds
                    ? expected.frames[i].time
                    : std::chrono::floor<std::chrono::microseconds>(expected.frames[i].time));
    }
    const bool secrets = std::string(c.arguments).contains("secrets");
    EXPECT_EQ(collected.secrets, secrets ? "CLIENT_RANDOM 00 11\n" : "");
  }
}

TEST_F(CaptureTools, FramesThatText2pcapWrites) {
  if (!has("text2pcap")) GTEST_SKIP() << "text2pcap is not installed";
  write("hex.txt", base::as_bytes("0000 68 65 6c 6c 6f\n"));
  for (const char* arguments :
       {"-4 198.51.100.2,203.0.113.7 -u 1000,2000", "-6 2001:db8:de::2,2001:db8:c::7 -u 1000,2000",
        "-4 198.51.100.2,203.0.113.7 -T 1000,2000"}) {
    const std::string command =
        "cd " + folder_.string() + " && text2pcap -q " + arguments + " hex.txt out >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    FrameCollector collected;
    std::string format;
    read("out", collected, &format);
    ASSERT_EQ(collected.frames.size(), 1u);
    PacketDecoder decoder;
    const Packet* packet = decoder.decode(collected.frames[0].view());
    ASSERT_NE(packet, nullptr);
    EXPECT_EQ(base::as_text(packet->payload), "hello");
    EXPECT_EQ(packet->source.port, 1000);
    EXPECT_EQ(packet->destination.port, 2000);
  }
}

}  // namespace
}  // namespace alcove::audit
