#pragma once
// Counters of the relay and of the network side in Prometheus' text format. Pure.

#include <span>
#include <string>

#include "net/http_server.h"
#include "net/media_port.h"
#include "relay/counters.h"
#include "relay/load_meter.h"

namespace alcove::app {

std::string metrics_text(const net::HttpCounters& http, const net::MediaPortCounters& media,
                         const relay::ShardCounters& relay, std::span<const relay::Load> loads,
                         std::uint64_t queue_drops);

}  // namespace alcove::app
