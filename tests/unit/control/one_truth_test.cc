// The room and its log judge the same random changes: whatever the room takes the log has taken,
// and what comes of it is the same for both.

#include <gtest/gtest.h>

#include "rooms/room.h"
#include "support/room_log_fixture.h"

namespace alcove::control {
namespace {

using roomlog_test::Join;

class OneTruthTest : public testing::Test {
 protected:
  struct Person {
    std::string name;
    base::AccountId account;
    int joins = 0;
  };

  void begin() {
    log_ = std::make_unique<roomlog_test::RoomLog>();
    people_.clear();
    for (const char* name : {"Host", "A", "B", "C", "D", "E", "F", "G"})
      people_.push_back({name, base::AccountId::make(random_)});
    room_ = rooms::start(base::RoomId::make(random_), "Title", rooms::RoomKind::kOpen,
                         people_[0].account, {.max_members = 6});
    const auto& host = log_->found();
    enter(people_[0], log_->join("Host"), true);
    ASSERT_EQ(host.body.n(), 1U);
    for (std::size_t i = 1; i <= 4; ++i) {
      const std::string& name = people_[i].name;
      log_->admit(name);
      enter(people_[i], log_->join(name), false);
      if (i > 3) continue;
      log_->make_speaker(name);
      const rooms::MemberId id = room_.find(people_[i].account)->id;
      const rooms::MemberId by = room_.find(people_[0].account)->id;
      ASSERT_TRUE(rooms::apply(room_, rooms::Invite{id}, by, now_));
      ASSERT_TRUE(rooms::apply(room_, rooms::AcceptInvitation{}, id, now_));
      ASSERT_TRUE(rooms::apply(room_, rooms::GiveStage{id}, by, now_));
    }
    log_->make_moderator("A");
    ASSERT_TRUE(rooms::apply(room_, rooms::MakeModerator{room_.find(people_[1].account)->id},
                             room_.find(people_[0].account)->id, now_));
  }

  rooms::Join join_of(const Person& person, const Join& join, bool as_moderator) {
    const auto* inside = room_.find(person.account);
    return {.person = {person.account, person.name, person.name, false},
            .leaf = join.certificate.leaf_hash,
            .replaces = inside == nullptr ? rooms::MemberId::kNone : inside->id,
            .as_moderator = as_moderator};
  }
  void enter(const Person& person, const Join& join, bool as_moderator) {
    ASSERT_TRUE(
        rooms::apply(room_, join_of(person, join, as_moderator), rooms::MemberId::kNone, now_));
  }

  Person& anybody() { return people_[random_.below(static_cast<std::uint32_t>(people_.size()))]; }
  const roomlog::Certificate* inside(const Person& person) const {
    const rooms::Member* member = room_.find(person.account);
    return member == nullptr ? nullptr : log_->state().member(member->leaf);
  }

  // One random change by somebody on the stage: an op, and the command that it is for the room.
  struct Step {
    std::string kind;
    v1::LogOp op;
    rooms::Command command;
  };
  std::optional<Step> step(const Person& author) {
    Person& target = anybody();
    const roomlog::Certificate* certificate = inside(target);
    const auto* by = room_.find(author.account);
    const std::uint32_t kind = random_.below(9);
    if (kind <= 2) {
      const Join& join = log_->join(target.name, ++target.joins);
      const bool back = certificate == nullptr &&
                        log_->state().has_authority(join.certificate.identity) &&
                        by->role == rooms::Role::kModerator && random_.below(4) != 0;
      const std::uint32_t seat = back ? log_->state().next_free_seat().value_or(1) : 0;
      return Step{"admit", roomlog_test::admit_op(join.certificate, seat),
                  join_of(target, join, back)};
    }
    if (certificate == nullptr) return std::nullopt;
    const rooms::MemberId id = room_.find(target.account)->id;
    switch (kind) {
      case 3:
        if (room_.stage.size() == 1 && random_.below(8) != 0) return std::nullopt;
        return Step{"depart", roomlog_test::depart_op(certificate->leaf_hash), rooms::Depart{id}};
      case 4:
        if (random_.below(3) != 0) return std::nullopt;
        return Step{"eject", roomlog_test::eject_op(*certificate), rooms::Remove{id}};
      case 5:
        return Step{"move", roomlog_test::role_op(certificate->leaf_hash, v1::ROLE_LISTENER),
                    rooms::MoveToAudience{id}};
      case 6:
        return Step{
            "speaker",
            roomlog_test::speaker_op(*certificate, log_->state().next_free_seat().value_or(1)),
            rooms::GiveStage{id}};
      case 7:
        return Step{"moderator", roomlog_test::role_op(certificate->leaf_hash, v1::ROLE_MODERATOR),
                    rooms::MakeModerator{id}};
      default: {
        const bool locked = random_.below(4) == 0;
        return Step{"lock", roomlog_test::lock_op(locked), rooms::SetLocked{locked}};
      }
    }
  }

