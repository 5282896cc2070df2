#pragma once
// The SRTP keys of a DTLS 1.2 handshake that is in the capture, when the key log has its master
// secret: RFC 5764, section 4.2. One object a flow; one thread.

#include <cstdint>
#include <memory>
#include <optional>

#include "audit/dtls_records.h"
#include "audit/flow.h"
#include "audit/key_log.h"
#include "audit/tls_hello.h"
#include "crypto/srtp.h"

namespace alcove::audit {

class DtlsSrtpDecrypt {
 public:
  enum class State : std::uint8_t {
    kNoHandshake,  // hellos not (yet) seen
    kNoKeys,       // the key log does not have this session
    kReady,
    kUnsupported,  // keys are there: another version, or an SRTP profile that is not opened
  };

  // A datagram of DTLS.
  void handle_datagram(Direction direction, base::Bytes datagram);
  // Looks for the session's secret if it was not found yet and the log has grown.
  void find_keys(const KeyLog& keys);
  State state() const { return state_; }
  // Whether both hellos were seen: then what was kept of them is freed.
  bool has_hellos() const { return server_.has_value(); }
  // What opens packets of a direction; in kReady.
  std::optional<crypto::SrtpKeyMaterial> keys_of(Direction direction) const;

 private:
  void handle_message(Direction direction, const HandshakeMessage& message);

  struct Readers {
    std::array<DtlsHandshakeReader, 2> by_direction;
  };
  std::unique_ptr<Readers> readers_ = std::make_unique<Readers>();
  std::optional<HelloRandom> client_random_;
  Direction client_ = Direction::kForward;
  struct Server {
    HelloRandom random{};
    std::uint16_t version = 0;
    std::uint16_t suite = 0;
    std::optional<std::uint16_t> profile;
  };
  std::optional<Server> server_;
  State state_ = State::kNoHandshake;
  std::uint64_t looked_at_ = ~std::uint64_t{0};  // KeyLog::version()
  std::array<crypto::SrtpKeyMaterial, 2> keys_;  // of the DTLS client, of the server
};

}  // namespace alcove::audit
