#include "e2ee/keyed_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "base/random.h"
#include "base/text.h"

namespace alcove::e2ee {
namespace {

using base::Buffer;
using base::Bytes;
using base::MutableBytes;
using roomlog::Hash;

constexpr std::size_t kBucket = 160;

Buffer hex(std::string text) {
  std::erase(text, ' ');
  return base::from_hex(text).value();
}
Hash leaf(std::uint8_t number) {
  Hash hash;
  hash.fill(number);
  return hash;
}
EpochSecret secret(std::uint8_t number) {
  EpochSecret secret;
  secret.fill(number);
  return secret;
}

// Follows a stage on which seat 7 is leaf(7) and seat 20 leaf(20), and lives in epoch 5.
void start(KeyedFrames& frames) {
  frames.set_stage({{7, leaf(7)}, {20, leaf(20)}});
  EXPECT_TRUE(frames.add_epoch(5, secret(5)));
  EXPECT_TRUE(frames.use_for_sending(5));
  frames.allow_sending(true);
}

Buffer sealed(KeyedFrames& frames, Bytes opus) {
  Buffer out(frames.sealed_size());
  EXPECT_EQ(frames.seal(opus, out), frames.sealed_size());
  return out;
}
Buffer sealed(KeyedFrames& frames) { return sealed(frames, Buffer{1, 2, 3}); }

// A frame of seat 7 in epoch 5 with this plaintext and counter, as a hostile client may send it.
Buffer crafted(std::uint64_t counter, Bytes plaintext) {
  Buffer context(33, 7);  // seat 7, then leaf(7)
  SFrameBaseKey base_key;
  roomlog::expand(secret(5), "sframe", context, base_key);
  SFrameKey key(base_key, 0x75);
  Buffer padded = base::to_buffer(plaintext);
  padded.resize(kBucket - SFrameKey::kTagSize - sframe_header_size(0x75, counter));
  Buffer out(kBucket);
  EXPECT_EQ(key.seal(counter, {}, padded, out), kBucket);
  return out;
}

struct Example {
  unsigned seat = 0;
  Hash holder{};
  std::uint32_t epoch = 0;
  EpochSecret secret{};
  std::size_t bucket = 0;
  std::uint64_t counter = 0;
  Buffer opus;
  Buffer payload;
};

template <std::size_t N>
void copy_hex(const std::string& text, std::array<std::uint8_t, N>& out) {
  const Buffer bytes = hex(text);
  ASSERT_EQ(bytes.size(), N);
  std::ranges::copy(bytes, out.begin());
}

// The first of them are those of docs/protocol/frames.md.
std::vector<Example> examples() {
  std::ifstream in(std::string(ALCOVE_VECTORS) + "/room-keys/frames.txt");
  EXPECT_TRUE(in.good());
  std::vector<Example> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    Example example;
    std::string holder, secret_text, opus, base_key, payload;
    words >> example.seat >> holder >> example.epoch >> secret_text >> example.bucket >>
        example.counter >> opus >> base_key >> payload;
    copy_hex(holder, example.holder);
    copy_hex(secret_text, example.secret);
    example.opus = hex(opus);
    example.payload = hex(payload);
    out.push_back(std::move(example));
  }
  return out;
}

TEST(KeyedFrames, SealsAndOpensTheExamplesOfTheDocument) {
  const std::vector<Example> all = examples();
  ASSERT_EQ(all.size(), 6U);
  for (const Example& example : all) {
    const auto seat = static_cast<std::uint8_t>(example.seat);
    KeyedFrames speaker(example.bucket, example.holder);
    KeyedFrames listener(example.bucket, leaf(99));
    for (KeyedFrames* frames : {&speaker, &listener}) {
      frames->set_stage({{seat, example.holder}});
      frames->add_epoch(example.epoch, example.secret);
    }
    speaker.use_for_sending(example.epoch);
    speaker.allow_sending(true);
    for (std::uint64_t i = 0; i < example.counter; ++i) sealed(speaker);
    EXPECT_EQ(sealed(speaker, example.opus), example.payload);
    const auto opened = listener.open(example.payload);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->seat, seat);
    EXPECT_EQ(base::to_buffer(opened->opus), example.opus);
  }
}

