#pragma once
// --sealing, --sending and --receiving of bench_fanout: the settings media.sealing and so on of the
// server, for options of a relay that has them. A relay without has its one way, which is "auto".

#include <string_view>

namespace alcove::bench {

struct Methods {
  std::string_view sealing = "auto";    // ipsec-mb, openssl
  std::string_view sending = "auto";    // gso, sendmmsg
  std::string_view receiving = "auto";  // gro, recvmmsg
};

// False: there is no such method.
template <typename ShardOptions, typename PortOptions>
bool set_methods(const Methods& methods, ShardOptions& shard, PortOptions& port) {
  const auto pick = [](auto& target, std::string_view text, std::string_view first, auto of_first,
                       std::string_view second, auto of_second) {
    if (text == first) target = of_first;
    if (text == second) target = of_second;
    return text == "auto" || text == first || text == second;
  };
  if constexpr (requires {
                  shard.sealing;
                  shard.hold_packets;
                  port.sending;
                  port.receiving;
                }) {
    using Sealing = decltype(shard.sealing);
    using Sending = decltype(port.sending);
    using Receiving = decltype(port.receiving);
    shard.hold_packets = methods.sending != "sendmmsg";
    return pick(shard.sealing, methods.sealing, "ipsec-mb", Sealing::kIpsecMb, "openssl",
                Sealing::kOpenSsl) &&
           pick(port.sending, methods.sending, "gso", Sending::kGso, "sendmmsg",
                Sending::kSendmmsg) &&
           pick(port.receiving, methods.receiving, "gro", Receiving::kGro, "recvmmsg",
                Receiving::kRecvmmsg);
  }
  return methods.sealing == "auto" && methods.sending == "auto" && methods.receiving == "auto";
}

}  // namespace alcove::bench
