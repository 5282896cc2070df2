#pragma once
// Whose turn it is to write a beat, and who misses theirs (docs/protocol/room-keys.md, "Beats" and
// "Freshness"). Told time; one thread.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "roomlog/log_state.h"

namespace alcove::e2ee {

class Turns {
 public:
  static constexpr unsigned kMaxRank = 8;
  static constexpr base::Duration kBeatAfter = base::seconds(5);
  // A moderator's beat between the turns: early in one, so that nobody takes it for the next.
  static constexpr base::Duration kOwnBeatAfter = base::seconds(20);
  static constexpr base::Duration kOwnBeatWithin = base::seconds(3);
  static constexpr base::Duration kOwnBeatAtLatest = base::seconds(24);
  static constexpr base::Duration kStaleAfter = base::seconds(15);
  static constexpr base::Duration kPassedOverAfter = base::milliseconds(800);
  static constexpr unsigned kMissesTold = 3;

  using Stage = std::map<std::uint8_t, roomlog::StageMember>;

  // The member is in: whose turn it is shows with the first beat.
  void begin(base::Instant now);
  // A beat came: counts those whose turn it was before its author's. connected_at: turns that came
  // before are not counted, for their entries may be on the way. Returns the leaves that now missed
  // kMissesTold turns.
  std::vector<roomlog::Hash> note_beat(base::Instant now, base::Instant connected_at,
                                       const Stage& before, std::uint8_t author_seat);
  // An advance. It is nobody's turn: whoever lets many in would never let the turn go on.
  void note_advance(base::Instant now) { newest_ = now; }
  // The room goes on with the holder of this seat.
  void note_resume(base::Instant now, std::uint8_t author_seat);
  // Any short-path entry: its author did not miss its turn. True when it was told as missing.
  bool note_entry(const roomlog::Hash& author);
  void note_own_entry(base::Instant now) { own_entry_at_ = now; }
  void forget_others(const Stage& stage);

  // 0 to kMaxRank: of a seat after the author of the beat that began the turn.
  unsigned rank_of(const Stage& stage, std::uint8_t seat) const;
  base::Instant stale_at() const { return newest_ + kStaleAfter; }
  base::Instant beat_due(const Stage& stage, const roomlog::StageMember& own) const;

 private:
  bool begins_turn(base::Instant now, const Stage& stage, std::uint8_t author_seat) const;
  std::vector<roomlog::Hash> pass_over(base::Instant now, base::Instant connected_at,
                                       const Stage& before, std::uint8_t author_seat);

  base::Instant newest_{};      // advance or beat
  base::Instant turn_at_{};     // of the beat that began the turn
  std::uint8_t turn_seat_ = 0;  // of its author
  bool knows_turn_ = false;
  base::Instant own_entry_at_{};
  std::map<roomlog::Hash, unsigned> misses_;
};

}  // namespace alcove::e2ee