TEST(KeyedFrames, TheDocumentHasTheExamples) {
  std::ifstream in(std::string(ALCOVE_VECTORS) + "/../../docs/protocol/frames.md");
  const std::string document((std::istreambuf_iterator<char>(in)), {});
  for (const Example& example : examples()) {
    if (example.bucket == 64) {
      EXPECT_THAT(document, ::testing::HasSubstr(base::to_hex(example.payload)));
    }
  }
}

// The table of the document.
TEST(KeyedFrames, HandlesTheChangesOfTheDocument) {
  KeyedFrames listener(64, leaf(1));
  listener.set_stage({{7, leaf(7)}});
  listener.add_epoch(5, secret(5));
  const Buffer frame = examples().at(0).payload;
  const auto fault_with_second_byte = [&](std::uint8_t byte) {
    Buffer changed = frame;
    changed[1] = byte;
    return listener.open(changed).error();
  };
  EXPECT_FALSE(listener.open(Bytes(frame).first(63)));
  EXPECT_EQ(fault_with_second_byte(0x07), OpenFault::kDropped);
  EXPECT_EQ(listener.counters().bad_header, 1U);
  EXPECT_EQ(fault_with_second_byte(0x0a), OpenFault::kDropped);
  EXPECT_EQ(listener.counters().bad_seat, 1U);
  EXPECT_EQ(fault_with_second_byte(0x74), OpenFault::kDropped);
  EXPECT_EQ(listener.counters().old_epoch, 1U);
  EXPECT_EQ(fault_with_second_byte(0x76), OpenFault::kUnknownEpoch);
  EXPECT_EQ(fault_with_second_byte(0x85), OpenFault::kEmptySeat);
  EXPECT_TRUE(listener.open(frame));
  EXPECT_FALSE(listener.open(frame));
  EXPECT_EQ(listener.counters().replayed, 1U);
}

TEST(KeyedFrames, RoundTripsEveryLengthAtConstantSize) {
  base::SeededRandom random(1);
  KeyedFrames speaker(kBucket, leaf(20));
  start(speaker);
  KeyedFrames listener(kBucket, leaf(1));
  start(listener);
  EXPECT_EQ(listener.seat(), 0);
  for (std::size_t length = 1; length <= 137; ++length) {
    Buffer opus(length);
    random.fill(opus);
    const Buffer payload = sealed(speaker, opus);
    ASSERT_EQ(payload.size(), kBucket);
    const auto opened = listener.open(payload);
    ASSERT_TRUE(opened) << length;
    EXPECT_EQ(opened->seat, 20);
    EXPECT_EQ(base::to_buffer(opened->opus), opus);
  }
  EXPECT_EQ(listener.counters().opened, 137U);
  EXPECT_EQ(listener.seat_counters(20).opened, 137U);
}

// The header grows with the counter, so less of the bucket is left.
TEST(KeyedFrames, RefusesWhatDoesNotFit) {
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);
  Buffer out(kBucket);
  const std::size_t room = kBucket - 2 - 16 - 2;
  EXPECT_FALSE(speaker.seal({}, out));
  EXPECT_FALSE(speaker.seal(Buffer(room + 1), out));
  EXPECT_FALSE(speaker.seal(Buffer(room), MutableBytes(out).first(kBucket - 1)));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(speaker.seal(Buffer(room), out), kBucket);
  EXPECT_FALSE(speaker.seal(Buffer(room), out));
  EXPECT_EQ(speaker.seal(Buffer(room - 1), out), kBucket);
  EXPECT_EQ(speaker.counters().too_long, 3U);
  EXPECT_EQ(speaker.counters().sealed, 9U);
}

