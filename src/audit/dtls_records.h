#pragma once
// A datagram cut into DTLS records (RFC 6347, section 4.1), and the fragments of clear handshake
// messages put together (section 4.2.3). Nothing is decrypted here. One thread.
//
// Bounds: a message of at most 64 KiB, 8 messages and 128 KiB in all that wait for fragments; more
// is dropped.

#include <cstdint>
#include <map>
#include <optional>

#include "audit/tls_records.h"

namespace alcove::audit {

inline constexpr std::size_t kDtlsRecordHeader = 13;

struct DtlsRecord {
  std::uint8_t type = 0;
  std::uint16_t version = 0;  // 0xfeff DTLS 1.0, 0xfefd 1.2
  std::uint16_t epoch = 0;
  std::uint64_t sequence = 0;  // 48 bits
  base::Bytes header;          // the 13 bytes
  base::Bytes fragment;
};

// Whether the datagram begins with a whole DTLS record with a readable header (1.0, 1.2, or the
// clear records of 1.3).
bool starts_like_dtls(base::Bytes datagram);

class DtlsRecordReader {
 public:
  explicit DtlsRecordReader(base::Bytes datagram) : rest_(datagram) {}
  // nullopt at the end, and at what is no record.
  std::optional<DtlsRecord> next();

 private:
  base::Bytes rest_;
};

// Messages of epoch 0 of one direction. A repeated flight gives its messages once more only if they
// are whole in it.
class DtlsHandshakeReader {
 public:
  static constexpr std::size_t kMaxMessages = 8;
  static constexpr std::size_t kMaxBytes = 131'072;

  template <typename Visitor>
  void feed(base::Bytes fragment, Visitor&& visit) {
    while (!fragment.empty())
      if (const auto message = next(fragment)) visit(*message);
  }
  std::size_t held() const { return bytes_; }

 private:
  struct Partial {
    std::uint8_t type = 0;
    base::Buffer body;
    std::map<std::size_t, std::size_t> have;  // begin to end, apart from each other
  };
  std::optional<HandshakeMessage> next(base::Bytes& fragment);
  std::optional<HandshakeMessage> add(std::uint16_t sequence, std::uint8_t type, std::size_t length,
                                      std::size_t offset, base::Bytes part);
  static bool cover(Partial& partial, std::size_t begin, std::size_t end);

  std::map<std::uint16_t, Partial> partial_;  // by message_seq
  std::size_t bytes_ = 0;
  base::Buffer whole_;
};

}  // namespace alcove::audit
