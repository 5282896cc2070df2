#pragma once
// A room of a SimulatedHouse with people in it: what most tests of room keys begin with.

#include <string>

#include "support/simulated_house.h"

namespace alcove::simulation {

using Who = SimulatedHouse::Who;

// The host and others, everyone in; the first speakers of the others are on the stage.
struct Room : SimulatedHouse {
  explicit Room(std::size_t others = 0, std::size_t speakers = 0,
                v1::RoomKind kind = v1::ROOM_KIND_OPEN, bool with_link = false)
      : SimulatedHouse(kind) {
    join(kHost);
    run_for(base::milliseconds(500));
    for (std::size_t i = 0; i < others; ++i) {
      const Who who = add_person("member" + std::to_string(i + 1));
      if (with_link) person(who).link = link_secret;
      join(who);
      run_for(base::milliseconds(500));
      if (i >= speakers) continue;
      give_stage(kHost, who);
      run_for(base::milliseconds(500));
    }
  }
  std::size_t all_warnings() {
    std::size_t count = 0;
    for (const Person& one : people) count += one.warnings.size();
    return count;
  }
};

}  // namespace alcove::simulation
