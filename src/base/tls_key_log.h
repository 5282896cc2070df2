#pragma once
// Where the secrets of TLS and DTLS sessions go, for audits: lines of the NSS key log format, such
// as "CLIENT_RANDOM <random> <secret>", which open a capture of these sessions. One thread.

#include <string_view>

namespace alcove::base {

class TlsKeyLog {
 public:
  virtual ~TlsKeyLog() = default;
  // Without a line feed.
  virtual void add_line(std::string_view line) = 0;
};

}  // namespace alcove::base
