#pragma once
// TLS, DTLS and QUIC from outside: whose server it is, and how good the protection is that the
// server chose. Comes before the inspectors that look into bytes, which leave these flows alone.
// One thread.
//
// Weak: below TLS 1.2 or DTLS 1.2; NULL, anonymous, export, DES, 3DES, RC4; RSA key exchange, which
// lets whoever gets the server's key later read what was recorded; SRTP without a cipher. CBC with
// forward secrecy is old but not broken, and is not told.

#include <array>
#include <memory>

#include "audit/dtls_records.h"
#include "audit/finding.h"
#include "audit/held_bytes.h"
#include "audit/inspector.h"
#include "audit/tls_hello.h"
#include "audit/tls_records.h"

namespace alcove::audit {

class TlsInspector final : public Inspector {
 public:
  explicit TlsInspector(Findings& findings) : findings_(findings) {}  // outlives it

  void handle_packet(Flow& flow, Direction direction, const Packet& packet) override;
  void handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_flow_end(Flow& flow) override;

 private:
  struct OfStream {
    TlsRecordSplitter splitter;
    TlsHandshakeReader handshake;
    std::size_t held() const { return splitter.held() + handshake.held(); }
  };
  struct State final : FlowState {
    std::array<std::unique_ptr<OfStream>, 2> streams;  // until the hello was seen
    std::array<bool, 2> done{};
    std::array<std::unique_ptr<DtlsHandshakeReader>, 2> datagrams;
  };
  State& state_of(Flow& flow);
  void handle_dtls(Flow& flow, Direction direction, const Packet& packet);
  void handle_message(Flow& flow, const HandshakeMessage& message, const Evidence& where,
                      bool datagram);
  void judge(Flow& flow, const ServerHello& hello, const Evidence& where, bool datagram);

  void tell_limit(const Evidence& where);

  Findings& findings_;
  HeldBytes held_bytes_;
};

// Whether a UDP payload begins with a long header of QUIC (RFC 9000, section 17.2) of a version
// that is in use.
bool starts_like_quic(base::Bytes payload);

}  // namespace alcove::audit
