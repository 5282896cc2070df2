#pragma once
// DTLS records from outside the cipher: just what retransmission needs to see (RFC 6347,
// sections 4.1 and 4.2.2). Private to src/crypto. Any thread.

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace alcove::crypto {

// What the records of one datagram are, as far as they are well formed.
struct DtlsDatagramInfo {
  bool has_handshake = false;  // a handshake record of any epoch, or a ChangeCipherSpec
  // Of the plaintext handshake messages, whole or in fragments.
  std::optional<std::uint16_t> lowest_message;
  std::optional<std::uint16_t> highest_message;
};
DtlsDatagramInfo inspect_dtls_datagram(base::Bytes datagram);

// Gives each plaintext record (epoch 0) the next sequence number. Those records are not
// authenticated, and both ends use the number for nothing but dropping replays.
void renumber_plaintext_records(base::MutableBytes datagram, std::uint64_t& next_number);

}  // namespace alcove::crypto
