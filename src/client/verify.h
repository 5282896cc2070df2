#pragma once
// A room's log checked from outside (docs/protocol/room-keys.md, "The log"): the chain that a
// server gives to anyone with the link, and the log that a member exported. Pure; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "client/member_event.h"
#include "roomlog/log_state.h"
#include "roomlog/objects.h"

namespace alcove::client {

struct VerifyProblem {
  std::uint64_t n = 0;  // the entry's number as it says itself; 0: not of one entry
  std::string message;
};

struct LogCounts {
  std::size_t entries = 0;  // checked and valid, those of authority included
  std::size_t admitted = 0;
  std::size_t departed = 0;
  std::size_t ejected = 0;
  std::size_t roles = 0;
  std::size_t advances = 0;
};

struct VerifyReport {
  std::optional<roomlog::Genesis> genesis;  // nullopt: there is a problem
  bool compared = false;                    // the fingerprint came with the link
  std::optional<roomlog::LogState> state;   // after the last valid entry
  LogCounts counts;
  std::uint64_t complete_from = 0;  // n from which every entry was there; 0: none
  std::vector<VerifyProblem> problems;
  std::vector<std::string> unchecked;  // what nothing here can prove, a sentence each

  bool verified() const { return problems.empty(); }
};

// GET /v1/rooms/{id}/log. fingerprint: of the link's fragment, nullopt where it had none.
VerifyReport verify_chain(const v1::LogChain& chain, const base::RoomId& room,
                          const std::optional<roomlog::Hash>& fingerprint);
// Without a network. After an entry that is not valid no further one is applied, but each is read.
VerifyReport verify_export(const v1::LogExport& log);

// The report as events: room, log, stage_member, roster_member, unchecked, problem, and at the end
// result. docs/alcove-client.md lists their fields.
std::vector<MemberEvent> to_events(const VerifyReport& report);

}  // namespace alcove::client
