#pragma once
// Puts fragmented packets together again. Bounds as in packet.h. One thread.

#include <cstdint>
#include <list>
#include <map>
#include <optional>

#include "audit/frame.h"
#include "audit/ip.h"

namespace alcove::audit {

class Fragments {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{4} << 20;  // with what keeping them takes
  static constexpr std::chrono::seconds kLifetime{30};

  struct Whole {
    std::uint64_t first_number = 0;  // of the fragment that came first
    std::uint8_t protocol = 0;       // of the fragment with the beginning
    base::Bytes payload;             // valid until the next call
  };

  // headers: of a fragment. The packet, once this makes it whole.
  std::optional<Whole> add(const IpHeaders& headers, std::uint64_t number, CaptureTime time);
  // Fragments that will never be part of a whole: too old, in the way, overlapping or cut.
  std::uint64_t given_up() const { return given_up_; }

 private:
  // RFC 8200, 4.5 and RFC 791: what has these in common belongs together.
  struct Key {
    base::IpAddress source;
    base::IpAddress destination;
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;  // 0 for IPv6, where only the first fragment's counts
    auto operator<=>(const Key&) const = default;
  };
  struct Datagram {
    Key key;
    CaptureTime begun;
    std::uint64_t first_number = 0;
    std::uint8_t protocol = 0;
    // Overlapped: all that is left is the knowledge, so that the rest is refused, too (RFC 5722).
    bool refused = false;
    std::optional<std::uint32_t> end;  // known once the last fragment has come
    std::uint32_t received = 0;
    std::map<std::uint32_t, base::Buffer> pieces;  // by offset; they do not touch each other's
  };
  using List = std::list<Datagram>;

  static std::size_t cost(const Datagram& datagram);
  List::iterator find_or_add(const IpHeaders& headers, std::uint64_t number, CaptureTime time);
  void erase(List::iterator datagram);
  void refuse(Datagram& datagram);
  void make_room(CaptureTime now);
  Whole put_together(List::iterator datagram);

  List datagrams_;  // oldest first
  std::map<Key, List::iterator> by_key_;
  std::size_t bytes_ = 0;
  std::uint64_t given_up_ = 0;
  base::Buffer whole_;
};

}  // namespace alcove::audit
