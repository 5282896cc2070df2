#include "relay/offer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace alcove::relay {
namespace {

std::string read_offer(const std::string& name) {
  std::ifstream file(std::string(ALCOVE_VECTORS) + "/sdp/" + name, std::ios::binary);
  EXPECT_TRUE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

void replace(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t found = text.find(from);
  ASSERT_NE(found, std::string::npos) << from;
  text.replace(found, from.size(), to);
}

TEST(OfferTest, AcceptsBrowsers) {
  const auto chromium = accept_offer(read_offer("chromium_156_offer.sdp"), 4);
  ASSERT_TRUE(chromium) << chromium.error();
  EXPECT_EQ(chromium->send_payload_type, 111);
  EXPECT_EQ(chromium->slot_payload_types, std::vector<std::uint8_t>(4, 111));
  const auto firefox = accept_offer(read_offer("firefox_153_offer.sdp"), 4);
  ASSERT_TRUE(firefox) << firefox.error();
  EXPECT_EQ(firefox->send_payload_type, 109);
  EXPECT_EQ(firefox->slot_payload_types, std::vector<std::uint8_t>(4, 109));
  EXPECT_NE(firefox->fingerprint, chromium->fingerprint);
}

TEST(OfferTest, LeavesDataAside) {
  for (const char* name : {"chromium_156_offer_with_data.sdp", "firefox_153_offer_with_data.sdp"}) {
    const auto offer = accept_offer(read_offer(name), 1);
    EXPECT_TRUE(offer) << name << ": " << offer.error();
  }
}

TEST(OfferTest, RefusesAddresses) {
  for (const char* name : {"chromium_156_offer_gathered.sdp", "firefox_153_offer_gathered.sdp"}) {
    const auto offer = accept_offer(read_offer(name), 4);
    ASSERT_FALSE(offer);
    EXPECT_TRUE(offer.error().starts_with("line ")) << offer.error();
  }
}

TEST(OfferTest, RefusesTheWrongMediaLines) {
  const std::string good = read_offer("chromium_156_offer.sdp");
  EXPECT_FALSE(accept_offer(good, 5));
  EXPECT_TRUE(accept_offer(good, 2));
  std::string text = good;
  replace(text, "a=sendonly", "a=recvonly");
  EXPECT_EQ(accept_offer(text, 4).error(), "no m-line that sends");
  text = good;
  replace(text, "a=recvonly", "a=sendrecv");
  EXPECT_EQ(accept_offer(text, 3).error(), "m-line 2: a second m-line that sends");
  text = good;
  replace(text, "opus/48000/2", "opus/16000/1");
  EXPECT_EQ(accept_offer(text, 4).error(), "m-line 1: Opus is missing");
  EXPECT_FALSE(accept_offer("", 4));
}

}  // namespace
}  // namespace alcove::relay