TEST(KeyedFrames, SendsOnlyWithSeatEpochAndPermission) {
  KeyedFrames frames(kBucket, leaf(7));
  Buffer out(kBucket);
  EXPECT_FALSE(frames.seal(Buffer(10), out));
  frames.allow_sending(true);
  EXPECT_FALSE(frames.use_for_sending(5));
  frames.add_epoch(5, secret(5));
  EXPECT_TRUE(frames.use_for_sending(5));
  EXPECT_FALSE(frames.seal(Buffer(10), out));
  frames.set_stage({{7, leaf(7)}});
  EXPECT_TRUE(frames.seal(Buffer(10), out));
  frames.allow_sending(false);
  EXPECT_FALSE(frames.seal(Buffer(10), out));
  frames.allow_sending(true);
  frames.forget_epoch(5);
  EXPECT_FALSE(frames.may_send());
  EXPECT_FALSE(frames.seal(Buffer(10), out));
  EXPECT_EQ(frames.counters().no_seat, 4U);
  EXPECT_EQ(frames.counters().sealed, 1U);
}

TEST(KeyedFrames, NeverUsesACounterTwice) {
  KeyedFrames frames(kBucket, leaf(7));
  start(frames);
  std::vector<std::uint64_t> counters;
  const auto send = [&] {
    counters.push_back(parse_sframe_header(sealed(frames)).value().counter);
  };
  send();
  send();
  frames.set_stage({});
  Buffer out(kBucket);
  EXPECT_FALSE(frames.seal(Buffer(10), out));
  frames.set_stage({{9, leaf(7)}});  // another seat, another key
  send();
  frames.set_stage({{7, leaf(7)}});
  send();
  frames.add_epoch(6, secret(6));
  frames.use_for_sending(6);
  send();
  frames.use_for_sending(5);
  send();
  EXPECT_EQ(counters, (std::vector<std::uint64_t>{0, 1, 0, 2, 0, 3}));
  frames.forget_epoch(5);
  EXPECT_FALSE(frames.add_epoch(5, secret(5)));
  EXPECT_FALSE(frames.add_epoch(6, secret(7)));
  EXPECT_EQ(frames.sending_epoch(), std::nullopt);
}

TEST(KeyedFrames, TellsUnknownEpochsAndEmptySeatsApart) {
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);
  KeyedFrames listener(kBucket, leaf(1));
  const Buffer payload = sealed(speaker);
  EXPECT_FALSE(listener.can_open(payload));
  EXPECT_EQ(listener.open(payload).error(), OpenFault::kUnknownEpoch);
  listener.add_epoch(5, secret(5));
  EXPECT_FALSE(listener.can_open(payload));
  EXPECT_EQ(listener.open(payload).error(), OpenFault::kEmptySeat);
  listener.set_stage({{20, leaf(20)}});
  EXPECT_EQ(listener.open(payload).error(), OpenFault::kEmptySeat);
  listener.set_stage({{7, leaf(7)}});
  EXPECT_TRUE(listener.can_open(payload));
  EXPECT_TRUE(listener.open(payload));
  EXPECT_EQ(listener.counters().unknown_epoch, 1U);
  EXPECT_EQ(listener.counters().empty_seat, 2U);
  // What is merely wrong is not worth holding.
  EXPECT_TRUE(listener.can_open(Bytes(payload).first(100)));
  EXPECT_TRUE(listener.can_open(payload));
}

TEST(KeyedFrames, AnEpochAheadIsUnknownAndOneBehindIsOver) {
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);
  KeyedFrames listener(kBucket, leaf(1));
  listener.set_stage({{7, leaf(7)}});
  listener.add_epoch(100, secret(100));
  for (std::uint32_t number = 93; number <= 108; ++number) {
    KeyedFrames sender(kBucket, leaf(7));
    sender.set_stage({{7, leaf(7)}});
    sender.add_epoch(number, secret(static_cast<std::uint8_t>(number)));
    sender.use_for_sending(number);
    sender.allow_sending(true);
    const auto opened = listener.open(sealed(sender));
    if (number == 100) {
      EXPECT_TRUE(opened);
    } else {
      EXPECT_EQ(opened.error(), number < 100 ? OpenFault::kDropped : OpenFault::kUnknownEpoch);
    }
  }
  EXPECT_EQ(listener.counters().old_epoch, 7U);
  EXPECT_EQ(listener.counters().unknown_epoch, 8U);
}

