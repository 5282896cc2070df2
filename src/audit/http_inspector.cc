#include "audit/http_inspector.h"

#include <fmt/core.h>

#include "audit/endpoint_text.h"

namespace alcove::audit {

void HttpInspector::handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) {
  if (flow.application == Application::kTls) return;
  handle(flow, direction, piece, false);
}

void HttpInspector::handle_decrypted(Flow& flow, Direction direction, const StreamPiece& piece) {
  handle(flow, direction, piece, true);
}

void HttpInspector::handle(Flow& flow, Direction direction, const StreamPiece& piece, bool opened) {
  auto& kept = flow.states[slot];
  if (!kept) kept = std::make_unique<State>();
  State& state = static_cast<State&>(*kept);
  auto& connection = opened ? state.opened : state.wire;
  if (!connection) {
    // The other side may speak first, with its end of an answer.
    if (!starts_like_http(piece.bytes)) return;
    connection = std::make_unique<OfConnection>();
  }
  OfStream& stream = connection->streams[static_cast<std::size_t>(direction)];
  if (stream.ignored) return;
  const std::size_t before = stream.http.held();
  if (piece.after_gap) {
    stream.http.lose();
    stream.websocket.lose();
  }
  if (stream.is_websocket) return handle_websocket(flow, direction, piece, stream, opened);
  if (!stream.begun && !starts_like_http(piece.bytes)) stream.http.lose();
  stream.begun = true;
  bool from_before = stream.http.in_head();
  const std::size_t used = stream.http.feed(piece.bytes, [&](const HttpHead& head) {
    const std::uint64_t number = from_before ? stream.head_number : piece.number;
    from_before = false;
    handle_head(flow, head, {number, piece.time, flow.id, {}}, stream, opened);
  });
  if (!from_before) stream.head_number = piece.number;
  if (!held_bytes_.change(before, stream.http.held())) {
    held_bytes_.change(stream.http.held(), 0);
    stream.http.lose();
    findings_.add(FindingCode::kLimitReached, "HTTP heads",
                  {piece.number, piece.time, flow.id, {}});
  }
  if (stream.http.broken()) stream.ignored = true;
  if (used >= piece.bytes.size() || !stream.is_websocket) return;
  StreamPiece rest = piece;
  rest.bytes = piece.bytes.subspan(used);
  rest.offset += used;
  rest.after_gap = false;
  handle_websocket(flow, direction, rest, stream, opened);
}

void HttpInspector::handle_flow_end(Flow& flow) {
  if (!flow.states[slot]) return;
  State& state = static_cast<State&>(*flow.states[slot]);
  for (const auto* connection : {state.wire.get(), state.opened.get()})
    if (connection != nullptr)
      for (const OfStream& stream : connection->streams) held_bytes_.change(stream.http.held(), 0);
}

void HttpInspector::handle_head(Flow& flow, const HttpHead& head, const Evidence& where,
                                OfStream& stream, bool opened) {
  if (head.websocket) {
    stream.is_websocket = true;
    if (!opened) flow.application = Application::kWebSocket;
  }
  if (opened) return;
  if (flow.application == Application::kUnknown) flow.application = Application::kHttp;
  if (!head.request) return;
  if (!head.host.empty()) flow.server_name = head.host;
  Evidence evidence = where;
  // What stands behind a question mark may be secret; it is told by its own rules.
  evidence.excerpt =
      fmt::format("{} {}", head.method, head.target.substr(0, head.target.find('?')));
  findings_.add(FindingCode::kCleartextHttp, head.host.empty() ? endpoint_text(flow) : head.host,
                evidence);
}

void HttpInspector::handle_websocket(Flow& flow, Direction direction, const StreamPiece& piece,
                                     OfStream& stream, bool opened) {
  stream.websocket.feed(piece.bytes, [&](base::Bytes payload) {
    StreamPiece unmasked = piece;
    unmasked.bytes = payload;
    unmasked.offset = stream.unmasked;
    unmasked.after_gap = false;
    stream.unmasked += payload.size();
    // What a server sends is not masked and was looked at on the wire.
    if (direction == Direction::kForward)
      content_.handle_unmasked(flow, direction, unmasked, opened);
  });
  if (stream.websocket.broken()) stream.ignored = true;
}

}  // namespace alcove::audit
