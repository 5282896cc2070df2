#pragma once
// Writes entries: one on the way at a time, with its epoch and boxes (docs/protocol/room-keys.md,
// "Joining", not acknowledged). One thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "e2ee/member.h"

namespace alcove::e2ee {

// A joiner in an entry: its JoinBox goes along.
struct JoinReceiver {
  std::uint32_t candidate = 0;
  roomlog::Certificate certificate;
};

struct Draft {
  std::vector<v1::LogOp> ops;
  v1::Advance advance = v1::ADVANCE_NONE;
  bool resume = false;
  std::vector<JoinReceiver> joiners;
  std::optional<roomlog::LinkSecret> link;  // of a link op
};

class Writer {
 public:
  static constexpr base::Duration kAcknowledgedWithin = base::seconds(2);
  static constexpr base::Duration kConflictWait = base::milliseconds(500);
  static constexpr base::Duration kExposedFor = base::seconds(5);
  static constexpr unsigned kMaxFailures = 3;
  static constexpr std::size_t kMaxExposed = 4096;

  struct OnTheWay {
    std::uint32_t request = 0;
    roomlog::Hash hash{};
    std::uint64_t n = 0;
    base::Instant sent_at{};
    std::vector<roomlog::Hash> exposed;  // joiners whose box has the epoch that is in use
  };

  explicit Writer(Member& member) : member_(member) {}

  // Sends the entry. state: that of the member, or that of a resume. An error says why the log
  // would not take it; nothing is sent then. Not while busy() (CHECK).
  std::expected<roomlog::Entry, roomlog::LogError> write(base::Instant now, base::WallTime wall,
                                                         const roomlog::LogState& state,
                                                         const Draft& draft);
  bool busy() const { return on_the_way_.has_value(); }
  // After a conflict the other's entry is waited for.
  base::Instant free_at() const { return free_at_; }

  // An entry came. True when it is the one on the way.
  bool handle_applied(const roomlog::Hash& hash);
  enum class Refusal : std::uint8_t { kNotOurs, kConflict, kRefused };
  Refusal handle_refused(base::Instant now, const v1::AppendRefused& refused);
  // True when the entry on the way was not acknowledged: it is given up.
  bool handle_timeout(base::Instant now);
  // Gives the entry on the way up without a word: its connection is gone.
  void abandon(base::Instant now);
  base::Instant next_deadline() const;

  // Joiners who got the present epoch's secret in an entry that was not ordered, and when a fresh
  // epoch is due for it.
  void forget_exposed(const roomlog::Hash& leaf) {
    exposed_.erase(leaf);
    failures_.erase(leaf);
  }
  void forget_all_exposed() { exposed_.clear(); }
  base::Instant exposed_due() const;
  // After an entry that disappeared, or several that came too late: the next one that admits this
  // leaf must make its own epoch.
  bool needs_advance(const roomlog::Hash& leaf) const;

 private:
  // Secret of the epoch that the entry makes; nullopt without an advance.
  struct Advance {
    Secret fresh{};
    Secret epoch{};
  };
  std::optional<Advance> make_advance(const v1::LogEntry& body);
  void add_boxes(const roomlog::LogState& state, const Draft& draft, const roomlog::Entry& entry,
                 const Secret& fresh, v1::AppendEntry& append);
  void add_join_boxes(const Draft& draft, const roomlog::Entry& entry, const Secret& epoch,
                      v1::AppendEntry& append);
  void give_up(base::Instant now, unsigned failures);

  Member& member_;
  std::uint32_t next_request_ = 1;
  std::optional<OnTheWay> on_the_way_;
  base::Instant free_at_{};
  std::map<roomlog::Hash, base::Instant> exposed_;
  std::map<roomlog::Hash, unsigned> failures_;
};

}  // namespace alcove::e2ee
