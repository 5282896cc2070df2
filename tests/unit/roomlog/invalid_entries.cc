// Entries and chains that are signed and well-formed, and refused at one place of the scenario.

#include <functional>

#include "unit/roomlog/log_scenario.h"

namespace alcove::roomlog_test {

using roomlog::Follow;
using roomlog::LogError;

namespace {

class Collector {
 public:
  explicit Collector(Scenario& scenario) : scenario_(scenario), log_(scenario.log) {}

  // A beat of the author at that place, changed.
  void change(std::string what, std::size_t after, const Join& author,
              const std::function<void(v1::LogEntry&)>& change, LogError error,
              Follow follow = Follow::kFull) {
    v1::LogEntry body = template_at(after, author);
    change(body);
    add(std::move(what), after, log_.sign(author, std::move(body)).entry, error, follow);
  }
  void ops(std::string what, std::size_t after, const Join& author, std::vector<v1::LogOp> ops,
           LogError error = LogError::kNotPermitted, Follow follow = Follow::kFull) {
    change(
        std::move(what), after, author,
        [&](v1::LogEntry& body) {
          for (v1::LogOp& op : ops) *body.add_ops() = std::move(op);
        },
        error, follow);
  }
  void resume(std::string what, std::size_t after, const Join& author, std::uint32_t seat,
              LogError error) {
    change(
        std::move(what), after, author,
        [&](v1::LogEntry& body) {
          *body.add_ops() = admit_op(author.certificate, seat);
          body.set_resume(true);
          body.set_advance(v1::ADVANCE_FRESH);
          body.set_epoch(body.epoch() + 1);
        },
        error);
  }
  void add(std::string what, std::size_t after, Entry entry, LogError error,
           Follow follow = Follow::kFull) {
    entries_.push_back({std::move(what), after, follow, std::move(entry), error});
  }
  // Everything right but for the ops that are still to come.
  v1::LogEntry template_at(std::size_t after, const Join& author) const {
    const roomlog::LogState& state = scenario_.steps[after - 1].after;
    v1::LogEntry body;
    body.set_n(state.n() + 1);
    body.set_prev(to_string(state.last()));
    body.set_prev_short(to_string(state.last_short()));
    body.set_prev_authority(to_string(state.last_authority()));
    body.set_author(to_string(author.certificate.leaf_hash));
    body.set_epoch(state.epoch());
    body.set_roster_size(state.roster_size());
    body.set_roster_hash(to_string(state.roster_hash()));
    body.set_stage_hash(to_string(state.stage_hash()));
    body.set_time_ms(state.time_ms() + 1000);
    return body;
  }
  std::vector<InvalidEntry> take() { return std::move(entries_); }

