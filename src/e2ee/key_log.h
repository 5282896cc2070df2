#pragma once
// Where a member's own keys are written down on request of the person, for audits of what others
// saw: as SSLKEYLOGFILE is for TLS. Whoever reads it can hear what this member heard.

#include <string_view>

#include "base/bytes.h"

namespace alcove::e2ee {

class KeyLog {
 public:
  virtual ~KeyLog() = default;
  // kind: "leaf" (Ed25519 seed), "encryption" (X25519 private key), "epoch" (its secret),
  // "link_secret".
  virtual void add(std::string_view kind, base::Bytes secret) = 0;
};

}  // namespace alcove::e2ee
