#pragma once
// The floor's encryption: AES-128-GCM of one payload for many keys, by intel-ipsec-mb or by
// OpenSSL. Not the relay's code: what it is measured against.

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace alcove::bench {

class Sealer {
 public:
  virtual ~Sealer() = default;
  // packet: header (authenticated), then place for the payload and the tag. The payload is read
  // from elsewhere: it is the same for all.
  virtual void seal(std::size_t key, base::Bytes iv, base::Bytes payload,
                    base::MutableBytes packet) = 0;
};

// "ipsec-mb" or "openssl", with random keys; nullptr for another name or where it cannot run.
std::unique_ptr<Sealer> make_sealer(std::string_view name, std::size_t keys);

}  // namespace alcove::bench
