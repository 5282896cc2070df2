#include "audit/flow_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/capture_builder.h"
#include "support/flow_recorder.h"

namespace alcove::audit {
namespace {

using test::at;
using test::CaptureBuilder;
using test::FlowRecorder;
using testing::ElementsAre;

const base::SocketAddress kClient = at("198.51.100.2", 50000);
const base::SocketAddress kServer = at("203.0.113.7", 443);

constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;

class FlowTableTest : public testing::Test {
 protected:
  void run(const CaptureBuilder& builder) {
    for (const Frame& frame : builder.frames())
      if (const Packet* packet = decoder_.decode(frame)) table_.handle_packet(*packet);
  }
  void run_all(const CaptureBuilder& builder) {
    run(builder);
    table_.finish();
  }
  static base::Buffer segment(bool forward, std::uint32_t sequence, std::uint8_t flags,
                              std::string_view text) {
    return test::tcp_packet(forward ? kClient : kServer, forward ? kServer : kClient, sequence, 0,
                            flags, base::as_bytes(text));
  }

  FlowRecorder recorder_;
  PacketDecoder decoder_;
  FlowTable table_{{&recorder_}};
};

TEST_F(FlowTableTest, BothDirectionsOfUdpAreOneFlow) {
  CaptureBuilder builder;
  builder.udp(kClient, kServer, "ping");
  builder.udp(kServer, kClient, "pong!");
  builder.udp(kClient, at("203.0.113.8", 443), "x");
  run_all(builder);
  EXPECT_THAT(recorder_.packets, ElementsAre(FlowRecorder::Seen{1, Direction::kForward, 1},
                                             FlowRecorder::Seen{1, Direction::kBackward, 2},
                                             FlowRecorder::Seen{2, Direction::kForward, 3}));
  EXPECT_EQ(recorder_.begun[0].client, kClient);
  EXPECT_EQ(recorder_.begun[0].server, kServer);
  EXPECT_EQ(recorder_.begun[0].protocol, ip_protocol::kUdp);
  EXPECT_THAT(recorder_.ended, ElementsAre(1, 2));
  EXPECT_EQ(recorder_.finished, 1);
  const auto& traffic = recorder_.traffic[1];
  EXPECT_EQ(traffic[0].packets, 1u);
  EXPECT_EQ(traffic[0].bytes, 32u);
  EXPECT_EQ(traffic[0].payload_bytes, 4u);
  EXPECT_EQ(traffic[1].payload_bytes, 5u);
  EXPECT_EQ(traffic[1].first_number, 2u);
  EXPECT_EQ(table_.counters().flows, 2u);
}

TEST_F(FlowTableTest, StreamsOfBothDirections) {
  CaptureBuilder builder;
  CaptureBuilder::Tcp tcp(builder, kClient, kServer);
  const std::uint64_t asked = tcp.send("GET / HTTP/1.1\r\n\r\n");
  tcp.receive(std::string(3000, 'a'));
  tcp.close();
  run_all(builder);
  EXPECT_EQ(recorder_.stream(1, Direction::kForward), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(recorder_.stream(1, Direction::kBackward), std::string(3000, 'a'));
  EXPECT_EQ(recorder_.pieces[0].number, asked);
  EXPECT_EQ(recorder_.pieces[2].offset, 1400u);
  EXPECT_EQ(recorder_.begun.size(), 1u);  // the last acknowledgement, too, is of this flow
  EXPECT_EQ(table_.counters().stream_gaps, 0u);
}

TEST_F(FlowTableTest, WhoBegan) {
  CaptureBuilder builder;
  builder.ip(test::tcp_packet(kServer, kClient, 5, 0, kSyn | kAck, {}));  // the SYN was missed
  builder.udp(at("203.0.113.7", 53), at("198.51.100.2", 50000), "answer");
  builder.udp(at("203.0.113.7", 40000), at("198.51.100.2", 50000), "first");
  builder.ip(test::tcp_packet(at("203.0.113.7", 8080), at("198.51.100.2", 22), 5, 0, kAck, {}));
  run_all(builder);
  EXPECT_EQ(recorder_.begun[0].client, kClient);
  EXPECT_EQ(recorder_.begun[1].client.port, 50000);
  EXPECT_EQ(recorder_.begun[2].client.port, 40000);
  EXPECT_EQ(recorder_.begun[3].client.port, 8080);
}

TEST_F(FlowTableTest, SameSocketsUsedAgainAreAnotherFlow) {
  CaptureBuilder builder;
  builder.ip(segment(true, 1000, kSyn, ""));
  builder.ip(segment(true, 1000, kSyn, ""));  // repeated
  builder.ip(segment(true, 1001, kAck, "one"));
  builder.ip(segment(true, 1004, kRst, ""));
  builder.ip(segment(true, 900'000, kSyn, ""));
  builder.ip(segment(true, 900'001, kAck, "two"));
  run_all(builder);
  EXPECT_EQ(recorder_.begun.size(), 2u);
  EXPECT_EQ(recorder_.stream(1, Direction::kForward), "one");
  EXPECT_EQ(recorder_.stream(2, Direction::kForward), "two");
}

TEST_F(FlowTableTest, IdleFlowsEnd) {
  CaptureBuilder builder;
  builder.udp(kClient, kServer, "a");
  CaptureBuilder::Tcp tcp(builder, kClient, kServer);
  builder.wait(std::chrono::seconds(121));
  builder.udp(kClient, kServer, "b");
  builder.wait(std::chrono::minutes(50));
  tcp.send("still there");
  run(builder);
  EXPECT_THAT(recorder_.ended, ElementsAre(1, 3));
  EXPECT_EQ(recorder_.stream(2, Direction::kForward), "still there");
  CaptureBuilder later;
  later.wait(std::chrono::hours(3));
  later.udp(kClient, kServer, "c");
  run(later);
  EXPECT_THAT(recorder_.ended, ElementsAre(1, 3, 2));
}

TEST_F(FlowTableTest, AClosedConnectionEndsSoon) {
  CaptureBuilder builder;
  CaptureBuilder::Tcp tcp(builder, kClient, kServer);
  tcp.close();
  builder.wait(std::chrono::seconds(11));
  builder.udp(at("198.51.100.2", 1), kServer, "later");
  run(builder);
  EXPECT_THAT(recorder_.ended, ElementsAre(1));
}

TEST_F(FlowTableTest, TheLongestIdleMakesRoom) {
  CaptureBuilder builder;
  builder.set_step(std::chrono::microseconds(1));
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto low = static_cast<std::uint16_t>(i & 0x7fff);
    builder.udp(at(i < 32768 ? "198.51.100.2" : "198.51.100.3", low), kServer, "x");
  }
  builder.wait(std::chrono::seconds(2));
  builder.udp(at("198.51.100.2", 0), kServer, "again");  // no longer the longest idle
  builder.udp(at("198.51.100.4", 9), kServer, "one more");
  run(builder);
  EXPECT_THAT(recorder_.ended, ElementsAre(2));
  EXPECT_EQ(table_.counters().flows_dropped, 1u);
  EXPECT_EQ(table_.counters().flows, 65537u);
  table_.finish();
  EXPECT_EQ(recorder_.ended.size(), 65537u);
}

TEST_F(FlowTableTest, WhatWaitsIsHandedOnAtTheEnd) {
  CaptureBuilder builder;
  builder.ip(segment(true, 1000, kSyn, ""));
  builder.ip(segment(true, 1011, kAck, "behind the hole"));
  run(builder);
  EXPECT_TRUE(recorder_.pieces.empty());
  table_.finish();
  ASSERT_EQ(recorder_.pieces.size(), 1u);
  EXPECT_TRUE(recorder_.pieces[0].after_gap);
  EXPECT_EQ(recorder_.pieces[0].offset, 10u);
  EXPECT_EQ(recorder_.pieces[0].number, 2u);
  EXPECT_EQ(table_.counters().stream_gaps, 1u);
}

TEST_F(FlowTableTest, FragmentsAndPortlessPackets) {
  CaptureBuilder builder;
  const base::Buffer icmp = {8, 0, 0, 0, 0, 1, 0, 1};
  builder.ip(test::ip_packet(kClient.ip, kServer.ip, ip_protocol::kIcmp, icmp));
  builder.ip(test::ip_packet(kServer.ip, kClient.ip, ip_protocol::kIcmp, icmp));
  const base::Buffer short_tcp = {0xc3};  // not even ports
  builder.ip(test::ip_packet(kClient.ip, kServer.ip, ip_protocol::kTcp, short_tcp));
  run_all(builder);
  EXPECT_EQ(recorder_.begun.size(), 2u);
  EXPECT_EQ(recorder_.begun[0].client.port, 0);
  EXPECT_TRUE(recorder_.pieces.empty());
}

TEST_F(FlowTableTest, DecryptedPiecesGoToAll) {
  Flow flow;
  flow.id = 7;
  const StreamPiece piece{base::as_bytes("opened"), 3, 9, {}, false};
  table_.handle_decrypted(flow, Direction::kBackward, piece);
  ASSERT_EQ(recorder_.decrypted.size(), 1u);
  EXPECT_EQ(recorder_.decrypted[0].text, "opened");
  EXPECT_EQ(recorder_.decrypted[0].flow, 7u);
}

TEST_F(FlowTableTest, AClockThatRunsWildEndsFlowsOnly) {
  CaptureBuilder builder;
  builder.udp(kClient, kServer, "a");
  auto frames = builder.frames();
  for (const std::int64_t time :
       {std::int64_t{1} << 62, -(std::int64_t{1} << 62), std::int64_t{0}, std::int64_t{1} << 62}) {
    frames[0].time = CaptureTime(std::chrono::nanoseconds(time));
    table_.handle_packet(*decoder_.decode(frames[0]));
  }
  table_.finish();
  EXPECT_EQ(recorder_.packets.size(), 4u);
}

TEST_F(FlowTableTest, FinBothWaysWithDataOutOfOrder) {
  CaptureBuilder builder;
  builder.ip(segment(true, 0, kSyn, ""));
  builder.ip(segment(false, 0, kSyn | kAck, ""));
  builder.ip(segment(true, 4, kFin | kAck, "def"));
  builder.ip(segment(false, 1, kFin | kAck, "bye"));
  builder.ip(segment(true, 1, kAck, "abc"));
  run_all(builder);
  EXPECT_EQ(recorder_.stream(1, Direction::kForward), "abcdef");
  EXPECT_EQ(recorder_.stream(1, Direction::kBackward), "bye");
  EXPECT_EQ(recorder_.begun.size(), 1u);
}

}  // namespace
}  // namespace alcove::audit
