// DTLS datagrams, each behind two bytes of length: records and fragments stay within their bounds.

#include <cstdlib>

#include "audit/dtls_records.h"
#include "audit/tls_hello.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  base::ByteReader reader({data, size});
  audit::DtlsHandshakeReader handshake;
  while (const auto length = reader.read_u16()) {
    const auto datagram = reader.read_bytes(std::min<std::size_t>(*length, reader.remaining()));
    audit::DtlsRecordReader records(*datagram);
    while (const auto record = records.next()) {
      if (record->fragment.size() > datagram->size()) std::abort();
      handshake.feed(record->fragment, [](const audit::HandshakeMessage& message) {
        if (message.body.size() > audit::kMaxHandshakeMessage) std::abort();
        audit::parse_client_hello(message.body, true);
        audit::parse_server_hello(message.body);
      });
    }
  }
  return 0;
}
