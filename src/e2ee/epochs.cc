#include "e2ee/epochs.h"

#include <algorithm>

namespace alcove::e2ee {

using base::Instant;

void Epochs::begin(std::uint32_t number, const Secret& secret) {
  epochs_.clear();
  switches_.clear();
  newest_ = number;
  add(number, secret);
  sending_ = number;
}

void Epochs::add(std::uint32_t number, const Secret& secret) {
  epochs_.emplace_back(number, secret);
  while (epochs_.size() > kMaxLive) {
    expire(epochs_.front());
    epochs_.pop_front();
  }
}

void Epochs::expire(Epoch& epoch) {
  if (!std::exchange(epoch.live, false)) return;
  expired_.push_back(epoch.number);
  if (sending_ == epoch.number) sending_.reset();
}

void Epochs::advance(Instant now, std::uint32_t number, bool eject, bool required,
                     const std::optional<Secret>& secret) {
  newest_ = number;
  const Instant until = now + (eject ? kRetentionAfterEject : kRetention);
  // A ratchet that nobody can follow takes nobody out: what was, stays live.
  if (secret || required)
    for (Epoch& epoch : epochs_) epoch.receive_until = std::min(epoch.receive_until, until);
  if (secret) add(number, *secret);
  const base::Duration wait = required ? kSwitchAfter : kSwitchAfterRatchet;
  const Instant at = eject ? now : now + wait;
  // An eject overtakes switches that wait.
  std::erase_if(switches_, [&](const Switch& planned) { return planned.at >= at; });
  switches_.push_back({.at = at, .number = number, .required = required});
  handle_timeout(now);
}

void Epochs::supply(Instant now, std::uint32_t number, const Secret& secret) {
  if (number != newest_ || has_newest()) return;
  // Only the newest advance's epoch is ever supplied, so the order stays.
  for (Epoch& epoch : epochs_)
    epoch.receive_until = std::min(epoch.receive_until, now + kRetention);
  add(number, secret);
  const bool waits = std::ranges::any_of(
      switches_, [&](const Switch& planned) { return planned.number == number; });
  if (!waits) sending_ = number;
}

bool Epochs::handle_timeout(Instant now) {
  bool changed = false;
  while (!switches_.empty() && switches_.front().at <= now) {
    const Switch due = switches_.front();
    switches_.pop_front();
    if (find(due.number) != nullptr) {
      sending_ = due.number;
    } else if (due.required) {
      sending_.reset();
    }
    changed = true;
  }
  for (Epoch& epoch : epochs_) {
    if (!epoch.live || epoch.receive_until > now) continue;
    expire(epoch);
    changed = true;
  }
  while (epochs_.size() > 1 && !epochs_.front().live) epochs_.pop_front();
  return changed;
}

Instant Epochs::next_deadline() const {
  Instant deadline = base::kNever;
  if (!switches_.empty()) deadline = switches_.front().at;
  for (const Epoch& epoch : epochs_)
    if (epoch.live) deadline = std::min(deadline, epoch.receive_until);
  return deadline;
}

const Epochs::Epoch* Epochs::find(std::uint32_t number) const {
  for (const Epoch& epoch : epochs_)
    if (epoch.number == number) return &epoch;
  return nullptr;
}

}  // namespace alcove::e2ee
