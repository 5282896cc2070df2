#pragma once
// When members of a load come and go. Told the time; one thread.

#include <cstddef>

#include "base/time.h"
#include "client/load_plan.h"

namespace alcove::client {

// kFilling: members come; in a flash those who listen already. kSettling: until it is known of all
// who came whether they are in. kMeasuring: the crowd comes, the churn goes on, the time passes.
// kLeaving: nobody comes any more, and all go.
enum class LoadStage : unsigned char { kNew, kFilling, kSettling, kMeasuring, kLeaving, kOver };

class LoadSchedule {
 public:
  // Joins that take longer do not hold the others up.
  static constexpr base::Duration kSettleAtMost = base::seconds(45);
  // Quiet between the last join and the measuring.
  static constexpr base::Duration kSettleFor = base::seconds(2);
  // What leaves at the end, a second; a server has each departure written into the room's log.
  static constexpr double kLeaveRate = 1'000;
  static constexpr base::Duration kLeaveAtMost = base::seconds(20);

  struct Counts {
    std::size_t joining = 0;  // asked to come, and neither in nor failed
    std::size_t inside = 0;
    std::size_t leaving = 0;
  };
  struct Due {
    std::size_t joins = 0;
    std::size_t leaves = 0;
    bool measuring_begins = false;
  };

  explicit LoadSchedule(LoadPlan plan) : plan_(plan) {}

  void start(base::Instant now);
  // What is due at now; the caller does it.
  Due poll(base::Instant now, const Counts& counts);
  // The person, or the end of the room: all go.
  void leave(base::Instant now);
  base::Instant next_deadline() const;
  LoadStage stage() const { return stage_; }
  // Of the stage; for the progress display.
  base::Instant stage_began() const { return began_; }

 private:
  // Whole steps of rate since the stage began, beyond those that were done.
  std::size_t steps(base::Instant now, double rate, std::size_t at_most);
  void enter(base::Instant now, LoadStage stage);
  Due poll_filling(base::Instant now);
  Due poll_settling(base::Instant now, const Counts& counts);
  Due poll_measuring(base::Instant now, const Counts& counts);
  Due poll_leaving(base::Instant now, const Counts& counts);
  std::size_t first_wave() const;

  LoadPlan plan_;
  LoadStage stage_ = LoadStage::kNew;
  base::Instant began_;
  std::size_t done_ = 0;  // steps of the stage
  double stepping_ = 0;   // rate of the stage while there are steps to come
  base::Instant look_at_;
  base::Instant quiet_since_ = base::kNever;
  base::Instant measured_from_ = base::kNever;  // the stay counts from here
};

}  // namespace alcove::client
