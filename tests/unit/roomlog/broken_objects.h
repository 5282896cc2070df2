#pragma once
// Objects that are signed and not valid: each refused for one reason. The tests and the vectors.

#include <functional>
#include <string>
#include <vector>

#include "support/room_log_fixture.h"

namespace alcove::roomlog_test {

struct BrokenObject {
  std::string what;
  std::string type;  // "genesis", "certificate" or "entry"
  v1::SignedObject object;
  roomlog::ObjectError error;
};

// With a good signature over a body of any bytes.
inline v1::SignedObject sign_bytes(const crypto::Ed25519PrivateKey& key, std::string_view type,
                                   base::Bytes context, const std::string& body,
                                   base::Bytes confirm = {}) {
  v1::SignedObject object;
  object.set_body(body);
  object.set_confirm(to_string(confirm));
  object.set_signature(
      to_string(key.sign(roomlog::signed_bytes(type, context, base::as_bytes(body), confirm))));
  return object;
}

inline void add_unknown_field(google::protobuf::Message& message) {
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(9, 1);
}

std::vector<BrokenObject> broken_geneses(const RoomLog& log);
std::vector<BrokenObject> broken_certificates(RoomLog& log);
// By the host of a founded room.
std::vector<BrokenObject> broken_entries(RoomLog& log);

}  // namespace alcove::roomlog_test
