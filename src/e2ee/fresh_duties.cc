#include "e2ee/fresh_duties.h"

#include <algorithm>

namespace alcove::e2ee {

using base::Instant;

void FreshDuties::handle_applied(Instant now, const Applied& applied, bool is_closed) {
  if (applied.entry.body.advance() == v1::ADVANCE_FRESH) {
    newest_ = now;
    asked_.reset();
  } else {
    if (applied.ejects) ask(now + kAfterRemoval);
    for (const roomlog::Change& change : applied.changes) {
      const auto* departed = std::get_if<roomlog::Departed>(&change);
      if (departed == nullptr || departed->ejected) continue;
      const bool is_own = applied.entry.body.author() == base::as_text(departed->leaf);
      if (departed->seat != 0)
        ask(is_own ? now : now + kAfterRemoval);
      else if (is_closed)
        ask(now + kAfterDepart);
    }
  }
  if (applied.told_missing) ask(now);
}

Instant FreshDuties::due(unsigned rank, const std::optional<Instant>& missing_since) const {
  Instant first = newest_ + kEvery;
  if (asked_) first = std::min(first, *asked_);
  if (missing_since) first = std::min(first, *missing_since + kAfterMissing);
  return first + base::seconds(rank);
}

}  // namespace alcove::e2ee
