#include "net/live_capture.h"

#include <gtest/gtest.h>

#include <string>

namespace alcove::net {
namespace {

TEST(LiveCapture, AnInterfaceThatIsNotThereIsAnError) {
  const auto capture = LiveCapture::open({.interface = "alcove-none0", .filter = ""});
  ASSERT_FALSE(capture);
  EXPECT_NE(capture.error().message.find("alcove-none0"), std::string::npos);
}

TEST(LiveCapture, AFilterThatDoesNotCompileIsAnError) {
  const auto capture = LiveCapture::open({.interface = "lo", .filter = "hostess 1.2.3"});
  ASSERT_FALSE(capture);
  if (capture.error().code == base::ErrorCode::kPermissionDenied)
    GTEST_SKIP() << "needs the right to capture";
  EXPECT_EQ(capture.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_NE(capture.error().message.find("hostess"), std::string::npos);
}

TEST(LiveCapture, AQuietWireGivesNothingAndReturnsInTime) {
  auto capture = LiveCapture::open({.interface = "lo", .filter = "udp port 1 and host 192.0.2.1"});
  if (!capture) GTEST_SKIP() << capture.error().message;
  EXPECT_EQ((*capture)->link_type(), 1);  // Linux calls its loopback Ethernet
  const auto read = (*capture)->read(std::chrono::milliseconds(1), [](const auto&) { FAIL(); });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, 0);
  EXPECT_EQ((*capture)->statistics().dropped, 0);
}

}  // namespace
}  // namespace alcove::net
