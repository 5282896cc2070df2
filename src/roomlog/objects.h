#pragma once
// The signed objects of a room (docs/protocol/room-keys.md, "Signed objects"): parsed and checked
// at the edge, built with a key. Shared by clients and the control plane. Any thread.

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "alcove/v1/keys.pb.h"
#include "base/bytes.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"

namespace alcove::roomlog {

using Hash = crypto::Sha256Digest;

// Room fingerprint, identity of a person, name of one join: three hashes or keys that do not mix up
// by position are passed with their names.
enum class ObjectError : std::uint8_t {
  kTooLong,
  kNotCanonical,  // not the message, unknown fields, or another encoding of it
  kBadField,      // a size, a number or a text out of its bounds
  kBadSignature,
  kWrongRoom,
};
std::string_view to_text(ObjectError error);

struct Genesis {
  v1::Genesis body;
  v1::SignedObject object;
  Hash fingerprint{};
  crypto::Ed25519PublicKey host{};
};

struct Certificate {
  v1::SignedObject object;
  Hash leaf_hash{};
  crypto::Ed25519PublicKey identity{};
  crypto::Ed25519PublicKey leaf{};
  crypto::HpkePublicKey encryption{};
  std::string account;
  std::string display_name;
};

// Class of an entry that does not depend on the state (whether a depart is of a stage member does).
struct Entry {
  v1::LogEntry body;
  v1::SignedObject object;
  Hash hash{};       // of the whole object
  Hash body_hash{};  // h
  bool has_advance() const { return body.advance() != v1::ADVANCE_NONE; }
};

// Signature and all fields are checked.
std::expected<Genesis, ObjectError> parse_genesis(const v1::SignedObject& object);
// The same without the signature: of listeners' certificates, for who has no roster.
std::expected<Certificate, ObjectError> read_certificate(const Hash& room,
                                                         const v1::SignedObject& object);
std::expected<Certificate, ObjectError> parse_certificate(const Hash& room,
                                                          const v1::SignedObject& object);
// Everything but what needs the log's state: the signature is checked by LogState.
std::expected<Entry, ObjectError> parse_entry(const v1::SignedObject& object);

using Sign = std::function<crypto::Ed25519Signature(base::Bytes message)>;

Genesis make_genesis(v1::Genesis body, const Sign& host);
Certificate make_certificate(const Hash& room, const v1::Certificate& body, const Sign& identity);
// confirm: empty without an advance. sign: the leaf's key, or the identity's for a resume.
Entry make_entry(const Hash& room, v1::LogEntry body, base::Bytes confirm, const Sign& sign);
// What the signature of an object is over.
base::Buffer signed_bytes(std::string_view type, base::Bytes context, base::Bytes body,
                          base::Bytes confirm);

Hash object_hash(const v1::SignedObject& object);
// A field of 32 bytes of a parsed body: a hash, or a public key (CHECK of the size).
Hash to_hash(std::string_view bytes);

// "12345 67890 …": six groups of five digits.
std::string room_code(const Hash& fingerprint);

using LinkSecret = std::array<std::uint8_t, 16>;
crypto::Sha256Digest link_mac(const LinkSecret& secret, const Hash& room, const Hash& leaf_hash);

// "<base64url fingerprint>.<base64url secret>", the fragment of a link.
struct LinkFragment {
  Hash fingerprint{};
  LinkSecret secret{};
};
std::string to_text(const LinkFragment& fragment);
std::expected<LinkFragment, ObjectError> parse_link_fragment(std::string_view text);

// Expand of the protocol: HKDF-Expand with LP("alcove 1 " + label) || LP(context).
void expand(base::Bytes secret, std::string_view label, base::Bytes context,
            base::MutableBytes out);
base::Buffer length_prefixed(base::Bytes bytes);

}  // namespace alcove::roomlog
