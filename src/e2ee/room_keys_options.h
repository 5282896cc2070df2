#pragma once
// What a member brings along to a room. Values.

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
  bool keep_log = true;  // for export_log(); at most 64 MiB
  // Asked about each account's identity; outlives the room keys. Null: nobody is told of a changed
  // device.
  KnownDevices* known_devices = nullptr;
  // Is told this member's keys; outlives the room keys. Null: they are written nowhere.
  KeyLog* key_log = nullptr;
};

}  // namespace alcove::e2ee
