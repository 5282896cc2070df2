#include "relay/slot_mapper.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace alcove::relay {
namespace {

using base::milliseconds;

base::JoinId make_id(std::uint64_t seed) {
  base::SeededRandom random(seed);
  return base::JoinId::make(random);
}

// A member that sends 20 ms packets; what it would send next, and when it arrives.
struct Speaker {
  base::JoinId id;
  base::Instant at{base::seconds(100)};
  std::uint64_t index = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t stream = 0;

  SpeakerFrame next(bool marker = false) {
    const SpeakerFrame frame{id, stream, index, timestamp, marker, at};
    ++index;
    timestamp += 960;
    at += milliseconds(20);
    return frame;
  }
};

class SlotMapperTest : public ::testing::Test {
 protected:
  SlotMapper mapper_{2};
  Speaker ann_{.id = make_id(1), .index = 65'530, .timestamp = 0xffffff00};
  Speaker ben_{.id = make_id(2), .index = 7, .timestamp = 1'000'000};
  Speaker cat_{.id = make_id(3), .index = 300, .timestamp = 5};
};

TEST_F(SlotMapperTest, CopiesIncrementsInsideASpurt) {
  const Placement first = mapper_.place(ann_.next(true)).value();
  EXPECT_TRUE(first.marker);
  EXPECT_EQ(first.index, first.spurt_start);
  for (unsigned i = 1; i < 20; ++i) {
    const Placement placement = mapper_.place(ann_.next()).value();
    EXPECT_EQ(placement.slot, first.slot);
    EXPECT_EQ(placement.index, first.index + i);
    EXPECT_EQ(placement.timestamp, first.timestamp + i * 960);
    EXPECT_EQ(placement.spurt_start, first.spurt_start);
    EXPECT_FALSE(placement.marker);
  }
}

TEST_F(SlotMapperTest, KeepsAnUpstreamLossAsAGapAndPutsALatePacketIntoIt) {
  const Placement first = mapper_.place(ann_.next()).value();
  SpeakerFrame late = ann_.next();
  const Placement third = mapper_.place(ann_.next()).value();
  EXPECT_EQ(third.index, first.index + 2);
  EXPECT_EQ(third.timestamp, first.timestamp + 2 * 960);
  late.received = ann_.at;
  const Placement second = mapper_.place(late).value();
  EXPECT_EQ(second.index, first.index + 1);
  EXPECT_EQ(second.timestamp, first.timestamp + 960);
  EXPECT_FALSE(second.marker);
  EXPECT_EQ(mapper_.place(ann_.next())->index, first.index + 3);
}

TEST_F(SlotMapperTest, DropsWhatIsOlderThanTheSpurt) {
  const SpeakerFrame early = ann_.next();
  ASSERT_TRUE(mapper_.place(ann_.next()));
  EXPECT_EQ(mapper_.place(early).error(), DropReason::kBeforeSpurt);
}

struct Pause {
  int milliseconds;
  std::uint32_t advance;
};
class SlotMapperPauseTest : public SlotMapperTest, public ::testing::WithParamInterface<Pause> {};

// The pause is from the last packet's arrival to the next one's.
TEST_P(SlotMapperPauseTest, AdvancesTheTimestampByTheElapsedTimeInStepsOf20Milliseconds) {
  ASSERT_TRUE(mapper_.place(ann_.next()));
  const Placement last = mapper_.place(ann_.next()).value();
  ann_.at += milliseconds(GetParam().milliseconds - 20);
  ann_.timestamp += 12'345;  // whatever the sender's clock did meanwhile
  const Placement next = mapper_.place(ann_.next(true)).value();
  EXPECT_EQ(next.slot, last.slot);
  EXPECT_EQ(next.index, last.index + 1);
  EXPECT_TRUE(next.marker);
  EXPECT_EQ(next.spurt_start, next.index);
  EXPECT_EQ(next.timestamp - last.timestamp, GetParam().advance);
}

INSTANTIATE_TEST_SUITE_P(Pauses, SlotMapperPauseTest,
                         ::testing::Values(Pause{1, 960}, Pause{20, 960}, Pause{29, 960},
                                           Pause{31, 1920}, Pause{201, 10 * 960},
                                           Pause{1'000, 50 * 960}, Pause{3'600'000, 172'800'000}));

TEST_F(SlotMapperTest, ALongPauseBeginsASpurtWithoutAMarker) {
  const Placement last = mapper_.place(ann_.next()).value();
  ann_.at += milliseconds(181);
  const Placement next = mapper_.place(ann_.next()).value();
  EXPECT_TRUE(next.marker);
  EXPECT_EQ(next.index, last.index + 1);
}

TEST_F(SlotMapperTest, ADroppedFrameInsideASpurtIsNotANewOne) {
  const Placement last = mapper_.place(ann_.next()).value();
  ann_.at += milliseconds(100);
  ann_.timestamp += 5 * 960;  // the sequence number goes on
  const Placement next = mapper_.place(ann_.next()).value();
  EXPECT_FALSE(next.marker);
  EXPECT_EQ(next.timestamp - last.timestamp, 6U * 960);
}

TEST_F(SlotMapperTest, NeverAnchorsInsideALongPacket) {
  ASSERT_TRUE(mapper_.place(ann_.next()));
  ann_.timestamp += 1920;  // 60 ms packets
  const Placement last = mapper_.place(ann_.next()).value();
  ann_.at -= milliseconds(15);
  const Placement next = mapper_.place(ann_.next(true)).value();
  EXPECT_EQ(next.timestamp - last.timestamp, 2880U);
}

TEST_F(SlotMapperTest, AnchorsAgainOnImplausibleJumps) {
  const Placement first = mapper_.place(ann_.next()).value();
  ann_.index += 5'000;
  const Placement second = mapper_.place(ann_.next()).value();
  EXPECT_EQ(second.index, first.index + 1);
  EXPECT_TRUE(second.marker);
  ann_.timestamp += 48'000 * 60;
  const Placement third = mapper_.place(ann_.next()).value();
  EXPECT_EQ(third.index, second.index + 1);
  EXPECT_EQ(third.timestamp, second.timestamp + 960);
  ann_.timestamp -= 48'000;  // backwards
  const Placement fourth = mapper_.place(ann_.next()).value();
  EXPECT_EQ(fourth.timestamp, third.timestamp + 960);
  EXPECT_TRUE(fourth.marker);
}

TEST_F(SlotMapperTest, DropsALatePacketFromTheFuture) {
  ASSERT_TRUE(mapper_.place(ann_.next()));
  SpeakerFrame late = ann_.next();
  ASSERT_TRUE(mapper_.place(ann_.next()));
  late.timestamp += 48'000;
  EXPECT_EQ(mapper_.place(late).error(), DropReason::kImplausible);
}

TEST_F(SlotMapperTest, GivesEachSpeakerASlotAndRefusesOneTooMany) {
  const Placement ann = mapper_.place(ann_.next()).value();
  const Placement ben = mapper_.place(ben_.next()).value();
  EXPECT_NE(ann.slot, ben.slot);
  EXPECT_EQ(mapper_.place(cat_.next()).error(), DropReason::kNoFreeSlot);
  // While both go on, it stays so.
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(mapper_.place(ann_.next()));
    ASSERT_TRUE(mapper_.place(ben_.next()));
    EXPECT_EQ(mapper_.place(cat_.next()).error(), DropReason::kNoFreeSlot);
  }
}

TEST_F(SlotMapperTest, TakesTheLongestSilentSlotAfter300Milliseconds) {
  ASSERT_TRUE(mapper_.place(ann_.next()));
  const unsigned bens = mapper_.place(ben_.next())->slot;
  Placement anns;
  for (int i = 0; i < 14; ++i) anns = mapper_.place(ann_.next()).value();
  cat_.at = ben_.at - milliseconds(20) + milliseconds(299);
  SpeakerFrame frame = cat_.next();
  EXPECT_EQ(mapper_.place(frame).error(), DropReason::kNoFreeSlot);
  frame.received += milliseconds(1);
  const Placement cats = mapper_.place(frame).value();
  EXPECT_EQ(cats.slot, bens);
  EXPECT_TRUE(cats.marker);
  EXPECT_EQ(cats.index, 1U);
  EXPECT_EQ(cats.timestamp, 15U * 960);  // 300 ms after Ben's one packet, at 0

  // Ben comes back when Ann and Cat are silent; Ann has been silent for longer.
  ben_.at = base::Instant(base::seconds(200));
  const Placement back = mapper_.place(ben_.next()).value();
  EXPECT_EQ(back.slot, anns.slot);
  EXPECT_EQ(back.index, anns.index + 1);
}

TEST_F(SlotMapperTest, AReleasedSlotIsFreeAtOnce) {
  const Placement ann = mapper_.place(ann_.next()).value();
  ASSERT_TRUE(mapper_.place(ben_.next()));
  mapper_.release(ann_.id);
  mapper_.release(cat_.id);  // has none
  const Placement cat = mapper_.place(cat_.next()).value();
  EXPECT_EQ(cat.slot, ann.slot);
  EXPECT_EQ(cat.index, ann.index + 1);
  EXPECT_EQ(mapper_.place(ann_.next()).error(), DropReason::kNoFreeSlot);
}

TEST_F(SlotMapperTest, AnotherStreamOfASpeakerBeginsASpurtAndTheOldOneIsOver) {
  const Placement last = mapper_.place(ann_.next()).value();
  SpeakerFrame old = ann_.next();
  ann_.stream = 1;
  ann_.index = 0;
  ann_.timestamp = 77;
  const Placement next = mapper_.place(ann_.next()).value();
  EXPECT_EQ(next.slot, last.slot);
  EXPECT_EQ(next.index, last.index + 1);
  EXPECT_TRUE(next.marker);
  EXPECT_EQ(mapper_.place(old).error(), DropReason::kBeforeSpurt);
}

// Whatever comes, an index of a slot is used once: SRTP depends on it.
TEST_F(SlotMapperTest, NeverUsesAnIndexTwice) {
  base::SeededRandom random(42);
  std::vector<std::vector<bool>> used(2, std::vector<bool>(200'000));
  std::vector<Speaker*> speakers{&ann_, &ben_, &cat_};
  std::vector<SpeakerFrame> held;
  int placed = 0;
  const auto place = [&](const SpeakerFrame& frame) {
    const auto placement = mapper_.place(frame);
    if (!placement) return;
    ++placed;
    ASSERT_LT(placement->index, used[placement->slot].size());
    ASSERT_GE(placement->index, placement->spurt_start);
    ASSERT_EQ(placement->marker, placement->index == placement->spurt_start);
    ASSERT_FALSE(used[placement->slot][placement->index]);
    used[placement->slot][placement->index] = true;
  };
  for (int i = 0; i < 20'000; ++i) {
    Speaker& speaker = *speakers[random.below(3)];
    if (random.below(50) == 0) speaker.index += random.below(300);
    if (random.below(50) == 0) speaker.timestamp += random.next_u32();
    if (random.below(20) == 0) {
      for (Speaker* other : speakers) other->at += milliseconds(random.below(400));
    }
    if (random.below(200) == 0) mapper_.release(speaker.id);
    const SpeakerFrame frame = speaker.next(random.below(30) == 0);
    if (random.below(5) == 0)
      held.push_back(frame);
    else
      place(frame);
    if (!held.empty() && random.below(4) == 0) {
      place(held.back());
      held.pop_back();
    }
  }
  EXPECT_GT(placed, 5'000);
}

}  // namespace
}  // namespace alcove::relay
