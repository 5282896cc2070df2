#pragma once
// HTTP and WebSockets in clear. What clients mask in WebSocket frames is made readable again and
// handed to ContentInspector; also within TLS that keys opened, where nothing but that is done.
// Comes after TlsInspector and before ContentInspector. One thread.

#include <array>
#include <memory>

#include "audit/content_inspector.h"
#include "audit/finding.h"
#include "audit/held_bytes.h"
#include "audit/http_text.h"
#include "audit/inspector.h"

namespace alcove::audit {

class HttpInspector final : public Inspector {
 public:
  HttpInspector(ContentInspector& content, Findings& findings)  // outlive it
      : content_(content), findings_(findings) {}

  void handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_decrypted(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_flow_end(Flow& flow) override;

 private:
  struct OfStream {
    HttpReader http;
    WebSocketReader websocket;
    std::uint64_t unmasked = 0;     // bytes so far
    std::uint64_t head_number = 0;  // the packet in which a head began
    bool is_websocket = false;
    bool ignored = false;  // not HTTP
    bool begun = false;
  };
  struct OfConnection {
    std::array<OfStream, 2> streams;
  };
  struct State final : FlowState {
    std::unique_ptr<OfConnection> wire, opened;
  };
  void handle(Flow& flow, Direction direction, const StreamPiece& piece, bool opened);
  void handle_head(Flow& flow, const HttpHead& head, const Evidence& where, OfStream& stream,
                   bool opened);
  void handle_websocket(Flow& flow, Direction direction, const StreamPiece& piece, OfStream& stream,
                        bool opened);

  ContentInspector& content_;
  Findings& findings_;
  HeldBytes held_bytes_;
};

}  // namespace alcove::audit
