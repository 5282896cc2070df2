#pragma once
// A member of bench_fanout that stays: a ClientPeer on a UDP socket of its own. A speaker, or one
// of the listeners that say when packets arrive.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "rtc/client_peer.h"

namespace alcove::bench {

class LiveMember {
 public:
  // port 0: any.
  LiveMember(const base::IpAddress& ip, std::uint16_t port, const base::SocketAddress& relay);
  ~LiveMember();
  LiveMember(LiveMember&& other) noexcept;
  LiveMember& operator=(LiveMember&&) = delete;

  const base::Path& path() const { return path_; }
  void set_peer(std::unique_ptr<rtc::ClientPeer> peer) { peer_ = std::move(peer); }
  bool has_peer() const { return peer_ != nullptr; }

  // Sends a frame whose first eight bytes say when.
  void speak(base::Instant now, std::uint32_t timestamp, bool starts);
  // Takes what has arrived, and does what is due. The age in milliseconds of each frame when it
  // reached this host's receive path goes to ages.
  void serve(base::Instant now, std::vector<float>& ages);

 private:
  void send_outgoing();

  int descriptor_ = -1;
  base::Path path_;
  std::unique_ptr<rtc::ClientPeer> peer_;
  base::Buffer payload_;
};

}  // namespace alcove::bench
