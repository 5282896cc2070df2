#pragma once
// A small control plane for tests of room keys, on virtual time: it orders entries by compare and
// set, delivers them, gives tasks and chains. It is honest unless a hook makes it an evil operator:
// tamper changes, drops or delays what goes to one member, filter_append what comes from one;
// fork() shows some of the members another log; inject() says anything. All in the header, so that
// each test program only includes it.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alcove/v1/keys.pb.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/ed25519.h"
#include "e2ee/room_keys.h"
#include "roomlog/log_state.h"
#include "roomlog/objects.h"

namespace alcove::simulation {

inline std::string to_field(base::Bytes bytes) { return std::string(base::as_text(bytes)); }
inline roomlog::Hash to_hash(const std::string& field) {
  roomlog::Hash hash{};
  if (field.size() == hash.size()) std::copy(field.begin(), field.end(), hash.begin());
  return hash;
}

// One order of entries, and what is needed to let others follow it.
struct HouseLog {
  explicit HouseLog(const roomlog::Genesis& genesis) : state(genesis) {}

  roomlog::LogState state;
  std::vector<v1::SignedObject> entries;  // n = index + 1
  std::vector<bool> is_short;
  std::vector<v1::SignedObject> authority;
  std::optional<v1::SignedObject> advance;
  std::optional<v1::SignedObject> head;
  std::map<std::uint64_t, std::map<roomlog::Hash, std::string>> boxes;

  v1::LogChain chain() const {
    v1::LogChain chain;
    *chain.mutable_genesis() = state.genesis().object;
    for (const v1::SignedObject& entry : authority) *chain.add_authority() = entry;
    if (advance) *chain.mutable_advance() = *advance;
    if (head) *chain.mutable_head() = *head;
    return chain;
  }
};

class SimulatedHouse {
 public:
  using Who = std::size_t;
  static constexpr Who kHost = 0;

  struct Person {
    std::string name;
    std::string account;
    std::shared_ptr<crypto::Ed25519PrivateKey> identity;
    std::optional<roomlog::LinkSecret> link;
    std::unique_ptr<e2ee::RoomKeys> keys;
    bool connected = false;
    std::uint64_t connection = 0;  // what was sent on an older one does not arrive
    std::size_t log = 0;
    std::vector<e2ee::WarningEvent> warnings;
    std::vector<v1::Waiting::Reason> waiting;
    std::vector<v1::RefuseCandidate::Reason> refusals;
    bool roster_ready = false;
    std::optional<base::Instant> admitted_at;
    base::Instant deadline = base::kNever;
    std::uint64_t received = 0;  // entries
  };
  struct Candidate {
    Who who = 0;
    v1::JoinKeys keys;
    bool known = false;
    std::set<Who> asked;
  };

  base::Duration delay = base::milliseconds(10);  // one way
  // Before a message goes to a member: changed in place; nullopt drops it, else so much later.
  std::function<std::optional<base::Duration>(Who to, v1::KeysFromServer& message)> tamper;
  // False: the entry disappears.
  std::function<bool(Who from, v1::AppendEntry& append)> filter_append;
  // Who gets further tasks.
  std::function<bool(Who keeper)> may_ask;
  bool resolves_departs = true;
  // The later parts of rosters wait here until they are called.
  bool hold_roster = false;
  std::vector<std::function<void()>> held_parts;
  // Of the next join(), instead of those with the person's link.
  std::optional<e2ee::RoomKeysOptions> next_options;
  // Every entry that came, ordered or not.
  std::vector<std::pair<Who, v1::AppendEntry>> appends;

  explicit SimulatedHouse(v1::RoomKind kind = v1::ROOM_KIND_OPEN, std::uint64_t seed = 1)
      : random(seed) {
    const Who host = add_person("host");
    v1::Genesis body;
    body.set_version(1);
    body.set_room_id(to_field(random.bytes<16>()));
    body.set_host(to_field(person(host).identity->public_key()));
    body.set_kind(kind);
    body.set_packet_bucket(160);
    body.set_created_at_ms(wall().time_since_epoch().count());
    genesis_ = roomlog::make_genesis(
        body, [&](base::Bytes message) { return person(host).identity->sign(message); });
    link_secret = random.bytes<16>();
    person(host).link = link_secret;
    logs.emplace_back(*genesis_);
  }

