#pragma once
// Which long tokens were seen before in another flow: what links a person's flows. Holds a hash of
// each, in two generations of at most kGeneration: a token is remembered over at least that many
// others. One thread.

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "audit/finding.h"

namespace alcove::audit {

class RepeatedTokens {
 public:
  static constexpr std::size_t kGeneration = 32'768;

  struct Sighting {
    std::uint32_t flow = 0;
    std::uint64_t packet = 0;
    CaptureTime time;
    bool from_client = false;
  };
  struct Repetition {
    Sighting first;
    bool is_new = false;  // the first repetition of this token
  };
  // A sighting in another flow than the last, of a token that a client sent at least once: what
  // only servers send again and again (names of files, public keys) tells nothing about a person.
  std::optional<Repetition> add(std::string_view token, const Sighting& sighting);

 private:
  struct Entry {
    Sighting first;
    std::uint32_t last_flow = 0;
    bool from_client = false;
    bool told = false;
  };
  Entry* find(std::uint64_t hash);

  std::unordered_map<std::uint64_t, Entry> young_;
  std::unordered_map<std::uint64_t, Entry> old_;
};

}  // namespace alcove::audit
