#pragma once
// One room's log with every op and class, and entries that do not belong in it: the vectors of
// tests/vectors/room-keys/log.json.

#include <memory>
#include <string>
#include <vector>

#include "support/room_log_fixture.h"

namespace alcove::roomlog_test {

struct ScenarioStep {
  std::string what;
  roomlog::LogState before;
  roomlog::LogState after;  // as of this entry, full
};

struct InvalidEntry {
  std::string what;
  std::size_t after = 0;  // number of entries of the scenario before it
  roomlog::Follow follow = roomlog::Follow::kFull;
  Entry entry;
  roomlog::LogError error;
};

struct InvalidChain {
  std::string what;
  v1::LogChain chain;
  roomlog::LogError error;
};

struct Scenario {
  RoomLog log;
  std::vector<ScenarioStep> steps;
};

std::unique_ptr<Scenario> make_scenario();
std::vector<InvalidEntry> invalid_entries(Scenario& scenario);
std::vector<InvalidChain> invalid_chains(const Scenario& scenario);

}  // namespace alcove::roomlog_test
