#pragma once
// The epochs that a member has: which are live for receiving, which one is sent with, and what is
// missing (docs/protocol/room-keys.md, "Epochs", use). Told time; one thread.

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"
#include "crypto/wipe.h"
#include "e2ee/epoch_secrets.h"

namespace alcove::e2ee {

class Epochs {
 public:
  static constexpr std::size_t kMaxLive = 8;
  static constexpr base::Duration kSwitchAfter = base::seconds(1);
  // Shorter, for a joiner of a quiet room hears nothing until the senders switch; receivers who get
  // the entry late hold the first frames for another 100 ms.
  static constexpr base::Duration kSwitchAfterRatchet = base::milliseconds(400);
  static constexpr base::Duration kRetention = base::seconds(10);
  static constexpr base::Duration kRetentionAfterEject = base::seconds(2);

  struct Epoch {
    Epoch(std::uint32_t of, const Secret& its_secret) : number(of), secret(its_secret) {}
    Epoch(const Epoch&) = delete;
    Epoch& operator=(const Epoch&) = delete;
    ~Epoch() { crypto::wipe(secret); }

    std::uint32_t number = 0;
    Secret secret{};
    base::Instant receive_until = base::kNever;
    bool live = true;  // received with
  };

  // The first epoch of this member: sent with at once.
  void begin(std::uint32_t number, const Secret& secret);
  // The same without its secret, until supply().
  void begin_missing(std::uint32_t number) { newest_ = number; }
  // An entry with an advance came. secret: nullopt when its epoch could not be made. required: a
  // sender must not go on with the epoch before (a fresh one), whether or not it has this one.
  void advance(base::Instant now, std::uint32_t number, bool eject, bool required,
               const std::optional<Secret>& secret);
  // A rebox gave the epoch that was missing; number is that of the newest advance.
  void supply(base::Instant now, std::uint32_t number, const Secret& secret);
  // True when what is live or sent with has changed.
  bool handle_timeout(base::Instant now);
  base::Instant next_deadline() const;

  // Number of the newest advance, whether its epoch is known or not.
  std::uint32_t newest() const { return newest_; }
  bool has_newest() const { return !epochs_.empty() && epochs_.back().number == newest_; }
  const Epoch* find(std::uint32_t number) const;
  // Oldest to newest; the last one stays as the start of the next fresh advance after it has died.
  const std::deque<Epoch>& known() const { return epochs_; }
  // Numbers of those that are not received with any more, since the last call.
  std::vector<std::uint32_t> take_expired() { return std::exchange(expired_, {}); }
  // nullopt: nothing may be sent.
  std::optional<std::uint32_t> sending() const { return sending_; }

 private:
  struct Switch {
    base::Instant at;
    std::uint32_t number = 0;
    bool required = false;
  };
  void add(std::uint32_t number, const Secret& secret);
  void expire(Epoch& epoch);

  std::uint32_t newest_ = 0;
  std::deque<Epoch> epochs_;
  std::deque<Switch> switches_;
  std::vector<std::uint32_t> expired_;
  std::optional<std::uint32_t> sending_;
};

}  // namespace alcove::e2ee
