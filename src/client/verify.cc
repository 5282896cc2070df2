#include "client/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/genesis.h"
#include "crypto/hash.h"

namespace alcove::client {

using roomlog::Follow;
using roomlog::Hash;
using roomlog::LogState;

namespace {

void add_problem(VerifyReport& report, std::uint64_t n, std::string message) {
  report.problems.push_back({n, std::move(message)});
}

void count(LogCounts& counts, const roomlog::Entry& entry,
           const std::vector<roomlog::Change>& changes) {
  ++counts.entries;
  if (entry.has_advance()) ++counts.advances;
  for (const roomlog::Change& change : changes) {
    if (std::holds_alternative<roomlog::Admitted>(change)) ++counts.admitted;
    if (std::holds_alternative<roomlog::RoleChanged>(change)) ++counts.roles;
    if (const auto* departed = std::get_if<roomlog::Departed>(&change))
      ++(departed->ejected ? counts.ejected : counts.departed);
  }
}

std::string explain(roomlog::LogError error) {
  const auto sentence = [&] {
    switch (error) {
      case roomlog::LogError::kFork:
        return "It does not follow the entry before.";
      case roomlog::LogError::kBadAuthor:
        return "Its author had no right to write it.";
      case roomlog::LogError::kBadSignature:
        return "Its signature is not that of its author.";
      case roomlog::LogError::kNotPermitted:
        return "It does what its author may not do.";
      case roomlog::LogError::kBadCertificate:
        return "A certificate in it is not valid.";
      case roomlog::LogError::kWrongState:
        return "What it says of the room is not what follows from the log.";
      case roomlog::LogError::kLogFull:
        return "The log has more entries than a room may have.";
      case roomlog::LogError::kBadObject:
        return "It is not well-formed.";
    }
    return "";
  };
  return fmt::format("{} ({})", sentence(), roomlog::to_text(error));
}

// The entry's own number where it can be read at all, for the message.
std::uint64_t number_of(const v1::SignedObject& object) {
  v1::LogEntry body;
  return body.ParseFromString(object.body()) ? body.n() : 0;
}

// Walks the entries of an export.
class ExportWalk {
 public:
  ExportWalk(VerifyReport& report, const v1::LogExport& log) : report_(report), log_(log) {}

  void walk() {
    for (const v1::SignedObject& object : log_.authority()) handle(object, true);
    read_roster();
    for (const v1::SignedObject& object : log_.entries()) handle(object, false);
    if (!certificates_.empty() && !broken_)
      add_problem(report_, 0, "The roster of the file is that of none of its entries.");
  }

 private:
  LogState& state() { return *report_.state; }

  void handle(const v1::SignedObject& object, bool is_authority) {
    const auto entry = roomlog::parse_entry(object);
    if (!entry) {
      add_problem(report_, number_of(object), std::string(roomlog::to_text(entry.error())));
      broken_ = true;
    } else if (!broken_) {
      apply(*entry, is_authority);
    }
  }

  void apply(const roomlog::Entry& entry, bool is_authority) {
    const std::uint64_t n = entry.body.n();
    if (is_authority && !state().class_of(entry.body).is_authority())
      return fail(n, "It is not an entry of authority, but stands among them.");
    const Follow follow = is_authority ? Follow::kChain : follow_of(entry);
    const auto changes = state().apply(entry, follow);
    if (!changes) return fail(n, explain(changes.error()));
    count(report_.counts, entry, *changes);
    if (is_authority) return;
    ++entries_;
    if (follow != Follow::kFull) {
      report_.complete_from = 0;
      if (is_head_of_roster(entry)) adopt_roster(entry);
    } else if (report_.complete_from == 0) {
      report_.complete_from = n;
    }
  }

  // A log that begins in its middle has, before what its member followed, at most the newest
  // advance and the head that it was given at the join: only these may have a gap before them.
  Follow follow_of(const roomlog::Entry& entry) const {
    if (report_.state->is_full()) return Follow::kFull;
    const bool linked = entry.body.prev_short() == base::as_text(report_.state->last_short());
    return linked || entries_ >= 2 ? Follow::kShort : Follow::kChain;
  }

