#include "audit/key_log.h"

#include <gtest/gtest.h>

#include <string>

namespace alcove::audit {
namespace {

std::string hex(char digit, std::size_t count) { return std::string(count, digit); }

TEST(KeyLog, FindsSecretsByClientRandomAndLabel) {
  KeyLog log;
  log.add("# a comment\r\n\nCLIENT_RANDOM " + hex('1', 64) + " " + hex('a', 96) +
          "\r\nCLIENT_TRAFFIC_SECRET_0 " + hex('2', 64) + " " + hex('B', 64) +
          "\nSERVER_TRAFFIC_SECRET_0 " + hex('2', 64) + " " + hex('c', 96) +
          "\nCLIENT_EARLY_TRAFFIC_SECRET " + hex('2', 64) + " " + hex('d', 64));
  KeyLog::Random first, second;
  first.fill(0x11);
  second.fill(0x22);
  EXPECT_EQ(log.size(), 3U);
  EXPECT_EQ(log.bad_lines(), 0U);
  const auto master = log.find(first, SecretLabel::kMasterSecret);
  ASSERT_TRUE(master);
  EXPECT_EQ(base::to_buffer(*master), base::Buffer(48, 0xaa));
  EXPECT_EQ(base::to_buffer(*log.find(second, SecretLabel::kClientTraffic)),
            base::Buffer(32, 0xbb));
  EXPECT_EQ(log.find(second, SecretLabel::kServerTraffic)->size(), 48U);
  EXPECT_FALSE(log.find(first, SecretLabel::kClientTraffic));
  EXPECT_TRUE(log.knows(second));
  EXPECT_FALSE(log.knows(KeyLog::Random{}));
}

TEST(KeyLog, CountsLinesThatAreBroken) {
  KeyLog log;
  log.add(
      "CLIENT_RANDOM 11 22\n"  // short random
      "CLIENT_RANDOM " +
      hex('1', 64) +
      "\n"  // no secret
      "CLIENT_RANDOM " +
      hex('g', 64) + " " + hex('a', 96) +
      "\n"  // not hexadecimal
      "CLIENT_RANDOM " +
      hex('1', 64) + " " + hex('a', 94) +
      "\n"  // not 48 bytes
      "CLIENT_RANDOM " +
      hex('1', 64) + " " + hex('a', 96) +
      " more\n"  // a fourth word
      "EXPORTER_SECRET " +
      hex('1', 64) + " " + hex('a', 130) +
      "\n"  // too long
      "EXPORTER_SECRET " +
      hex('1', 64) + " " + hex('a', 63) + "\n");  // half a byte
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(log.bad_lines(), 7U);
  EXPECT_EQ(log.version(), 0U);
}

TEST(KeyLog, IsBounded) {
  KeyLog log;
  std::string text;
  for (unsigned i = 0; i < KeyLog::kMaxLines + 10; ++i) {
    std::string number = std::to_string(i);
    text += "EXPORTER_SECRET " + hex('0', 64 - number.size()) + number + " " + hex('a', 64) + "\n";
  }
  log.add(text);
  EXPECT_EQ(log.size(), KeyLog::kMaxLines);
  EXPECT_EQ(log.left_out(), 10U);
}

}  // namespace
}  // namespace alcove::audit
