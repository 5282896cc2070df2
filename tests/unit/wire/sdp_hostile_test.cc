// Descriptions that are refused, with the line and the reason that their sender is told.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "vectors.h"
#include "wire/sdp.h"

namespace alcove::wire {
namespace {

const std::string kHead = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n";
const std::string kMedia = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";

struct Case {
  const char* name;
  std::string text;
  std::size_t line;
  const char* reason;  // a part of the text
};

std::string repeat(const std::string& line, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += fmt::format(fmt::runtime(line), i);
  return text;
}

class SdpRefused : public testing::TestWithParam<Case> {};

TEST_P(SdpRefused, WithLineAndReason) {
  const auto description = parse_sdp(GetParam().text);
  ASSERT_FALSE(description);
  EXPECT_EQ(description.error().line, GetParam().line);
  EXPECT_NE(description.error().text.find(GetParam().reason), std::string::npos)
      << description.error().text;
}

INSTANTIATE_TEST_SUITE_P(
    Lines, SdpRefused,
    testing::Values(
        Case{"Empty", "", 0, "o="}, Case{"NoOrigin", "v=0\r\n", 0, "o="},
        Case{"TooLong", kHead + std::string(kMaxSdpSize, 'x'), 0, "64 KiB"},
        Case{"Version1", "v=1\r\n", 1, "v=0"},
        Case{"NotSdp", "GET / HTTP/1.1\r\n", 1, "type=value"},
        Case{"VersionTwice", kHead + "v=0\r\n", 3, "v="},
        Case{"EmptyLine", kHead + "\r\n", 3, "type=value"},
        Case{"UnknownType", kHead + "x=1\r\n", 3, "unknown type"},
        Case{"LongLine", kHead + "s=" + std::string(kMaxSdpLine, 'a') + "\r\n", 3, "1024"},
        Case{"Nul", kHead + std::string("s=a\0b\r\n", 7), 3, "not text"},
        Case{"LoneReturn", kHead + "s=a\rb\r\n", 3, "not text"},
        Case{"NotUtf8", kHead + "s=\xff\r\n", 3, "not text"},
        Case{"OriginTwice", kHead + "o=- 1 1 IN IP4 0.0.0.0\r\n", 3, "second"},
        Case{"OriginNumber", "v=0\r\no=- -1 1 IN IP4 0.0.0.0\r\n", 2, "two numbers"},
        Case{"OriginOverflow", "v=0\r\no=- 99999999999999999999 1 IN\r\n", 2, "two numbers"},
        Case{"AttributeWithoutName", kHead + "a=\r\n", 3, "name"},
        Case{"AttributeOddName", kHead + "a=a b:c\r\n", 3, "name"},
        Case{"BundleTwice", kHead + "a=group:BUNDLE 0 0\r\n", 3, "twice"},
        Case{"BundleMany", kHead + "a=group:BUNDLE" + repeat(" {}", 17) + "\r\n", 3, "16"},
        Case{"IceOptionsMany", kHead + "a=ice-options:x" + repeat(" {}", 9) + "\r\n", 3, "8"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    MediaLines, SdpRefused,
    testing::Values(Case{"Port", kHead + "m=audio 65536 RTP/AVP 0\r\n", 3, "port"},
                    Case{"PortCount", kHead + "m=audio 9/2 RTP/AVP 0\r\n", 3, "port"},
                    Case{"PortSign", kHead + "m=audio +9 RTP/AVP 0\r\n", 3, "port"},
                    Case{"Kind", kHead + "m= 9 RTP/AVP 0\r\n", 3, "kind"},
                    Case{"NoProtocol", kHead + "m=audio 9  0\r\n", 3, "protocol"},
                    Case{"OddProtocol", kHead + "m=audio 9 RTP//AVP 0\r\n", 3, "protocol"},
                    Case{"ProtocolEnd", kHead + "m=audio 9 RTP/ 0\r\n", 3, "protocol"},
                    Case{"NoFormat", kHead + "m=audio 9 RTP/AVP\r\n", 3, "format"},
                    Case{"EmptyFormat", kHead + "m=audio 9 RTP/AVP 0  8\r\n", 3, "format"},
                    Case{"PayloadType128", kHead + "m=audio 9 RTP/AVP 128\r\n", 3, "127"},
                    Case{"PayloadTypeTwice", kHead + "m=audio 9 RTP/AVP 0 0\r\n", 3, "twice"},
                    Case{"FormatsMany", kHead + "m=audio 9 RTP/AVP" + repeat(" {}", 65) + "\r\n", 3,
                         "64"},
                    Case{"MediaMany", kHead + repeat("m=audio 9 RTP/AVP {}\r\n", 17), 19, "16"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Attributes, SdpRefused,
    testing::Values(
        Case{"ShortUfrag", kHead + kMedia + "a=ice-ufrag:abc\r\n", 4, "ice-ufrag"},
        Case{"OddUfrag", kHead + kMedia + "a=ice-ufrag:ab cd\r\n", 4, "ice-ufrag"},
        Case{"LongUfrag", kHead + kMedia + "a=ice-ufrag:" + std::string(257, 'a') + "\r\n", 4,
             "256"},
        Case{"UfragTwice", kHead + kMedia + "a=ice-ufrag:abcd\r\na=ice-ufrag:abcd\r\n", 5,
             "second"},
        Case{"ShortPwd", kHead + kMedia + "a=ice-pwd:123456789012345678901\r\n", 4, "ice-pwd"},
        Case{"UfragAlone", kHead + kMedia + "a=ice-ufrag:abcd\r\n", 0, "together"},
        Case{"Fingerprint", kHead + kMedia + "a=fingerprint:sha-256 AB:CD\r\n", 4, "fingerprint"},
        Case{"FingerprintHex", kHead + kMedia + "a=fingerprint:sha-1 AB:XD\r\n", 4, "fingerprint"},
        Case{"FingerprintLong", kHead + kMedia + "a=fingerprint:x 00" + repeat(":00", 64) + "\r\n",
             4, "fingerprint"},
        Case{"Setup", kHead + kMedia + "a=setup:holdconn\r\n", 4, "setup"},
        Case{"DirectionTwice", kHead + kMedia + "a=sendonly\r\na=recvonly\r\n", 5, "second"},
        Case{"EmptyMid", kHead + kMedia + "a=mid:\r\n", 4, "mid"},
        Case{"MidOfAnother", kHead + kMedia + "a=mid:0\r\n" + kMedia + "a=mid:0\r\n", 6, "earlier"},
        Case{"MidTwice", kHead + kMedia + "a=mid:0\r\na=mid:1\r\n", 5, "second"},
        Case{"Rtpmap", kHead + kMedia + "a=rtpmap:111 opus\r\n", 4, "rtpmap"},
        Case{"RtpmapChannels", kHead + kMedia + "a=rtpmap:111 opus/48000/x\r\n", 4, "rtpmap"},
        Case{"FeedbackMany", kHead + kMedia + repeat("a=rtcp-fb:* {}\r\n", 17), 20, "16"},
        Case{"SsrcNumber", kHead + kMedia + "a=ssrc:4294967296 cname:x\r\n", 4, "ssrc"},
        Case{"SsrcMany", kHead + kMedia + repeat("a=ssrc:{} cname:x\r\n", 17), 20, "16"},
        Case{"CandidateShort", kHead + kMedia + "a=candidate:1 1 udp 1 192.0.2.1\r\n", 4,
             "candidate"},
        Case{"CandidateComponent",
             kHead + kMedia + "a=candidate:1 0 udp 1 192.0.2.1 9 typ host\r\n", 4, "candidate"},
        Case{"CandidateExtension",
             kHead + kMedia + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host raddr\r\n", 4,
             "candidate"},
        Case{"CandidatesMany",
             kHead + kMedia + repeat("a=candidate:{} 1 udp 1 192.0.2.1 9 typ host\r\n", 65), 68,
             "64"}),
    [](const auto& test) { return test.param.name; });

// A sound offer, changed in one place.
std::string offer_with(const std::string& from, const std::string& to) {
  std::string text = read_text("sdp/chromium_156_offer.sdp");
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

TEST(SdpCheckOffer, SaysWhatIsMissing) {
  const auto fault_of = [](const std::string& from, const std::string& to) -> std::string {
    const auto offer = parse_sdp(offer_with(from, to));
    if (!offer) return "not parsed: " + offer.error().text;
    const auto fault = check_offer(*offer);
    return fault ? fault->text : "none";
  };
  EXPECT_EQ(fault_of("a=none", ""), "none");
  EXPECT_NE(fault_of("a=rtcp-mux\r\n", "").find("rtcp-mux"), std::string::npos);
  EXPECT_NE(fault_of("a=group:BUNDLE 0 1 2 3 4\r\n", "").find("BUNDLE"), std::string::npos);
  EXPECT_NE(fault_of("a=mid:3\r\n", "").find("a=mid"), std::string::npos);
  EXPECT_NE(fault_of("a=ice-ufrag:4HDk\r\na=ice-pwd:TxhZIM5dQ6jUTVbWndtTrB5D\r\n", "").find("ice"),
            std::string::npos);
  EXPECT_NE(fault_of("a=setup:actpass", "a=setup:passive").find("setup"), std::string::npos);
  EXPECT_NE(fault_of("sha-256", "sha-512").find("sha-256"), std::string::npos);
  EXPECT_NE(fault_of("opus/48000/2", "opus/16000/2").find("Opus"), std::string::npos);
  EXPECT_NE(fault_of("UDP/TLS/RTP/SAVPF", "RTP/AVP").find("SAVPF"), std::string::npos);
  EXPECT_NE(fault_of("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n").find("lite"), std::string::npos);
  EXPECT_NE(fault_of("a=mid:1\r\n", "a=mid:1\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n")
                .find("candidates"),
            std::string::npos);
}

TEST(SdpCheckOffer, TransportsMustBeTheSame) {
  std::string text = read_text("sdp/chromium_156_offer.sdp");
  const std::string ufrag = "a=ice-ufrag:4HDk";
  text.replace(text.rfind(ufrag), ufrag.size(), "a=ice-ufrag:none");
  const auto offer = parse_sdp(text);
  ASSERT_TRUE(offer);
  ASSERT_TRUE(check_offer(*offer));
  EXPECT_EQ(check_offer(*offer)->line, offer->media[4].line);
}

}  // namespace
}  // namespace alcove::wire
