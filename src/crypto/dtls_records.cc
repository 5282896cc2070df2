#include "crypto/dtls_records.h"

#include <algorithm>

namespace alcove::crypto {
namespace {

constexpr std::uint8_t kChangeCipherSpec = 20;
constexpr std::uint8_t kHandshake = 22;
constexpr std::size_t kRecordHeader = 13;
constexpr std::size_t kNumberAt = 5;
constexpr std::size_t kNumberSize = 6;
constexpr std::size_t kMessageHeader = 12;

struct Record {
  std::uint8_t type = 0;
  std::uint16_t epoch = 0;
  std::size_t offset = 0;  // of the record in the datagram
  base::Bytes body;
};

// Calls visit for each whole record from the start on.
template <typename Visit>
void for_each_record(base::Bytes datagram, Visit visit) {
  base::ByteReader reader(datagram);
  while (reader.remaining() >= kRecordHeader) {
    Record record;
    record.offset = reader.position();
    record.type = *reader.read_u8();
    const std::uint16_t version = *reader.read_u16();
    record.epoch = *reader.read_u16();
    reader.skip(kNumberSize);
    const std::uint16_t size = *reader.read_u16();
    const std::optional<base::Bytes> body = reader.read_bytes(size);
    if (version >> 8 != 0xfe || !body) return;
    record.body = *body;
    visit(record);
  }
}

// A record may hold several messages or fragments: type, length (3), message number (2), fragment
// offset (3), fragment length (3).
void inspect_messages(base::Bytes body, DtlsDatagramInfo& info) {
  base::ByteReader reader(body);
  while (reader.remaining() >= kMessageHeader) {
    reader.skip(4);
    const std::uint16_t number = *reader.read_u16();
    reader.skip(3);
    const std::uint32_t fragment_size = *reader.read_u24();
    if (!reader.skip(fragment_size)) return;
    info.lowest_message = std::min(info.lowest_message.value_or(number), number);
    info.highest_message = std::max(info.highest_message.value_or(number), number);
  }
}

}  // namespace

DtlsDatagramInfo inspect_dtls_datagram(base::Bytes datagram) {
  DtlsDatagramInfo info;
  for_each_record(datagram, [&](const Record& record) {
    if (record.type != kHandshake && record.type != kChangeCipherSpec) return;
    info.has_handshake = true;
    if (record.type == kHandshake && record.epoch == 0) inspect_messages(record.body, info);
  });
  return info;
}

void renumber_plaintext_records(base::MutableBytes datagram, std::uint64_t& next_number) {
  for_each_record(datagram, [&](const Record& record) {
    if (record.epoch != 0) return;
    const std::uint64_t number = next_number++;
    for (std::size_t i = 0; i < kNumberSize; ++i) {
      datagram[record.offset + kNumberAt + i] =
          static_cast<std::uint8_t>(number >> (8 * (kNumberSize - 1 - i)));
    }
  });
}

}  // namespace alcove::crypto
