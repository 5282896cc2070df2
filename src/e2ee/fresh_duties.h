#pragma once
// When a fresh epoch is due, whoever writes it (docs/protocol/room-keys.md, "Epochs", when). Told
// time; one thread.

#include <optional>

#include "e2ee/follower.h"

namespace alcove::e2ee {

class FreshDuties {
 public:
  static constexpr base::Duration kEvery = base::seconds(600);
  static constexpr base::Duration kAfterDepart = base::seconds(60);  // of a listener, closed rooms
  static constexpr base::Duration kAfterRemoval = base::seconds(1);
  static constexpr base::Duration kAfterMissing = base::seconds(2);

  void begin(base::Instant now) { newest_ = now; }
  void handle_applied(base::Instant now, const Applied& applied, bool is_closed);
  // Of a member with this rank.
  base::Instant due(unsigned rank, const std::optional<base::Instant>& missing_since) const;

 private:
  void ask(base::Instant at) { asked_ = asked_ ? std::min(*asked_, at) : at; }

  base::Instant newest_{};
  std::optional<base::Instant> asked_;
};

}  // namespace alcove::e2ee
