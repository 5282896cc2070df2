#pragma once
// AES-128-GCM by intel-ipsec-mb with a key that is expanded once. gcm.cc is it; absent.cc stands in
// where the library is not there. Private to src/crypto. Any thread.

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "crypto/wipe.h"

namespace alcove::crypto::ipsec_mb {

// False: nothing below may be called.
bool is_available();

// Expanded: the round keys and the powers of the hash key. Wiped at its end.
struct alignas(64) GcmKey {
  static constexpr std::size_t kSize = 1024;
  explicit GcmKey(const std::array<std::uint8_t, 16>& key);
  GcmKey(const GcmKey&) = delete;
  GcmKey& operator=(const GcmKey&) = delete;
  ~GcmKey() { wipe(bytes); }

  // Asks the CPU for what seal() of a short packet will read.
  void prefetch() const;

  std::array<std::uint8_t, kSize> bytes;
};

// out: data.size() bytes and after them 16 of tag; may begin where data does.
void seal(const GcmKey& key, const std::array<std::uint8_t, 12>& iv, base::Bytes clear,
          base::Bytes data, std::uint8_t* out);

}  // namespace alcove::crypto::ipsec_mb
