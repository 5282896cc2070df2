#include "roomlog/objects.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "roomlog/bounds.h"

namespace alcove::roomlog {

namespace {

constexpr std::string_view kPrefix = "alcove 1 ";

std::string to_string(base::Bytes bytes) { return std::string(base::as_text(bytes)); }

template <std::size_t N>
std::array<std::uint8_t, N> to_array(std::string_view bytes) {
  CHECK(bytes.size() == N);
  std::array<std::uint8_t, N> out;
  std::ranges::copy(base::as_bytes(bytes), out.begin());
  return out;
}

// The body, where it is the message's one canonical encoding.
template <typename Message>
std::optional<Message> parse_body(const std::string& bytes) {
  Message body;
  if (!body.ParseFromString(bytes)) return std::nullopt;
  // The C++ library would write unknown fields again, and the comparison would not see them.
  body.DiscardUnknownFields();
  if (body.SerializeAsString() != bytes) return std::nullopt;
  return body;
}

// Only the three fields: whatever else came with the object is not part of its hash.
v1::SignedObject make_object(std::string body, std::string confirm, std::string signature) {
  v1::SignedObject object;
  object.set_body(std::move(body));
  object.set_confirm(std::move(confirm));
  object.set_signature(std::move(signature));
  return object;
}

v1::SignedObject sign_object(std::string_view type, base::Bytes context, std::string body,
                             base::Bytes confirm, const Sign& sign) {
  const crypto::Ed25519Signature signature =
      sign(signed_bytes(type, context, base::as_bytes(body), confirm));
  return make_object(std::move(body), to_string(confirm), to_string(signature));
}

bool signature_is_valid(const crypto::Ed25519PublicKey& key, std::string_view type,
                        base::Bytes context, const v1::SignedObject& object) {
  return crypto::ed25519_verify(
      key,
      signed_bytes(type, context, base::as_bytes(object.body()), base::as_bytes(object.confirm())),
      to_array<64>(object.signature()));
}

// The rules of all objects; nullopt when they hold.
std::optional<ObjectError> check_shape(const v1::SignedObject& object, std::size_t max_body) {
  if (object.body().size() > max_body) return ObjectError::kTooLong;
  if (object.signature().size() != sizeof(crypto::Ed25519Signature)) return ObjectError::kBadField;
  return std::nullopt;
}

Genesis to_genesis(v1::Genesis body, v1::SignedObject object) {
  Genesis genesis;
  genesis.fingerprint = object_hash(object);
  genesis.host = to_hash(body.host());
  genesis.body = std::move(body);
  genesis.object = std::move(object);
  return genesis;
}

Certificate to_certificate(const v1::Certificate& body, v1::SignedObject object) {
  Certificate certificate;
  certificate.leaf_hash = object_hash(object);
  certificate.object = std::move(object);
  certificate.identity = to_hash(body.identity());
  certificate.leaf = to_hash(body.leaf());
  certificate.encryption = to_hash(body.encryption());
  certificate.account = body.account();
  certificate.display_name = body.display_name();
  return certificate;
}

Entry to_entry(v1::LogEntry body, v1::SignedObject object) {
  Entry entry;
  entry.hash = object_hash(object);
  entry.body_hash = crypto::sha256(base::as_bytes(object.body()));
  entry.body = std::move(body);
  entry.object = std::move(object);
  return entry;
}

}  // namespace

std::string_view to_text(ObjectError error) {
  switch (error) {
    case ObjectError::kTooLong:
      return "too_long";
    case ObjectError::kNotCanonical:
      return "not_canonical";
    case ObjectError::kBadField:
      return "bad_field";
    case ObjectError::kBadSignature:
      return "bad_signature";
    case ObjectError::kWrongRoom:
      return "wrong_room";
  }
  return "unknown";
}

base::Buffer signed_bytes(std::string_view type, base::Bytes context, base::Bytes body,
                          base::Bytes confirm) {
  base::Buffer out;
  out.reserve(kPrefix.size() + type.size() + 1 + context.size() + body.size() + confirm.size());
  const auto add = [&out](base::Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
  add(base::as_bytes(kPrefix));
  add(base::as_bytes(type));
  out.push_back(0);
  add(context);
  add(body);
  add(confirm);
  return out;
}

Hash object_hash(const v1::SignedObject& object) {
  return crypto::sha256(base::as_bytes(object.body() + object.confirm() + object.signature()));
}

Hash to_hash(std::string_view bytes) { return to_array<32>(bytes); }

std::expected<Genesis, ObjectError> parse_genesis(const v1::SignedObject& object) {
  if (const auto error = check_shape(object, kMaxGenesisBody)) return std::unexpected(*error);
  if (!object.confirm().empty()) return std::unexpected(ObjectError::kBadField);
  auto body = parse_body<v1::Genesis>(object.body());
  if (!body) return std::unexpected(ObjectError::kNotCanonical);
  if (!is_within_bounds(*body)) return std::unexpected(ObjectError::kBadField);
  if (!signature_is_valid(to_hash(body->host()), "genesis", {}, object))
    return std::unexpected(ObjectError::kBadSignature);
  return to_genesis(*std::move(body), make_object(object.body(), {}, object.signature()));
}

std::expected<Certificate, ObjectError> read_certificate(const Hash& room,
                                                         const v1::SignedObject& object) {
  if (const auto error = check_shape(object, kMaxCertificateBody)) return std::unexpected(*error);
  if (!object.confirm().empty()) return std::unexpected(ObjectError::kBadField);
  const auto body = parse_body<v1::Certificate>(object.body());
  if (!body) return std::unexpected(ObjectError::kNotCanonical);
  if (!is_within_bounds(*body) || !crypto::ed25519_key_is_valid(to_hash(body->leaf())))
    return std::unexpected(ObjectError::kBadField);
  if (to_hash(body->room_fingerprint()) != room) return std::unexpected(ObjectError::kWrongRoom);
  return to_certificate(*body, make_object(object.body(), {}, object.signature()));
}

std::expected<Certificate, ObjectError> parse_certificate(const Hash& room,
                                                          const v1::SignedObject& object) {
  auto certificate = read_certificate(room, object);
  if (certificate &&
      !signature_is_valid(certificate->identity, "certificate", room, certificate->object))
    return std::unexpected(ObjectError::kBadSignature);
  return certificate;
}

std::expected<Entry, ObjectError> parse_entry(const v1::SignedObject& object) {
  if (const auto error = check_shape(object, kMaxEntryBody)) return std::unexpected(*error);
  auto body = parse_body<v1::LogEntry>(object.body());
  if (!body) return std::unexpected(ObjectError::kNotCanonical);
  const std::size_t confirm_size = body->advance() == v1::ADVANCE_NONE ? 0 : 32;
  if (!is_within_bounds(*body) || object.confirm().size() != confirm_size)
    return std::unexpected(ObjectError::kBadField);
  return to_entry(*std::move(body),
                  make_object(object.body(), object.confirm(), object.signature()));
}

Genesis make_genesis(v1::Genesis body, const Sign& host) {
  std::string bytes = body.SerializeAsString();
  return to_genesis(std::move(body), sign_object("genesis", {}, std::move(bytes), {}, host));
}

Certificate make_certificate(const Hash& room, const v1::Certificate& body, const Sign& identity) {
  return to_certificate(body,
                        sign_object("certificate", room, body.SerializeAsString(), {}, identity));
}

Entry make_entry(const Hash& room, v1::LogEntry body, base::Bytes confirm, const Sign& sign) {
  std::string bytes = body.SerializeAsString();
  const std::string_view type = body.resume() ? "resume" : "entry";
  return to_entry(std::move(body), sign_object(type, room, std::move(bytes), confirm, sign));
}

}  // namespace alcove::roomlog