  Who add_person(const std::string& name) {
    Person one;
    one.name = name;
    one.account = "account-" + name;
    one.identity =
        std::make_shared<crypto::Ed25519PrivateKey>(crypto::Ed25519PrivateKey::make(random));
    people.push_back(std::move(one));
    return people.size() - 1;
  }
  Person& person(Who who) { return people[who]; }
  e2ee::RoomKeys& keys(Who who) { return *people[who].keys; }
  HouseLog& log(Who who = kHost) { return logs[people[who].log]; }
  const roomlog::Genesis& genesis() const { return *genesis_; }
  roomlog::Hash leaf(Who who) { return keys(who).leaf_hash(); }
  base::WallTime wall() const {
    return base::WallTime(base::milliseconds(1'700'000'000'000)) +
           std::chrono::duration_cast<base::milliseconds>(now - base::Instant());
  }

  static e2ee::RoomKeysOptions with_link(const Person& one) {
    e2ee::RoomKeysOptions options;
    options.link_secret = one.link;
    return options;
  }
  // Opens the page (anew): new leaf and encryption keys, the same identity.
  void join(Who who, bool known = false, e2ee::KnownDevices* devices = nullptr) {
    disconnect(who);
    Person& one = person(who);
    e2ee::RoomKeysOptions options = std::exchange(next_options, {}).value_or(with_link(one));
    options.account = one.account;
    options.display_name = one.name;
    options.known_devices = devices;
    one.keys = std::make_unique<e2ee::RoomKeys>(*genesis_, *one.identity, random, options);
    one.admitted_at.reset();
    one.connected = true;
    one.keys->handle_connected(now);
    at(now + delay, [this, who, known, connection = one.connection] {
      if (person(who).connection == connection) want_in(who, known);
    });
    drain(who);
  }
  void disconnect(Who who) {
    Person& one = person(who);
    if (!one.connected) return;
    one.connected = false;
    ++one.connection;
    if (one.keys) one.keys->handle_disconnected(now);
    std::erase_if(candidates_, [&](const auto& entry) { return entry.second.who == who; });
  }
  void reconnect(Who who) {
    Person& one = person(who);
    one.connected = true;
    one.keys->handle_connected(now);
    // Who waits is told anew what is to be done.
    if (!one.keys->admitted() && log(who).state.member(leaf(who)) == nullptr) want_in(who, false);
    drain(who);
  }
  // Closes the page; the house asks for the departure.
  void leave(Who who) {
    const roomlog::Hash gone = leaf(who);
    disconnect(who);
    people[who].deadline = base::kNever;
    depart(people[who].log, gone);
  }
  void depart(std::size_t of, const roomlog::Hash& gone) {
    if (logs[of].state.member(gone) == nullptr || !resolves_departs) return;
    v1::KeysFromServer message;
    message.mutable_task()->mutable_depart()->set_leaf(to_field(gone));
    if (const auto keeper = next_keeper(of, {})) deliver(*keeper, message);
    at(now + base::seconds(2), [this, of, gone] { depart(of, gone); });
  }
  // An invited listener says yes; inviter is asked for the seat.
  void accept_stage(Who inviter, const roomlog::Hash& of) {
    v1::KeysFromServer message;
    message.mutable_task()->mutable_give_stage()->set_leaf(to_field(of));
    deliver(inviter, message);
  }
  void give_stage(Who inviter, Who who) {
    keys(inviter).allow_stage(leaf(who));
    accept_stage(inviter, leaf(who));
  }

  // From now on these see a copy of the log; its index.
  std::size_t fork(const std::set<Who>& some) {
    HouseLog copy = log(kHost);
    logs.push_back(std::move(copy));
    for (const Who who : some) person(who).log = logs.size() - 1;
    return logs.size() - 1;
  }
  void inject(Who to, const v1::KeysFromServer& message) { send_now(to, message); }

  void run_for(base::Duration duration) {
    const base::Instant end = now + duration;
    for (;;) {
      base::Instant next = agenda_.empty() ? base::kNever : agenda_.begin()->first;
      Who due = people.size();
      for (Who who = 0; who < people.size(); ++who)
        if (people[who].keys && people[who].deadline < next) {
          next = people[who].deadline;
          due = who;
        }
      if (next > end) break;
      now = std::max(now, next);
      if (due == people.size()) {
        const auto action = agenda_.extract(agenda_.begin());
        action.mapped()();
      } else {
        people[due].keys->handle_timeout(now, wall());
        drain(due);
      }
    }
    now = end;
  }
  // After the test called a method of keys().
  void drain(Who who) {
    Person& one = person(who);
    for (v1::KeysFromClient& message : one.keys->take_messages()) {
      if (!one.connected) continue;
      at(now + delay, [this, who, connection = one.connection, message = std::move(message)] {
        if (people[who].connection == connection) handle(who, message);
      });
    }
    for (e2ee::KeyEvent& event : one.keys->take_events()) note(who, event);
    one.deadline = one.keys->next_deadline();
  }

