#pragma once
// What a member brings along to a room. Values.

#include <cstdint>
#include <optional>
#include <string>

#include "e2ee/key_log.h"
#include "e2ee/known_devices.h"
#include "roomlog/objects.h"

namespace alcove::e2ee {

struct RoomKeysOptions {
  std::string account;  // account id as text, or "guest"
  std::string display_name;
  std::optional<roomlog::LinkSecret> link_secret;
  // Which link's it is, where an earlier join of this visit knew that beyond doubt.
  std::optional<std::uint32_t> link_generation;
  // This identity has been in the room: that it is let in again says nothing of its link.
  bool was_inside = false;
  bool keep_log = true;  // for export_log(); at most 64 MiB
  // Asked about each account's identity; outlives the room keys. Null: nobody is told of a changed
  // device.
  KnownDevices* known_devices = nullptr;
  // Is told this member's keys; outlives the room keys. Null: they are written nowhere.
  KeyLog* key_log = nullptr;
};

}  // namespace alcove::e2ee
