// Signed objects of room keys from anybody: the first byte says which, the rest is the object, or a
// body that is then signed well. What is read is written again as the same bytes.

#include <cstdlib>

#include "support/room_log_fixture.h"

namespace {

using namespace alcove;

void require(bool condition) {
  if (!condition) std::abort();
}

const roomlog_test::Join& host() {
  static const roomlog_test::Join join =
      roomlog_test::make_join(roomlog_test::make_test_genesis("Host").fingerprint, "Host", 0);
  return join;
}

const roomlog::Hash& room() {
  static const roomlog::Hash fingerprint = roomlog_test::make_test_genesis("Host").fingerprint;
  return fingerprint;
}

v1::SignedObject sign(std::string_view type, base::Bytes context, const std::string& body,
                      bool with_confirm) {
  const base::Buffer confirm(with_confirm ? 32 : 0, 7);
  v1::SignedObject object;
  object.set_body(body);
  object.set_confirm(roomlog_test::to_string(confirm));
  object.set_signature(roomlog_test::to_string(
      host().identity.sign(roomlog::signed_bytes(type, context, base::as_bytes(body), confirm))));
  return object;
}

template <typename Parsed>
void check_same(const Parsed& parsed, const Parsed& again, const v1::SignedObject& given) {
  const v1::SignedObject& object = parsed.object;
  require(object.body() == given.body() && object.confirm() == given.confirm() &&
          object.signature() == given.signature());
  require(again.object.SerializeAsString() == object.SerializeAsString());
}

void read_genesis(const v1::SignedObject& object) {
  const auto parsed = roomlog::parse_genesis(object);
  if (!parsed) return;
  require(parsed->body.SerializeAsString() == object.body());
  require(parsed->fingerprint == roomlog::object_hash(object));
  check_same(*parsed, *roomlog::parse_genesis(parsed->object), object);
}

void read_certificate(const v1::SignedObject& object) {
  const auto parsed = roomlog::parse_certificate(room(), object);
  if (!parsed) return;
  require(parsed->leaf_hash == roomlog::object_hash(object));
  require(base::is_utf8(parsed->display_name) && base::is_utf8(parsed->account));
  check_same(*parsed, *roomlog::parse_certificate(room(), parsed->object), object);
}

void read_entry(const v1::SignedObject& object) {
  const auto parsed = roomlog::parse_entry(object);
  if (!parsed) return;
  require(parsed->body.SerializeAsString() == object.body());
  require(parsed->hash == roomlog::object_hash(object));
  require(parsed->has_advance() == (object.confirm().size() == 32));
  check_same(*parsed, *roomlog::parse_entry(parsed->object), object);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  v1::SignedObject object;
  switch (data[0] % 8) {
    case 0:
      if (object.ParseFromString(bytes)) read_genesis(object);
      break;
    case 1:
      if (object.ParseFromString(bytes)) read_certificate(object);
      break;
    case 2:
      if (object.ParseFromString(bytes)) read_entry(object);
      break;
    case 3:
      read_genesis(sign("genesis", {}, bytes, false));
      break;
    case 4:
      read_certificate(sign("certificate", room(), bytes, false));
      break;
    case 5:
    case 6:
      read_entry(sign("entry", room(), bytes, data[0] % 8 == 6));
      break;
    default:
      if (const auto link = roomlog::parse_link_fragment(bytes))
        require(roomlog::to_text(*link) == bytes);
  }
  return 0;
}
