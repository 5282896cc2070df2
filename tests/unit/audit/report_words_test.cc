#include "audit/report_words.h"

#include <gtest/gtest.h>

namespace alcove::audit {
namespace {

TEST(ReportWords, TextFromPacketsIsMadeHarmless) {
  EXPECT_EQ(clean_text("salle d'été 部屋"), "salle d'été 部屋");
  EXPECT_EQ(clean_text("a\x1b[31mb"), "a�[31mb");
  EXPECT_EQ(clean_text("a\r\nb"), "a��b");
  EXPECT_EQ(clean_text("\xC2\x9B"), "�");  // CSI as C1
  EXPECT_EQ(clean_text("a\xE2\x80\xAE"
                       "b"),
            "a�b");  // right-to-left override
  EXPECT_EQ(clean_text("a\xE2\x80\x8B"
                       "b"),
            "a�b");  // zero width space
  EXPECT_EQ(clean_text("a\xE2\x80\xA8"
                       "b"),
            "a�b");                              // line separator
  EXPECT_EQ(clean_text("\xC0\x80"), "��");       // overlong
  EXPECT_EQ(clean_text("\xED\xA0\x80"), "���");  // surrogate
  EXPECT_EQ(clean_text("\xF5\x80\x80\x80"), "����");
  EXPECT_EQ(clean_text("a\xE2\x80"), "a��");  // cut
  EXPECT_EQ(clean_text(std::string_view("a\0b", 3)), "a�b");
}

TEST(ReportWords, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(clean_text("abcdef", 3), "abc…");
  EXPECT_EQ(clean_text("abé", 3), "ab…");
  EXPECT_EQ(clean_text("abc", 3), "abc");
}

TEST(ReportWords, NumbersAreOfTheLanguage) {
  EXPECT_EQ(number_text(0, Language::kEnglish), "0");
  EXPECT_EQ(number_text(999, Language::kEnglish), "999");
  EXPECT_EQ(number_text(1234567, Language::kEnglish), "1,234,567");
  EXPECT_EQ(number_text(1234567, Language::kFrench), "1\u202F234\u202F567");
  EXPECT_EQ(decimal_text(3.14159, 2, Language::kFrench), "3,14");
  EXPECT_EQ(decimal_text(std::numeric_limits<double>::quiet_NaN(), 1, Language::kEnglish), "0.0");
  EXPECT_EQ(size_text(512, Language::kEnglish), "512 B");
  EXPECT_EQ(size_text(1'250'000, Language::kEnglish), "1.2 MB");
  EXPECT_EQ(size_text(1'250'000, Language::kFrench), "1,2\u00A0Mo");
  EXPECT_EQ(size_text(999'999, Language::kEnglish), "1.0 MB");
  EXPECT_EQ(counted(0, "flux", "flux", Language::kFrench), "0 flux");
  EXPECT_EQ(counted(0, "paquet", "paquets", Language::kFrench), "0 paquet");
  EXPECT_EQ(counted(0, "packet", "packets", Language::kEnglish), "0 packets");
  EXPECT_EQ(counted(1, "packet", "packets", Language::kEnglish), "1 packet");
}

TEST(ReportWords, Times) {
  using namespace std::chrono_literals;
  EXPECT_EQ(time_text(CaptureTime(1790000000s + 123456789ns)), "2026-09-21 14:13:20.123456 UTC");
  EXPECT_EQ(time_text(CaptureTime(-1ns)), "1969-12-31 23:59:59.999999 UTC");
  EXPECT_EQ(duration_text(1500us, Language::kEnglish), "1.5 ms");
  EXPECT_EQ(duration_text(2500ms, Language::kFrench), "2,5 s");
  EXPECT_EQ(duration_text(3725s, Language::kEnglish), "1 h 2 min");
  EXPECT_EQ(duration_text(-5s, Language::kEnglish), "0.0 ms");
}

TEST(ReportWords, SpansOfHostileTimesDoNotOverflow) {
  using namespace std::chrono_literals;
  EXPECT_EQ(span_between(CaptureTime::min(), CaptureTime::max()), std::chrono::nanoseconds::max());
  EXPECT_EQ(span_between(CaptureTime::max(), CaptureTime::min()), 0ns);
  EXPECT_EQ(span_between(CaptureTime(5s), CaptureTime(7s)), 2s);
}

TEST(ReportWords, TheRemoteEndIsTheOneInTheWorld) {
  const auto key = [](std::string_view client, std::string_view server) {
    return FlowKey{{*base::IpAddress::parse(client), 1}, {*base::IpAddress::parse(server), 2}, 17};
  };
  EXPECT_EQ(remote_of(key("10.0.0.1", "198.51.100.7")).ip.text(), "198.51.100.7");
  EXPECT_EQ(remote_of(key("198.51.100.7", "10.0.0.1")).ip.text(), "198.51.100.7");
  EXPECT_EQ(remote_of(key("10.0.0.1", "10.0.0.2")).ip.text(), "10.0.0.2");
  EXPECT_EQ(remote_of(key("203.0.113.1", "198.51.100.7")).ip.text(), "198.51.100.7");
}

}  // namespace
}  // namespace alcove::audit
