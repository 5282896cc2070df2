#include "policy/endpoint_gate.h"

#include <gtest/gtest.h>

#include <string>

namespace alcove::policy {
namespace {

base::SocketAddress at(std::string_view ip, std::uint16_t port = 7878) {
  return {*base::IpAddress::parse(ip), port};
}

std::unique_ptr<EndpointGate> make_gate() {
  auto policy = parse_policy("[addresses]\ndeny = [\"203.0.113.0/24\", \"2001:db8:c::/48\"]\n");
  EXPECT_TRUE(policy) << policy.error().message;
  return std::make_unique<EndpointGate>(*std::move(policy), GeoDatabase::empty());
}

std::string answer(const std::string& lines) {
  return "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
         "c=IN IP4 0.0.0.0\r\na=mid:0\r\n" +
         lines + "a=end-of-candidates\r\n";
}

std::string candidate(const std::string& transport, const std::string& address,
                      const std::string& port, const std::string& more = {}) {
  return "a=candidate:1 1 " + transport + " 2130706431 " + address + " " + port + " typ host" +
         more + "\r\n";
}

TEST(EndpointGate, TakesAllThatARelayAnnouncesOrNothing) {
  const auto gate = make_gate();
  const RelayCandidate good{.address = at("198.51.100.7"), .transport = Transport::kUdp};
  for (const char* bad : {"203.0.113.5", "::ffff:203.0.113.5", "2001:db8:c::5", "224.0.0.1",
                          "64:ff9b::203.0.113.5", "2002:cb00:7105::1"}) {
    const RelayCandidate denied{.address = at(bad), .transport = Transport::kTcp};
    const RelayCandidate both[] = {good, denied};
    const auto decision = gate->admit(both);
    ASSERT_TRUE(decision) << bad;
    EXPECT_FALSE(decision->allowed);
    EXPECT_TRUE(gate->admitted().empty()) << bad;
  }
  const RelayCandidate more[] = {good, good, {at("2001:db8:de::7"), Transport::kTcp}};
  EXPECT_FALSE(gate->admit(more));
  EXPECT_EQ(gate->admitted().size(), 2U);
}

TEST(EndpointGate, NamesAreNotAddresses) {
  const auto gate = make_gate();
  for (const char* name : {"relay.example", "", "[]", "198.51.100", "0x7f000001", "fe80::1%eth0"}) {
    const Decision decision = gate->check_literal(name);
    EXPECT_FALSE(decision.allowed) << name;
    EXPECT_EQ(decision.reason, Reason::kNotAnAddress) << name;
  }
  EXPECT_TRUE(gate->check_literal("198.51.100.7").allowed);
  EXPECT_TRUE(gate->check_literal("[2001:db8:de::7]").allowed);
  EXPECT_FALSE(gate->check_literal("[2001:db8:c::7]").allowed);
  EXPECT_FALSE(gate->check_literal("::ffff:203.0.113.7").allowed);
}

class AnswerTest : public testing::Test {
 protected:
  AnswerTest() {
    const RelayCandidate announced[] = {{at("198.51.100.7"), Transport::kUdp},
                                        {at("198.51.100.7"), Transport::kTcp},
                                        {at("2001:db8:de::7"), Transport::kUdp}};
    EXPECT_FALSE(gate_->admit(announced));
  }
  std::optional<AnswerFault> check(const std::string& lines) const {
    return gate_->check_answer(answer(lines));
  }
  const std::unique_ptr<EndpointGate> gate_ = make_gate();
};

TEST_F(AnswerTest, WhatWasAnnouncedPasses) {
  EXPECT_EQ(check(""), std::nullopt);
  EXPECT_EQ(
      check(candidate("udp", "198.51.100.7", "7878") + candidate("UDP", "2001:DB8:de::7", "7878") +
            candidate("tcp", "198.51.100.7", "7878", " tcptype passive")),
      std::nullopt);
  EXPECT_EQ(check(candidate("udp", "::ffff:198.51.100.7", "7878")), std::nullopt) << "the same one";
}

TEST_F(AnswerTest, AnInventedCandidateIsCaught) {
  EXPECT_EQ(check(candidate("udp", "203.0.113.5", "7878")), AnswerFault::kDenied);
  EXPECT_EQ(
      check(candidate("udp", "198.51.100.7", "7878") + candidate("udp", "2001:db8:c::5", "7878")),
      AnswerFault::kDenied);
  EXPECT_EQ(check(candidate("udp", "::ffff:203.0.113.5", "7878")), AnswerFault::kDenied);
  EXPECT_EQ(check(candidate("udp", "198.51.100.8", "7878")), AnswerFault::kNotAdmitted);
  EXPECT_EQ(check(candidate("udp", "198.51.100.7", "7879")), AnswerFault::kNotAdmitted);
  EXPECT_EQ(check(candidate("tcp", "2001:db8:de::7", "7878")), AnswerFault::kNotAdmitted);
  EXPECT_EQ(check(candidate("udp", "relay.example", "7878")), AnswerFault::kNotAnAddress);
  EXPECT_EQ(check(candidate("udp", "8d3c.local", "7878")), AnswerFault::kNotAnAddress);
}

// Spellings that some client reads and our own parser does not.
TEST_F(AnswerTest, OddLinesAreCaught) {
  const std::string bad = "1 1 udp 1 203.0.113.5 7878 typ host";
  for (const std::string& line : std::vector<std::string>{
           "A=CANDIDATE:" + bad, "a=Candidate:" + bad, " a=candidate:" + bad, "a= candidate:" + bad,
           "candidate:" + bad, "a=candidate :" + bad,
           "a=candidate:1  1 udp 1 203.0.113.5 7878 typ host",
           "a=candidate:1 1 udp 1 198.51.100.7 99999 typ host",
           "a=candidate:1 1 sctp 1 198.51.100.7 7878 typ host",
           "a=candidate:1 1 udp 1 198.51.100.7 7878 typ srflx raddr 203.0.113.5 rport 1",
           std::string("a=remote-candidates:1 203.0.113.5 7878"), std::string("a=candidate:"),
           std::string("\ta=x")})
    EXPECT_TRUE(check(line + "\r\n")) << line;
  EXPECT_TRUE(gate_->check_answer("v=0\ra=candidate:" + bad)) << "a lone carriage return";
  EXPECT_TRUE(gate_->check_answer("v=0\na=candidate:" + bad)) << "a lone line feed";
  EXPECT_EQ(check("c=IN IP4 203.0.113.5\r\n"), AnswerFault::kDenied);
  EXPECT_EQ(check("c=IN IP4 198.51.100.8\r\n"), AnswerFault::kNotAdmitted);
  EXPECT_EQ(check("c=IN IP4 relay.example\r\n"), AnswerFault::kNotAnAddress);
  EXPECT_EQ(check("c=IN IP4 198.51.100.7\r\n"), std::nullopt);
  EXPECT_EQ(check("a=rtcp:9 IN IP4 203.0.113.5\r\n"), AnswerFault::kDenied);
  EXPECT_EQ(check("a=rtcp:9\r\na=rtcp-mux\r\n"), std::nullopt);
}

TEST(ManifestAgainstPolicy, FindsTheFirstDeniedAddress) {
  const auto gate = make_gate();
  v1::ManifestEndpoint endpoint;
  endpoint.set_host("relay.example");
  endpoint.add_addresses("198.51.100.7");
  EXPECT_FALSE(first_denied(endpoint, gate->policy(), gate->database()));
  endpoint.add_addresses("2001:db8:c::1");
  endpoint.add_addresses("203.0.113.1");
  const auto denied = first_denied(endpoint, gate->policy(), gate->database());
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->address.text(), "2001:db8:c::1");
  endpoint.clear_addresses();
  endpoint.set_host("203.0.113.1");
  EXPECT_TRUE(first_denied(endpoint, gate->policy(), gate->database()));
}

}  // namespace
}  // namespace alcove::policy
