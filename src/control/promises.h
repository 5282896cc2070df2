#pragma once
// What the server says in public about where packets go, and what holds it to that. Made by the
// program, and made anew when the policy is read again. One thread.

#include <memory>
#include <vector>

#include "alcove/v1/manifest.pb.h"
#include "policy/endpoint_gate.h"

namespace alcove::control {

struct Promises {
  // Null: nothing is denied and no relay's candidates are checked (tests).
  std::shared_ptr<const policy::EndpointGate> gate;
  // Without a key: there is none, and its paths are not there.
  v1::SignedManifest manifest;
  // Of changes, from the first.
  std::vector<v1::SignedTransparencyEntry> log;
};

}  // namespace alcove::control
