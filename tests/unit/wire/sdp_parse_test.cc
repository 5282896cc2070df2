// What browsers really send, and what nobody should.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "vectors.h"
#include "wire/sdp.h"

namespace alcove::wire {
namespace {

SdpDescription parse_file(const std::string& name) {
  const auto description = parse_sdp(read_text("sdp/" + name));
  EXPECT_TRUE(description) << name << ": " << (description ? "" : description.error().text);
  return description.value_or(SdpDescription{});
}

TEST(SdpParse, ChromiumOffer) {
  const SdpDescription offer = parse_file("chromium_156_offer.sdp");
  EXPECT_EQ(offer.session_id, 8525116060004278850U);
  EXPECT_EQ(offer.session_version, 2U);
  EXPECT_FALSE(offer.ice_lite);
  EXPECT_EQ(offer.ice_options, (std::vector<std::string>{"trickle"}));
  EXPECT_EQ(offer.bundle, (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(offer.address_line, 0U);
  ASSERT_EQ(offer.media.size(), 5U);
  const SdpMedia& first = offer.media[0];
  EXPECT_EQ(first.kind, SdpMediaKind::kAudio);
  EXPECT_EQ(first.line, 8U);
  EXPECT_EQ(first.protocol, "UDP/TLS/RTP/SAVPF");
  EXPECT_EQ(first.mid, "0");
  EXPECT_EQ(first.direction, SdpDirection::kSendOnly);
  EXPECT_TRUE(first.rtcp_mux);
  EXPECT_EQ(first.setup, SdpSetup::kActpass);
  EXPECT_EQ(first.ice, (IceCredentials{"4HDk", "TxhZIM5dQ6jUTVbWndtTrB5D"}));
  ASSERT_TRUE(first.fingerprint);
  EXPECT_EQ(first.fingerprint->algorithm, "sha-256");
  EXPECT_EQ(base::to_hex(first.fingerprint->digest),
            "737e16316f64540e0599ba8b0abcac26b6a61f35f2173963ddddde15659caf57");
  ASSERT_EQ(first.codecs.size(), 8U);
  const SdpCodec* opus = first.find_opus();
  ASSERT_NE(opus, nullptr);
  EXPECT_EQ(opus->payload_type, 111);
  EXPECT_EQ(opus->parameters, "minptime=10;useinbandfec=1");
  EXPECT_EQ(opus->feedback, (std::vector<std::string>{"transport-cc"}));
  EXPECT_EQ(first.codecs[3].name, "PCMU");
  EXPECT_EQ(first.codecs[3].channels, 1);
  EXPECT_EQ(first.sources, (std::vector<SdpSource>{{1409738230, "MUfGZO42KnqzeGty"}}));
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(offer.media[i].direction, SdpDirection::kRecvOnly);
    EXPECT_EQ(offer.media[i].mid, std::to_string(i));
    EXPECT_EQ(offer.media[i].ice, first.ice);
    EXPECT_TRUE(offer.media[i].sources.empty());
  }
  EXPECT_FALSE(check_offer(offer));
}

TEST(SdpParse, FirefoxOffer) {
  const SdpDescription offer = parse_file("firefox_153_offer.sdp");
  EXPECT_EQ(offer.bundle.size(), 5U);
  EXPECT_EQ(offer.address_line, 0U);
  ASSERT_EQ(offer.media.size(), 5U);
  const SdpMedia& first = offer.media[0];
  EXPECT_EQ(first.direction, SdpDirection::kSendOnly);
  EXPECT_FALSE(first.bundle_only);
  ASSERT_NE(first.find_opus(), nullptr);
  EXPECT_EQ(first.find_opus()->payload_type, 109);
  // Firefox writes a=fmtp in front of a=rtpmap.
  EXPECT_EQ(first.find_opus()->parameters, "maxplaybackrate=48000;stereo=1;useinbandfec=1");
  ASSERT_EQ(first.sources.size(), 1U);
  EXPECT_EQ(first.sources[0].cname.front(), '{');
  for (const SdpMedia& media : offer.media) {
    // The fingerprint stands at session level alone.
    ASSERT_TRUE(media.fingerprint);
    EXPECT_EQ(base::to_hex(media.fingerprint->digest),
              "3f23b967520b13ab084616a33e9060a13d6e9711bac57dfbb2b1cc275bb74184");
    EXPECT_EQ(media.ice, first.ice);
    EXPECT_FALSE(media.is_rejected());
  }
  EXPECT_EQ(offer.media[1].port, 0);
  EXPECT_TRUE(offer.media[1].bundle_only);
  EXPECT_EQ(offer.media[4].direction, SdpDirection::kRecvOnly);
  EXPECT_FALSE(check_offer(offer));
}

TEST(SdpParse, DataChannelsAreKnownAsSuch) {
  for (const char* name : {"chromium_156_offer_with_data.sdp", "firefox_153_offer_with_data.sdp"}) {
    const SdpDescription offer = parse_file(name);
    ASSERT_EQ(offer.media.size(), 3U);
    EXPECT_EQ(offer.media[2].kind, SdpMediaKind::kApplication);
    EXPECT_EQ(offer.media[2].formats, (std::vector<std::string>{"webrtc-datachannel"}));
    EXPECT_TRUE(offer.media[2].codecs.empty());
    EXPECT_FALSE(offer.media[2].can_accept_opus());
    EXPECT_FALSE(check_offer(offer));
  }
}

TEST(SdpParse, CandidatesOfBrowsers) {
  const SdpDescription chromium = parse_file("chromium_156_offer_gathered.sdp");
  // Names of multicast DNS are of no use to anybody else.
  EXPECT_TRUE(chromium.media[0].candidates.empty());
  EXPECT_EQ(chromium.address_line, 11U);
  ASSERT_TRUE(check_offer(chromium));
  EXPECT_EQ(check_offer(chromium)->line, 11U);

  const SdpDescription firefox = parse_file("firefox_153_offer_gathered.sdp");
  EXPECT_EQ(firefox.address_line, 11U);  // c= comes first
  ASSERT_TRUE(check_offer(firefox));
  const std::vector<IceCandidate>& candidates = firefox.media[0].candidates;
  ASSERT_EQ(candidates.size(), 8U);
  EXPECT_EQ(candidates[1].foundation, "1");
  EXPECT_EQ(candidates[1].address.text(), "[fd00::2]:54608");
  EXPECT_EQ(candidates[1].priority, 2122252543U);
  EXPECT_EQ(candidates[1].protocol, base::TransportProtocol::kUdp);
  EXPECT_EQ(candidates[2].protocol, base::TransportProtocol::kTcp);
  EXPECT_EQ(candidates[2].tcp_type, TcpType::kActive);
  EXPECT_EQ(candidates[4].component, 2);
  EXPECT_TRUE(firefox.media[0].end_of_candidates);
}

// A session with one sound m-line; lines are added behind it.
std::string with_lines(const std::string& lines) {
  return "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
         "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=rtpmap:111 opus/48000/2\r\n" +
         lines;
}

TEST(SdpParse, MediaLevelWinsOverSessionLevel) {
  const auto description = parse_sdp(
      "v=0\no=- 1 1 IN IP6 ::\na=recvonly\na=setup:active\na=ice-ufrag:sess\n"
      "a=ice-pwd:sessionsessionsessionse\nm=audio 9 RTP/AVP 0\na=sendonly\na=ice-ufrag:mline\n"
      "a=ice-pwd:mlinemlinemlinemlinemline\nm=audio 9 RTP/AVP 0\n");
  ASSERT_TRUE(description);
  EXPECT_EQ(description->media[0].direction, SdpDirection::kSendOnly);
  EXPECT_EQ(description->media[0].ice->ufrag, "mline");
  EXPECT_EQ(description->media[0].setup, SdpSetup::kActive);
  EXPECT_EQ(description->media[1].direction, SdpDirection::kRecvOnly);
  EXPECT_EQ(description->media[1].ice->ufrag, "sess");
}

TEST(SdpParse, FeedbackForAllTypes) {
  const auto description = parse_sdp(with_lines("a=rtcp-fb:* nack\na=rtcp-fb:111 transport-cc\n"));
  ASSERT_TRUE(description);
  EXPECT_EQ(description->media[0].codecs[0].feedback,
            (std::vector<std::string>{"nack", "transport-cc"}));
  EXPECT_EQ(description->media[0].codecs[1].feedback, (std::vector<std::string>{"nack"}));
}

TEST(SdpParse, Sha256IsPreferred) {
  const std::string digest = [] {
    std::string text = "AB";
    for (int i = 1; i < 32; ++i) text += ":AB";
    return text;
  }();
  for (const std::string& lines :
       {"a=fingerprint:sha-1 01:02\na=fingerprint:SHA-256 " + digest + "\n",
        "a=fingerprint:sha-256 " + digest + "\na=fingerprint:sha-1 01:02\n"}) {
    const auto description = parse_sdp(with_lines(lines));
    ASSERT_TRUE(description);
    EXPECT_EQ(description->media[0].fingerprint->algorithm, "sha-256");
  }
}

TEST(SdpParse, AddressesAreNoticed) {
  const auto line_of = [](const std::string& lines) {
    const auto description = parse_sdp(with_lines(lines));
    EXPECT_TRUE(description);
    return description ? description->address_line : 0;
  };
  EXPECT_EQ(line_of("c=IN IP4 0.0.0.0\na=rtcp:9 IN IP4 0.0.0.0\na=rtcp:9\n"), 0U);
  EXPECT_EQ(line_of("c=IN IP4 192.0.2.1\n"), 7U);
  EXPECT_EQ(line_of("c=IN IP6 2001:db8::1\n"), 7U);
  EXPECT_EQ(line_of("c=IN IP4 host.example\n"), 7U);
  EXPECT_EQ(line_of("a=mid:0\na=rtcp:9 IN IP4 192.0.2.1\n"), 8U);
  EXPECT_EQ(line_of("a=candidate:1 1 udp 1 x.local 9 typ host\n"), 7U);
  EXPECT_EQ(parse_sdp("v=0\no=- 1 1 IN IP4 192.0.2.1\n")->address_line, 2U);
  EXPECT_EQ(parse_sdp("v=0\no=- 1 1 IN IP4 0.0.0.0\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\n")
                ->address_line,
            3U);
}

TEST(SdpParse, UselessCandidatesAreLeftOut) {
  const auto description = parse_sdp(with_lines(
      "a=candidate:1 1 tls 1 192.0.2.1 9 typ host\n"
      "a=candidate:1 1 udp 1 192.0.2.1 9 typ carrier-pigeon\n"
      "a=candidate:1 1 tcp 1 192.0.2.1 9 typ host\n"
      "a=candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype so\n"
      "a=candidate:a+/1 256 UDP 4294967295 ::1 65535 typ relay raddr 0.0.0.0 rport 0 ufrag x\n"));
  ASSERT_TRUE(description);
  const auto& candidates = description->media[0].candidates;
  ASSERT_EQ(candidates.size(), 2U);
  EXPECT_EQ(candidates[0].tcp_type, TcpType::kSimultaneousOpen);
  EXPECT_EQ(candidates[1].type, CandidateType::kRelay);
  EXPECT_EQ(candidates[1].component, 256);
}

TEST(SdpParse, TruncatedAnywhereNeverFails) {
  for (const char* name : {"chromium_156_offer.sdp", "firefox_153_offer_gathered.sdp"}) {
    const std::string text = read_text(std::string("sdp/") + name);
    for (std::size_t size = 0; size < text.size(); ++size) {
      const std::string part = text.substr(0, size);
      const auto description = parse_sdp(part);
      if (description) (void)check_offer(*description);
    }
  }
}

TEST(SdpParse, DamagedAnywhereNeverFails) {
  base::SeededRandom random(3);
  const std::string text = read_text("sdp/firefox_153_offer_gathered.sdp");
  for (int round = 0; round < 3'000; ++round) {
    std::string damaged = text;
    for (std::uint32_t i = random.below(4) + 1; i > 0; --i)
      damaged[random.below(static_cast<std::uint32_t>(text.size()))] =
          static_cast<char>(random.below(256));
    const auto description = parse_sdp(damaged);
    if (description) (void)check_offer(*description);
  }
}

}  // namespace
}  // namespace alcove::wire