  // One after the other goes; who moderates then is the same, and at the end nobody does.
  void empty_the_stage() {
    while (!room_.ended) {
      const rooms::MemberId id = room_.stage.back();
      const rooms::Member& member = room_.members.at(id);
      int number = 0;
      while (log_->leaf(member.person.display_name, number) != member.leaf) ++number;
      log_->write(log_->join(member.person.display_name, number),
                  {roomlog_test::depart_op(member.leaf)});
      ASSERT_TRUE(rooms::apply(room_, rooms::Depart{id}, id, now_));
      compare();
    }
    ASSERT_TRUE(log_->state().stage().empty());
  }

  void compare() const {
    const roomlog::LogState& log = log_->state();
    ASSERT_EQ(room_.members.size(), log.roster().size());
    ASSERT_EQ(room_.stage.size(), log.stage().size());
    ASSERT_EQ(room_.locked, log.locked());
    for (const auto& [leaf, certificate] : log.roster()) {
      const rooms::Member* member = room_.find(leaf);
      ASSERT_NE(member, nullptr);
      const roomlog::StageMember* stage = log.on_stage(leaf);
      ASSERT_EQ(member->seat, stage == nullptr ? 0 : stage->seat);
      const rooms::Role role = stage == nullptr                    ? rooms::Role::kListener
                               : stage->role == v1::ROLE_MODERATOR ? rooms::Role::kModerator
                                                                   : rooms::Role::kSpeaker;
      ASSERT_EQ(member->role, role) << member->person.display_name;
    }
  }

  base::SeededRandom random_{5};
  base::Instant now_{base::seconds(1)};
  std::vector<Person> people_;
  std::unique_ptr<roomlog_test::RoomLog> log_;
  rooms::Room room_;
};

// What only one of the two refuses: the log the 30 s of a departure and the lock's by-moderators;
// the room who is full, alone on the stage or was inside before.
TEST_F(OneTruthTest, RandomChangesGiveTheSameRolesAndSeats) {
  std::map<std::string, int> taken;
  int refused_by_both = 0;
  for (int round = 0; round < 20; ++round) {
    begin();
    for (int i = 0; i < 150 && !room_.ended; ++i) {
      now_ += base::seconds(1);
      const Person& author = anybody();
      const roomlog::Certificate* by = inside(author);
      if (by == nullptr || log_->state().on_stage(by->leaf_hash) == nullptr) continue;
      const auto member = room_.find(author.account)->id;
      std::optional<Step> change = step(author);
      if (!change) continue;
      // Who has not left is not departed and nobody is pulled to the stage: not what is compared.
      for (auto& [id, each] : room_.members) each.accepting = true;
      const auto* departs = std::get_if<rooms::Depart>(&change->command);
      if (departs != nullptr) room_.members.at(departs->member).leaving = true;
      rooms::Transaction trial(room_, now_);
      const bool is_join = std::holds_alternative<rooms::Join>(change->command);
      const auto verdict = trial.apply(change->command, is_join ? rooms::MemberId::kNone : member);
      auto body = log_->state().draft(by->leaf_hash, {change->op}, v1::ADVANCE_NONE, false,
                                      log_->time_ms += 7'000);
      if (!body && !verdict) ++refused_by_both;
      if (!body || !verdict) {
        if (departs != nullptr) room_.members.at(departs->member).leaving = false;
        const bool log_alone = verdict && (change->kind == "depart" || change->kind == "admit");
        const bool room_alone = body && (verdict.error() == rooms::Refusal::kFull ||
                                         verdict.error() == rooms::Refusal::kLocked ||
                                         verdict.error() == rooms::Refusal::kLastModerator);
        ASSERT_TRUE((!body && !verdict) || log_alone || room_alone)
            << change->kind << " log " << body.has_value() << " room " << verdict.has_value();
        continue;
      }
      int number = 0;
      while (log_->leaf(author.name, number) != by->leaf_hash) ++number;
      log_->apply(log_->sign(log_->join(author.name, number), *std::move(body)));
      std::move(trial).commit(room_);
      ++taken[change->kind];
      if (room_.ended) {
        ASSERT_TRUE(log_->state().stage().empty());
        break;
      }
      compare();
      if (HasFatalFailure()) return;
    }
    empty_the_stage();
    if (HasFatalFailure()) return;
  }
  for (const char* kind : {"admit", "depart", "eject", "move", "speaker", "moderator", "lock"})
    EXPECT_GT(taken[kind], 10) << kind;
  EXPECT_GT(refused_by_both, 50);
}

}  // namespace
}  // namespace alcove::control
