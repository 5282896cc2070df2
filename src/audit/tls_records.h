#pragma once
// A TCP stream cut into TLS records (RFC 8446, section 5.1), and their clear handshake messages put
// together. Nothing is decrypted here. One thread.
//
// Bounds: a record of at most 16,640 bytes is kept while it is not whole, a handshake message of at
// most 64 KiB; a longer one is skipped.

#include <cstdint>
#include <optional>

#include "audit/inspector.h"
#include "base/bytes.h"

namespace alcove::audit {

namespace tls_type {
inline constexpr std::uint8_t kChangeCipherSpec = 20;
inline constexpr std::uint8_t kAlert = 21;
inline constexpr std::uint8_t kHandshake = 22;
inline constexpr std::uint8_t kApplicationData = 23;
}  // namespace tls_type

inline constexpr std::size_t kTlsRecordHeader = 5;
inline constexpr std::size_t kMaxTlsFragment = 16'384 + 256;
inline constexpr std::size_t kMaxHandshakeMessage = 65'536;

struct TlsRecord {
  std::uint8_t type = 0;
  std::uint16_t version = 0;
  base::Bytes header;        // the five bytes: additional data of AEADs
  base::Bytes fragment;      // after the header; valid during the call
  std::uint64_t offset = 0;  // of the header in the stream
  std::uint64_t number = 0;  // the packet that carried its beginning
  CaptureTime time;          // of that packet
};

// Whether these bytes can begin a TLS record: type, version 3.x, a length that may be.
bool starts_like_tls(base::Bytes bytes);

// One direction of a stream.
class TlsRecordSplitter {
 public:
  // Calls visit(const TlsRecord&) for each record that the piece completes. False as soon as the
  // stream is not TLS, and for good. After a gap it looks for a record at the start of each piece;
  // resynchronized() then tells that records are missing before it (a cipher's sequence number is
  // lost).
  template <typename Visitor>
  bool feed(const StreamPiece& piece, Visitor&& visit) {
    if (!begin(piece)) return !broken_;
    while (const auto record = next()) visit(*record);
    end();
    return !broken_;
  }
  bool broken() const { return broken_; }
  std::size_t held() const { return held_.size(); }
  bool resynchronized() const { return resynchronized_; }

 private:
  bool begin(const StreamPiece& piece);
  std::optional<TlsRecord> next();
  void end();

  base::Buffer held_;    // a record that is not whole
  base::Buffer merged_;  // held_ and the piece, during feed
  base::Bytes bytes_;    // what feed has still to cut
  std::uint64_t offset_ = 0;
  std::uint64_t held_number_ = 0;
  std::uint64_t piece_number_ = 0;
  std::uint64_t piece_offset_ = 0;
  CaptureTime held_time_;
  CaptureTime piece_time_;
  bool broken_ = false;
  bool searching_ = false;
  bool resynchronized_ = false;
};

struct HandshakeMessage {
  std::uint8_t type = 0;
  base::Bytes body;  // without the header; valid until the next call
};

// Messages out of the handshake records of one direction, as long as they are in clear.
class TlsHandshakeReader {
 public:
  template <typename Visitor>
  void feed(base::Bytes fragment, Visitor&& visit) {
    add(fragment);
    while (const auto message = next()) visit(*message);
    compact();
  }
  std::size_t held() const { return bytes_.size(); }

 private:
  void add(base::Bytes fragment);
  std::optional<HandshakeMessage> next();
  void compact();

  base::Buffer bytes_;
  std::size_t position_ = 0;
  std::size_t skip_ = 0;  // of a message that is too long
};

}  // namespace alcove::audit
