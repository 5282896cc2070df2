// What people pass on and compare, and the protocol's Expand.

#include <algorithm>

#include "base/text.h"
#include "crypto/hkdf.h"
#include "roomlog/objects.h"

namespace alcove::roomlog {

std::string room_code(const Hash& fingerprint) {
  std::string code;
  base::ByteReader reader(fingerprint);
  for (int group = 0; group < 6; ++group) {
    // 40 bits modulo 100,000, in the two halves that the reader has: both are there.
    const std::uint64_t high = reader.read_u8().value_or(0);
    const std::uint64_t low = reader.read_u32().value_or(0);
    const std::string digits = std::to_string((high << 32 | low) % 100'000);
    if (group != 0) code += ' ';
    code.append(5 - digits.size(), '0');
    code += digits;
  }
  return code;
}

crypto::Sha256Digest link_mac(const LinkSecret& secret, const Hash& room, const Hash& leaf_hash) {
  crypto::Sha256Digest key;
  expand(secret, "link", {}, key);
  std::array<std::uint8_t, 64> message;
  std::ranges::copy(leaf_hash, std::ranges::copy(room, message.begin()).out);
  return crypto::hmac_sha256(key, message);
}

std::string to_text(const LinkFragment& fragment) {
  return base::to_base64url(fragment.fingerprint) + "." + base::to_base64url(fragment.secret);
}

std::expected<LinkFragment, ObjectError> parse_link_fragment(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::unexpected(ObjectError::kBadField);
  const auto fingerprint = base::from_base64url(text.substr(0, dot));
  const auto secret = base::from_base64url(text.substr(dot + 1));
  LinkFragment fragment;
  if (!fingerprint || fingerprint->size() != fragment.fingerprint.size() || !secret ||
      secret->size() != fragment.secret.size())
    return std::unexpected(ObjectError::kBadField);
  std::ranges::copy(*fingerprint, fragment.fingerprint.begin());
  std::ranges::copy(*secret, fragment.secret.begin());
  return fragment;
}

base::Buffer length_prefixed(base::Bytes bytes) {
  CHECK(bytes.size() <= 0xffff);
  base::Buffer out(2 + bytes.size());
  base::ByteWriter writer(out);
  writer.write_u16(static_cast<std::uint16_t>(bytes.size()));
  writer.write_bytes(bytes);
  return out;
}

void expand(base::Bytes secret, std::string_view label, base::Bytes context,
            base::MutableBytes out) {
  base::Buffer info = length_prefixed(base::as_bytes("alcove 1 " + std::string(label)));
  const base::Buffer second = length_prefixed(context);
  info.insert(info.end(), second.begin(), second.end());
  crypto::hkdf_expand(secret, info, out);
}

}  // namespace alcove::roomlog