  void fail(std::uint64_t n, std::string message) {
    add_problem(report_, n, std::move(message));
    broken_ = true;
  }

  void read_roster() {
    for (const v1::SignedObject& object : log_.roster()) {
      auto certificate = roomlog::parse_certificate(state().fingerprint(), object);
      if (!certificate)
        return fail(0, fmt::format("A certificate of the roster: {}",
                                   roomlog::to_text(certificate.error())));
      certificates_.push_back(std::move(*certificate));
    }
    base::Buffer leaves;
    for (const roomlog::Certificate& certificate : certificates_)
      leaves.insert(leaves.end(), certificate.leaf_hash.begin(), certificate.leaf_hash.end());
    roster_hash_ = crypto::sha256(leaves);
  }

  bool is_head_of_roster(const roomlog::Entry& entry) const {
    return !certificates_.empty() && entry.body.roster_size() == certificates_.size() &&
           entry.body.roster_hash() == base::as_text(roster_hash_);
  }

  void adopt_roster(const roomlog::Entry& head) {
    const auto adopted = state().adopt_roster(std::exchange(certificates_, {}), head);
    if (!adopted) return fail(head.body.n(), explain(adopted.error()));
    report_.complete_from = head.body.n();
  }

  VerifyReport& report_;
  const v1::LogExport& log_;
  std::vector<roomlog::Certificate> certificates_;  // until an entry has them
  Hash roster_hash_{};
  std::size_t entries_ = 0;
  bool broken_ = false;
};

// For the message: the first entry of authority that does not follow, or the newest.
std::uint64_t first_bad_entry(const v1::LogChain& chain, const roomlog::Genesis& genesis) {
  LogState state(genesis);
  for (const v1::SignedObject& object : chain.authority()) {
    const auto entry = roomlog::parse_entry(object);
    if (!entry || !state.apply(*entry, Follow::kChain)) return number_of(object);
  }
  // What is in the list already is not given twice.
  if (chain.has_advance() && !roomlog::parse_entry(chain.advance()))
    return number_of(chain.advance());
  return number_of(chain.has_head() ? chain.head() : chain.advance());
}

void note_unchecked(VerifyReport& report) {
  if (!report.compared)
    report.unchecked.emplace_back(
        "That this is the room you mean: compare its code with somebody who is in it.");
  if (report.complete_from == 0)
    report.unchecked.emplace_back(
        "Who listens: from outside the log has their number and a hash of their names.");
  report.unchecked.emplace_back(
      "That the members were given the same entries: their clients check it as they go, and each "
      "epoch is bound to the log.");
}

}  // namespace

VerifyReport verify_chain(const v1::LogChain& chain, const base::RoomId& room,
                          const std::optional<Hash>& fingerprint) {
  VerifyReport report;
  report.compared = fingerprint.has_value();
  base::Result<roomlog::Genesis> genesis = check_genesis(chain.genesis(), room, fingerprint);
  if (!genesis) {
    add_problem(report, 0, genesis.error().message);
    return report;
  }
  report.genesis = std::move(*genesis);
  auto walked = roomlog::walk_chain(chain, fingerprint);
  if (!walked) {
    add_problem(report, first_bad_entry(chain, *report.genesis), explain(walked.error()));
    return report;
  }
  report.counts.entries = static_cast<std::size_t>(chain.authority_size());
  report.counts.advances = walked->advance ? 1 : 0;
  report.state = std::move(walked->state);
  note_unchecked(report);
  return report;
}

VerifyReport verify_export(const v1::LogExport& log) {
  VerifyReport report;
  auto genesis = roomlog::parse_genesis(log.genesis());
  if (!genesis) {
    add_problem(report, 0, fmt::format("The genesis: {}", roomlog::to_text(genesis.error())));
    return report;
  }
  report.genesis = *genesis;
  report.state.emplace(std::move(*genesis));
  ExportWalk(report, log).walk();
  report.unchecked.emplace_back(
      "That the log ends here: whoever gave the file may have left out its newest entries.");
  note_unchecked(report);
  return report;
}

}  // namespace alcove::client
