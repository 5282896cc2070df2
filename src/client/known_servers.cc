#include "client/known_servers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace alcove::client {

namespace {

bool is_origin(std::string_view text) {
  return !text.empty() && text.size() <= 512 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

KnownServers KnownServers::parse(std::string_view text) {
  KnownServers result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view origin = line.substr(0, space);
    const auto hash = base::from_base64url(line.substr(std::min(space + 1, line.size())));
    crypto::Sha256Digest digest{};
    if (!is_origin(origin) || !hash || hash->size() != digest.size()) continue;
    std::ranges::copy(*hash, digest.begin());
    if (result.servers_.size() < kMaxServers) result.servers_.emplace(origin, digest);
  }
  return result;
}

std::string KnownServers::text() const {
  std::string out;
  for (const auto& [origin, hash] : servers_)
    out += fmt::format("{} {}\n", origin, base::to_base64url(hash));
  return out;
}

std::optional<crypto::Sha256Digest> KnownServers::find(std::string_view origin) const {
  const auto found = servers_.find(std::string(origin));
  if (found == servers_.end()) return std::nullopt;
  return found->second;
}

void KnownServers::set(std::string_view origin, const crypto::Sha256Digest& key_hash) {
  const std::string key(origin);
  if (!is_origin(origin) || find(origin) == key_hash) return;
  if (!servers_.contains(key) && servers_.size() >= kMaxServers) return;
  servers_[key] = key_hash;
  changes_[key] = key_hash;
}

}  // namespace alcove::client