TEST(KeyedFrames, OpensInTheNewestLiveEpochOfTheFourBits) {
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);  // in epoch 5
  KeyedFrames listener(kBucket, leaf(1));
  listener.set_stage({{7, leaf(7)}});
  listener.add_epoch(5, secret(5));
  const Buffer first = sealed(speaker);
  const Buffer second = sealed(speaker);
  EXPECT_TRUE(listener.open(first));
  listener.add_epoch(21, secret(21));
  EXPECT_EQ(listener.open(second).error(), OpenFault::kDropped);
  EXPECT_EQ(listener.counters().not_opened, 1U);
  EXPECT_EQ(listener.seat_counters(7).not_opened, 1U);
}

TEST(KeyedFrames, KeepsEightEpochs) {
  KeyedFrames frames(kBucket, leaf(7));
  for (std::uint32_t number = 1; number <= 9; ++number)
    EXPECT_TRUE(frames.add_epoch(number, secret(static_cast<std::uint8_t>(number))));
  EXPECT_FALSE(frames.is_live(1));
  EXPECT_TRUE(frames.is_live(2));
  EXPECT_FALSE(frames.add_epoch(9, secret(1)));
  EXPECT_FALSE(frames.add_epoch(1, secret(1)));
  EXPECT_EQ(frames.newest_epoch(), 9U);
  frames.forget_epoch(9);
  frames.forget_epoch(100);
  EXPECT_EQ(frames.newest_epoch(), 8U);
}

TEST(KeyedFrames, DropsReplayedAndOldFrames) {
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);
  KeyedFrames listener(kBucket, leaf(1));
  start(listener);
  std::vector<Buffer> payloads;
  for (int i = 0; i < 200; ++i) payloads.push_back(sealed(speaker));
  EXPECT_TRUE(listener.open(payloads[1]));
  EXPECT_TRUE(listener.open(payloads[0]));
  EXPECT_FALSE(listener.open(payloads[0]));
  EXPECT_TRUE(listener.open(payloads[199]));
  EXPECT_TRUE(listener.open(payloads[72]));
  EXPECT_FALSE(listener.open(payloads[72]));
  EXPECT_FALSE(listener.open(payloads[71]));  // 128 before the newest
  EXPECT_EQ(listener.counters().replayed, 3U);
  // The same holder in the same seat again: the window is still there.
  listener.set_stage({});
  listener.set_stage({{7, leaf(7)}});
  EXPECT_FALSE(listener.open(payloads[199]));
  EXPECT_EQ(listener.counters().replayed, 4U);
}

// A forged frame must not move the window past the true ones.
TEST(KeyedFrames, OnlyFramesThatOpenMoveTheWindow) {
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);
  KeyedFrames listener(kBucket, leaf(1));
  start(listener);
  Buffer forged = crafted(100000, hex("0001 aa"));
  forged.back() ^= 1;
  EXPECT_FALSE(listener.open(forged));
  EXPECT_EQ(listener.counters().not_opened, 1U);
  EXPECT_TRUE(listener.open(sealed(speaker)));
}

TEST(KeyedFrames, TheKeyIsOfSeatAndHolder) {
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);
  KeyedFrames listener(kBucket, leaf(1));
  start(listener);
  const Buffer payload = sealed(speaker);
  listener.set_stage({{7, leaf(8)}});  // somebody else holds the seat by now
  EXPECT_EQ(listener.open(payload).error(), OpenFault::kDropped);
  EXPECT_EQ(listener.counters().not_opened, 1U);
  Buffer moved = payload;
  moved[1] = 0x85;  // claims seat 8
  listener.set_stage({{8, leaf(7)}});
  EXPECT_EQ(listener.open(moved).error(), OpenFault::kDropped);
  KeyedFrames other(kBucket, leaf(1));
  other.set_stage({{7, leaf(7)}});
  other.add_epoch(5, secret(6));
  EXPECT_EQ(other.open(payload).error(), OpenFault::kDropped);
}

