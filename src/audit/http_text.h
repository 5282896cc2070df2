#pragma once
// HTTP/1 as it passes by in clear (RFC 9112): request and status lines, the headers that an audit
// needs, bodies skipped by their length; and the frames of a WebSocket (RFC 6455, section 5.2).
// Never stops at hostile input, it finds less. One thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace alcove::audit {

inline constexpr std::size_t kMaxHttpHead = 16'384;

struct HttpHead {
  bool request = false;
  std::string method;   // requests: at most 16 bytes
  std::string target;   // requests: at most 512 bytes
  unsigned status = 0;  // responses
  std::string host;     // without a port, lower case, at most 255 bytes
  std::uint64_t content_length = 0;
  bool chunked = false;
  bool websocket = false;  // Upgrade: websocket
};

// Whether these bytes can begin a request or a status line.
bool starts_like_http(base::Bytes bytes);
// A whole head, its empty line included. nullopt when its first line is not HTTP/1.
std::optional<HttpHead> parse_http_head(std::string_view head);

// One direction: cuts heads out of a stream. A body is passed over by Content-Length; after a
// chunked one, or one that lasts to the end, the next line that begins like HTTP is a head again.
class HttpReader {
 public:
  // Calls visit(const HttpHead&) for each head that these bytes complete. A head that is longer
  // than kMaxHttpHead ends the reading. Returns how many bytes were used: all, or up to behind a
  // head with websocket set.
  template <typename Visitor>
  std::size_t feed(base::Bytes bytes, Visitor&& visit) {
    std::size_t used = 0;
    while (used < bytes.size() && !broken_) {
      used += step(bytes.subspan(used));
      if (!ready_) continue;
      ready_ = false;
      visit(found_);
      if (found_.websocket) break;
    }
    return broken_ ? bytes.size() : used;
  }
  bool broken() const { return broken_; }
  bool in_head() const { return !head_.empty(); }
  std::size_t held() const { return head_.size(); }
  void lose() {  // bytes are missing
    head_.clear();
    skip_ = 0;
    searching_ = true;
  }

 private:
  std::size_t step(base::Bytes bytes);
  std::size_t search(base::Bytes bytes);
  void take_head();

  std::string head_;
  std::uint64_t skip_ = 0;  // of a body
  bool searching_ = false;  // for a line that begins like HTTP
  bool broken_ = false;
  bool ready_ = false;
  HttpHead found_;
};

// One direction of a WebSocket: gives the payloads unmasked, piece by piece as they come.
class WebSocketReader {
 public:
  // Calls visit(base::Bytes payload) for each part of a frame's payload; valid during the call.
  // Compressed messages (RSV1) are not given.
  template <typename Visitor>
  void feed(base::Bytes bytes, Visitor&& visit) {
    std::size_t used = 0;
    while (used < bytes.size() && !broken_) {
      const base::Bytes payload = step(bytes, used);
      if (!payload.empty()) visit(payload);
    }
  }
  bool broken() const { return broken_; }
  void lose() { broken_ = true; }

 private:
  base::Bytes step(base::Bytes bytes, std::size_t& used);
  bool read_header();

  base::Buffer header_;
  base::Buffer unmasked_;
  std::uint64_t remaining_ = 0;
  std::uint64_t place_ = 0;  // in the frame's payload, for the mask
  std::array<std::uint8_t, 4> mask_{};
  bool masked_ = false;
  bool compressed_ = false;
  bool broken_ = false;
};

}  // namespace alcove::audit
