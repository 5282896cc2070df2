#pragma once
// From waiting to being in: the chain and the JoinBox are checked, or the room is founded or
// resumed (docs/protocol/room-keys.md, "Joining"). One thread.

#include <optional>

#include "e2ee/member.h"
#include "e2ee/roster_collector.h"
#include "e2ee/writer.h"

namespace alcove::e2ee {

class Joining {
 public:
  Joining(Member& member, Writer& writer)
      : member_(member), writer_(writer), collector_(member.room()) {}

  void handle_waiting(const v1::Waiting& waiting);
  // The chain of a room that this member may found or resume.
  void handle_resume(base::Instant now, base::WallTime wall, const v1::LogChain& chain);
  void handle_roster(base::Instant now, base::WallTime wall, const v1::RosterPart& part);
  // The entry that admitted this member, when it is in now.
  std::optional<roomlog::Entry> handle_admitted(base::Instant now, const v1::Admitted& admitted);
  // The resume was not taken: the server says anew what is to be done.
  void handle_refused();

 private:
  void write_resume(base::Instant now, base::WallTime wall);
  std::optional<roomlog::Entry> finish_resume(base::Instant now, const roomlog::Entry& entry);
  std::optional<roomlog::Entry> finish_join(base::Instant now, const roomlog::Entry& admit,
                                            const v1::Admitted& admitted);
  // Whether the link's secret is the current one.
  void note_link();

  Member& member_;
  Writer& writer_;
  RosterCollector collector_;
  // What a resume continues; with it the own entry that is on the way.
  std::optional<roomlog::WalkedChain> resume_;
  v1::LogChain resume_chain_;
  std::vector<roomlog::Certificate> resume_roster_;
  std::optional<roomlog::Entry> resume_head_;
  std::optional<roomlog::Entry> own_resume_;
};

}  // namespace alcove::e2ee
