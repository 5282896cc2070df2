#include "audit/tls_decrypt.h"

#include <array>
#include <utility>

#include "audit/tls_hello.h"
#include "audit/tls_records.h"
#include "audit/tls_session_keys.h"

namespace alcove::audit {
namespace {

constexpr std::uint16_t kTls12 = 0x0303;
constexpr std::uint16_t kTls13 = 0x0304;

}  // namespace

struct TlsDecrypt::State final : FlowState {
  struct Side {
    TlsRecordSplitter splitter;
    TlsHandshakeReader handshake;
    std::unique_ptr<TlsOpener> opener;
    bool encrypted = false;  // everything from here on is
    bool gap = false;        // records may be missing before the next
    std::uint64_t plaintext = 0;
  };
  std::array<Side, 2> sides;
  Direction client = Direction::kForward;
  HelloRandom client_random{};
  bool has_client_hello = false;
  bool counted = false;  // in sessions_
  bool forgotten = false;
  bool unsupported = false;
  std::uint16_t version = 0;
  std::uint64_t opened = 0;
  std::uint64_t unopened = 0;
  Evidence first_unopened;

  Side& side(Direction direction) { return sides[static_cast<std::size_t>(direction)]; }
};

TlsDecrypt::TlsDecrypt(Findings& findings, const KeyLog& keys) : findings_(findings), keys_(keys) {}
TlsDecrypt::~TlsDecrypt() = default;

void TlsDecrypt::forget(Flow& flow) {
  auto* state = static_cast<State*>(flow.states[slot].get());
  if (state == nullptr) return;
  if (state->counted) --sessions_;
  flow.states[slot].reset();
}

void TlsDecrypt::handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) {
  if (keys_.empty()) return;
  auto* state = static_cast<State*>(flow.states[slot].get());
  if (state == nullptr) {
    // A session is found by its ClientHello, which begins a stream.
    if (piece.offset != 0 || piece.after_gap || !starts_like_tls(piece.bytes)) return;
    if (sessions_ >= kMaxSessions) {
      ++counters_.left_out;
      return;
    }
    flow.states[slot] = std::make_unique<State>();
    state = static_cast<State*>(flow.states[slot].get());
    state->counted = true;
    ++sessions_;
  }
  State::Side& side = state->side(direction);
  if (piece.after_gap) side.gap = true;
  const bool good = side.splitter.feed(piece, [&](const TlsRecord& record) {
    if (!state->forgotten) handle_record(flow, *state, direction, record);
  });
  if (!good || state->forgotten) {
    if (state->has_client_hello && !state->forgotten)
      side.opener.reset();  // the other direction goes on
    else
      forget(flow);
  }
}

void TlsDecrypt::handle_record(Flow& flow, State& state, Direction direction,
                               const TlsRecord& record) {
  State::Side& side = state.side(direction);
  const bool encrypted = side.encrypted || record.type == tls_type::kApplicationData;
  if (!encrypted) {
    if (record.type == tls_type::kHandshake) handle_handshake(state, direction, record);
    // TLS 1.3 sends it for the sake of old boxes, and means nothing by it (RFC 8446, D.4).
    if (record.type == tls_type::kChangeCipherSpec && state.version == kTls12)
      side.encrypted = true;
    return;
  }
  if (record.type == tls_type::kChangeCipherSpec) return;
  if (side.opener == nullptr && state.version != kTls12 && state.version != kTls13 &&
      !state.unsupported)
    return;  // early data, before the server's answer
  const auto opened = side.opener == nullptr
                          ? std::nullopt
                          : side.opener->open(record, std::exchange(side.gap, false));
  if (!opened) {
    ++counters_.unopened_records;
    if (state.unopened++ == 0)
      state.first_unopened = {record.number, record.time, flow.id, std::string()};
    return;
  }
  ++counters_.opened_records;
  ++state.opened;
  if (opened->type != tls_type::kApplicationData || opened->content.empty()) return;
  const StreamPiece piece{.bytes = opened->content,
                          .offset = side.plaintext,
                          .number = record.number,
                          .time = record.time};
  side.plaintext += opened->content.size();
  if (table_ != nullptr) table_->handle_decrypted(flow, direction, piece);
}

void TlsDecrypt::handle_handshake(State& state, Direction direction, const TlsRecord& record) {
  state.side(direction).handshake.feed(record.fragment, [&](const HandshakeMessage& message) {
    if (message.type == handshake_type::kClientHello && !state.has_client_hello) {
      const auto hello = parse_client_hello(message.body, false);
      if (!hello || !keys_.knows(hello->random)) {
        state.forgotten = true;
        return;
      }
      state.has_client_hello = true;
      state.client = direction;
      state.client_random = hello->random;
      ++counters_.sessions;
    } else if (message.type == handshake_type::kServerHello && state.has_client_hello &&
               direction != state.client && state.version == 0) {
      const auto hello = parse_server_hello(message.body);
      if (hello && !hello->hello_retry_request) choose_keys(state, *hello);
    }
  });
}

void TlsDecrypt::choose_keys(State& state, const ServerHello& hello) {
  using enum SecretLabel;
  state.version = hello.version;
  const auto secret = [&](SecretLabel label) {
    return keys_.find(state.client_random, label).value_or(base::Bytes());
  };
  State::Side& client = state.side(state.client);
  State::Side& server =
      state.side(state.client == Direction::kForward ? Direction::kBackward : Direction::kForward);
  if (const auto suite = tls13_suite(hello.suite); suite && hello.version == kTls13) {
    client.opener = make_tls13_opener(*suite, secret(kClientHandshake), secret(kClientTraffic));
    server.opener = make_tls13_opener(*suite, secret(kServerHandshake), secret(kServerTraffic));
  } else if (const auto older = tls12_suite(hello.suite); older && hello.version == kTls12) {
    const Tls12Secrets secrets{secret(kMasterSecret), state.client_random, hello.random};
    if (secrets.master.empty()) return;
    client.opener = make_tls12_opener(*older, secrets, true);
    server.opener = make_tls12_opener(*older, secrets, false);
  } else {
    state.unsupported = true;
  }
}

void TlsDecrypt::handle_flow_end(Flow& flow) {
  auto* state = static_cast<State*>(flow.states[slot].get());
  if (state != nullptr && state->has_client_hello && state->opened == 0 && state->unopened != 0) {
    findings_.add(FindingCode::kUndecryptable, flow.key.server.text() + "/tcp",
                  state->first_unopened,
                  state->unsupported
                      ? "The key log has the keys of this session, whose version or cipher suite "
                        "this program does not open."
                      : "The key log's secrets of this session open none of its records.",
                  state->unsupported
                      ? "Le journal a les clés de cette session, mais ce programme n'ouvre pas sa "
                        "version ou sa suite de chiffrement."
                      : "Les secrets du journal n'ouvrent aucun enregistrement de cette session.");
  }
  forget(flow);
}

}  // namespace alcove::audit
