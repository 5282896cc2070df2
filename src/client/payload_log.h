#pragma once
// Where received payloads are written down as they came out of SRTP, for audits: what a relay has
// of the sound, since it hands payloads on as they are.

#include "base/bytes.h"
#include "base/time.h"

namespace alcove::client {

class PayloadLog {
 public:
  virtual ~PayloadLog() = default;
  virtual void add(base::Instant now, unsigned slot, base::Bytes payload) = 0;
};

}  // namespace alcove::client
