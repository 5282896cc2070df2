// A DTLS server and client that get arbitrary datagrams. The input is a list of steps: a byte that
// says what to do, and for a datagram two bytes of length and the datagram.

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "crypto/dtls.h"
#include "crypto/random.h"

namespace {

using alcove::base::Buffer;
using alcove::base::Bytes;
using alcove::base::Instant;
namespace crypto = alcove::crypto;

enum Step : std::uint8_t { kToServer, kToClient, kWait, kExchange, kSteps };

const crypto::DtlsContext& context() {
  static const crypto::DtlsContext instance = [] {
    crypto::SystemRandom random;
    return crypto::DtlsContext(crypto::Certificate::generate(random, {}));
  }();
  return instance;
}

// What the two have for each other, so that later states are reached too.
void exchange(Instant now, crypto::DtlsSession& client, crypto::DtlsSession& server) {
  for (const Buffer& datagram : client.take_outgoing()) server.handle_datagram(now, datagram);
  for (const Buffer& datagram : server.take_outgoing()) client.handle_datagram(now, datagram);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const crypto::Fingerprint& expected = context().fingerprint();
  crypto::DtlsSession server(context(), crypto::DtlsRole::kServer, expected);
  crypto::DtlsSession client(context(), crypto::DtlsRole::kClient, expected);
  Instant now{std::chrono::seconds(1)};
  bool started = false;  // the client's key exchange costs more than the rest: when it is needed
  alcove::base::ByteReader reader(Bytes(data, size));
  while (const auto step = reader.read_u8()) {
    now += std::chrono::milliseconds(*step / kSteps);
    if (*step % kSteps != kToServer && !std::exchange(started, true)) client.start(now);
    switch (*step % kSteps) {
      case kToServer:
      case kToClient: {
        const std::size_t length = reader.read_u16().value_or(0);
        const Bytes datagram = *reader.read_bytes(std::min(length, reader.remaining()));
        (*step % kSteps == kToServer ? server : client).handle_datagram(now, datagram);
        break;
      }
      case kWait:
        now = std::max(now, std::min(client.next_deadline(), server.next_deadline()));
        if (now == alcove::base::kNever) return 0;
        client.handle_timeout(now);
        server.handle_timeout(now);
        break;
      default:
        exchange(now, client, server);
        break;
    }
  }
  return 0;
}
