#pragma once
// The members of bench_fanout, in a process of their own whose CPU is not charged: real
// ClientPeers. A listener connects and is then forgotten but for a check that renews its consent. A
// speaker stays and sends 50 packets a second over UDP; so do listeners that are sampled, and
// receive.

#include <cstdint>

#include "bench/fanout_channel.h"
#include "bench/ground.h"

namespace alcove::bench {

struct PeersOptions {
  Network network = Network::kLoopback;
  std::size_t listeners = 0;
  std::size_t speakers = 0;
  std::uint64_t seed = 1;
  std::size_t sampled = 0;      // listeners with sockets that tell when packets arrive
  bool renews_consent = false;  // while speaking; for runs longer than half a minute
};

// Until the other side of the channel is closed.
void run_peers(const PeersOptions& options, Channel& channel);

}  // namespace alcove::bench
