#include "crypto/ipsec_mb/gcm.h"

#include <intel-ipsec-mb.h>

namespace alcove::crypto::ipsec_mb {
namespace {

constexpr std::size_t kTag = 16;
constexpr std::size_t kLine = 64;
constexpr std::size_t kRoundKeys = 176;
// The powers of the hash key lie with the greatest first, and a short packet uses the last ones.
constexpr std::size_t kPowersUsed = std::size_t{16} * 16;

static_assert(sizeof(gcm_key_data) <= GcmKey::kSize && alignof(gcm_key_data) <= alignof(GcmKey));

// What is the same for all keys. It lives as long as the process: other threads may still seal.
struct Library {
  IMB_MGR* manager = nullptr;
  bool usable = false;
  std::size_t powers_end = 0;  // in gcm_key_data
};

Library load() {
  Library library;
  library.manager = alloc_mb_mgr(0);
  if (library.manager == nullptr) return library;
  init_mb_mgr_auto(library.manager, nullptr);
  const std::uint64_t features = library.manager->features;
  const auto has = [&](std::uint64_t flags) { return (features & flags) == flags; };
  // Without AES instructions the library has a slow way of its own; OpenSSL's is better tested.
  library.usable = imb_get_errno(library.manager) == 0 && has(IMB_CPUFLAGS_SSE) &&
                   !has(IMB_FEATURE_AESNI_EMU) &&
                   (!has(IMB_FEATURE_SELF_TEST) || has(IMB_FEATURE_SELF_TEST_PASS));
  const bool wide = library.manager->used_arch == IMB_ARCH_AVX512 && has(IMB_CPUFLAGS_AVX512_T2);
  library.powers_end = kRoundKeys + std::size_t{16} * (wide ? 48 : 16);
  return library;
}

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

}  // namespace

bool is_available() { return library().usable; }

GcmKey::GcmKey(const std::array<std::uint8_t, 16>& key) : bytes{} {
  IMB_AES128_GCM_PRE(library().manager, key.data(), reinterpret_cast<gcm_key_data*>(bytes.data()));
}

void GcmKey::prefetch() const {
  const std::size_t end = library().powers_end;
  for (std::size_t at = 0; at < kRoundKeys; at += kLine) __builtin_prefetch(&bytes[at]);
  for (std::size_t at = (end - kPowersUsed) / kLine * kLine; at < end; at += kLine)
    __builtin_prefetch(&bytes[at]);
}

void seal(const GcmKey& key, const std::array<std::uint8_t, 12>& iv, base::Bytes clear,
          base::Bytes data, std::uint8_t* out) {
  gcm_context_data context;
  IMB_AES128_GCM_ENC(library().manager, reinterpret_cast<const gcm_key_data*>(key.bytes.data()),
                     &context, out, data.data(), data.size(), iv.data(), clear.data(), clear.size(),
                     out + data.size(), kTag);
}

}  // namespace alcove::crypto::ipsec_mb
