#pragma once
// The house's part of room keys, small: it orders entries and delivers them and their boxes, as the
// control plane does, between the member under test and people whose clients are real RoomKeys.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "e2ee/room_keys.h"
#include "roomlog/log_state.h"

namespace alcove::client::test {

class LogHouse {
 public:
  static constexpr std::size_t kBoxSize = 80;

  // Somebody with a join. Without keys it is the member under test.
  struct Person {
    std::unique_ptr<e2ee::RoomKeys> keys;
    v1::JoinKeys join;
    roomlog::Hash leaf{};
    std::uint32_t candidate = 0;
    bool waits = false;
    bool inside = false;
    std::deque<v1::KeysFromServer> inbox;
  };

  explicit LogHouse(roomlog::Genesis genesis) : state(std::move(genesis)) {}

  // Another room, with nobody in it.
  void restart(roomlog::Genesis genesis) {
    state = roomlog::LogState(std::move(genesis));
    people_.clear();
    member_ = nullptr;
    log_.clear();
  }
  // Before run(): the first founds the room, later ones are admitted.
  Person& enter(const crypto::Ed25519PrivateKey& identity, base::RandomSource& random,
                e2ee::RoomKeysOptions options) {
    auto keys =
        std::make_unique<e2ee::RoomKeys>(state.genesis(), identity, random, std::move(options));
    v1::JoinKeys join = keys->join_keys();
    return add(std::move(keys), std::move(join));
  }
  void request_join(const v1::JoinKeys& join) { member_ = &add(nullptr, join); }
  // Where several members are under test, each by itself.
  Person& add_member(const v1::JoinKeys& join) { return add(nullptr, join); }
  void hello(Person& person) {
    if (person.waits) admit(person);
  }
  void handle(Person& person, const v1::KeysFromClient& message) { handle_from(person, message); }
  // The member's connection has said hello.
  void hello() {
    if (member_ != nullptr && member_->waits) admit(*member_);
  }
  void handle(const v1::KeysFromClient& message) {
    if (member_ != nullptr) handle_from(*member_, message);
  }
  std::vector<v1::KeysFromServer> take_for_member() {
    std::vector<v1::KeysFromServer> messages;
    if (member_ == nullptr || holds_back) return messages;
    messages.assign(member_->inbox.begin(), member_->inbox.end());
    member_->inbox.clear();
    return messages;
  }
  bool member_is_inside() const { return member_ != nullptr && member_->inside; }
  const roomlog::Hash& member_leaf() const { return member_->leaf; }

  // Everything that people's clients have to do now. True when something was done.
  bool run(base::Instant now, base::WallTime wall) {
    bool did = false;
    for (bool again = true; again;) {
      again = false;
      for (const std::unique_ptr<Person>& person : people_) {
        if (person->keys == nullptr) continue;
        if (person_is_there(*person) && person->keys->next_deadline() <= now)
          person->keys->handle_timeout(now, wall);
        while (!person->inbox.empty()) {
          const v1::KeysFromServer message = std::move(person->inbox.front());
          person->inbox.pop_front();
          person->keys->handle_message(now, wall, message);
        }
        for (const v1::KeysFromClient& message : person->keys->take_messages()) {
          handle_from(*person, message);
          again = did = true;
        }
      }
      again = again || std::ranges::any_of(people_, [](const auto& person) {
                return person->keys != nullptr && !person->inbox.empty();
              });
    }
    return did;
  }
  base::Instant next_deadline() const {
    base::Instant next = base::kNever;
    for (const std::unique_ptr<Person>& person : people_)
      if (person->keys != nullptr && person_is_there(*person))
        next = std::min(next, person->keys->next_deadline());
    return next;
  }
  // Says hello for a person and gets it in.
  void connect(base::Instant now, Person& person) {
    person.keys->handle_connected(now);
    admit(person);
  }
  void give_stage(Person& moderator, const roomlog::Hash& leaf) {
    moderator.keys->allow_stage(leaf);
    v1::KeysFromServer task;
    task.mutable_task()->mutable_give_stage()->set_leaf(leaf.data(), leaf.size());
    moderator.inbox.push_back(std::move(task));
  }

  v1::LogChain chain() const {
    v1::LogChain chain;
    *chain.mutable_genesis() = state.genesis().object;
    for (const Written& written : log_) {
      if (written.entry_class.is_authority()) *chain.add_authority() = written.entry.object;
      if (written.entry_class.advance) *chain.mutable_advance() = written.entry.object;
      if (written.entry_class.is_short()) *chain.mutable_head() = written.entry.object;
    }
    return chain;
  }

  roomlog::LogState state;
  std::vector<v1::RefuseCandidate> refusals;
  std::vector<std::string> refused_entries;
  bool nobody_answers = false;  // tasks are given to nobody
  bool holds_back = false;      // what is for the member

 private:
  struct Written {
    roomlog::Entry entry;
    roomlog::EntryClass entry_class;
    v1::AppendEntry append;
    std::vector<roomlog::Hash> box_order;
  };

  static bool person_is_there(const Person& person) { return person.inside || person.waits; }

