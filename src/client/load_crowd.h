#pragma once
// All members of a load: they come and go by the schedule, and what they saw is summed up. The
// caller executes effects and datagrams after each call. Sans-IO; one thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client/load_member.h"
#include "client/load_plan.h"
#include "client/load_schedule.h"
#include "client/load_statistics.h"
#include "client/outcome.h"

namespace alcove::client {

class LoadCrowd {
 public:
  // The questions for the server's manifest and configuration, which are asked once for all.
  static constexpr std::size_t kHouse = static_cast<std::size_t>(-1);
  struct Effect {
    std::size_t member = kHouse;
    LoadEffect effect;
  };
  // The addresses of bound UDP sockets for the member of this number, for it alone. Empty where
  // there is none any more.
  using LocalAddresses = std::function<std::vector<base::SocketAddress>(std::size_t)>;

  // random outlives this.
  LoadCrowd(LoadOptions options, base::RandomSource& random, MediaPeerFactory peers,
            LocalAddresses local_addresses);
  ~LoadCrowd();

  void start(base::Instant now, base::WallTime wall);
  // All go; outcome() follows.
  void leave(base::Instant now);

  void handle_answer(base::Instant now, std::size_t member, std::uint64_t id,
                     const base::Result<HttpAnswer>& answer);
  void handle_websocket_opened(base::Instant now, std::size_t member, std::uint64_t id);
  void handle_websocket_message(base::Instant now, std::size_t member, std::uint64_t id,
                                base::Bytes message);
  void handle_websocket_closed(base::Instant now, std::size_t member, std::uint64_t id,
                               const std::string& why);
  // path.local says for whom it is.
  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram);
  void handle_batch_end(base::Instant now);
  void handle_timeout(base::Instant now);
  base::Instant next_deadline() const;

  std::vector<Effect> take_effects() { return std::exchange(effects_, {}); }
  // Members that are over since the last take: nothing of them is needed any more.
  std::vector<std::size_t> take_ended() { return std::exchange(ended_, {}); }
  // To be sent, then cleared by the caller.
  base::DatagramQueue& datagrams() { return datagrams_; }
  // Set when all is over.
  const std::optional<Outcome>& outcome() const { return outcome_; }

  struct Progress {
    LoadStage stage = LoadStage::kNew;
    std::size_t requested = 0;
    LoadSchedule::Counts counts;
    std::size_t failed = 0;
    std::uint64_t packets = 0;
    std::uint64_t strays = 0;  // datagrams for nobody
    base::Duration since_start{};
  };
  Progress progress(base::Instant now) const;
  std::vector<LoadRecord> records() const;
  // Without what the process knows of itself.
  LoadSummary summary(base::Instant now) const;

 private:
  struct Entry {
    explicit Entry(std::size_t entry_number) : number(entry_number) {}
    std::size_t number;
    std::unique_ptr<LoadMember> member;
    base::SocketAddress local;
    LoadMember::State state = LoadMember::State::kNew;  // as it is counted
    base::Instant deadline = base::kNever;              // as it is queued
    bool sampled = false;
    bool touched = false;
  };

  base::WallTime wall(base::Instant now) const;
  // Null when it is gone.
  Entry* find(std::size_t member);
  void ask_house(std::uint64_t id, std::string target);
  void handle_house_check(const base::Result<HttpAnswer>& answer);
  void handle_config(base::Instant now, const base::Result<HttpAnswer>& answer);
  void add_member(base::Instant now);
  void remove_members(base::Instant now, std::size_t count);
  void run_schedule(base::Instant now);
  void note_second(base::Instant now);
  // What follows from a call to the member: every one ends here.
  void after(base::Instant now, Entry& entry);
  void count(LoadMember::State state, int change);
  void give_up_where_hopeless(base::Instant now, const LoadMember& member);
  void retire(Entry& entry);

  LoadOptions options_;
  base::RandomSource& random_;
  MediaPeerFactory peers_;
  LocalAddresses local_addresses_;
  HouseCheck house_check_;
  LoadRoom room_;
  LoadSchedule schedule_;
  base::Instant started_at_;
  base::WallTime wall_;
  std::vector<std::unique_ptr<Entry>> entries_;  // by number; null when over
  std::size_t oldest_ = 0;                       // no one before it can be asked to leave
  std::vector<LoadRecord> records_;              // of those that are over
  std::unordered_map<base::SocketAddress, Entry*> by_address_;
  std::set<std::pair<base::Instant, std::size_t>> deadlines_;
  std::vector<std::size_t> touched_;
  std::vector<std::size_t> due_;  // scratch
  LoadSchedule::Counts counts_;
  std::size_t ever_inside_ = 0;
  std::size_t sampled_ = 0;  // of those that are there
  std::size_t failed_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t strays_ = 0;
  std::vector<LoadSecond> timeline_;
  std::uint64_t packets_before_ = 0;  // of the second that is not over
  base::Instant second_at_ = base::kNever;
  bool interrupted_ = false;
  std::vector<Effect> effects_;
  std::vector<std::size_t> ended_;
  base::DatagramQueue datagrams_;
  std::optional<Outcome> outcome_;
};

}  // namespace alcove::client
