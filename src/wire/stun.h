#pragma once
// STUN messages (RFC 8489) with the attributes of ICE (RFC 8445, section 16). Short-term
// credentials only. This folder has no cryptography: who checks or writes integrity passes
// HMAC-SHA1 in. Any thread.

#include <array>
#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"
#include "wire/parse_error.h"

namespace alcove::wire {

using TransactionId = std::array<std::uint8_t, 12>;
using HmacSha1Function = std::array<std::uint8_t, 20> (*)(base::Bytes key, base::Bytes message);

inline constexpr std::size_t kStunHeaderSize = 20;
inline constexpr std::size_t kMaxStunMessage = 1500;
inline constexpr std::uint16_t kStunBinding = 0x001;
// More attribute types than this in a list are not reported: one is enough to refuse a request.
inline constexpr std::size_t kMaxUnknownAttributes = 8;

enum class StunClass : std::uint8_t { kRequest = 0, kIndication = 1, kSuccess = 2, kError = 3 };

struct StunError {
  std::uint16_t code = 0;   // 300 to 699
  std::string_view reason;  // as sent, not checked to be UTF-8; may be empty
};

using StunAttributeList = boost::container::static_vector<std::uint16_t, kMaxUnknownAttributes>;

// A view into the bytes that were parsed. Of an attribute that comes twice the first counts
// (section 14).
struct StunMessage {
  base::Bytes bytes;
  StunClass message_class = StunClass::kRequest;
  std::uint16_t method = 0;
  TransactionId transaction{};

  std::optional<std::string_view> username;
  std::optional<std::string_view> software;
  std::optional<base::SocketAddress> mapped_address;
  std::optional<base::SocketAddress> xor_mapped_address;
  std::optional<std::uint32_t> priority;
  bool use_candidate = false;
  std::optional<std::uint64_t> ice_controlled;
  std::optional<std::uint64_t> ice_controlling;
  std::optional<StunError> error;
  StunAttributeList unknown_attributes;  // the UNKNOWN-ATTRIBUTES attribute of a 420 response

  // Comprehension-required attributes (0x0000 to 0x7fff) that are not understood: a request that
  // has one is answered with 420, after its integrity was checked (section 6.3.1).
  StunAttributeList not_understood;

  // Where MESSAGE-INTEGRITY begins in bytes; 0 when there is none.
  std::size_t integrity_offset = 0;
  bool has_fingerprint = false;  // and it matched
};

// Exactly one message. Refuses a FINGERPRINT that does not match or is not last. What stands after
// MESSAGE-INTEGRITY, other than FINGERPRINT, is not authenticated and is ignored.
Parsed<StunMessage> parse_stun(base::Bytes bytes);

// True when MESSAGE-INTEGRITY is there and right for the password. Takes the same time wherever the
// two values differ.
[[nodiscard]] bool check_integrity(const StunMessage& message, base::Bytes password,
                                   HmacSha1Function hmac_sha1);

// Writes one message into a buffer of the caller's. The order is begin, attributes, add_integrity,
// add_fingerprint, finish; another order is a programmer's error.
class StunWriter {
 public:
  explicit StunWriter(base::MutableBytes buffer) : writer_(buffer) {}

  void begin(StunClass message_class, std::uint16_t method, const TransactionId& transaction);
  void add_username(std::string_view username);
  void add_software(std::string_view software);
  void add_mapped_address(const base::SocketAddress& address);
  void add_xor_mapped_address(const base::SocketAddress& address);
  void add_priority(std::uint32_t priority);
  void add_use_candidate();
  void add_ice_controlled(std::uint64_t tie_breaker);
  void add_ice_controlling(std::uint64_t tie_breaker);
  // code is 300 to 699.
  void add_error_code(std::uint16_t code, std::string_view reason);
  void add_unknown_attributes(std::span<const std::uint16_t> types);
  void add_integrity(base::Bytes password, HmacSha1Function hmac_sha1);
  void add_fingerprint();
  // The message, in the buffer; empty when it did not fit.
  [[nodiscard]] base::Bytes finish();

 private:
  void add_attribute(std::uint16_t type, base::Bytes value);
  void add_address(std::uint16_t type, const base::SocketAddress& address, bool is_xored);
  void set_length(std::size_t total);

  base::ByteWriter writer_;
  TransactionId transaction_{};
};

}  // namespace alcove::wire
