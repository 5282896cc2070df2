#pragma once
// Follows the log once the member is in: entries, their epochs, boxes, and the roster. One thread.

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "e2ee/member.h"
#include "e2ee/roster_collector.h"

namespace alcove::e2ee {

// An entry that was applied, for whoever has duties that follow from it.
struct Applied {
  roomlog::Entry entry;
  roomlog::EntryClass entry_class;
  std::vector<roomlog::Change> changes;
  bool ejects = false;
  // Leaves that missed their turns for the third time with this entry.
  bool told_missing = false;
};

class Follower {
 public:
  explicit Follower(Member& member) : member_(member), collector_(member.room()) {}

  // nullopt: nothing was applied; a fork or a failed check has been told, or it is a repetition.
  std::optional<Applied> handle_entry(base::Instant now, const v1::DeliveredEntry& delivered);
  void handle_roster(const v1::RosterPart& part);
  void handle_box(base::Instant now, const v1::MemberBox& box);
  void handle_connected(base::Instant now);
  void handle_timeout(base::Instant now);
  base::Instant next_deadline() const;

  void request_roster();
  // The epoch of the entry that admitted this member is missing or wrong.
  void miss_epoch(base::Instant now);
  // Seats, devices, boxes to prepare: once at the beginning.
  void begin(base::Instant now, const roomlog::Entry& admit);
  // Of a listener that asked.
  const std::vector<roomlog::Certificate>& listener_roster() const { return listener_roster_; }

 private:
  static constexpr std::size_t kRememberedHashes = 256;
  static constexpr base::Duration kAskAgainAfter = base::seconds(2);
  static constexpr base::Duration kEarly = base::seconds(25);
  static constexpr unsigned kMaxRosterTries = 3;

  bool is_repetition(const roomlog::Entry& entry);
  void remember(const roomlog::Entry& entry);
  void note_changes(base::Instant now, const Applied& applied);
  void note_admitted(const roomlog::Admitted& admitted);
  void note_departed(const roomlog::Departed& departed);
  void note_own_role(const roomlog::RoleChanged& changed);
  void take_link(const std::optional<roomlog::LinkSecret>& secret);
  void look_for_link(const roomlog::Entry& entry);
  void note_turns(base::Instant now, Applied& applied, const Turns::Stage& before);
  void tell_early_departs(base::Instant now, const roomlog::Entry& entry,
                          const Turns::Stage& before);
  void follow_epoch(base::Instant now, const Applied& applied, base::Bytes box,
                    const std::string& author);
  std::optional<Secret> find_epoch(const roomlog::Entry& entry, base::Bytes box,
                                   bool& is_authors_fault) const;
  std::optional<Secret> find_fresh_epoch(const roomlog::Entry& entry, const Secret& fresh) const;
  void adopt(std::vector<roomlog::Certificate> certificates, const roomlog::Entry& head);
  void request_box(base::Instant now);

  Member& member_;
  RosterCollector collector_;
  unsigned roster_tries_ = 0;
  bool roster_wanted_ = false;
  // A listener's, as it was when the first part came: entries may come between the parts.
  std::optional<roomlog::LogState> roster_base_;
  std::vector<roomlog::Certificate> listener_roster_;
  std::deque<std::pair<std::uint64_t, roomlog::Hash>> remembered_;
  base::Instant ask_again_at_ = base::kNever;
};

}  // namespace alcove::e2ee