  // A frame of who; empty when nothing may be sent.
  base::Buffer sound(Who who) {
    base::Buffer payload(keys(who).frames().sealed_size());
    const base::Buffer opus = {0xfc, 0xff, 0xfe, static_cast<std::uint8_t>(who)};
    const auto size = keys(who).frames().seal(opus, payload);
    payload.resize(size.value_or(0));
    return payload;
  }
  // Whether it opens as a frame of who's seat.
  bool hears(Who to, Who who, const base::Buffer& payload) {
    const auto opened = keys(to).frames().open(payload);
    if (!opened) return false;
    const roomlog::StageMember* holder = keys(to).state().at_seat(opened->seat);
    return holder != nullptr && holder->certificate.leaf_hash == leaf(who);
  }
  bool hears(Who to, Who who) {
    const base::Buffer payload = sound(who);
    return !payload.empty() && hears(to, who, payload);
  }
  std::size_t count(Who who, e2ee::KeyWarning warning, bool active = true) {
    return static_cast<std::size_t>(std::ranges::count_if(person(who).warnings, [&](const auto& w) {
      return w.warning == warning && w.active == active;
    }));
  }
  bool warned(Who who, e2ee::KeyWarning warning) { return count(who, warning) != 0; }
  std::string warned_of(Who who, e2ee::KeyWarning warning) {
    for (const auto& w : person(who).warnings)
      if (w.warning == warning && w.active) return w.name;
    return "(not warned)";
  }

  void at(base::Instant when, std::function<void()> action) {
    agenda_.emplace(when, std::move(action));
  }
  void deliver(Who to, v1::KeysFromServer message) {
    base::Duration extra{};
    if (tamper) {
      const auto answer = tamper(to, message);
      if (!answer) return;
      extra = *answer;
    }
    at(now + delay + extra, [this, to, connection = people[to].connection, message] {
      if (people[to].connection == connection) send_now(to, message);
    });
  }
  std::optional<Who> holder_of(const roomlog::Hash& leaf_hash) {
    for (Who who = 0; who < people.size(); ++who)
      if (people[who].keys && people[who].keys->leaf_hash() == leaf_hash) return who;
    return std::nullopt;
  }
  // Puts an entry that is valid into a log without asking anybody, and delivers it.
  bool order(std::size_t in, const roomlog::Entry& entry, const v1::AppendEntry& append);

  base::SeededRandom random;
  base::Instant now{base::seconds(1000)};
  roomlog::LinkSecret link_secret{};
  std::vector<Person> people;
  std::vector<HouseLog> logs;

 private:
  void send_now(Who to, const v1::KeysFromServer& message) {
    if (!people[to].connected) return;
    people[to].received += static_cast<std::uint64_t>(message.delivery().entries_size());
    people[to].keys->handle_message(now, wall(), message);
    drain(to);
  }
  void note(Who who, const e2ee::KeyEvent& event) {
    Person& one = person(who);
    if (const auto* warning = std::get_if<e2ee::WarningEvent>(&event))
      one.warnings.push_back(*warning);
    if (const auto* waiting = std::get_if<e2ee::WaitingChanged>(&event))
      one.waiting.push_back(waiting->reason);
    if (std::holds_alternative<e2ee::RosterReady>(event)) one.roster_ready = true;
    if (std::holds_alternative<e2ee::AdmittedEvent>(event)) one.admitted_at = now;
  }

  void want_in(Who who, bool known);
  void ask(std::uint32_t number);
  std::optional<Who> next_keeper(std::size_t in, const std::set<Who>& asked);
  void offer_resume(Who who);
  void send_roster(Who who);
  void handle(Who from, const v1::KeysFromClient& message);
  void handle_append(Who from, const v1::AppendEntry& append);
  void handle_refuse(const v1::RefuseCandidate& refuse);
  void catch_up(Who who, std::uint64_t n);
  void deliver_entry(std::size_t in, std::uint64_t n);
  void admit(const v1::LogChain& chain, const roomlog::Entry& entry, const v1::AppendEntry& append,
             const std::vector<roomlog::Change>& changes);
  v1::DeliveredEntry delivered(const HouseLog& from, std::uint64_t n, const roomlog::Hash& to);

