// How a joiner comes to a state, and a listener to the roster (docs/protocol/room-keys.md,
// "Joining").

#include <algorithm>
#include <utility>

#include "roomlog/bounds.h"
#include "roomlog/log_state.h"
#include "roomlog/roster_view.h"

namespace alcove::roomlog {

namespace {

constexpr std::unexpected<LogError> kForked{LogError::kFork};
constexpr std::unexpected<LogError> kWrong{LogError::kWrongState};

struct ParsedChain {
  std::vector<Entry> authority;
  Entry advance;
  Entry head;
};

// Advance and head, where they are left out because they stand before already.
std::expected<void, LogError> parse_newest(const v1::LogChain& chain, ParsedChain& parsed) {
  if (chain.has_advance()) {
    auto advance = parse_entry(chain.advance());
    if (!advance) return std::unexpected(LogError::kBadObject);
    parsed.advance = *std::move(advance);
  } else {
    const auto found = std::ranges::find_if(parsed.authority.rbegin(), parsed.authority.rend(),
                                            &Entry::has_advance);
    if (found == parsed.authority.rend()) return kWrong;
    parsed.advance = *found;
  }
  if (chain.has_head()) {
    auto head = parse_entry(chain.head());
    if (!head) return std::unexpected(LogError::kBadObject);
    parsed.head = *std::move(head);
    return {};
  }
  const bool authority_is_newer =
      !parsed.authority.empty() && parsed.authority.back().body.n() > parsed.advance.body.n();
  parsed.head = authority_is_newer ? parsed.authority.back() : parsed.advance;
  return {};
}

std::expected<ParsedChain, LogError> parse_chain(const v1::LogChain& chain) {
  ParsedChain parsed;
  if (static_cast<std::size_t>(chain.authority_size()) > kMaxAuthorityEntries)
    return std::unexpected(LogError::kLogFull);
  for (const v1::SignedObject& object : chain.authority()) {
    auto entry = parse_entry(object);
    if (!entry) return std::unexpected(LogError::kBadObject);
    parsed.authority.push_back(*std::move(entry));
  }
  if (const auto result = parse_newest(chain, parsed); !result)
    return std::unexpected(result.error());
  return parsed;
}

// Applies an entry that may be one that was applied last already, under another name.
std::expected<void, LogError> walk(LogState& state, const Entry& entry) {
  if (state.n() != 0 && entry.hash == state.last()) return {};
  const auto applied = state.apply(entry, Follow::kChain);
  if (!applied) return std::unexpected(applied.error());
  return {};
}

std::expected<void, LogError> walk_all(LogState& state, const ParsedChain& chain) {
  bool advance_is_walked = false;
  const auto walk_advance = [&]() -> std::expected<void, LogError> {
    if (std::exchange(advance_is_walked, true)) return {};
    return walk(state, chain.advance);
  };
  for (const Entry& entry : chain.authority) {
    if (chain.advance.body.n() < entry.body.n())
      if (const auto result = walk_advance(); !result) return result;
    if (!state.class_of(entry.body).is_authority()) return kForked;
    // Here no entry may come twice.
    if (const auto applied = state.apply(entry, Follow::kChain); !applied)
      return std::unexpected(applied.error());
  }
  if (const auto result = walk_advance(); !result) return result;
  if (chain.head.hash != state.last() && !state.class_of(chain.head.body).is_short())
    return kForked;
  return walk(state, chain.head);
}

}  // namespace

std::expected<WalkedChain, LogError> walk_chain(const v1::LogChain& chain,
                                                const std::optional<Hash>& fingerprint) {
  auto genesis = parse_genesis(chain.genesis());
  if (!genesis) return std::unexpected(LogError::kBadObject);
  if (fingerprint && *fingerprint != genesis->fingerprint) return kForked;
  WalkedChain walked{.state = LogState(*std::move(genesis))};
  const bool is_empty = chain.authority_size() == 0 && !chain.has_advance() && !chain.has_head();
  if (is_empty) return walked;
  auto parsed = parse_chain(chain);
  if (!parsed) return std::unexpected(parsed.error());
  if (const auto result = walk_all(walked.state, *parsed); !result)
    return std::unexpected(result.error());
  if (!parsed->advance.has_advance() || parsed->advance.body.epoch() != walked.state.epoch() ||
      parsed->head.hash != walked.state.last())
    return kWrong;
  walked.advance = std::move(parsed->advance);
  walked.head = std::move(parsed->head);
  return walked;
}

std::expected<void, LogError> LogState::adopt_roster(std::span<const Certificate> certificates,
                                                     const Entry& head) {
  // Without the roster the state is small.
  LogState next = *this;
  next.forget_roster();
  if (head.hash != last_)
    if (const auto applied = next.apply(head, Follow::kShort); !applied)
      return std::unexpected(applied.error());
  if (const auto result = next.take_roster(certificates); !result) return result;
  *this = std::move(next);
  return {};
}

std::expected<void, LogError> LogState::take_roster(std::span<const Certificate> certificates) {
  if (certificates.size() != roster_size_) return kWrong;
  for (const Certificate& certificate : certificates) {
    if (!roster_.empty() && certificate.leaf_hash <= roster_.rbegin()->first) return kWrong;
    if (!leaf_of_.emplace(certificate.identity, certificate.leaf_hash).second)
      return std::unexpected(LogError::kBadCertificate);
    roster_.emplace_hint(roster_.end(), certificate.leaf_hash, certificate);
  }
  const bool has_stage = std::ranges::all_of(stage_state_.stage, [this](const auto& entry) {
    return roster_.contains(entry.second.certificate.leaf_hash);
  });
  if (!has_stage || RosterView(roster_, leaf_of_).hash() != roster_hash_) return kWrong;
  is_full_ = true;
  return {};
}

}  // namespace alcove::roomlog
