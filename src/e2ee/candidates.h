#pragma once
// Joiners whom the control plane would like to be let in, and whether they may (docs/protocol/
// room-keys.md, "Joining", 3). One thread.

#include <cstdint>
#include <map>
#include <optional>

#include "e2ee/member.h"
#include "e2ee/writer.h"

namespace alcove::e2ee {

class Candidates {
 public:
  static constexpr base::Duration kCollect = base::milliseconds(150);
  static constexpr std::size_t kMaxInEntry = 12;
  static constexpr std::size_t kMaxWaiting = 1024;

  explicit Candidates(Member& member) : member_(member) {}

  // Refused at once or kept.
  void add(const v1::AdmitTask& task);
  void forget(const roomlog::Hash& leaf);
  void clear() { waiting_.clear(); }
  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }

  // Ops and receivers of the next entry; whoever may not come in any more is refused. Alone: at
  // most one, after an entry of several was refused.
  void fill(Draft& draft, bool alone);
  void refuse_first();
  // Who waits at the server no longer. False where none of them was here.
  bool drop_gone(const v1::AppendRefused& refused);

 private:
  struct Candidate {
    JoinReceiver receiver;
    std::string link_mac;
    bool known = false;
  };
  using Reason = v1::RefuseCandidate::Reason;
  // REASON_UNSPECIFIED: may come in.
  Reason check(const Candidate& candidate) const;
  Reason check_closed(const Candidate& candidate) const;
  void refuse(std::uint32_t candidate, Reason reason);

  Member& member_;
  // In the order in which they came: the control plane counts candidates up.
  std::map<std::uint32_t, Candidate> waiting_;
};

}  // namespace alcove::e2ee
