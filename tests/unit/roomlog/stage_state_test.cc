#include "roomlog/stage_state.h"

#include <gtest/gtest.h>

#include "support/room_log_fixture.h"

namespace alcove::roomlog {
namespace {

using namespace roomlog_test;

TEST(SeatBook, SeatsThatNobodyHadComeFirstThenTheOneGivenBackFirst) {
  SeatBook seats;
  for (unsigned seat = 1; seat <= 200; ++seat) {
    EXPECT_EQ(seats.next_free(), seat);
    seats.take();
  }
  seats.give_back(7);
  seats.give_back(3);
  for (unsigned seat = 201; seat <= 255; ++seat) {
    EXPECT_EQ(seats.next_free(), seat);
    seats.take();
  }
  EXPECT_EQ(seats.next_free(), 7);
  seats.take();
  EXPECT_EQ(seats.next_free(), 3);
  seats.take();
  EXPECT_EQ(seats.next_free(), std::nullopt);
  seats.give_back(255);
  EXPECT_EQ(seats.next_free(), 255);
}

TEST(StageState, HashIsOverSeatsInOrder) {
  RoomLog log;
  log.found();
  log.admit("Anna");
  log.make_speaker("Anna");
  base::Buffer expected;
  const auto add = [&](std::uint8_t seat, const Certificate& certificate, std::uint8_t role) {
    expected.push_back(seat);
    expected.insert(expected.end(), certificate.leaf_hash.begin(), certificate.leaf_hash.end());
    expected.insert(expected.end(), certificate.identity.begin(), certificate.identity.end());
    expected.push_back(role);
  };
  add(1, log.certificate("Host"), 3);
  add(2, log.certificate("Anna"), 2);
  EXPECT_EQ(log.state().stage_hash(), crypto::sha256(expected));
}

TEST(StageState, AFullStageTakesNobodyUntilASeatIsGivenBack) {
  RoomLog log;
  log.found();
  const Join& host = log.join("Host");
  for (int number = 2; number <= 255; ++number) {
    log.admit("Speaker " + std::to_string(number));
    log.make_speaker("Speaker " + std::to_string(number));
  }
  EXPECT_EQ(log.state().stage().size(), 255U);
  EXPECT_EQ(log.state().next_free_seat(), std::nullopt);
  log.admit("Anna");
  const auto to_stage = [&](std::uint32_t seat) {
    return log.state().draft(host.certificate.leaf_hash,
                             {speaker_op(log.certificate("Anna"), seat)}, v1::ADVANCE_NONE, false,
                             log.time_ms);
  };
  EXPECT_EQ(to_stage(1).error(), LogError::kNotPermitted);
  EXPECT_EQ(to_stage(255).error(), LogError::kNotPermitted);
  log.write(host, {depart_op(log.leaf("Speaker 77"))});
  EXPECT_EQ(log.state().next_free_seat(), 77);
  log.make_speaker("Anna");
  EXPECT_EQ(log.state().at_seat(77)->certificate.display_name, "Anna");
}

}  // namespace
}  // namespace alcove::roomlog
