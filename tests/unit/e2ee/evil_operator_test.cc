// What an operator, and a stage member with another client, can do to a room: each test is a row of
// the table in docs/threat-model.md. It says what the attacker gains, and which warning people get.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e2ee/room_keys.h"
#include "support/bare_member.h"
#include "support/simulated_room.h"

namespace alcove::e2ee {
namespace {

using base::milliseconds;
using base::seconds;
using simulation::BareMember;
using simulation::Room;
using simulation::to_field;
using simulation::Who;

constexpr Who kHost = simulation::SimulatedHouse::kHost;
constexpr auto kNoDelay = base::Duration{};

std::uint64_t first_n(const v1::KeysFromServer& message) {
  const auto entry = roomlog::parse_entry(message.delivery().entries(0).entry());
  return entry ? entry->body.n() : 0;
}

v1::KeysFromServer deliver(const v1::SignedObject& entry) {
  v1::KeysFromServer message;
  *message.mutable_delivery()->add_entries()->mutable_entry() = entry;
  return message;
}

TEST(EvilOperator, DropsOneEntry) {
  Room room(2, 1);
  const std::uint64_t dropped = room.log().state.n() + 1;
  room.tamper = [&](Who to, v1::KeysFromServer& message) -> std::optional<base::Duration> {
    if (to != kHost && message.has_delivery() && first_n(message) == dropped) return std::nullopt;
    return kNoDelay;
  };
  room.run_for(seconds(12));
  for (const Who who : {1, 2}) EXPECT_TRUE(room.warned(who, KeyWarning::kFork)) << who;
  EXPECT_FALSE(room.keys(1).may_send());
  EXPECT_TRUE(room.sound(1).empty());
}

TEST(EvilOperator, DropsAllEntries) {
  Room room(2, 1);
  room.tamper = [&](Who to, v1::KeysFromServer&) -> std::optional<base::Duration> {
    if (to == 1) return std::nullopt;
    return kNoDelay;
  };
  const base::Instant begin = room.now;
  while (room.keys(1).may_send() && room.now - begin < seconds(60)) room.run_for(milliseconds(500));
  EXPECT_LE(room.now - begin, seconds(15));
  EXPECT_TRUE(room.warned(1, KeyWarning::kStale));
}

TEST(EvilOperator, DelaysEntries) {
  Room room(2, 1);
  room.tamper = [&](Who to, v1::KeysFromServer&) {
    return to == 1 ? base::Duration(seconds(25)) : kNoDelay;
  };
  room.run_for(seconds(20));
  EXPECT_FALSE(room.keys(1).may_send());
  EXPECT_TRUE(room.warned(1, KeyWarning::kStale));
}

TEST(EvilOperator, ReordersEntries) {
  Room room(2, 1);
  const std::uint64_t late = room.log().state.n() + 1;
  room.tamper = [&](Who to, v1::KeysFromServer& message) {
    const bool is_late = to == 1 && message.has_delivery() && first_n(message) == late;
    return is_late ? base::Duration(seconds(8)) : kNoDelay;
  };
  room.run_for(seconds(20));
  EXPECT_TRUE(room.warned(1, KeyWarning::kFork));
  EXPECT_FALSE(room.keys(1).may_send());
}

TEST(EvilOperator, ReplaysEntries) {
  Room room(2, 1);
  room.run_for(seconds(10));
  const std::uint64_t n = room.keys(1).state().n();
  for (const v1::SignedObject& entry : room.log().entries) {
    room.inject(1, deliver(entry));
    room.inject(2, deliver(entry));
  }
  EXPECT_EQ(room.keys(1).state().n(), n);
  EXPECT_EQ(room.all_warnings(), 0);
  // They are no beats either.
  room.tamper = [](Who, v1::KeysFromServer&) { return std::nullopt; };
  const v1::SignedObject newest = room.log().entries.back();
  for (int i = 0; i < 16; ++i) {
    room.run_for(seconds(1));
    room.inject(1, deliver(newest));
  }
  EXPECT_FALSE(room.keys(1).may_send());
}

TEST(EvilOperator, ForgesAnEntry) {
  Room room(2, 1);
  const BareMember forger(room, "forger");
  auto body = room.log().state.draft(room.leaf(kHost), {}, v1::ADVANCE_NONE, false,
                                     room.wall().time_since_epoch().count());
  ASSERT_TRUE(body.has_value());
  const roomlog::Entry forged = forger.sign(*body, {});
  room.inject(1, deliver(forged.object));
  room.inject(2, deliver(forged.object));
  for (const Who who : {1, 2}) EXPECT_TRUE(room.warned(who, KeyWarning::kFailedCheck));
  EXPECT_FALSE(room.keys(1).may_send());
}

TEST(EvilOperator, ForksTheLog) {
  Room room(4, 2);  // host, 1 and 2 on the stage; 3 and 4 listen
  room.fork({2, 4});
  room.run_for(seconds(60));
  // Each side misses the other's turns, says so, and makes a fresh epoch.
  EXPECT_EQ(room.warned_of(kHost, KeyWarning::kNotSameLog), "member2");
  EXPECT_EQ(room.warned_of(3, KeyWarning::kNotSameLog), "member2");
  EXPECT_THAT(room.warned_of(4, KeyWarning::kNotSameLog), testing::AnyOf("host", "member1"));
  EXPECT_TRUE(room.hears(3, kHost));
  EXPECT_FALSE(room.hears(4, kHost));
  EXPECT_FALSE(room.hears(kHost, 2));
  // An entry of one side is a fork to the other.
  room.inject(4, deliver(room.logs[0].entries.back()));
  EXPECT_TRUE(room.warned(4, KeyWarning::kFork));
}

TEST(EvilOperator, AddsAGhostListener) {
  Room room(2, 1);
  BareMember ghost(room, "ghost");
  v1::LogOp op;
  *op.mutable_admit()->mutable_certificate() = ghost.certificate.object;
  auto body = room.log().state.draft(room.leaf(kHost), {op}, v1::ADVANCE_NONE, false,
                                     room.wall().time_since_epoch().count());
  ASSERT_TRUE(body.has_value());
  room.inject(1, deliver(ghost.sign(*body, {}).object));
  EXPECT_TRUE(room.warned(1, KeyWarning::kFailedCheck));
  EXPECT_EQ(room.keys(1).state().member(ghost.certificate.leaf_hash), nullptr);
}

TEST(EvilOperator, KeepsBackTheEntryThatAdmitsItsAccount) {
  Room room(2, 1);
  BareMember ghost(room, "ghost");
  // An honest client lets the account in; the entry is never shown to anybody.
  room.filter_append = [](Who, v1::AppendEntry& append) { return append.join_boxes().empty(); };
  ghost.enter(kHost);
  EXPECT_TRUE(ghost.opens(room.sound(kHost)));
  const base::Instant begin = room.now;
  while (ghost.opens(room.sound(kHost)) && room.now - begin < seconds(60)) room.run_for(seconds(1));
  EXPECT_LE(room.now - begin, seconds(10));
  // Asked again for it, the client gives only a key that no entry announces.
  ghost.enter(kHost);
  room.run_for(seconds(5));
  EXPECT_FALSE(ghost.opens(room.sound(kHost)));
  EXPECT_TRUE(room.warned(kHost, KeyWarning::kNotAcknowledged));
  EXPECT_TRUE(room.hears(2, kHost));
}

TEST(EvilOperator, PromotesAListener) {
  Room room(2, 1);
  room.accept_stage(kHost, room.leaf(2));
  room.accept_stage(1, room.leaf(2));
  room.run_for(seconds(1));
  EXPECT_EQ(room.keys(kHost).state().on_stage(room.leaf(2)), nullptr);
  const BareMember forger(room, "forger");
  v1::LogOp op;
  op.mutable_role()->set_leaf(to_field(room.leaf(2)));
  op.mutable_role()->set_role(v1::ROLE_SPEAKER);
  op.mutable_role()->set_seat(*room.log().state.next_free_seat());
  *op.mutable_role()->mutable_certificate() = room.log().state.member(room.leaf(2))->object;
  auto body = room.log().state.draft(room.leaf(kHost), {op}, v1::ADVANCE_NONE, false,
                                     room.wall().time_since_epoch().count());
  ASSERT_TRUE(body.has_value());
  const v1::KeysFromServer forged = deliver(forger.sign(*body, {}).object);
  for (const Who who : {1, 2}) {
    room.inject(who, forged);
    EXPECT_TRUE(room.warned(who, KeyWarning::kFailedCheck));
    EXPECT_EQ(room.keys(who).state().on_stage(room.leaf(2)), nullptr);
  }
}

TEST(EvilOperator, KeepsAnEjectFromASpeaker) {
  Room room(3, 1);
  const std::uint64_t eject = room.log().state.n() + 1;
  room.tamper = [&](Who to, v1::KeysFromServer& message) -> std::optional<base::Duration> {
    if (to == 1 && message.has_delivery() && first_n(message) >= eject) return std::nullopt;
    return kNoDelay;
  };
  room.keys(kHost).eject(room.now, room.wall(), room.leaf(3));
  room.drain(kHost);
  room.run_for(milliseconds(100));
  EXPECT_FALSE(room.hears(3, kHost));
  // The ejected, with the relay's help, hears the one who was not told, for at most 15 s.
  const base::Instant begin = room.now;
  while (!room.sound(1).empty() && room.now - begin < seconds(60)) room.run_for(milliseconds(500));
  EXPECT_LE(room.now - begin, seconds(15));
  EXPECT_TRUE(room.warned(1, KeyWarning::kStale));
}

TEST(EvilOperator, SuppressesAnEject) {
  Room room(3, 1);
  room.filter_append = [](Who who, v1::AppendEntry&) { return who != kHost; };
  room.keys(kHost).eject(room.now, room.wall(), room.leaf(3));
  room.drain(kHost);
  room.run_for(milliseconds(2'100));
  EXPECT_TRUE(room.warned(kHost, KeyWarning::kNotAcknowledged));
  EXPECT_NE(room.keys(kHost).state().member(room.leaf(3)), nullptr);
}

TEST(EvilOperator, KeepsBackTheKeyOfAnEject) {
  Room room(3, 1);
  room.tamper = [](Who to, v1::KeysFromServer& message) -> std::optional<base::Duration> {
    if (to != 1) return kNoDelay;
    if (message.has_box()) return std::nullopt;
    if (message.has_delivery()) message.mutable_delivery()->mutable_entries(0)->clear_box();
    return kNoDelay;
  };
  room.keys(kHost).eject(room.now, room.wall(), room.leaf(3));
  room.drain(kHost);
  room.run_for(milliseconds(100));
  // It does not go on with the key that the ejected has, nor leads the others back to it.
  EXPECT_FALSE(room.keys(1).may_send());
  const Who joiner = room.add_person("joiner");
  room.may_ask = [](Who who) { return who == 1; };
  room.join(joiner);
  room.run_for(seconds(1));
  EXPECT_FALSE(room.keys(joiner).admitted());
  EXPECT_TRUE(room.warned(1, KeyWarning::kUnknownEpoch));
  // Its own fresh epoch mends it.
  room.run_for(seconds(5));
  EXPECT_TRUE(room.keys(1).may_send());
  EXPECT_TRUE(room.keys(joiner).admitted());
  EXPECT_FALSE(room.hears(3, 1));
  EXPECT_TRUE(room.hears(2, 1));
}

TEST(EvilOperator, ReplacesADeviceKey) {
  struct Devices : KnownDevices {
    std::map<std::string, crypto::Ed25519PublicKey, std::less<>> known;
    Seen see(const roomlog::Certificate& met) override {
      const auto [found, is_new] = known.try_emplace(met.account, met.identity);
      return is_new ? Seen::kNew : found->second == met.identity ? Seen::kKnown : Seen::kChanged;
    }
  };
  Devices devices;
  Room room(1, 1);
  room.join(kHost, false, &devices);
  room.run_for(seconds(1));
  ASSERT_EQ(devices.known.size(), 1);
  devices.known["account-friend"] = {1};
  BareMember other(room, "friend");
  other.enter(kHost);
  EXPECT_EQ(room.warned_of(kHost, KeyWarning::kDeviceChanged), "friend");
}

TEST(EvilOperator, SwapsCertificatesAndNames) {
  // In a list of people: another name on a certificate, one left out, two exchanged.
  for (const int kind : {0, 1, 2}) {
    Room room(3);
    room.tamper = [&](Who to, v1::KeysFromServer& message) {
      if (to != 1 || !message.has_roster()) return kNoDelay;
      v1::RosterPart& part = *message.mutable_roster();
      if (kind == 0) {
        v1::Certificate body;
        body.ParseFromString(part.certificates(0).body());
        body.set_display_name("somebody else");
        part.mutable_certificates(0)->set_body(body.SerializeAsString());
      } else if (kind == 1) {
        part.mutable_certificates()->RemoveLast();
        part.set_total(part.total() - 1);
      } else {
        part.mutable_certificates()->SwapElements(0, 1);
      }
      return kNoDelay;
    };
    room.keys(1).request_roster();
    room.drain(1);
    room.run_for(milliseconds(200));
    EXPECT_TRUE(room.warned(1, KeyWarning::kFailedCheck)) << kind;
    EXPECT_FALSE(room.person(1).roster_ready);
  }
  // In a join: the encryption key is the operator's.
  Room room(1, 1);
  const BareMember joiner(room, "joiner");
  v1::KeysFromServer task = joiner.admit_task(5);
  v1::SignedObject& object =
      *task.mutable_task()->mutable_admit()->mutable_keys()->mutable_certificate();
  v1::Certificate body;
  body.ParseFromString(object.body());
  body.set_encryption(to_field(crypto::HpkePrivateKey::make(room.random).public_key()));
  object.set_body(body.SerializeAsString());
  const std::uint64_t n = room.log().state.n();
  room.inject(kHost, task);
  room.run_for(seconds(1));
  EXPECT_EQ(room.log().state.n(), n);
}

TEST(EvilOperator, ReplaysFrames) {
  Room room(2, 1);
  const base::Buffer frame = room.sound(kHost);
  EXPECT_TRUE(room.hears(1, kHost, frame));
  EXPECT_FALSE(room.hears(1, kHost, frame));
  EXPECT_TRUE(room.hears(2, kHost, frame));
  // Also not as somebody else's, nor after a later one of the same seat.
  base::Buffer other = room.sound(kHost);
  other[0] ^= 0x10;
  EXPECT_FALSE(room.keys(2).frames().open(other).has_value());
  room.run_for(seconds(1));
  EXPECT_FALSE(room.hears(2, kHost, frame));
}

TEST(EvilOperator, ForgesAJoinBox) {
  Room room(1, 1);
  const Who joiner = room.add_person("joiner");
  const Secret own_epoch = {7, 7, 7};
  room.tamper = [&](Who to, v1::KeysFromServer& message) {
    if (to != joiner || !message.has_admitted()) return kNoDelay;
    v1::Admitted& admitted = *message.mutable_admitted();
    const auto entry = roomlog::parse_entry(admitted.admit());
    const auto certificate = roomlog::parse_certificate(
        room.genesis().fingerprint, room.keys(joiner).join_keys().certificate());
    const auto box = crypto::hpke_seal(
        certificate->encryption,
        box_info(BoxKind::kJoin, room.genesis().fingerprint, room.leaf(joiner)), entry->hash,
        write_epoch({.number = entry->body.epoch(), .secret = own_epoch}), room.random);
    admitted.set_box(to_field(*box));
    return kNoDelay;
  };
  room.join(joiner);
  room.run_for(milliseconds(60));
  EXPECT_FALSE(room.hears(joiner, kHost));
  room.run_for(seconds(1));
  EXPECT_EQ(room.warned_of(joiner, KeyWarning::kFaultyAuthor), "host");
  // What was missing is given by a member, and checked against the log.
  EXPECT_TRUE(room.hears(joiner, kHost));
}

// A stage member whose client is not honest.
struct EvilSpeaker : BareMember {
  explicit EvilSpeaker(Room& room) : BareMember(room, "evil") {
    enter(kHost);
    room.keys(kHost).allow_stage(certificate.leaf_hash);
    room.accept_stage(kHost, certificate.leaf_hash);
    room.run_for(milliseconds(200));
  }
  // A fresh advance whose confirm and boxes may be spoilt.
  void advance(v1::Advance kind, bool spoil_confirm, std::optional<roomlog::Hash> spoil_box) {
    const auto body = draft({}, kind);
    CHECK(body.has_value());
    const Secret fresh = kind == v1::ADVANCE_FRESH ? Secret{9} : kNoSecret;
    const roomlog::Hash body_hash = crypto::sha256(base::as_bytes(body->SerializeAsString()));
    roomlog::Hash confirm =
        confirm_of(derive_epoch(chain_of(epoch->secret), fresh, body_hash), body_hash);
    if (spoil_confirm) confirm[0] ^= 1;
    const roomlog::Entry entry = sign(*body, confirm);
    v1::AppendEntry append;
    if (kind == v1::ADVANCE_FRESH) append.set_boxes(boxes(entry, fresh));
    std::size_t offset = 0;
    for (const auto& [leaf, member] : house.log().state.roster()) {
      if (leaf == certificate.leaf_hash) continue;
      if (leaf == spoil_box) append.mutable_boxes()->at(offset + 50) ^= 1;
      offset += 80;
    }
    CHECK(house.order(0, entry, append));
  }
};

TEST(EvilSpeaker, WritesABadConfirm) {
  for (const v1::Advance kind : {v1::ADVANCE_FRESH, v1::ADVANCE_RATCHET}) {
    Room room(2, 1);
    EvilSpeaker evil(room);
    evil.advance(kind, true, std::nullopt);
    room.run_for(milliseconds(100));
    for (const Who who : {0, 1, 2})
      EXPECT_EQ(room.warned_of(who, KeyWarning::kFaultyAuthor), "evil") << who;
    EXPECT_TRUE(room.hears(2, kHost));
    // An honest member's fresh epoch mends it.
    room.run_for(seconds(6));
    EXPECT_TRUE(room.keys(kHost).may_send());
    EXPECT_TRUE(room.hears(2, kHost));
    EXPECT_TRUE(room.hears(2, 1));
    EXPECT_EQ(room.count(2, KeyWarning::kFork), 0);
  }
}

TEST(EvilSpeaker, SendsABadBox) {
  Room room(2, 1);
  EvilSpeaker evil(room);
  evil.advance(v1::ADVANCE_FRESH, false, room.leaf(2));
  room.run_for(milliseconds(15));
  EXPECT_EQ(room.warned_of(2, KeyWarning::kFaultyAuthor), "evil");
  EXPECT_FALSE(room.warned(1, KeyWarning::kFaultyAuthor));
  room.run_for(seconds(2));
  EXPECT_TRUE(room.hears(2, kHost));
  EXPECT_TRUE(room.hears(2, 1));
}

TEST(EvilSpeaker, CannotActAsAModerator) {
  Room room(2, 1);
  EvilSpeaker evil(room);
  v1::LogOp op;
  op.mutable_lock()->set_locked(true);
  EXPECT_FALSE(evil.draft({op}, v1::ADVANCE_NONE).has_value());
  auto body = evil.draft({}, v1::ADVANCE_NONE);
  ASSERT_TRUE(body.has_value());
  *body->add_ops() = op;
  room.inject(2, deliver(evil.sign(*body, {}).object));
  EXPECT_TRUE(room.warned(2, KeyWarning::kFailedCheck));
  EXPECT_FALSE(room.keys(2).state().locked());
}

TEST(EvilSpeaker, TakesOutAModeratorEarly) {
  Room room(2, 1);
  EvilSpeaker evil(room);
  v1::LogOp op;
  op.mutable_depart()->set_leaf(to_field(room.leaf(kHost)));
  EXPECT_FALSE(evil.draft({op}, v1::ADVANCE_NONE).has_value());
  // Its clock runs ahead, so that the 30 s have passed by its word.
  auto body = room.log().state.draft(evil.certificate.leaf_hash, {op}, v1::ADVANCE_NONE, false,
                                     room.wall().time_since_epoch().count() + 31'000);
  ASSERT_TRUE(body.has_value());
  ASSERT_TRUE(room.order(0, evil.sign(*body, {}), {}));
  room.run_for(milliseconds(100));
  EXPECT_EQ(room.warned_of(2, KeyWarning::kEarlyDepart), "host");
  EXPECT_EQ(room.warned_of(1, KeyWarning::kEarlyDepart), "host");
}

}  // namespace
}  // namespace alcove::e2ee
