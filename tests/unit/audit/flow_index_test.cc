#include "audit/flow_index.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "audit/flow_recency.h"
#include "base/random.h"
#include "support/capture_builder.h"

namespace alcove::audit {
namespace {

Packet packet_between(const base::SocketAddress& source, const base::SocketAddress& target) {
  Packet packet;
  packet.source = source;
  packet.destination = target;
  packet.protocol = ip_protocol::kUdp;
  return packet;
}

TEST(FlowIndex, BothDirectionsAreOneAndEverythingElseIsAnother) {
  const auto a = test::at("198.51.100.2", 1000);
  const auto b = test::at("203.0.113.7", 1000);
  const FlowSockets forward = sockets_of(packet_between(a, b));
  const FlowSockets backward = sockets_of(packet_between(b, a));
  EXPECT_TRUE(forward.same(backward));
  EXPECT_NE(forward.swapped, backward.swapped);
  Packet other = packet_between(a, b);
  other.protocol = ip_protocol::kTcp;
  EXPECT_FALSE(forward.same(sockets_of(other)));
  auto c = b;
  ++c.port;
  EXPECT_FALSE(forward.same(sockets_of(packet_between(a, c))));
  // The ports change sides.
  const FlowSockets crossed = sockets_of(packet_between({a.ip, 1}, {b.ip, 2}));
  EXPECT_FALSE(crossed.same(sockets_of(packet_between({a.ip, 2}, {b.ip, 1}))));
  // An IPv6 address whose words are those of an IPv4 one.
  EXPECT_FALSE(forward.same(sockets_of(packet_between(test::at("::1:c633:6402", 1000), b))));
}

// Against std::map, over many additions and removals.
TEST(FlowIndex, FindsWhatIsThere) {
  base::SeededRandom random(5);
  FlowIndex index(3000);
  std::map<std::uint16_t, std::uint32_t> model;
  for (int step = 0; step < 60'000; ++step) {
    const auto port = static_cast<std::uint16_t>(random.below(5000));
    const FlowSockets sockets =
        sockets_of(packet_between(test::at("198.51.100.2", port), test::at("2001:db8:de::1", 443)));
    const std::uint64_t hash = index.hash(sockets);
    const auto known = model.find(port);
    ASSERT_EQ(index.find(sockets, hash), known == model.end() ? FlowIndex::kNone : known->second);
    if (known != model.end()) {
      index.remove(known->second);
      model.erase(known);
    } else if (index.size() < 3000) {
      const std::uint32_t number = index.add(sockets, hash);
      ASSERT_LT(number, 3000u);
      model[port] = number;
    }
    ASSERT_EQ(index.size(), model.size());
  }
  EXPECT_GT(model.size(), 1000u);
}

// Whatever the order of uses: what is given as the longest idle is so to a second.
TEST(FlowRecency, TheLongestIdleToASecond) {
  base::SeededRandom random(6);
  FlowRecency recency;
  std::map<std::uint32_t, CaptureTime> last;
  CaptureTime now{std::chrono::seconds(1000)};
  for (std::uint32_t number = 0; number < 100; ++number) {
    recency.add(number, FlowRecency::List(1 + number % 2), now);
    last[number] = now;
  }
  for (int step = 0; step < 20'000; ++step) {
    now += std::chrono::milliseconds(random.below(60));
    const std::uint32_t number = random.below(100);
    if (random.below(50) == 0) {
      const std::uint32_t oldest = recency.oldest();
      const auto least = std::ranges::min_element(last, {}, [](const auto& e) { return e.second; });
      ASSERT_LE(last.at(oldest) - least->second, FlowRecency::kPrecision);
      recency.remove(oldest);
      recency.add(oldest, FlowRecency::List(1 + oldest % 2), now);
      last[oldest] = now;
    }
    recency.touch(number, now);
    last[number] = now;
  }
}

TEST(FlowRecency, EveryIdleFlowIsNamedOnce) {
  FlowRecency recency;
  const CaptureTime begin{std::chrono::seconds(1000)};
  for (std::uint32_t number = 0; number < 10; ++number)
    recency.add(number, FlowRecency::List::kDatagrams, begin + std::chrono::seconds(number));
  recency.touch(0, begin + std::chrono::seconds(20));
  recency.move(9, FlowRecency::List::kClosed);
  std::set<std::uint32_t> ended;
  const CaptureTime now = begin + std::chrono::milliseconds(124'500);
  for (std::uint32_t idle; (idle = recency.next_idle(now)) != FlowRecency::kNone;) {
    ASSERT_TRUE(ended.insert(idle).second);
    recency.remove(idle);
  }
  EXPECT_EQ(ended, (std::set<std::uint32_t>{1, 2, 3, 4, 9}));
}

}  // namespace
}  // namespace alcove::audit
