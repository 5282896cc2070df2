#include <gtest/gtest.h>

#include "vectors.h"
#include "wire/sdp.h"

namespace alcove::wire {
namespace {

const base::Buffer kFingerprint(32, 0xab);
const IceCredentials kIce = {"0001relay", "abcdefghijklmnopqrstuvwx"};

SdpDescription parse(const std::string& text) {
  const auto description = parse_sdp(text);
  EXPECT_TRUE(description) << text;
  return description.value_or(SdpDescription{});
}

std::vector<IceCandidate> candidates() {
  const auto candidate = [](const char* foundation, base::TransportProtocol protocol,
                            std::uint16_t preference, const char* ip, TcpType tcp_type) {
    return IceCandidate{.foundation = foundation,
                        .component = 1,
                        .protocol = protocol,
                        .priority = host_candidate_priority(preference),
                        .address = {base::IpAddress::parse(ip).value(), 7878},
                        .type = CandidateType::kHost,
                        .tcp_type = tcp_type};
  };
  return {candidate("1", base::TransportProtocol::kUdp, 65535, "192.0.2.1", TcpType::kNone),
          candidate("2", base::TransportProtocol::kUdp, 65534, "2001:db8::1", TcpType::kNone),
          candidate("3", base::TransportProtocol::kTcp, 8191, "192.0.2.1", TcpType::kPassive)};
}

AnswerOptions answer_options() {
  return {.session_id = 42,
          .session_version = 3,
          .ice = kIce,
          .fingerprint = kFingerprint,
          .candidates = candidates(),
          .slots = {{11, "s0"}, {12, "s1"}, {13, "s2"}, {14, "s3"}}};
}

TEST(SdpWrite, OfferRoundTrip) {
  const std::string text = write_offer({.session_id = 7,
                                        .session_version = 2,
                                        .ice = kIce,
                                        .fingerprint = kFingerprint,
                                        .source = {99, "abc"},
                                        .slots = 4});
  const SdpDescription offer = parse(text);
  EXPECT_EQ(offer.session_id, 7U);
  EXPECT_EQ(offer.session_version, 2U);
  ASSERT_EQ(offer.media.size(), 5U);
  EXPECT_FALSE(check_offer(offer));
  EXPECT_EQ(offer.media[0].direction, SdpDirection::kSendOnly);
  EXPECT_EQ(offer.media[0].sources, (std::vector<SdpSource>{{99, "abc"}}));
  EXPECT_EQ(offer.media[4].direction, SdpDirection::kRecvOnly);
  EXPECT_EQ(offer.media[4].setup, SdpSetup::kActpass);
  EXPECT_EQ(offer.media[4].ice, kIce);
  EXPECT_EQ(offer.media[4].fingerprint->digest, kFingerprint);
  EXPECT_EQ(offer.media[4].find_opus()->payload_type, kOpusPayloadType);
  EXPECT_EQ(offer.media[4].find_opus()->parameters, "minptime=10;useinbandfec=1");
  for (const char* foreign : {"msid", "extmap", "candidate", "rsize"})
    EXPECT_EQ(text.find(foreign), std::string::npos) << foreign;
}

TEST(SdpWrite, AnswerOfOneSlotWordForWord) {
  const std::string text =
      write_answer(parse(write_offer({.session_id = 7,
                                      .session_version = 2,
                                      .ice = {"ufrag", "abcdefghijklmnopqrstuv"},
                                      .fingerprint = kFingerprint,
                                      .source = {99, "abc"},
                                      .slots = 1})),
                   answer_options());
  const std::string transport =
      "a=ice-ufrag:0001relay\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
      "a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:"
      "AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\na=setup:passive\r\n";
  const std::string codec =
      "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\n"
      "a=fmtp:111 minptime=10;useinbandfec=1;cbr=1;usedtx=0;maxaveragebitrate=32000;stereo=0\r\n";
  EXPECT_EQ(text,
            "v=0\r\no=- 42 3 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite\r\na=group:BUNDLE 0 1\r\n"
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\n" +
                codec + transport +
                "a=candidate:1 1 udp 2130706431 192.0.2.1 7878 typ host\r\n"
                "a=candidate:2 1 udp 2130706175 2001:db8::1 7878 typ host\r\n"
                "a=candidate:3 1 tcp 2116026367 192.0.2.1 7878 typ host tcptype passive\r\n"
                "a=end-of-candidates\r\n"
                "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\n"
                "a=ssrc:11 cname:s0\r\n" +
                codec + transport);
}

void expect_answer_to(const char* name, std::uint8_t payload_type) {
  const SdpDescription offer = parse(read_text(std::string("sdp/") + name));
  const OfferPlan plan = plan_answer(offer);
  EXPECT_EQ(plan.send, 0U);
  EXPECT_EQ(plan.receive, (std::vector<std::size_t>{1, 2, 3, 4}));
  const SdpDescription answer = parse(write_answer(offer, answer_options()));
  EXPECT_TRUE(answer.ice_lite);
  EXPECT_EQ(answer.bundle, offer.bundle);
  ASSERT_EQ(answer.media.size(), offer.media.size());
  for (std::size_t i = 0; i < answer.media.size(); ++i) {
    const SdpMedia& media = answer.media[i];
    EXPECT_EQ(media.mid, offer.media[i].mid);
    EXPECT_EQ(media.port, 9);
    ASSERT_EQ(media.codecs.size(), 1U);
    EXPECT_EQ(media.codecs[0].payload_type, payload_type);
    EXPECT_EQ(media.codecs[0].feedback, (std::vector<std::string>{"nack"}));
    EXPECT_EQ(media.setup, SdpSetup::kPassive);
    EXPECT_EQ(media.ice, kIce);
    EXPECT_TRUE(media.rtcp_mux);
    EXPECT_EQ(media.direction, i == 0 ? SdpDirection::kRecvOnly : SdpDirection::kSendOnly);
    EXPECT_EQ(media.sources.size(), i == 0 ? 0U : 1U);
    EXPECT_EQ(media.candidates, i == 0 ? candidates() : std::vector<IceCandidate>{});
    EXPECT_EQ(media.end_of_candidates, i == 0);
  }
  EXPECT_EQ(answer.media[2].sources[0], (SdpSource{12, "s1"}));
}

TEST(SdpWrite, AnswerToChromium) { expect_answer_to("chromium_156_offer.sdp", 111); }
TEST(SdpWrite, AnswerToFirefox) { expect_answer_to("firefox_153_offer.sdp", 109); }

TEST(SdpWrite, WhatIsNotOpusIsRejected) {
  const SdpDescription offer = parse(read_text("sdp/chromium_156_offer_with_data.sdp"));
  const SdpDescription answer = parse(write_answer(offer, answer_options()));
  EXPECT_EQ(answer.bundle, (std::vector<std::string>{"0", "1"}));
  ASSERT_EQ(answer.media.size(), 3U);
  EXPECT_TRUE(answer.media[2].is_rejected());
  EXPECT_EQ(answer.media[2].mid, offer.media[2].mid);
  EXPECT_EQ(answer.media[2].formats, offer.media[2].formats);
  EXPECT_FALSE(answer.media[2].ice);
}

TEST(SdpWrite, CandidatesFollowTheHeadOfTheBundle) {
  const std::string audio =
      "UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 OPUS/48000/2\na=rtcp-mux\na=setup:active\n"
      "a=ice-ufrag:abcd\na=ice-pwd:abcdefghijklmnopqrstuv\n";
  const SdpDescription offer = parse(
      "v=0\no=- 1 1 IN IP4 0.0.0.0\na=group:BUNDLE d b a\nm=application 9 UDP/DTLS/SCTP "
      "x\na=mid:d\n"
      "m=audio 9 " +
      audio + "a=mid:a\na=recvonly\nm=audio 9 " + audio +
      "a=mid:b\na=sendrecv\n"
      "m=audio 9 " +
      audio + "a=mid:unbundled\na=sendrecv\n");
  const SdpDescription answer = parse(write_answer(offer, answer_options()));
  EXPECT_EQ(answer.bundle, (std::vector<std::string>{"b", "a"}));
  EXPECT_TRUE(answer.media[0].is_rejected());
  EXPECT_TRUE(answer.media[1].candidates.empty());
  EXPECT_EQ(answer.media[1].direction, SdpDirection::kSendOnly);
  EXPECT_EQ(answer.media[2].candidates.size(), 3U);
  EXPECT_EQ(answer.media[2].direction, SdpDirection::kRecvOnly);
  EXPECT_EQ(answer.media[3].direction, SdpDirection::kInactive);
}

TEST(SdpWrite, MoreReceivingLinesThanSlotsAreInactive) {
  const SdpDescription offer = parse(read_text("sdp/chromium_156_offer.sdp"));
  AnswerOptions options = answer_options();
  options.slots.resize(2);
  const SdpDescription answer = parse(write_answer(offer, options));
  EXPECT_EQ(answer.media[2].direction, SdpDirection::kSendOnly);
  EXPECT_EQ(answer.media[3].direction, SdpDirection::kInactive);
  EXPECT_EQ(answer.bundle.size(), 5U);
}

}  // namespace
}  // namespace alcove::wire
