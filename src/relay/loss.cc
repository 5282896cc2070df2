#include "relay/loss.h"

namespace alcove::relay {

static_assert(loss_bucket(255) < LossHistogram{}.size());

void LossWindow::add(base::Instant now, const LossHistogram& reports) {
  const base::Duration age = now - begun_;
  if (age >= kWindow) {
    previous_ = age < 2 * kWindow ? current_ : LossHistogram{};
    current_ = {};
    begun_ = now;
  }
  for (std::size_t i = 0; i < reports.size(); ++i) current_[i] += reports[i];
}

std::uint8_t LossWindow::percentile_90() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < current_.size(); ++i)
    total += std::uint64_t{current_[i]} + previous_[i];
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < current_.size(); ++i) {
    below += std::uint64_t{current_[i]} + previous_[i];
    if (below * 10 >= total * 9) return total == 0 ? 0 : loss_of_bucket(i);
  }
  return 0;
}

}  // namespace alcove::relay
