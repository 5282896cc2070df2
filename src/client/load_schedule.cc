#include "client/load_schedule.h"

#include <algorithm>

namespace alcove::client {

using base::Instant;

namespace {

// How often a stage without steps is looked at.
constexpr base::Duration kLook = base::milliseconds(100);

// Rounded up: at that time the step is due, whatever the division left over.
base::Duration step_time(std::size_t step, double rate) {
  return base::Duration(static_cast<std::int64_t>(static_cast<double>(step) / rate * 1e6) + 1);
}

}  // namespace

void LoadSchedule::start(Instant now) { enter(now, LoadStage::kFilling); }

void LoadSchedule::enter(Instant now, LoadStage stage) {
  stage_ = stage;
  began_ = now;
  done_ = 0;
  stepping_ = 0;
  look_at_ = now;
  quiet_since_ = base::kNever;
}

std::size_t LoadSchedule::first_wave() const {
  return plan_.profile == LoadProfile::kFlash ? plan_.already : plan_.members;
}

std::size_t LoadSchedule::steps(Instant now, double rate, std::size_t at_most) {
  // The first step is due at once.
  const double passed = std::chrono::duration<double>(now - began_).count() * rate + 1;
  const std::size_t due = std::min(at_most, static_cast<std::size_t>(passed));
  stepping_ = due < at_most ? rate : 0;
  const std::size_t more = due - std::min(due, done_);
  done_ += more;
  return more;
}

LoadSchedule::Due LoadSchedule::poll(Instant now, const Counts& counts) {
  look_at_ = now + kLook;
  switch (stage_) {
    case LoadStage::kFilling:
      return poll_filling(now);
    case LoadStage::kSettling:
      return poll_settling(now, counts);
    case LoadStage::kMeasuring:
      return poll_measuring(now, counts);
    case LoadStage::kLeaving:
      return poll_leaving(now, counts);
    case LoadStage::kNew:
    case LoadStage::kOver:
      break;
  }
  return {};
}

LoadSchedule::Due LoadSchedule::poll_filling(Instant now) {
  Due due;
  due.joins = steps(now, plan_.fill_rate, first_wave());
  if (done_ >= first_wave()) enter(now, LoadStage::kSettling);
  return due;
}

LoadSchedule::Due LoadSchedule::poll_settling(Instant now, const Counts& counts) {
  const bool settled = counts.joining == 0 || now - began_ >= kSettleAtMost;
  if (!settled) {
    quiet_since_ = base::kNever;
    return {};
  }
  quiet_since_ = std::min(quiet_since_, now);
  if (now - quiet_since_ < kSettleFor) return {};
  enter(now, LoadStage::kMeasuring);
  measured_from_ = plan_.profile == LoadProfile::kFlash ? base::kNever : now;
  Due due = poll_measuring(now, counts);
  due.measuring_begins = true;
  return due;
}

LoadSchedule::Due LoadSchedule::poll_measuring(Instant now, const Counts& counts) {
  Due due;
  if (plan_.profile == LoadProfile::kFlash) {
    const std::size_t crowd = plan_.members - plan_.already;
    due.joins = steps(now, plan_.rate, crowd);
    if (stepping_ == 0) measured_from_ = std::min(measured_from_, now);
  } else if (plan_.profile == LoadProfile::kChurn) {
    const auto all =
        static_cast<std::size_t>(std::chrono::duration<double>(plan_.stay).count() * plan_.rate);
    due.joins = due.leaves = steps(now, plan_.rate, all);
    due.leaves = std::min(due.leaves, counts.inside);
  }
  if (measured_from_ == base::kNever || now - measured_from_ < plan_.stay) return due;
  leave(now);
  return {};
}

LoadSchedule::Due LoadSchedule::poll_leaving(Instant now, const Counts& counts) {
  Due due;
  const std::size_t there = counts.inside + counts.joining;
  if ((there == 0 && counts.leaving == 0) || now - began_ >= kLeaveAtMost) {
    enter(now, LoadStage::kOver);
    return due;
  }
  due.leaves = steps(now, kLeaveRate, done_ + there);
  return due;
}

void LoadSchedule::leave(Instant now) {
  if (stage_ >= LoadStage::kLeaving) return;
  enter(now, LoadStage::kLeaving);
}

Instant LoadSchedule::next_deadline() const {
  if (stage_ == LoadStage::kNew || stage_ == LoadStage::kOver) return base::kNever;
  return stepping_ == 0 ? look_at_ : std::min(look_at_, began_ + step_time(done_, stepping_));
}

}  // namespace alcove::client
