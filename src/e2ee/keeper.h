#pragma once
// The duties of a stage member's client: what the person wants, what the control plane asks for,
// and what the log needs by itself, each as an entry when its time has come. One thread.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "e2ee/candidates.h"
#include "e2ee/follower.h"
#include "e2ee/fresh_duties.h"
#include "e2ee/writer.h"

namespace alcove::e2ee {

class Keeper {
 public:
  static constexpr base::Duration kEjectsTogether = base::milliseconds(300);
  static constexpr base::Duration kRatchetAfter = base::seconds(5);
  static constexpr base::Duration kAdvancesApart = base::seconds(1);
  static constexpr base::Duration kAskAgainAfter = base::seconds(1);
  static constexpr std::size_t kMaxWishes = 64;
  static constexpr std::size_t kMaxDeparts = 48;
  static constexpr std::size_t kMaxAllowed = 4096;
  // Contexts of fresh boxes: half a millisecond in each call.
  static constexpr std::size_t kPreparedAtOnce = 8;
  static constexpr base::Duration kPrepareEvery = base::milliseconds(5);

  Keeper(Member& member, Writer& writer) : member_(member), writer_(writer), candidates_(member) {}

  void handle_task(base::Instant now, const v1::KeeperTask& task);
  void handle_applied(base::Instant now, const Applied& applied, bool is_own);
  // What came of an own entry that was refused.
  void handle_refused(base::Instant now, Writer::Refusal refusal, const v1::AppendRefused& refused);
  void handle_not_acknowledged(base::Instant now);
  void begin(base::Instant now) { fresh_.begin(now); }
  void handle_disconnected(base::Instant now);
  void handle_timeout(base::Instant now, base::WallTime wall);
  base::Instant next_deadline() const;

  // The person's wishes; of a link only the generation. False when the log would not take the op
  // now.
  bool wish(base::Instant now, base::WallTime wall, v1::LogOp op);
  void allow_stage(const roomlog::Hash& leaf) {
    if (allowed_.size() < kMaxAllowed) allowed_.insert(leaf);
  }

 private:
  // In the order of their urgency.
  enum class Duty : std::uint8_t {
    kEject,
    kWish,
    kGiveStage,
    kStageDepart,
    kFresh,
    kRoster,
    kBeat,
  };
  static constexpr std::array kDuties = {Duty::kEject,       Duty::kWish,  Duty::kGiveStage,
                                         Duty::kStageDepart, Duty::kFresh, Duty::kRoster,
                                         Duty::kBeat};
  struct Wish {
    v1::LogOp op;  // of a link: filled in when it is written
    base::Instant asked;
  };

  bool may_write(base::Instant now) const;
  bool has_epoch() const { return !member_.epochs.known().empty(); }
  bool holds_newest() const { return member_.epochs.has_newest(); }
  base::Instant due(Duty duty) const;
  base::Instant roster_due() const;
  // Not before an advance may follow the newest one.
  base::Instant spaced(base::Instant due) const;
  bool may_op(base::WallTime wall, const v1::LogOp& op) const;

  void perform(base::Instant now, base::WallTime wall, Duty duty);
  void write_eject(base::Instant now, base::WallTime wall);
  void write_wish(base::Instant now, base::WallTime wall);
  void fill_link(Draft& draft);
  void write_give_stage(base::Instant now, base::WallTime wall);
  void write_stage_depart(base::Instant now, base::WallTime wall);
  void write_roster(base::Instant now, base::WallTime wall);
  bool write(base::Instant now, base::WallTime wall, Duty duty, const Draft& draft);
  std::optional<base::Buffer> seal_link(const roomlog::Certificate& receiver,
                                        const roomlog::LinkSecret& secret,
                                        std::uint32_t generation);
  void drop_written();
  void drop_first_of_roster();
  void tell_not_acknowledged(const std::string& detail);

  void add_depart(base::Instant now, const roomlog::Hash& leaf);
  void give_rebox(const roomlog::Hash& leaf);
  void prune();

  Member& member_;
  Writer& writer_;
  Candidates candidates_;
  FreshDuties fresh_;

  std::deque<Wish> ejects_;
  std::deque<Wish> wishes_;
  std::set<roomlog::Hash> allowed_;                       // to be given a seat when they accept
  std::set<roomlog::Hash> give_stage_;                    // that accepted
  std::set<roomlog::Hash> departs_;                       // of listeners
  std::map<roomlog::Hash, base::Instant> stage_departs_;  // and when to try
  std::optional<base::Instant> newest_eject_at_;          // the first of several
  base::Instant newest_roster_at_{};
  base::Instant retry_at_{};
  base::Instant prepare_at_{};
  bool roster_alone_ = false;
  std::optional<Duty> written_;  // of the entry on the way
};

}  // namespace alcove::e2ee
