#pragma once
// Opens TLS sessions whose secrets the key log has, and hands their application data to all
// inspectors. One thread.
//
// Bounds: 1,024 sessions with keys at a time; a session without is forgotten with its ClientHello.

#include <cstdint>
#include <memory>

#include "audit/finding.h"
#include "audit/flow_table.h"
#include "audit/inspector.h"
#include "audit/key_log.h"
#include "audit/tls_hello.h"
#include "audit/tls_records.h"

namespace alcove::audit {

class TlsDecrypt final : public Inspector {
 public:
  static constexpr std::size_t kMaxSessions = 1024;

  struct Counters {
    std::uint64_t sessions = 0;  // with keys
    std::uint64_t opened_records = 0;
    std::uint64_t unopened_records = 0;  // encrypted ones of sessions with keys
    std::uint64_t left_out = 0;          // sessions above kMaxSessions
  };

  // Both outlive it. keys may grow while it works, but has to have a session's before its hello.
  TlsDecrypt(Findings& findings, const KeyLog& keys);
  ~TlsDecrypt() override;
  // The table that it hands plaintext to; before the first packet.
  void set_flow_table(FlowTable* table) { table_ = table; }

  void handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_flow_end(Flow& flow) override;
  const Counters& counters() const { return counters_; }

 private:
  struct State;
  void handle_record(Flow& flow, State& state, Direction direction, const TlsRecord& record);
  void handle_handshake(State& state, Direction direction, const TlsRecord& record);
  void choose_keys(State& state, const ServerHello& hello);
  void forget(Flow& flow);

  Findings& findings_;
  const KeyLog& keys_;
  FlowTable* table_ = nullptr;
  Counters counters_;
  std::size_t sessions_ = 0;
};

}  // namespace alcove::audit
