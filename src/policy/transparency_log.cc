#include "policy/transparency_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace alcove::policy {
namespace {

constexpr std::string_view kContext = "alcove log v1";
constexpr std::size_t kMaxEntry = 4096;
constexpr std::size_t kMaxSummary = 2000;

std::string signed_bytes(std::string_view entry) {
  std::string bytes(kContext);
  bytes.push_back('\0');
  bytes += entry;
  return bytes;
}

// An empty field says nothing and leaves the target.
template <typename Array>
bool copy_to(Array& target, const std::string& field) {
  if (field.empty()) return true;
  if (field.size() != target.size()) return false;
  std::ranges::copy(base::as_bytes(field), target.begin());
  return true;
}

bool is_summary(std::string_view text) {
  return text.size() <= kMaxSummary && base::is_utf8(text) &&
         std::ranges::none_of(
             text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// What can be said of an entry without its signature; next has what it changes. "" when well.
std::string_view find_fault(const TransparencyLog::Head& head, const v1::TransparencyEntry& entry,
                            TransparencyLog::Head& next) {
  using Entry = v1::TransparencyEntry;
  if (entry.n() != head.size) return "has another number";
  if (entry.previous() != base::as_text(head.hash))
    return "does not name the entry before it: one was changed, taken away or put in between";
  if (entry.at_ms() < head.at_ms || entry.at_ms() < 0) return "is older than the entry before it";
  if (entry.kind() < Entry::KIND_KEY || entry.kind() > Entry::KIND_MANIFEST)
    return "is of a kind that is not known here";
  if (!is_summary(entry.summary())) return "has a summary that is too long or not plain text";
  if (!copy_to(next.policy, entry.policy_sha256()) ||
      !copy_to(next.manifest, entry.manifest_sha256()) || !copy_to(next.key, entry.key()))
    return "has a hash or a key that has not 32 bytes";
  if (entry.kind() == Entry::KIND_KEY) {
    if (entry.key().empty()) return "is of a key and names none";
    if (!crypto::ed25519_key_is_valid(next.key)) return "names a key that is not valid";
  } else if (head.size == 0) {
    return "is the first and names no key";
  } else if (next.key != head.key) {
    return "changes the key without saying so";
  }
  next.size = head.size + 1;
  next.at_ms = entry.at_ms();
  return {};
}

}  // namespace

base::Result<v1::TransparencyEntry> TransparencyLog::append(
    const v1::SignedTransparencyEntry& entry) {
  const auto bad = [this](std::string_view why) {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("Entry {} of the log {}.", head_.size, why));
  };
  v1::TransparencyEntry body;
  if (entry.entry().size() > kMaxEntry || !body.ParseFromString(entry.entry()))
    return bad("is not an entry, or too long");
  Head next = head_;
  if (const std::string_view fault = find_fault(head_, body, next); !fault.empty())
    return bad(fault);
  crypto::Ed25519Signature signature{};
  if (entry.signature().empty() || !copy_to(signature, entry.signature()) ||
      !crypto::ed25519_verify(head_.size == 0 ? next.key : head_.key,
                              base::as_bytes(signed_bytes(entry.entry())), signature))
    return bad("is not signed by the key in force");
  next.hash = crypto::sha256(base::as_bytes(entry.entry()));
  head_ = next;
  return body;
}

v1::SignedTransparencyEntry make_entry(const TransparencyLog::Head& head,
                                       v1::TransparencyEntry entry, std::int64_t now_ms,
                                       const crypto::Ed25519PrivateKey& key) {
  CHECK(entry.summary().size() <= kMaxSummary);
  entry.set_n(head.size);
  entry.set_previous(std::string(base::as_text(head.hash)));
  entry.set_at_ms(std::max(now_ms, head.at_ms));
  v1::SignedTransparencyEntry result;
  result.set_entry(entry.SerializeAsString());
  result.set_signature(
      std::string(base::as_text(key.sign(base::as_bytes(signed_bytes(result.entry()))))));
  return result;
}

}  // namespace alcove::policy
