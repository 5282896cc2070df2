#include "audit/repeated_tokens.h"

#include <functional>

namespace alcove::audit {

RepeatedTokens::Entry* RepeatedTokens::find(std::uint64_t hash) {
  if (const auto found = young_.find(hash); found != young_.end()) return &found->second;
  const auto found = old_.find(hash);
  if (found == old_.end()) return nullptr;
  return &young_.emplace(hash, found->second).first->second;
}

std::optional<RepeatedTokens::Repetition> RepeatedTokens::add(std::string_view token,
                                                              const Sighting& sighting) {
  const std::uint64_t hash = std::hash<std::string_view>{}(token);
  if (young_.size() >= kGeneration) {
    old_ = std::move(young_);
    young_.clear();
  }
  Entry* const entry = find(hash);
  if (entry == nullptr) {
    young_.emplace(hash, Entry{sighting, sighting.flow, sighting.from_client, false});
    return std::nullopt;
  }
  entry->from_client = entry->from_client || sighting.from_client;
  const bool other_flow = entry->last_flow != sighting.flow;
  const bool several = other_flow || entry->first.flow != sighting.flow;
  if (!several || !entry->from_client || (entry->told && !other_flow)) return std::nullopt;
  entry->last_flow = sighting.flow;
  const Repetition result{entry->first, !entry->told};
  entry->told = true;
  return result;
}

}  // namespace alcove::audit
