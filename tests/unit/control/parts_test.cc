// The small parts: framing, text rules, timers, the bounded map, buckets.

#include <gtest/gtest.h>

#include "control/framing.h"
#include "control/lru_map.h"
#include "control/rate_limit.h"
#include "control/text_rules.h"
#include "control/timers.h"

namespace alcove::control {
namespace {

TEST(FramingTest, EverySizeIsPaddedToAMultipleOf256) {
  for (std::size_t length = 0; length < 1200; ++length) {
    v1::ServerMessage message;
    message.mutable_goodbye()->mutable_reason()->set_message(std::string(length, 'x'));
    const base::Buffer bytes = frame_message(message);
    ASSERT_EQ(bytes.size() % kMessageStep, 0U) << length;
    ASSERT_LE(bytes.size(), message.ByteSizeLong() + 2 * kMessageStep);
    v1::ServerMessage parsed;
    ASSERT_TRUE(parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) << length;
    ASSERT_EQ(parsed.goodbye().reason().message(), message.goodbye().reason().message());
    for (const char c : parsed.padding()) ASSERT_EQ(c, '\0');
  }
}

TEST(FramingTest, ABatchIsWhatTheLibraryWouldWrite) {
  std::vector<v1::RoomEvent> shared(2);
  shared[0].mutable_stage_member_left()->set_member_id(7);
  shared[1].mutable_room_changed()->set_title(std::string(300, 't'));
  std::vector<v1::RoomEvent> personal(1);
  personal[0].mutable_self_changed()->mutable_self()->set_member_id(9);
  for (const std::uint64_t revision : {1ULL, 127ULL, 128ULL, 1ULL << 40}) {
    const base::Buffer bytes =
        frame_batch(revision, encode_events(shared), encode_events(personal));
    EXPECT_EQ(bytes.size() % kMessageStep, 0U);
    v1::ServerMessage parsed;
    ASSERT_TRUE(parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    EXPECT_EQ(parsed.batch().revision(), revision);
    ASSERT_EQ(parsed.batch().events_size(), 3);
    EXPECT_EQ(parsed.batch().events(0).SerializeAsString(), shared[0].SerializeAsString());
    EXPECT_EQ(parsed.batch().events(1).SerializeAsString(), shared[1].SerializeAsString());
    EXPECT_EQ(parsed.batch().events(2).SerializeAsString(), personal[0].SerializeAsString());
  }
}

TEST(FramingTest, ASharedBatchHasItsPaddingFirst) {
  for (std::size_t length = 0; length < 700; ++length) {
    std::vector<v1::RoomEvent> events(1);
    events[0].mutable_room_changed()->set_title(std::string(length, 't'));
    const std::string shared = encode_events(events);
    for (const std::uint64_t revision : {1ULL, 128ULL, 1ULL << 40}) {
      base::Buffer bytes = frame_batch_begin(revision, shared.size());
      EXPECT_LE(bytes.size(), 2 * kMessageStep);
      bytes.insert(bytes.end(), shared.begin(), shared.end());
      ASSERT_EQ(bytes.size() % kMessageStep, 0U) << length;
      v1::ServerMessage parsed;
      ASSERT_TRUE(parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) << length;
      ASSERT_EQ(parsed.batch().revision(), revision);
      ASSERT_EQ(parsed.batch().events_size(), 1);
      ASSERT_EQ(parsed.batch().events(0).room_changed().title().size(), length);
    }
  }
}

TEST(TextRulesTest, NamesAreTrimmedAndCounted) {
  EXPECT_EQ(*check_text("  Ada  ", "name", 40), "Ada");
  EXPECT_TRUE(check_text("日本語の名前", "name", 6));
  EXPECT_FALSE(check_text("日本語の名前", "name", 5));
  EXPECT_TRUE(check_text("👩‍🔬 Ada", "name", 40)) << "emoji have joiners";
  EXPECT_TRUE(check_text("نام‌ها", "name", 40)) << "Persian has them too";
  const auto error = check_text("", "title", 80);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().message, "title must have 1 to 80 characters.");
}

TEST(TextRulesTest, NamesCannotHideOrTurnText) {
  for (const char* text :
       {"", "   ", "\u3000", "\u200d", "a\tb", "a\nb", "a\x7f", "a\u0085b", "\u202eabc", "a\u2066b",
        "a\u200fb", "a\u2028b", "a\ufeffb", "a\u200bb", "\xc3\x28", "\xed\xa0\x80"})
    EXPECT_FALSE(check_text(text, "name", 40)) << text;
}

TEST(TextRulesTest, Usernames) {
  EXPECT_EQ(*check_username("Ada_1.x"), "ada_1.x");
  for (const char* text : {"", "ab", "_ada", ".ada", "1ada", "ada!", "adä", "ada lovelace"})
    EXPECT_FALSE(check_username(text)) << text;
}

TEST(TextRulesTest, Passwords) {
  EXPECT_TRUE(check_password("12345678"));
  EXPECT_TRUE(check_password("пароль-мой"));
  EXPECT_FALSE(check_password("1234567"));
  EXPECT_FALSE(check_password("\xff\xff\xff\xff\xff\xff\xff\xff"));
}

TEST(TimersTest, RunInOrderAndCanBeCancelled) {
  Timers timers;
  std::string order;
  const base::Instant start{};
  timers.schedule(start + base::seconds(2), [&] { order += 'b'; });
  timers.schedule(start + base::seconds(1), [&] {
    order += 'a';
    timers.schedule(start + base::seconds(1), [&] { order += 'x'; });
  });
  Timers::Id cancelled = timers.schedule(start + base::seconds(1), [&] { order += 'c'; });
  timers.cancel(cancelled);
  EXPECT_EQ(cancelled, 0U);
  timers.cancel(cancelled);
  EXPECT_EQ(timers.next_deadline(), start + base::seconds(1));
  timers.run(start + base::seconds(1));
  EXPECT_EQ(order, "ax");
  timers.run(start + base::seconds(5));
  EXPECT_EQ(order, "axb");
  EXPECT_EQ(timers.next_deadline(), base::kNever);
}

TEST(LruMapTest, ForgetsTheLongestUnused) {
  LruMap<int, int> map(2);
  map.insert(1, 10);
  map.insert(2, 20);
  ASSERT_NE(map.find(1), nullptr);
  map.insert(3, 30);
  EXPECT_EQ(map.find(2), nullptr);
  EXPECT_EQ(*map.find(1), 10);
  map.insert(1, 11);
  EXPECT_EQ(*map.find(1), 11);
  EXPECT_EQ(map.size(), 2U);
  map.erase_if([](int value) { return value == 30; });
  EXPECT_EQ(map.find(3), nullptr);
}

TEST(BucketTest, RefillsAtItsRate) {
  Bucket bucket;
  const Rate rate{.burst = 2, .per_second = 0.5};
  base::Instant now{base::seconds(100)};
  EXPECT_FALSE(bucket.take(rate, now));
  EXPECT_FALSE(bucket.take(rate, now));
  EXPECT_EQ(bucket.take(rate, now), base::seconds(2));
  now += base::seconds(2);
  EXPECT_FALSE(bucket.take(rate, now));
  EXPECT_TRUE(bucket.take(rate, now));
}

}  // namespace
}  // namespace alcove::control
