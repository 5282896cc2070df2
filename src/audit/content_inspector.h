#pragma once
// What was readable in payloads and streams: the identifiers that the auditor was told, tokens,
// fields that name somebody, devices, private addresses, session descriptions, a vendor's packets.
// One thread.
//
// Every byte is looked at once. Identifiers are sought everywhere, in handshakes and ciphertext,
// too: a match of 8 bytes cannot be chance, a shorter one needs text around it (identifiers.h). The
// other rules leave out what is TLS, DTLS, QUIC, DNS, STUN or multicast: their parsers judge those.

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "audit/finding.h"
#include "audit/held_bytes.h"
#include "audit/identifiers.h"
#include "audit/inspector.h"
#include "audit/repeated_tokens.h"
#include "audit/stream_tail.h"
#include "audit/token_rules.h"

namespace alcove::audit {

enum class ContentRule : std::uint32_t;  // content_rules.h

class ContentInspector final : public Inspector {
 public:
  // identifiers: kMinIdentifier to kMaxIdentifier bytes; others are left out, and what goes over
  // kMaxIdentifiers.
  ContentInspector(const std::vector<std::string>& identifiers, Findings& findings);

  void handle_flow(Flow& flow) override;
  void handle_packet(Flow& flow, Direction direction, const Packet& packet) override;
  void handle_stream(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_decrypted(Flow& flow, Direction direction, const StreamPiece& piece) override;
  void handle_flow_end(Flow& flow) override;
  // Bytes that a WebSocket masked, readable again: a stream of their own. opened: inside of TLS.
  void handle_unmasked(Flow& flow, Direction direction, const StreamPiece& piece, bool opened);

  std::size_t identifiers() const { return identifiers_.size(); }

 private:
  enum class Stream : std::uint8_t { kWire, kUnmasked, kOpened, kOpenedUnmasked };
  static constexpr std::size_t kStreams = 4;
  struct OfStream {
    StreamTail tail;
    std::size_t resume = 0;  // in the kept text: what is before it was judged
  };
  struct State final : FlowState {
    std::array<std::array<std::unique_ptr<OfStream>, 2>, kStreams> streams;
    bool local = false;   // multicast or broadcast
    bool global = false;  // leads to an address that is not private
    bool vendor_name = false;
    std::array<bool, 2> began{};  // the first piece of a stream was seen
  };
  // One text under judgement, and where its bytes came from.
  struct Text {
    Flow& flow;
    State& state;
    Direction direction;
    base::Bytes bytes;
    const StreamTail* tail = nullptr;  // null: one packet
    StreamTail::Origin packet;
    bool opened = false;
    bool readable = true;       // else only identifiers are sought
    std::size_t field_end = 0;  // of the last field, device or address: not told twice
    std::size_t device_end = 0;
  };

  State& state_of(Flow& flow);
  void scan_stream(Flow& flow, Direction direction, const StreamPiece& piece, Stream stream);
  void finish_stream(Flow& flow, Direction direction, Stream stream);
  // Judges what begins in [begin, end).
  void judge(Text& text, std::size_t begin, std::size_t end);
  void judge_identifier(Text& text, std::size_t at, std::size_t length, std::uint32_t value);
  void judge_rule(Text& text, std::size_t at, std::size_t length, ContentRule rule);
  void judge_field(Text& text, std::size_t at);
  void judge_device(Text& text, std::size_t at);
  void judge_header(Text& text, std::size_t at, std::size_t length, ContentRule rule);
  void judge_address(Text& text, std::size_t at);
  void judge_crypto(Text& text, std::size_t at);
  void judge_token(Text& text, Span run);
  void judge_vendor(Text& text);
  void tell(const Text& text, FindingCode code, std::string_view subject, std::size_t at,
            std::string_view excerpt);
  std::string place_of(const Text& text) const;

  Findings& findings_;
  std::vector<std::string> identifiers_;
  PatternMatcher known_;  // identifiers alone: for what is encrypted
  PatternMatcher all_;    // and the rules
  RepeatedTokens repeated_;
  std::set<base::IpAddress> private_addresses_;  // seen as ends of flows
  base::Buffer scratch_;
  HeldBytes held_bytes_{40 << 20};  // of every open stream some hundred bytes
};

}  // namespace alcove::audit
