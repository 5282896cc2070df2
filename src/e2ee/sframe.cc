#include "e2ee/sframe.h"

#include <algorithm>
#include <bit>

#include "crypto/hkdf.h"
#include "crypto/wipe.h"

namespace alcove::e2ee {
namespace {

using base::Bytes;
using base::MutableBytes;

constexpr std::uint16_t kCipherSuite = 0x0004;  // AES_128_GCM_SHA256_128

// RFC 9605, section 4.3: the first byte is X, K (3 bits), Y, C (3 bits). With X, K is the length of
// the key id less one, else K is the key id; Y and C are the same for the counter.
constexpr unsigned kLong = 8;
constexpr unsigned kLargestInline = 7;

// Bytes that value takes after the first byte of the header.
std::size_t field_size(std::uint64_t value) {
  if (value <= kLargestInline) return 0;
  return (static_cast<std::size_t>(std::bit_width(value)) + 7) / 8;
}

// Four: flag and number.
unsigned field_bits(std::uint64_t value) {
  const std::size_t size = field_size(value);
  return static_cast<unsigned>(size == 0 ? value : kLong | (size - 1));
}

void write_field(std::uint64_t value, base::ByteWriter& out) {
  for (std::size_t left = field_size(value); left > 0; --left)
    out.write_u8(static_cast<std::uint8_t>(value >> (8 * (left - 1))));
}

std::optional<std::uint64_t> read_field(unsigned bits, base::ByteReader& in) {
  const unsigned number = bits & kLargestInline;
  if ((bits & kLong) == 0) return number;
  const std::optional<Bytes> bytes = in.read_bytes(number + 1);
  if (!bytes) return std::nullopt;
  std::uint64_t value = 0;
  for (const std::uint8_t byte : *bytes) value = value << 8 | byte;
  if (field_size(value) != bytes->size()) return std::nullopt;
  return value;
}

// Section 4.4.2.
template <std::size_t N>
std::array<std::uint8_t, N> derive(Bytes secret, std::string_view purpose, std::uint64_t key_id) {
  std::array<std::uint8_t, 64> label;
  base::ByteWriter writer(label);
  writer.write_bytes(base::as_bytes(purpose));
  writer.write_u64(key_id);
  writer.write_u16(kCipherSuite);
  CHECK(writer.ok());
  std::array<std::uint8_t, N> out;
  crypto::hkdf_expand(secret, writer.written(), out);
  return out;
}

// Section 4.4.3.
crypto::Aes128Gcm::Nonce nonce_of(const std::array<std::uint8_t, 12>& salt, std::uint64_t counter) {
  crypto::Aes128Gcm::Nonce nonce = salt;
  for (std::size_t i = 0; i < 8; ++i)
    nonce[nonce.size() - 1 - i] ^= static_cast<std::uint8_t>(counter >> (8 * i));
  return nonce;
}

// Header and metadata, joined only when there is metadata.
class AssociatedData {
 public:
  AssociatedData(Bytes header, Bytes metadata) : bytes_(header) {
    if (metadata.empty()) return;
    joined_.insert(joined_.end(), header.begin(), header.end());
    joined_.insert(joined_.end(), metadata.begin(), metadata.end());
    bytes_ = joined_;
  }
  AssociatedData(const AssociatedData&) = delete;
  AssociatedData& operator=(const AssociatedData&) = delete;
  Bytes bytes() const { return bytes_; }

 private:
  base::Buffer joined_;
  Bytes bytes_;
};

}  // namespace

std::optional<SFrameHeader> parse_sframe_header(Bytes frame) {
  base::ByteReader reader(frame);
  const std::optional<std::uint8_t> first = reader.read_u8();
  if (!first) return std::nullopt;
  const std::optional<std::uint64_t> key_id = read_field(*first >> 4U, reader);
  if (!key_id) return std::nullopt;
  const std::optional<std::uint64_t> counter = read_field(*first & 0x0fU, reader);
  if (!counter) return std::nullopt;
  return SFrameHeader{*key_id, *counter, reader.position()};
}

std::size_t sframe_header_size(std::uint64_t key_id, std::uint64_t counter) {
  return 1 + field_size(key_id) + field_size(counter);
}

void write_sframe_header(std::uint64_t key_id, std::uint64_t counter, base::ByteWriter& out) {
  out.write_u8(static_cast<std::uint8_t>(field_bits(key_id) << 4 | field_bits(counter)));
  write_field(key_id, out);
  write_field(counter, out);
}

SFrameKey::SFrameKey(const SFrameBaseKey& base_key, std::uint64_t key_id)
    : key_id_(key_id), aead_([&] {
        crypto::Sha256Digest secret = crypto::hkdf_extract({}, base_key);
        crypto::Aes128Gcm::Key key = derive<16>(secret, "SFrame 1.0 Secret key ", key_id);
        salt_ = derive<12>(secret, "SFrame 1.0 Secret salt ", key_id);
        crypto::Aes128Gcm aead(key);
        crypto::wipe(secret);
        crypto::wipe(key);
        return aead;
      }()) {}

std::optional<std::size_t> SFrameKey::seal(std::uint64_t counter, Bytes metadata, Bytes plaintext,
                                           MutableBytes out) {
  const std::size_t header_size = sframe_header_size(key_id_, counter);
  if (out.size() < header_size + kTagSize || out.size() - header_size - kTagSize < plaintext.size())
    return std::nullopt;
  base::ByteWriter writer(out.first(header_size));
  write_sframe_header(key_id_, counter, writer);
  CHECK(writer.ok());
  const std::size_t sealed_size = plaintext.size() + kTagSize;
  const AssociatedData aad(writer.written(), metadata);
  aead_.seal(nonce_of(salt_, counter), aad.bytes(), plaintext,
             out.subspan(header_size, sealed_size));
  return header_size + sealed_size;
}

std::optional<std::size_t> SFrameKey::open(const SFrameHeader& header, Bytes metadata, Bytes frame,
                                           MutableBytes out) {
  if (header.key_id != key_id_ || frame.size() < header.size + kTagSize) return std::nullopt;
  const Bytes sealed = frame.subspan(header.size);
  const std::size_t size = sealed.size() - kTagSize;
  if (out.size() < size) return std::nullopt;
  const AssociatedData aad(frame.first(header.size), metadata);
  if (!aead_.open(nonce_of(salt_, header.counter), aad.bytes(), sealed, out.first(size)))
    return std::nullopt;
  return size;
}

}  // namespace alcove::e2ee