 private:
  Scenario& scenario_;
  RoomLog& log_;
  std::vector<InvalidEntry> entries_;
};

std::string other_hash() { return to_string(hash_of("another")); }

void add_links(RoomLog& log, Collector& out) {
  const Join& host = log.join("Host");
  const auto prev = [](v1::LogEntry& body) { body.set_prev(other_hash()); };
  const auto prev_short = [](v1::LogEntry& body) { body.set_prev_short(other_hash()); };
  const auto prev_authority = [](v1::LogEntry& body) { body.set_prev_authority(other_hash()); };
  out.change("another prev", 8, host, prev, LogError::kFork);
  out.change("another prev_short", 8, host, prev_short, LogError::kFork);
  out.change("another prev_authority", 8, host, prev_authority, LogError::kFork);
  out.change("another prev_short, in short", 8, host, prev_short, LogError::kFork, Follow::kShort);
  out.change("another prev_authority, in short", 8, host, prev_authority, LogError::kFork,
             Follow::kShort);
  out.change("another prev_authority, in chain", 8, host, prev_authority, LogError::kFork,
             Follow::kChain);
  const auto wrong = [&](std::string what, const std::function<void(v1::LogEntry&)>& change,
                         Follow follow = Follow::kFull) {
    out.change(std::move(what), 8, host, change, LogError::kWrongState, follow);
  };
  wrong("n left out", [](v1::LogEntry& body) { body.set_n(body.n() + 1); });
  wrong("n again, in short", [](v1::LogEntry& body) { body.set_n(body.n() - 1); }, Follow::kShort);
  wrong("n again, in chain", [](v1::LogEntry& body) { body.set_n(body.n() - 1); }, Follow::kChain);
  wrong("earlier than the last",
        [](v1::LogEntry& body) { body.set_time_ms(body.time_ms() - 1001); });
  wrong("an epoch more without an advance",
        [](v1::LogEntry& body) { body.set_epoch(body.epoch() + 1); });
  wrong("an advance without an epoch more",
        [](v1::LogEntry& body) { body.set_advance(v1::ADVANCE_RATCHET); });
  wrong(
      "two epochs more, in short",
      [](v1::LogEntry& body) {
        body.set_advance(v1::ADVANCE_RATCHET);
        body.set_epoch(body.epoch() + 2);
      },
      Follow::kShort);
  wrong(
      "an epoch less, in chain", [](v1::LogEntry& body) { body.set_epoch(body.epoch() - 1); },
      Follow::kChain);
  wrong("another roster size",
        [](v1::LogEntry& body) { body.set_roster_size(body.roster_size() + 1); });
  wrong("another roster hash", [](v1::LogEntry& body) { body.set_roster_hash(other_hash()); });
  wrong("another stage hash", [](v1::LogEntry& body) { body.set_stage_hash(other_hash()); });
  wrong(
      "another stage hash, in short", [](v1::LogEntry& body) { body.set_stage_hash(other_hash()); },
      Follow::kShort);
  wrong(
      "another stage hash, in chain", [](v1::LogEntry& body) { body.set_stage_hash(other_hash()); },
      Follow::kChain);
}

void add_authors(RoomLog& log, Collector& out) {
  const Join& host = log.join("Host");
  out.change(
      "a beat of a listener", 8, log.join("Leo"), [](v1::LogEntry&) {}, LogError::kBadAuthor);
  out.change("a beat of nobody", 8, log.join("Quinn"), [](v1::LogEntry&) {}, LogError::kBadAuthor);
  out.change(
      "a beat of a leaf that was replaced", 16, log.join("Anna"), [](v1::LogEntry&) {},
      LogError::kBadAuthor);
  const v1::LogEntry body = out.template_at(8, host);
  const std::string bytes = body.SerializeAsString();
  const auto signed_as = [&](const crypto::Ed25519PrivateKey& key, std::string_view type,
                             const Hash& room) {
    return roomlog::make_entry(room, body, {}, [&](base::Bytes) {
      return key.sign(roomlog::signed_bytes(type, room, base::as_bytes(bytes), {}));
    });
  };
  out.add("signed by another leaf", 8, signed_as(log.join("Anna").leaf, "entry", log.room()),
          LogError::kBadSignature);
  out.add("signed by the identity", 8, signed_as(host.identity, "entry", log.room()),
          LogError::kBadSignature);
  out.add("signed as a resume", 8, signed_as(host.leaf, "resume", log.room()),
          LogError::kBadSignature);
  out.add("signed for another room", 8, signed_as(host.leaf, "entry", hash_of("another")),
          LogError::kBadSignature, Follow::kShort);
  out.resume("a resume without authority", 8, log.join("Anna", 1), 0, LogError::kBadAuthor);
  out.resume("a resume with the leaf that is in the roster", 8, host, 0, LogError::kNotPermitted);
  out.resume("a resume with a seat in place of a seat", 8, log.join("Host", 1), 4,
             LogError::kNotPermitted);
  out.resume("a resume without the next free seat", 23, log.join("Host", 1), 7,
             LogError::kNotPermitted);
  out.resume("a resume of an identity that was ejected", 19, log.join("Ben", 1), 0,
             LogError::kBadAuthor);
  out.change(
      "a resume that admits somebody else", 8, log.join("Host", 1),
      [&](v1::LogEntry& resume) {
        *resume.add_ops() = admit_op(log.certificate("Mona", 1));
        resume.set_resume(true);
        resume.set_advance(v1::ADVANCE_FRESH);
        resume.set_epoch(resume.epoch() + 1);
      },
      LogError::kBadAuthor);
}

void add_admits(RoomLog& log, Collector& out) {
  const Join& host = log.join("Host");
  const Join& anna = log.join("Anna");
  const auto admit = [&](const std::string& name, int number, std::uint32_t seat = 0) {
    return std::vector<v1::LogOp>{admit_op(log.certificate(name, number), seat)};
  };
  out.ops("an admit while locked, by a speaker", 8, anna, admit("Quinn", 0));
  out.ops("an admit of a leaf that is in", 8, host, admit("Leo", 0));
  out.ops("an admit of a leaf that is on the stage", 8, host, admit("Anna", 0),
          LogError::kNotPermitted, Follow::kShort);
  out.ops("an admit with a seat, without authority", 8, host, admit("Quinn", 0, 4));
  out.ops("a replacing admit with a seat", 8, host, admit("Anna", 1, 4));
  out.ops("a replacing admit of a listener with a seat", 8, host, admit("Leo", 1, 4));
  out.ops("an admit of who was ejected", 14, anna, admit("Eve", 1));
  out.ops("an admit of who was ejected, in short", 14, anna, admit("Eve", 1),
          LogError::kNotPermitted, Follow::kShort);
  out.ops("a moderator comes back with a later seat", 24, log.join("Mona"), admit("Host", 1, 7));
  out.ops("a moderator comes back with a seat, by a speaker", 24, log.join("Anna", 1),
          admit("Host", 1, 6));
  out.ops("an admit twice", 8, host,
          {admit_op(log.certificate("Quinn")), admit_op(log.certificate("Quinn"))});
  v1::LogOp broken = admit_op(log.certificate("Quinn"));
  std::string& signature = *broken.mutable_admit()->mutable_certificate()->mutable_signature();
  signature[0] = static_cast<char>(signature[0] ^ 1);
  out.ops("a certificate with a broken signature", 8, host, {broken}, LogError::kBadCertificate);
  const Join foreign = make_join(hash_of("another"), "Quinn", 0);
  out.ops("a certificate of another room", 8, host, {admit_op(foreign.certificate)},
          LogError::kBadCertificate);
}

void add_departs(RoomLog& log, Collector& out) {
  const Join& host = log.join("Host");
  const Join& anna = log.join("Anna");
  const Join& mona = log.join("Mona");
  const Hash quinn = log.leaf("Quinn");
  out.ops("a depart of nobody", 8, host, {depart_op(quinn)});
  out.ops("a depart of a moderator before 30 s", 8, mona, {depart_op(log.leaf("Host"))});
  out.ops("a depart of a moderator by a speaker before 30 s", 8, anna,
          {depart_op(log.leaf("Host"))}, LogError::kNotPermitted, Follow::kShort);
  out.ops("an op after the own depart", 8, anna,
          {depart_op(anna.certificate.leaf_hash), depart_op(log.leaf("Leo"))});
  out.ops("an op after the own replacement", 8, host,
          {admit_op(log.certificate("Host", 1)), lock_op(false)});
  out.ops("an eject by a speaker", 8, anna, {eject_op(log.certificate("Leo"))});
  out.ops("an eject of the host", 8, mona, {eject_op(host.certificate)});
  out.ops("an eject of oneself", 8, mona, {eject_op(mona.certificate)});
  out.ops("an eject of nobody", 8, host, {eject_op(log.certificate("Quinn"))});
  Certificate mixed = log.certificate("Leo");
  mixed.identity = log.certificate("Quinn").identity;
  out.ops("an eject with another identity", 8, host, {eject_op(mixed)});
  mixed = anna.certificate;
  mixed.identity = log.certificate("Quinn").identity;
  out.ops("an eject of a speaker with another identity, in short", 8, host, {eject_op(mixed)},
          LogError::kNotPermitted, Follow::kShort);
  mixed = log.certificate("Leo");
  mixed.identity = anna.certificate.identity;
  out.ops("an eject of a listener with a speaker's identity, in short", 8, host, {eject_op(mixed)},
          LogError::kNotPermitted, Follow::kShort);
}

void add_moderation(RoomLog& log, Collector& out) {
  const Join& host = log.join("Host");
  const Join& anna = log.join("Anna");
  const Join& mona = log.join("Mona");
  const Certificate& leo = log.certificate("Leo");
  const Hash anna_leaf = anna.certificate.leaf_hash;
  out.ops("a step down of who is not on the stage", 8, host,
          {role_op(leo.leaf_hash, v1::ROLE_LISTENER)});
  out.ops("a speaker moves another down", 8, anna,
          {role_op(mona.certificate.leaf_hash, v1::ROLE_LISTENER)});
  out.ops("the host is moved down", 8, mona,
          {role_op(host.certificate.leaf_hash, v1::ROLE_LISTENER)});
  out.ops("a speaker makes a speaker", 8, anna, {speaker_op(leo, 4)});
  out.ops("a speaker on a later seat", 8, host, {speaker_op(leo, 5)});
  out.ops("a speaker on a held seat", 8, host, {speaker_op(leo, 2)}, LogError::kNotPermitted,
          Follow::kShort);
  out.ops("a speaker who is on the stage", 8, host, {speaker_op(anna.certificate, 4)});
  out.ops("a speaker who is not in the roster", 8, host, {speaker_op(log.certificate("Quinn"), 4)});
  v1::LogOp swapped = speaker_op(leo, 4);
  *swapped.mutable_role()->mutable_certificate() = log.certificate("Quinn").object;
  out.ops("a speaker with the certificate of another", 8, host, {swapped},
          LogError::kBadCertificate);
  out.ops("a moderator who is one", 8, host,
          {role_op(mona.certificate.leaf_hash, v1::ROLE_MODERATOR)});
  out.ops("a moderator who is a listener", 8, host, {role_op(leo.leaf_hash, v1::ROLE_MODERATOR)});
  out.ops("a speaker makes itself moderator", 8, anna, {role_op(anna_leaf, v1::ROLE_MODERATOR)});
  out.ops("a lock by a speaker", 8, anna, {lock_op(false)});
  out.ops("a link by a speaker", 8, anna, {link_op(1)});
  out.ops("a link with a generation left out", 8, host, {link_op(2)});
  out.ops("a link with the last generation", 11, host, {link_op(1)});
  out.ops("an invite by a speaker", 8, anna, {invite_op({leo.identity})});
}

}  // namespace

std::vector<InvalidEntry> invalid_entries(Scenario& scenario) {
  Collector out(scenario);
  add_links(scenario.log, out);
  add_authors(scenario.log, out);
  add_admits(scenario.log, out);
  add_departs(scenario.log, out);
  add_moderation(scenario.log, out);
  return out.take();
}

std::vector<InvalidChain> invalid_chains(const Scenario& scenario) {
  std::vector<InvalidChain> invalid;
  const v1::LogChain good = scenario.log.chain();
  const auto add = [&](std::string what, LogError error,
                       const std::function<void(v1::LogChain&)>& change) {
    v1::LogChain chain = good;
    change(chain);
    invalid.push_back({std::move(what), std::move(chain), error});
  };
  const auto drop = [](int index) {
    return [index](v1::LogChain& chain) { chain.mutable_authority()->DeleteSubrange(index, 1); };
  };
  const auto object_of = [&](std::size_t n) { return scenario.log.entries()[n - 1].entry.object; };
  add("without the first entry", LogError::kFork, drop(0));
  add("an authority entry is dropped", LogError::kFork, drop(4));
  add("the last authority entry but one is dropped", LogError::kFork,
      drop(good.authority_size() - 2));
  add("two entries change places", LogError::kFork,
      [](v1::LogChain& chain) { chain.mutable_authority()->SwapElements(3, 4); });
  add("an entry twice", LogError::kFork,
      [](v1::LogChain& chain) { *chain.add_authority() = chain.authority(2); });
  add("a beat among the authority entries", LogError::kFork, [&](v1::LogChain& chain) {
    chain.mutable_authority()->Clear();
    for (const std::size_t n : {1, 4, 5, 6, 7, 8}) *chain.add_authority() = object_of(n);
  });
  add("an older advance", LogError::kWrongState,
      [&](v1::LogChain& chain) { *chain.mutable_advance() = object_of(24); });
  add("an advance that is none", LogError::kWrongState,
      [&](v1::LogChain& chain) { *chain.mutable_advance() = chain.head(); });
  add("a head that is older than the last authority entry", LogError::kFork,
      [&](v1::LogChain& chain) { *chain.mutable_head() = object_of(8); });
  add("a broken genesis", LogError::kBadObject,
      [](v1::LogChain& chain) { chain.mutable_genesis()->mutable_signature()->pop_back(); });
  add("the genesis of another room", LogError::kFork,
      [](v1::LogChain& chain) { *chain.mutable_genesis() = make_test_genesis("Mona").object; });
  add("an entry that is no entry", LogError::kBadObject,
      [](v1::LogChain& chain) { *chain.mutable_authority(1)->mutable_body() += "x"; });
  return invalid;
}

}  // namespace alcove::roomlog_test