  std::optional<roomlog::Genesis> genesis_;
  std::multimap<base::Instant, std::function<void()>> agenda_;
  std::map<std::uint32_t, Candidate> candidates_;
  std::uint32_t next_candidate_ = 1;
};

inline std::optional<SimulatedHouse::Who> SimulatedHouse::next_keeper(std::size_t in,
                                                                      const std::set<Who>& asked) {
  std::optional<Who> found;
  for (Who who = 0; who < people.size(); ++who) {
    if (!people[who].connected || people[who].log != in || asked.contains(who)) continue;
    if (may_ask && !may_ask(who)) continue;
    const roomlog::StageMember* member = logs[in].state.on_stage(leaf(who));
    if (member == nullptr) continue;
    if (member->role == v1::ROLE_MODERATOR) return who;
    if (!found) found = who;
  }
  return found;
}

inline void SimulatedHouse::want_in(Who who, bool known) {
  Person& one = person(who);
  const roomlog::LogState& state = logs[one.log].state;
  const std::uint32_t number = next_candidate_++;
  candidates_[number] = {.who = who, .keys = one.keys->join_keys(), .known = known, .asked = {}};
  v1::KeysFromServer message;
  if (next_keeper(one.log, {})) {
    message.mutable_waiting()->set_reason(v1::Waiting::REASON_ASKED);
    deliver(who, message);
    return ask(number);
  }
  const bool resumes = state.has_authority(one.identity->public_key());
  message.mutable_waiting()->set_reason(resumes ? v1::Waiting::REASON_RESUME
                                                : v1::Waiting::REASON_NOBODY);
  deliver(who, message);
  if (resumes) offer_resume(who);
}

inline void SimulatedHouse::ask(std::uint32_t number) {
  const auto found = candidates_.find(number);
  if (found == candidates_.end()) return;
  Candidate& candidate = found->second;
  const auto keeper = next_keeper(people[candidate.who].log, candidate.asked);
  if (keeper) {
    candidate.asked.insert(*keeper);
    v1::KeysFromServer message;
    v1::AdmitTask& task = *message.mutable_task()->mutable_admit();
    task.set_candidate(number);
    *task.mutable_keys() = candidate.keys;
    task.set_known(candidate.known);
    deliver(*keeper, message);
  } else {
    candidate.asked.clear();
  }
  at(now + base::milliseconds(500), [this, number] { ask(number); });
}

inline void SimulatedHouse::offer_resume(Who who) {
  v1::KeysFromServer message;
  *message.mutable_resume() = log(who).chain();
  deliver(who, message);
  if (!log(who).entries.empty()) send_roster(who);
}

inline void SimulatedHouse::send_roster(Who who) {
  const HouseLog& of = log(who);
  const auto& roster = of.state.roster();
  std::uint32_t first = 0;
  auto it = roster.begin();
  do {
    v1::KeysFromServer message;
    v1::RosterPart& part = *message.mutable_roster();
    part.set_first(first);
    part.set_total(static_cast<std::uint32_t>(roster.size()));
    for (int i = 0; i < 64 && it != roster.end(); ++i, ++it, ++first)
      *part.add_certificates() = it->second.object;
    if (it == roster.end()) *part.mutable_head() = of.entries.back();
    if (hold_roster && part.first() != 0)
      held_parts.emplace_back([this, who, message] { deliver(who, message); });
    else
      deliver(who, message);
  } while (it != roster.end());
}

inline void SimulatedHouse::handle(Who from, const v1::KeysFromClient& message) {
  const std::size_t in = people[from].log;
  if (message.has_append()) handle_append(from, message.append());
  if (message.has_refuse()) handle_refuse(message.refuse());
  if (message.has_request_roster()) send_roster(from);
  if (message.has_have()) catch_up(from, message.have().n());
  if (message.has_request_box()) {
    v1::KeysFromServer task;
    task.mutable_task()->mutable_rebox()->set_leaf(to_field(leaf(from)));
    if (const auto keeper = next_keeper(in, {from})) deliver(*keeper, task);
  }
  if (!message.has_box()) return;
  v1::KeysFromServer box;
  *box.mutable_box() = message.box();
  if (const auto to = holder_of(to_hash(message.box().leaf()))) deliver(*to, box);
}

inline void SimulatedHouse::handle_refuse(const v1::RefuseCandidate& refuse) {
  const auto found = candidates_.find(refuse.candidate());
  if (found == candidates_.end()) return;
  people[found->second.who].refusals.push_back(refuse.reason());
  if (refuse.reason() != v1::RefuseCandidate::REASON_CANNOT_CHECK) candidates_.erase(found);
}

inline void SimulatedHouse::handle_append(Who from, const v1::AppendEntry& given) {
  v1::AppendEntry append = given;
  appends.emplace_back(from, append);
  if (filter_append && !filter_append(from, append)) return;
  const auto entry = roomlog::parse_entry(append.entry());
  const HouseLog& of = log(from);
  v1::KeysFromServer refused;
  refused.mutable_append_refused()->set_request(append.request());
  if (!entry || entry->body.n() != of.state.n() + 1)
    refused.mutable_append_refused()->set_reason(entry ? "log.conflict" : "log.invalid");
  else if (order(people[from].log, *entry, append))
    return;
  else
    refused.mutable_append_refused()->set_reason("log.invalid");
  deliver(from, refused);
}

inline bool SimulatedHouse::order(std::size_t in, const roomlog::Entry& entry,
                                  const v1::AppendEntry& append) {
  HouseLog& of = logs[in];
  const v1::LogChain chain = of.chain();
  const roomlog::EntryClass entry_class = of.state.class_of(entry.body);
  const auto changes = of.state.apply(entry, roomlog::Follow::kFull);
  if (!changes) return false;
  of.entries.push_back(entry.object);
  of.is_short.push_back(entry_class.is_short());
  if (entry_class.is_authority()) of.authority.push_back(entry.object);
  if (entry.has_advance()) of.advance = entry.object;
  if (entry_class.is_short()) of.head = entry.object;
  std::size_t offset = 0;
  if (!append.boxes().empty())
    for (const auto& [member, certificate] : of.state.roster()) {
      if (member == to_hash(entry.body.author())) continue;
      of.boxes[entry.body.n()][member] = append.boxes().substr(offset, 80);
      offset += 80;
    }
  deliver_entry(in, entry.body.n());
  admit(chain, entry, append, *changes);
  return true;
}

inline v1::DeliveredEntry SimulatedHouse::delivered(const HouseLog& from, std::uint64_t n,
                                                    const roomlog::Hash& to) {
  v1::DeliveredEntry entry;
  *entry.mutable_entry() = from.entries[n - 1];
  const auto boxes = from.boxes.find(n);
  if (boxes != from.boxes.end())
    if (const auto box = boxes->second.find(to); box != boxes->second.end())
      entry.set_box(box->second);
  return entry;
}

inline void SimulatedHouse::deliver_entry(std::size_t in, std::uint64_t n) {
  const HouseLog& of = logs[in];
  for (Who who = 0; who < people.size(); ++who) {
    // Also to whoever this entry takes out.
    if (!people[who].connected || people[who].log != in || !keys(who).admitted()) continue;
    const bool full = of.state.on_stage(leaf(who)) != nullptr;
    if (!full && !of.is_short[n - 1]) continue;
    v1::KeysFromServer message;
    *message.mutable_delivery()->add_entries() = delivered(of, n, leaf(who));
    deliver(who, message);
  }
}

inline void SimulatedHouse::admit(const v1::LogChain& chain, const roomlog::Entry& entry,
                                  const v1::AppendEntry& append,
                                  const std::vector<roomlog::Change>& changes) {
  for (const roomlog::Change& change : changes) {
    const auto* in = std::get_if<roomlog::Admitted>(&change);
    if (in == nullptr) continue;
    const auto who = holder_of(in->certificate.leaf_hash);
    if (!who) continue;
    v1::KeysFromServer message;
    v1::Admitted& admitted = *message.mutable_admitted();
    *admitted.mutable_chain() = chain;
    *admitted.mutable_admit() = entry.object;
    for (const v1::JoinBox& box : append.join_boxes()) {
      const auto candidate = candidates_.find(box.candidate());
      if (candidate != candidates_.end() && candidate->second.who == *who)
        admitted.set_box(box.box());
    }
    deliver(*who, message);
    std::erase_if(candidates_, [&](const auto& one) { return one.second.who == *who; });
  }
  // Whoever waits for a stage member is asked for again.
  if (entry.body.resume())
    for (const auto& [number, candidate] : candidates_)
      at(now, [this, asked = number] { ask(asked); });
}

inline void SimulatedHouse::catch_up(Who who, std::uint64_t n) {
  const HouseLog& of = log(who);
  const bool full = of.state.on_stage(leaf(who)) != nullptr;
  v1::KeysFromServer message;
  for (std::uint64_t next = n + 1; next <= of.entries.size(); ++next)
    if (full || of.is_short[next - 1])
      *message.mutable_delivery()->add_entries() = delivered(of, next, leaf(who));
  if (message.has_delivery()) deliver(who, message);
}

}  // namespace alcove::simulation
