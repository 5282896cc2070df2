// Random valid entries: who follows in short, and who joins at any time, has the same stage.

#include <gtest/gtest.h>

#include "support/room_log_fixture.h"

namespace alcove::roomlog {
namespace {

using namespace roomlog_test;

class RandomRoom {
 public:
  explicit RandomRoom(std::uint64_t seed) : random_(seed) {}

  RoomLog& log() { return log_; }

  // One more entry, or none when the dice fell on what is not permitted.
  bool step() {
    if (log_.entries().empty()) {
      log_.found();
      return true;
    }
    log_.time_ms += random_.below(8'000);
    if (log_.state().stage().empty() || random_.below(20) == 0) return resume();
    auto member = log_.state().stage().begin();
    std::advance(member, random_.below(static_cast<std::uint32_t>(log_.state().stage().size())));
    std::vector<v1::LogOp> ops;
    for (std::uint32_t i = random_.below(3); i > 0; --i) ops.push_back(random_op());
    const auto advance = static_cast<v1::Advance>(random_.below(8) < 6 ? 0 : 1 + random_.below(2));
    return write(member->second.certificate.leaf_hash, std::move(ops), advance, false);
  }

 private:
  static constexpr int kPeople = 40;
  std::string random_name() {
    const std::uint32_t number = random_.below(kPeople);
    return number == 0 ? "Host" : "Person " + std::to_string(number);
  }
  const Join& new_join() {
    const std::string name = random_name();
    const Join& join = log_.join(name, ++newest_[name]);
    joins_[join.certificate.leaf_hash] = &join;
    return join;
  }
  // Mostly somebody who is in.
  const Certificate& random_member() {
    const auto& roster = log_.state().roster();
    if (roster.empty() || random_.below(10) == 0) return new_join().certificate;
    auto member = roster.begin();
    std::advance(member, random_.below(static_cast<std::uint32_t>(roster.size())));
    return member->second;
  }
  v1::LogOp random_op() {
    const auto seat = random_.below(3) == 0 ? log_.state().next_free_seat().value_or(0) : 0;
    switch (random_.below(9)) {
      case 0:
      case 1:
        return admit_op(new_join().certificate, seat);
      case 2:
        return depart_op(random_member().leaf_hash);
      case 3:
        return random_.below(12) == 0 ? eject_op(random_member()) : lock_op(random_.below(2) == 0);
      case 4:
      case 5:
        return speaker_op(random_member(), log_.state().next_free_seat().value_or(1));
      case 6:
        return role_op(random_member().leaf_hash, v1::ROLE_MODERATOR);
      case 7:
        // Alone on the stage that would end the room: nobody would have authority.
        if (log_.state().stage().size() < 3) return lock_op(false);
        return role_op(random_member().leaf_hash, v1::ROLE_LISTENER);
      default:
        return random_.below(2) == 0 ? link_op(log_.state().link_generation() + 1)
                                     : invite_op({hash_of(random_name())});
    }
  }
  bool resume() {
    const Join& author = random_.below(3) == 0 ? new_join() : log_.join("Host", ++newest_["Host"]);
    joins_[author.certificate.leaf_hash] = &author;
    const auto seat = random_.below(2) == 0 ? log_.state().next_free_seat().value_or(0) : 0;
    std::vector<v1::LogOp> ops = {admit_op(author.certificate, seat)};
    if (random_.below(2) == 0) ops.push_back(random_op());
    return write(author.certificate.leaf_hash, std::move(ops), v1::ADVANCE_FRESH, true);
  }
  bool write(const Hash& author, std::vector<v1::LogOp> ops, v1::Advance advance, bool is_resume) {
    const auto body = log_.state().draft(author, std::move(ops), advance, is_resume, log_.time_ms);
    if (!body) return false;
    const auto join = joins_.find(author);
    const Join& key = join == joins_.end() ? log_.join("Host") : *join->second;
    log_.apply(log_.sign(key, *body));
    return true;
  }

  base::SeededRandom random_;
  RoomLog log_;
  std::map<std::string, int> newest_;
  std::map<Hash, const Join*> joins_;
};

void expect_agreement(const LogState& full, const LogState& other) {
  ASSERT_EQ(full.stage_hash(), other.stage_hash());
  for (const auto& [seat, member] : full.stage())
    EXPECT_EQ(member.since, other.at_seat(seat)->since);
  EXPECT_EQ(full.last_authority(), other.last_authority());
  EXPECT_EQ(full.last_short(), other.last_short());
  EXPECT_EQ(full.epoch(), other.epoch());
  EXPECT_EQ(full.locked(), other.locked());
  EXPECT_EQ(full.link_void(), other.link_void());
  EXPECT_EQ(full.link_generation(), other.link_generation());
  EXPECT_EQ(full.next_free_seat(), other.next_free_seat());
  EXPECT_EQ(full.authority_entries(), other.authority_entries());
  for (const auto& [leaf, certificate] : full.roster()) {
    EXPECT_EQ(full.has_authority(certificate.identity), other.has_authority(certificate.identity));
    EXPECT_EQ(full.is_blocked(certificate.identity), other.is_blocked(certificate.identity));
  }
}

void expect_joiner_agrees(RoomLog& log) {
  const auto walked = walk_chain(log.chain(), log.room());
  ASSERT_TRUE(walked.has_value()) << to_text(walked.error());
  expect_agreement(log.state(), walked->state);
  LogState joiner = walked->state;
  const auto adopted = joiner.adopt_roster(log.roster(), log.last());
  ASSERT_TRUE(adopted.has_value()) << to_text(adopted.error());
  expect_agreement(log.state(), joiner);
  EXPECT_EQ(joiner.last(), log.state().last());
  EXPECT_EQ(joiner.roster_hash(), log.state().roster_hash());
}

class RandomLogTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomLogTest, FullShortAndChainAgree) {
  RandomRoom room(GetParam());
  LogState full(room.log().genesis());
  LogState listener(room.log().genesis());
  std::size_t written = 0;
  for (int i = 0; i < 1'200; ++i) {
    if (!room.step()) continue;
    const WrittenEntry& entry = room.log().entries().back();
    ++written;
    ASSERT_TRUE(parse_entry(entry.entry.object).has_value());
    ASSERT_TRUE(full.apply(entry.entry, Follow::kFull).has_value());
    if (entry.entry_class.is_short()) {
      const auto applied = listener.apply(entry.entry, Follow::kShort);
      ASSERT_TRUE(applied.has_value()) << entry.entry.body.n() << " " << to_text(applied.error());
    }
    expect_agreement(full, listener);
    if (written % 50 == 0) expect_joiner_agrees(room.log());
  }
  EXPECT_GT(written, 300U);
  EXPECT_GT(full.authority_entries(), 100U);
  expect_joiner_agrees(room.log());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLogTest, testing::Range<std::uint64_t>(1, 4));

}  // namespace
}  // namespace alcove::roomlog
