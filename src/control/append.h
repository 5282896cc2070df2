#pragma once
// One entry for a room's log, judged before anything is changed: by the log's rules for its place,
// by the room for what it does. All or nothing. One thread.

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "control/api_error.h"
#include "control/live_room.h"

namespace alcove::control {

// A candidate that an entry admits.
struct Entering {
  roomlog::Hash leaf{};
  std::optional<roomlog::Hash> replaced;  // the leaf whose place it takes
  std::string box;                        // its JoinBox; empty for who wrote the resume
};

struct AppendPlan {
  roomlog::Entry entry;
  roomlog::LogState::Checked checked;
  std::string boxes;
  std::vector<Entering> entering;
  rooms::Transaction room;
};

// The log first: for what it does not take, the room is not copied. by: who sends it, a member or a
// candidate.
struct Clocks {
  base::Instant now;
  base::WallTime wall;
};
std::expected<AppendPlan, ApiError> plan_append(const LiveRoom& room, const Membership& by,
                                                const v1::AppendEntry& request, Clocks clocks);

// Of 32 bytes.
std::optional<roomlog::Hash> to_hash(const std::string& bytes);

ApiError log_invalid();
ApiError log_conflict();
ApiError log_candidate_gone();
ApiError log_full();

}  // namespace alcove::control
