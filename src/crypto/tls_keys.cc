#include "crypto/tls_keys.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace alcove::crypto {
namespace {

struct Mac {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  base::Bytes view() const { return base::Bytes(bytes).first(size); }
};

Mac hmac(TlsHash hash, base::Bytes key, base::Bytes message) {
  static constexpr std::uint8_t kNoBytes = 0;  // HMAC takes a null key for "as before"
  Mac mac;
  CHECK(HMAC(hash == TlsHash::kSha256 ? EVP_sha256() : EVP_sha384(),
             key.empty() ? &kNoBytes : key.data(), static_cast<int>(key.size()), message.data(),
             message.size(), mac.bytes.data(), &mac.size) != nullptr);
  return mac;
}

void append(base::Buffer& out, base::Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

void tls12_prf(TlsHash hash, base::Bytes secret, std::string_view label, base::Bytes seed,
               base::MutableBytes out) {
  base::Buffer label_and_seed = base::to_buffer(base::as_bytes(label));
  append(label_and_seed, seed);
  Mac chain = hmac(hash, secret, label_and_seed);  // A(1)
  while (!out.empty()) {
    base::Buffer message = base::to_buffer(chain.view());
    append(message, label_and_seed);
    const Mac block = hmac(hash, secret, message);
    const std::size_t count = std::min<std::size_t>(block.size, out.size());
    std::copy_n(block.bytes.begin(), count, out.begin());
    out = out.subspan(count);
    chain = hmac(hash, secret, chain.view());
  }
}

void tls13_expand_label(TlsHash hash, base::Bytes secret, std::string_view label,
                        base::Bytes context, base::MutableBytes out) {
  constexpr std::string_view kPrefix = "tls13 ";
  CHECK(context.size() <= 255 && label.size() + kPrefix.size() <= 255);
  const auto byte = [](std::size_t value) { return static_cast<std::uint8_t>(value); };
  base::Buffer info = {byte(out.size() >> 8), byte(out.size()),
                       byte(kPrefix.size() + label.size())};
  append(info, base::as_bytes(kPrefix));
  append(info, base::as_bytes(label));
  info.push_back(byte(context.size()));
  append(info, context);
  Mac block;  // T(0) is empty
  for (std::size_t counter = 1; !out.empty(); ++counter) {
    CHECK(counter <= 255);
    base::Buffer message = base::to_buffer(block.view());
    append(message, info);
    message.push_back(byte(counter));
    block = hmac(hash, secret, message);
    const std::size_t count = std::min<std::size_t>(block.size, out.size());
    std::copy_n(block.bytes.begin(), count, out.begin());
    out = out.subspan(count);
  }
}

}  // namespace alcove::crypto
