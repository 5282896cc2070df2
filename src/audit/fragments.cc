#include "audit/fragments.h"

#include <algorithm>
#include <iterator>

namespace alcove::audit {
namespace {

constexpr std::size_t kDatagramCost = 320;
constexpr std::size_t kPieceCost = 96;
constexpr std::uint32_t kMaxPacket = 65535;

}  // namespace

std::size_t Fragments::cost(const Datagram& datagram) {
  return kDatagramCost + datagram.pieces.size() * kPieceCost + datagram.received;
}

Fragments::List::iterator Fragments::find_or_add(const IpHeaders& headers, std::uint64_t number,
                                                 CaptureTime time) {
  const Key key{headers.source, headers.destination, headers.fragment_id,
                headers.source.is_v4() ? headers.protocol : std::uint8_t{0}};
  if (const auto found = by_key_.find(key); found != by_key_.end()) return found->second;
  Datagram& added = datagrams_.emplace_back();
  added.key = key;
  added.begun = time;
  added.first_number = number;
  added.protocol = headers.protocol;
  bytes_ += cost(added);
  const auto position = std::prev(datagrams_.end());
  by_key_.emplace(key, position);
  return position;
}

void Fragments::erase(List::iterator datagram) {
  bytes_ -= cost(*datagram);
  by_key_.erase(datagram->key);
  datagrams_.erase(datagram);
}

void Fragments::refuse(Datagram& datagram) {
  given_up_ += datagram.pieces.size() + 1;
  bytes_ -= cost(datagram);
  datagram.pieces.clear();
  datagram.received = 0;
  datagram.refused = true;
  bytes_ += cost(datagram);
}

void Fragments::make_room(CaptureTime now) {
  while (!datagrams_.empty() &&
         (bytes_ > kMaxBytes - kMaxPacket || now - datagrams_.front().begun > kLifetime)) {
    given_up_ += datagrams_.front().pieces.size();
    erase(datagrams_.begin());
  }
}

std::optional<Fragments::Whole> Fragments::add(const IpHeaders& headers, std::uint64_t number,
                                               CaptureTime time) {
  make_room(time);
  const auto position = find_or_add(headers, number, time);
  Datagram& datagram = *position;
  if (datagram.refused) {
    ++given_up_;
    return std::nullopt;
  }
  const auto size = static_cast<std::uint32_t>(headers.payload.size());
  const std::uint32_t begin = headers.fragment_offset;
  const std::uint32_t end = begin + size;
  const bool cut = size != headers.payload_length || headers.malformed;
  const bool odd = headers.more_fragments && size % 8 != 0;
  const bool past_end = datagram.end && (end > *datagram.end || !headers.more_fragments);
  const auto after = datagram.pieces.lower_bound(begin);
  // Networks repeat packets: RFC 8200 allows to ignore one that is the same throughout.
  if (after != datagram.pieces.end() && after->first == begin &&
      std::ranges::equal(after->second, headers.payload) &&
      headers.more_fragments == (datagram.end != end))
    return std::nullopt;
  const bool meets_next = after != datagram.pieces.end() && after->first < end;
  const bool meets_previous = after != datagram.pieces.begin() &&
                              std::prev(after)->first + std::prev(after)->second.size() > begin;
  const bool shorter_end =
      !headers.more_fragments && !datagram.pieces.empty() &&
      datagram.pieces.rbegin()->first + datagram.pieces.rbegin()->second.size() > end;
  if (size == 0 || cut || odd || past_end || end > kMaxPacket || meets_next || meets_previous ||
      shorter_end) {
    refuse(datagram);
    return std::nullopt;
  }
  bytes_ -= cost(datagram);
  datagram.pieces.emplace_hint(after, begin, base::to_buffer(headers.payload));
  datagram.received += size;
  bytes_ += cost(datagram);
  if (!headers.more_fragments) datagram.end = end;
  if (begin == 0) datagram.protocol = headers.protocol;
  if (datagram.end != datagram.received) return std::nullopt;
  return put_together(position);
}

Fragments::Whole Fragments::put_together(List::iterator datagram) {
  whole_.clear();
  for (const auto& [offset, bytes] : datagram->pieces)
    whole_.insert(whole_.end(), bytes.begin(), bytes.end());
  const Whole whole{datagram->first_number, datagram->protocol, whole_};
  erase(datagram);
  return whole;
}

}  // namespace alcove::audit
