// STUN messages from anybody: parse, check, and write what was understood again.

#include <algorithm>
#include <cstdlib>

#include "crypto/hash.h"
#include "wire/stun.h"

namespace {

using namespace alcove;

void require(bool condition) {
  if (!condition) std::abort();
}

// What one can write of a parsed message must parse to the same.
void write_again(const wire::StunMessage& message) {
  std::array<std::uint8_t, 2 * wire::kMaxStunMessage> buffer{};
  wire::StunWriter writer(buffer);
  writer.begin(message.message_class, message.method, message.transaction);
  if (message.username) writer.add_username(*message.username);
  if (message.software) writer.add_software(*message.software);
  if (message.xor_mapped_address) writer.add_xor_mapped_address(*message.xor_mapped_address);
  if (message.error) writer.add_error_code(message.error->code, message.error->reason);
  if (!message.not_understood.empty()) writer.add_unknown_attributes(message.not_understood);
  const base::Bytes key = base::as_bytes("key");
  writer.add_integrity(key, crypto::hmac_sha1);
  writer.add_fingerprint();
  const base::Bytes written = writer.finish();
  if (written.empty()) return;  // longer than what was read, and too long
  const auto again = wire::parse_stun(written);
  require(again.has_value());
  require(again->message_class == message.message_class && again->method == message.method);
  require(again->username == message.username && again->software == message.software);
  require(again->xor_mapped_address == message.xor_mapped_address);
  require(std::ranges::equal(again->unknown_attributes, message.not_understood));
  require(again->has_fingerprint && wire::check_integrity(*again, key, crypto::hmac_sha1));
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes bytes(data, size);
  const auto message = wire::parse_stun(bytes);
  if (!message) return 0;
  (void)wire::check_integrity(*message, base::as_bytes("VOkJxbRl1RmTxUk/WvJxBt"),
                              crypto::hmac_sha1);
  write_again(*message);
  return 0;
}
