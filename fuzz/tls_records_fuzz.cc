// TLS streams in pieces of any size: the pieces must not change what is read.

#include <cstdlib>
#include <vector>

#include "audit/tls_hello.h"
#include "audit/tls_records.h"

namespace {

using namespace alcove;

struct Seen {
  std::vector<base::Buffer> records;
  std::size_t messages = 0;
  bool broken = false;
};

Seen read(base::Bytes bytes, std::size_t step) {
  Seen seen;
  audit::TlsRecordSplitter splitter;
  audit::TlsHandshakeReader handshake;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    audit::StreamPiece piece;
    piece.bytes = bytes.subspan(at, std::min(step, bytes.size() - at));
    piece.offset = at;
    piece.number = at + 1;
    splitter.feed(piece, [&](const audit::TlsRecord& record) {
      seen.records.push_back(base::to_buffer(record.fragment));
      // A record's number is that of the piece in which it began.
      if (record.number != record.offset / step * step + 1) std::abort();
      handshake.feed(record.fragment, [&](const audit::HandshakeMessage& message) {
        ++seen.messages;
        audit::parse_client_hello(message.body, false);
        audit::parse_client_hello(message.body, true);
        if (const auto hello = audit::parse_server_hello(message.body))
          audit::weakness_name(audit::suite_weakness(hello->suite));
      });
    });
  }
  seen.broken = splitter.broken();
  return seen;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes bytes(data, size);
  if (bytes.empty()) return 0;
  const Seen whole = read(bytes, bytes.size());
  const Seen pieces = read(bytes, 1 + bytes[0] % 7);
  if (whole.records != pieces.records || whole.messages != pieces.messages ||
      whole.broken != pieces.broken)
    std::abort();
  return 0;
}
