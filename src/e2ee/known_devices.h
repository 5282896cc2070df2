#pragma once
// Which identity key each account had last time: trust on first use (docs/protocol/room-keys.md,
// "What it promises"). The caller implements it on whatever it stores things in.

#include <cstdint>

#include "roomlog/objects.h"

namespace alcove::e2ee {

class KnownDevices {
 public:
  enum class Seen : std::uint8_t { kNew, kKnown, kChanged };
  virtual ~KnownDevices() = default;
  // Says it of the certificate's account and identity, and remembers the identity from now on.
  // Called once for each identity in a room, never for guests.
  virtual Seen see(const roomlog::Certificate& certificate) = 0;
};

}  // namespace alcove::e2ee
