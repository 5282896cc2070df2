#pragma once
// The house of bench/room_keys.cc: orders the keeper's entries and hands them out. One thread.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "crypto/random.h"
#include "e2ee/room_keys.h"
#include "room_log_fixture.h"

namespace alcove::bench {

struct JoinFigures {
  double keeper_cpu_us = 0;  // a join
  double joiner_bytes = 0;   // Admitted, padded
  double keeper_bytes_up = 0;
  double keeper_bytes_down = 0;
  double joiner_cpu_us = 0;  // certificate, chain and box, without the network
  std::size_t entries = 0;
  double admitted_after_ms_median = 0;
  double admitted_after_ms_max = 0;
  double first_second_admitted_ms = 0;  // after the first request of those of the first second
};
struct EpochFigures {
  double prepare_cpu_ms = 0;     // contexts of all boxes, made ahead
  double eject_cpu_ms = 0;       // from the click to the entry with its boxes, prepared
  double unprepared_cpu_ms = 0;  // another fresh epoch at once, nothing prepared
  std::size_t bytes_up = 0;
  double bytes_per_member = 0;
  bool ejected_opens = false;
  bool others_open = false;
};
struct RestFigures {
  std::size_t bytes_per_minute = 0;
  double cpu_us_per_minute = 0;
};

class House {
 public:
  explicit House(std::size_t members);
  ~House();
  JoinFigures run_joins(double joins_per_second);
  EpochFigures run_eject();
  RestFigures run_rest();

 private:
  struct Joiner {
    roomlog::Certificate certificate;
    v1::JoinKeys join_keys;
    std::unique_ptr<crypto::Ed25519PrivateKey> identity;
    std::unique_ptr<e2ee::RoomKeys> keys;  // of the sample only
    base::Instant asked{};
    base::Instant admitted{};
    bool in = false;
  };

  base::WallTime wall() const;
  // One call of the keeper: its CPU time in seconds, by which virtual time goes on.
  double keeper(const std::function<void(e2ee::RoomKeys&)>& call);
  // The keeper's timers up to an instant; what it writes is ordered at once.
  void run_until(base::Instant end);
  void drain();
  void handle(const v1::AppendEntry& append);
  void hand_out(const roomlog::Entry& entry, const v1::AppendEntry& append);
  void admit(const roomlog::Entry& entry, const v1::JoinBox& box);
  void make_joiner(std::size_t index);
  void ask(std::size_t index);
  v1::LogChain chain() const;
  JoinFigures join_figures() const;
  // A frame of the keeper, as the relay would hand it out.
  base::Buffer keeper_frame();

  std::size_t members_;
  crypto::SystemRandom random_;
  crypto::Ed25519PrivateKey host_identity_;
  roomlog::Genesis genesis_;
  roomlog::LogState log_;
  std::unique_ptr<e2ee::RoomKeys> keeper_;
  std::vector<v1::SignedObject> authority_;
  v1::SignedObject advance_;
  v1::SignedObject head_;
  std::deque<Joiner> joiners_;
  base::Instant now_{base::seconds(1000)};
  double keeper_cpu_ = 0;  // seconds
  double joiner_cpu_ = 0;
  std::size_t checked_joins_ = 0;  // of the sample
  std::size_t bytes_up_ = 0;       // of the keeper
  std::size_t bytes_down_ = 0;
  std::size_t admitted_bytes_ = 0;
  std::size_t entries_ = 0;
  std::size_t in_ = 0;
  std::size_t listener_bytes_ = 0;  // what each listener was sent on the short path
  double listener_cpu_ = 0;         // of one of the sample
};

}  // namespace alcove::bench
