// A founded room and entries by its people, in any order and changed in any field: an error changes
// nothing, what a draft says is valid, and hashes are those of what is there.

#include <cstdlib>

#include "support/room_log_fixture.h"

namespace {

using namespace alcove;
using roomlog::Follow;
using roomlog::LogState;
using roomlog_test::Join;

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::array<const char*, 5> kNames = {"Host", "Anna", "Mona", "Leo", "Zoe"};
constexpr int kJoins = 3;

// Host and Mona moderate, Anna speaks, Leo listens, Zoe is not in.
roomlog_test::RoomLog found_room() {
  roomlog_test::RoomLog log;
  log.found();
  for (const char* name : {"Anna", "Mona", "Leo"}) log.admit(name);
  log.make_speaker("Anna");
  log.make_speaker("Mona");
  log.make_moderator("Mona");
  return log;
}

roomlog_test::RoomLog& room() {
  static roomlog_test::RoomLog log = found_room();
  return log;
}

std::vector<roomlog::Hash> leaves(const LogState& state) {
  std::vector<roomlog::Hash> result;
  for (const auto& [leaf, certificate] : state.roster()) result.push_back(leaf);
  return result;
}

bool are_same(const LogState& a, const LogState& b) {
  return a.n() == b.n() && a.epoch() == b.epoch() && a.time_ms() == b.time_ms() &&
         a.last() == b.last() && a.last_short() == b.last_short() &&
         a.last_authority() == b.last_authority() && a.stage_hash() == b.stage_hash() &&
         a.roster_hash() == b.roster_hash() && a.is_full() == b.is_full() &&
         leaves(a) == leaves(b) && a.locked() == b.locked() && a.link_void() == b.link_void() &&
         a.link_generation() == b.link_generation() && a.next_free_seat() == b.next_free_seat() &&
         a.authority_entries() == b.authority_entries();
}

void check_invariants(const LogState& state) {
  base::Buffer joined;
  std::map<crypto::Ed25519PublicKey, int> identities;
  for (const auto& [leaf, certificate] : state.roster()) {
    joined.insert(joined.end(), leaf.begin(), leaf.end());
    require(++identities[certificate.identity] == 1);
    require(!state.is_blocked(certificate.identity));
    require(state.member_of(certificate.identity) == &certificate);
  }
  require(state.roster_hash() == crypto::sha256(joined));
  require(state.roster_size() == state.roster().size());
  bool has_moderator = state.stage().empty();
  for (const auto& [seat, member] : state.stage()) {
    require(seat != 0 && member.seat == seat && member.since <= state.n());
    require(state.member(member.certificate.leaf_hash) != nullptr);
    if (member.role == v1::ROLE_MODERATOR) {
      has_moderator = true;
      require(state.has_authority(member.certificate.identity));
    }
  }
  require(has_moderator);
}

class Run {
 public:
  explicit Run(base::Bytes input) : input_(input), state_(room().state()), short_(state_) {
    // Without the roster from here on.
    v1::LogEntry beat = *state_.draft(room().leaf("Host"), {}, v1::ADVANCE_NONE, false, 0);
    const auto entry = room().sign(room().join("Host"), beat).entry;
    require(state_.apply(entry, Follow::kFull).has_value());
    require(short_.apply(entry, Follow::kShort).has_value());
  }

  void go() {
    for (int i = 0; i < 40 && !input_.empty(); ++i) step();
    check_invariants(state_);
  }