  Person& add(std::unique_ptr<e2ee::RoomKeys> keys, v1::JoinKeys join) {
    const auto certificate = roomlog::parse_certificate(state.fingerprint(), join.certificate());
    EXPECT_TRUE(certificate);
    auto person = std::make_unique<Person>();
    person->keys = std::move(keys);
    person->join = std::move(join);
    if (certificate) person->leaf = certificate->leaf_hash;
    person->candidate = ++last_candidate_;
    person->waits = true;
    people_.push_back(std::move(person));
    return *people_.back();
  }

  Person* keeper() {
    if (nobody_answers) return nullptr;
    for (const std::unique_ptr<Person>& person : people_)
      if (person->inside && state.on_stage(person->leaf) != nullptr) return person.get();
    return nullptr;
  }

  void admit(Person& person) {
    Person* const asked = keeper();
    v1::KeysFromServer waiting;
    const auto certificate =
        roomlog::parse_certificate(state.fingerprint(), person.join.certificate());
    const bool resumes = asked == nullptr && !nobody_answers && certificate &&
                         state.has_authority(certificate->identity);
    waiting.mutable_waiting()->set_reason(asked != nullptr ? v1::Waiting::REASON_ASKED
                                          : resumes        ? v1::Waiting::REASON_RESUME
                                                           : v1::Waiting::REASON_NOBODY);
    person.inbox.push_back(std::move(waiting));
    if (resumes) {
      *person.inbox.emplace_back().mutable_resume() = chain();
      if (state.n() != 0) send_roster(person);
    }
    if (asked == nullptr) return;
    v1::AdmitTask& task = *asked->inbox.emplace_back().mutable_task()->mutable_admit();
    task.set_candidate(person.candidate);
    *task.mutable_keys() = person.join;
    task.set_known(true);
  }

  void handle_from(Person& person, const v1::KeysFromClient& message) {
    switch (message.message_case()) {
      case v1::KeysFromClient::kAppend:
        return handle_append(person, message.append());
      case v1::KeysFromClient::kRefuse:
        return refusals.push_back(message.refuse());
      case v1::KeysFromClient::kRequestRoster:
        return send_roster(person);
      case v1::KeysFromClient::kHave:
        for (const Written& written : log_)
          if (written.entry.body.n() > message.have().n()) deliver(person, written);
        return;
      case v1::KeysFromClient::kRequestBox:
      case v1::KeysFromClient::kBox:
      case v1::KeysFromClient::MESSAGE_NOT_SET:
        return;
    }
  }

  void handle_append(Person& author, const v1::AppendEntry& append) {
    auto entry = roomlog::parse_entry(append.entry());
    ASSERT_TRUE(entry);
    Written written{*std::move(entry), {}, append, {}};
    written.entry_class = state.class_of(written.entry.body);
    const v1::LogChain before = chain();
    if (const auto applied = state.apply(written.entry, roomlog::Follow::kFull); !applied) {
      refused_entries.emplace_back(roomlog::to_text(applied.error()));
      v1::AppendRefused& refused = *author.inbox.emplace_back().mutable_append_refused();
      refused.set_request(append.request());
      refused.set_reason(applied.error() == roomlog::LogError::kFork ? "log.conflict"
                                                                     : "log.invalid");
      return;
    }
    for (const auto& [leaf, certificate] : state.roster())
      if (base::as_text(leaf) != written.entry.body.author()) written.box_order.push_back(leaf);
    log_.push_back(std::move(written));
    for (const std::unique_ptr<Person>& person : people_) {
      const bool in_roster = state.member(person->leaf) != nullptr;
      if (person->waits && in_roster) {
        let_in(*person, before, log_.back());
      } else if (person->inside) {
        deliver(*person, log_.back());
        person->inside = in_roster;
      }
    }
  }

  static void let_in(Person& person, const v1::LogChain& before, const Written& written) {
    person.waits = false;
    person.inside = true;
    v1::Admitted& admitted = *person.inbox.emplace_back().mutable_admitted();
    *admitted.mutable_chain() = before;
    *admitted.mutable_admit() = written.entry.object;
    for (const v1::JoinBox& box : written.append.join_boxes())
      if (box.candidate() == person.candidate) admitted.set_box(box.box());
  }

  void deliver(Person& person, const Written& written) {
    if (!written.entry_class.is_short() && state.on_stage(person.leaf) == nullptr) return;
    v1::DeliveredEntry& delivered = *person.inbox.emplace_back().mutable_delivery()->add_entries();
    *delivered.mutable_entry() = written.entry.object;
    const auto place = std::ranges::find(written.box_order, person.leaf);
    const auto index = static_cast<std::size_t>(place - written.box_order.begin());
    if (place != written.box_order.end() && written.append.boxes().size() >= (index + 1) * kBoxSize)
      delivered.set_box(written.append.boxes().substr(index * kBoxSize, kBoxSize));
  }

  void send_roster(Person& person) {
    v1::RosterPart& part = *person.inbox.emplace_back().mutable_roster();
    part.set_total(static_cast<std::uint32_t>(state.roster().size()));
    for (const auto& [leaf, certificate] : state.roster())
      *part.add_certificates() = certificate.object;
    *part.mutable_head() = log_.back().entry.object;
  }

  std::vector<std::unique_ptr<Person>> people_;
  Person* member_ = nullptr;
  std::deque<Written> log_;
  std::uint32_t last_candidate_ = 0;
};

}  // namespace alcove::client::test
