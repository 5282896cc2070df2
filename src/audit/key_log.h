#pragma once
// Session keys in NSS key log format (SSLKEYLOGFILE): lines of label, client random and secret, in
// hexadecimal. What a browser or server writes, and what pcapng carries. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace alcove::audit {

enum class SecretLabel : std::uint8_t {
  kMasterSecret,  // CLIENT_RANDOM: of TLS and DTLS to 1.2, 48 bytes
  kClientHandshake,
  kServerHandshake,
  kClientTraffic,
  kServerTraffic,
  kExporter,
};

class KeyLog {
 public:
  static constexpr std::size_t kMaxLines = 65'536;  // that hold a secret
  static constexpr std::size_t kMaxSecret = 64;
  using Random = std::array<std::uint8_t, 32>;

  // Any text; may be called often. A line of an unknown label, a comment or an empty line is
  // skipped; a line that is neither that nor well-formed is counted.
  void add(std::string_view text);
  // Valid as long as this. Of two lines for the same secret the last counts.
  std::optional<base::Bytes> find(const Random& client_random, SecretLabel label) const;
  bool knows(const Random& client_random) const;

  bool empty() const { return secrets_.empty(); }
  std::size_t size() const { return secrets_.size(); }
  std::uint64_t bad_lines() const { return bad_lines_; }
  std::uint64_t left_out() const { return left_out_; }  // above kMaxLines
  // Grows with each addition that brought something.
  std::uint64_t version() const { return version_; }

 private:
  struct Secret {
    std::uint8_t size = 0;
    std::array<std::uint8_t, kMaxSecret> bytes{};
  };
  void add_line(std::string_view line);

  std::map<std::pair<Random, SecretLabel>, Secret> secrets_;
  std::uint64_t bad_lines_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace alcove::audit