 private:
  std::uint8_t next() { return input_.read_u8().value_or(0); }
  const Join& next_join() {
    const std::uint8_t byte = next();
    return room().join(kNames[byte % kNames.size()], byte / 16 % kJoins);
  }
  v1::LogOp next_op() {
    const std::uint8_t kind = next() % 8;
    const Join& join = next_join();
    const std::uint8_t choice = next();
    const std::uint32_t seat = choice % 4 == 0 ? choice / 4U : state_.next_free_seat().value_or(0);
    switch (kind) {
      case 0:
        return roomlog_test::admit_op(join.certificate, choice % 4 == 1 ? seat : 0);
      case 1:
        return roomlog_test::depart_op(join.certificate.leaf_hash);
      case 2:
        return roomlog_test::eject_op(join.certificate);
      case 3:
        return roomlog_test::speaker_op(join.certificate, seat);
      case 4:
        return roomlog_test::role_op(join.certificate.leaf_hash,
                                     static_cast<v1::Role>(1 + choice % 3));
      case 5:
        return roomlog_test::lock_op(choice % 2 == 0);
      case 6:
        return roomlog_test::link_op(state_.link_generation() + 1 + choice / 250U);
      default:
        return roomlog_test::invite_op({join.certificate.identity});
    }
  }
  // One field otherwise; false: none.
  bool change(v1::LogEntry& body, std::uint8_t what) {
    const std::string other = roomlog_test::to_string(roomlog_test::hash_of("other"));
    switch (what) {
      case 1:
        body.set_n(body.n() + next());
        return true;
      case 2:
        body.set_prev(other);
        return true;
      case 3:
        body.set_prev_short(other);
        return true;
      case 4:
        body.set_prev_authority(other);
        return true;
      case 5:
        body.set_epoch(body.epoch() - next());
        return true;
      case 6:
        body.set_roster_hash(other);
        return true;
      case 7:
        body.set_stage_hash(other);
        return true;
      case 8:
        body.set_time_ms(body.time_ms() - next());
        return true;
      case 9:
        *body.add_ops() = next_op();
        return true;
      case 10:
        body.set_resume(!body.resume());
        return true;
      case 11:
        if (body.ops_size() != 0) body.mutable_ops()->RemoveLast();
        return true;
      default:
        return false;
    }
  }

  void step() {
    const Join& author = next_join();
    const std::uint8_t flags = next();
    std::vector<v1::LogOp> ops;
    for (int i = flags % 4; i > 0; --i) ops.push_back(next_op());
    const bool resume = flags / 4 % 8 == 0;
    if (resume) {
      const auto* on_stage = state_.member_of(author.certificate.identity);
      const bool is_replaced = on_stage && state_.on_stage(on_stage->leaf_hash);
      const std::uint32_t seat = is_replaced ? 0 : state_.next_free_seat().value_or(0);
      ops.insert(ops.begin(), roomlog_test::admit_op(author.certificate, seat));
    }
    const auto advance = resume ? v1::ADVANCE_FRESH : static_cast<v1::Advance>(flags / 32 % 3);
    time_ms_ += 500 * next();
    auto drafted =
        state_.draft(author.certificate.leaf_hash, std::move(ops), advance, resume, time_ms_);
    if (!drafted) return;
    const bool is_changed = change(*drafted, next() % 64);
    const auto written = room().sign(author, *std::move(drafted));
    const auto parsed = roomlog::parse_entry(written.entry.object);
    if (!parsed) {
      require(is_changed);
      return;
    }
    apply(*parsed, is_changed);
  }

  void apply(const roomlog::Entry& entry, bool is_changed) {
    const LogState before = state_;
    const LogState short_before = short_;
    const bool is_short = state_.class_of(entry.body).is_short();
    const bool is_valid = state_.apply(entry, Follow::kFull).has_value();
    require(is_valid || is_changed);
    if (!is_valid) require(are_same(state_, before));
    const bool is_valid_in_short = short_.apply(entry, Follow::kShort).has_value();
    // Whatever is valid with the roster is valid without it.
    require(!is_valid || is_valid_in_short);
    if (!is_valid_in_short) require(are_same(short_, short_before));
    if (!is_valid || !is_short) {
      short_ = short_before;
    } else {
      require(short_.stage_hash() == state_.stage_hash());
      require(short_.last_short() == state_.last_short());
      require(short_.last_authority() == state_.last_authority());
      require(short_.link_void() == state_.link_void() && short_.locked() == state_.locked());
    }
    if (is_valid) check_invariants(state_);
  }

  base::ByteReader input_;
  LogState state_;
  LogState short_;
  std::int64_t time_ms_ = room().time_ms;
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(base::Bytes(data, size)).go();
  return 0;
}