TEST(KeyedFrames, ChecksInsideOfWhatOpens) {
  KeyedFrames listener(kBucket, leaf(1));
  start(listener);
  EXPECT_TRUE(listener.open(crafted(0, hex("0003 010203"))));
  EXPECT_FALSE(listener.open(crafted(1, hex("0000"))));
  EXPECT_FALSE(listener.open(crafted(2, hex("ffff 010203"))));
  EXPECT_FALSE(listener.open(crafted(3, hex("008d"))));  // one past the end
  EXPECT_TRUE(listener.open(crafted(4, hex("008c"))));
  EXPECT_FALSE(listener.open(crafted(5, hex("0003 010203 01"))));
  EXPECT_FALSE(listener.open(crafted(5, hex("0003 010203"))));  // its counter is used
  const FrameCounters& counters = listener.counters();
  EXPECT_EQ(counters.bad_length, 3U);
  EXPECT_EQ(counters.bad_padding, 1U);
  EXPECT_EQ(counters.replayed, 1U);
  EXPECT_EQ(counters.opened, 2U);
}

TEST(KeyedFrames, RefusesSizesHeadersAndSeats) {
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);
  KeyedFrames listener(kBucket, leaf(1));
  start(listener);
  const Buffer payload = sealed(speaker);
  Buffer longer = payload;
  longer.push_back(0);
  EXPECT_FALSE(listener.open({}));
  EXPECT_FALSE(listener.open(longer));
  EXPECT_FALSE(listener.open(Bytes(payload).first(kBucket - 1)));
  EXPECT_EQ(listener.counters().bad_size, 3U);
  Buffer changed = payload;
  changed[1] = 7;  // fits the first byte
  EXPECT_FALSE(listener.open(changed));
  EXPECT_EQ(listener.counters().bad_header, 1U);
  changed[1] = 0x0a;  // seat 0
  EXPECT_FALSE(listener.open(changed));
  changed = payload;
  changed[0] = 0x90;  // a key id of two bytes
  changed[1] = 0x10;
  EXPECT_FALSE(listener.open(changed));
  EXPECT_EQ(listener.counters().bad_seat, 2U);
}

TEST(KeyedFrames, RandomChangesNeverOpen) {
  base::SeededRandom random(3);
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);
  KeyedFrames listener(kBucket, leaf(1));
  start(listener);
  const Buffer payload = sealed(speaker);
  for (int i = 0; i < 20000; ++i) {
    Buffer changed = payload;
    for (std::uint32_t n = 1 + random.below(3); n > 0; --n)
      changed[random.below(random.below(2) == 0 ? 12 : kBucket)] =
          static_cast<std::uint8_t>(random.next_u32());
    if (changed == payload) continue;
    EXPECT_FALSE(listener.open(changed)) << i;
  }
  EXPECT_TRUE(listener.open(payload));
}

TEST(KeyedFrames, KeepsABoundedNumberOfKeys) {
  KeyedFrames listener(kBucket, leaf(1));
  start(listener);
  const Buffer payload = crafted(0, hex("0001 aa"));
  Hash holder{};
  for (std::size_t i = 0; i < KeyedFrames::kSendersOfEpoch; ++i) {
    holder[0] = static_cast<std::uint8_t>(i);
    holder[1] = static_cast<std::uint8_t>(i >> 8);
    listener.set_stage({{7, holder}});
    EXPECT_FALSE(listener.open(payload));
  }
  listener.set_stage({{7, leaf(7)}});
  EXPECT_FALSE(listener.open(payload));
  listener.add_epoch(6, secret(6));
  KeyedFrames speaker(kBucket, leaf(7));
  start(speaker);
  speaker.add_epoch(6, secret(6));
  speaker.use_for_sending(6);
  EXPECT_TRUE(listener.open(sealed(speaker)));
}

}  // namespace
}  // namespace alcove::e2ee
