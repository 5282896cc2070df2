#pragma once
// The append-only, hash-chained log of a server's changes of policy and manifest. Pure: who stores
// or fetches the entries is elsewhere. Any thread.

#include <cstdint>
#include <optional>
#include <string>

#include "alcove/v1/manifest.pb.h"
#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"

namespace alcove::policy {

// Follows a log entry by entry, from the first or from a head that was checked before.
class TransparencyLog {
 public:
  struct Head {
    std::uint64_t size = 0;
    crypto::Sha256Digest hash{};     // of the last entry; zero for none
    crypto::Ed25519PublicKey key{};  // in force; zero for none
    crypto::Sha256Digest policy{};   // of the last entries that said so
    crypto::Sha256Digest manifest{};
    std::int64_t at_ms = 0;
  };
  TransparencyLog() = default;
  explicit TransparencyLog(const Head& head) : head_(head) {}

  const Head& head() const { return head_; }
  // Takes the next entry, or says what is wrong with it and stays as it is: number, previous hash,
  // time that runs back, signature, a key changed by another than the old key.
  base::Result<v1::TransparencyEntry> append(const v1::SignedTransparencyEntry& entry);

 private:
  Head head_;
};

// Makes the next entry; n, previous and at_ms (never before the last) are filled in here.
v1::SignedTransparencyEntry make_entry(const TransparencyLog::Head& head,
                                       v1::TransparencyEntry entry, std::int64_t now_ms,
                                       const crypto::Ed25519PrivateKey& key);

}  // namespace alcove::policy
