#include "unit/roomlog/broken_objects.h"

#include "roomlog/bounds.h"

namespace alcove::roomlog_test {

using roomlog::ObjectError;

namespace {

const std::string kZeros(32, '\0');

// The four ways to write a body otherwise, and what is no body. first_field: its bytes at the start
// of body, of which rest is what follows.
std::vector<std::pair<std::string, std::string>> other_encodings(const std::string& body,
                                                                 std::size_t first_field) {
  const std::string field = body.substr(0, first_field);
  const std::string rest = body.substr(first_field);
  return {{"unknown field", body + "\xf8\x07\x01"},
          {"fields out of order", rest + field},
          {"a field twice", field + body},
          {"a varint that is longer than it must be", field.substr(0, 1) + "\x81\x00" + rest},
          {"cut off", body.substr(0, body.size() - 1)},
          {"empty", ""}};
}

template <typename Body>
Body changed(const Body& body, const std::function<void(Body&)>& change) {
  Body copy = body;
  change(copy);
  return copy;
}

v1::Certificate certificate_body(const Certificate& certificate) {
  v1::Certificate body;
  CHECK(body.ParseFromString(certificate.object.body()));
  return body;
}

}  // namespace

std::vector<BrokenObject> broken_geneses(const RoomLog& log) {
  std::vector<BrokenObject> broken;
  const auto key = crypto::Ed25519PrivateKey::from_seed(identity_seed("Host"));
  const v1::Genesis& good = log.genesis().body;
  const auto add_bytes = [&](std::string what, const std::string& body, ObjectError error) {
    broken.push_back({std::move(what), "genesis", sign_bytes(key, "genesis", {}, body), error});
  };
  const auto add = [&](std::string what, const std::function<void(v1::Genesis&)>& change,
                       ObjectError error = ObjectError::kBadField) {
    add_bytes(std::move(what), changed(good, change).SerializeAsString(), error);
  };
  std::string bytes = good.SerializeAsString();
  for (const auto& [what, body] : other_encodings(bytes, 2))
    add_bytes(what, body, what == "empty" ? ObjectError::kBadField : ObjectError::kNotCanonical);
  add_bytes("a default written out", bytes + std::string("\x32\x00", 2),
            ObjectError::kNotCanonical);
  add("version 2", [](v1::Genesis& body) { body.set_version(2); });
  add("room id of 15 bytes", [](v1::Genesis& body) { body.set_room_id(std::string(15, 'r')); });
  add("kind 0", [](v1::Genesis& body) { body.set_kind(v1::ROOM_KIND_UNSPECIFIED); });
  add("kind 4", [](v1::Genesis& body) { body.set_kind(static_cast<v1::RoomKind>(4)); });
  add("bucket 63", [](v1::Genesis& body) { body.set_packet_bucket(63); });
  add("bucket 1201", [](v1::Genesis& body) { body.set_packet_bucket(1201); });
  add("manifest hash of 31 bytes",
      [](v1::Genesis& body) { body.set_manifest_key_hash(std::string(31, 'm')); });
  add("made before 1970", [](v1::Genesis& body) { body.set_created_at_ms(-1); });
  add("made after 2^53 - 1", [](v1::Genesis& body) { body.set_created_at_ms(1LL << 53); });
  add(
      "host of small order", [](v1::Genesis& body) { body.set_host(kZeros); },
      ObjectError::kBadSignature);
  add(
      "another host",
      [](v1::Genesis& body) {
        body.set_host(
            to_string(crypto::Ed25519PrivateKey::from_seed(identity_seed("Eve")).public_key()));
      },
      ObjectError::kBadSignature);
  add(
      "513 bytes", [](v1::Genesis& body) { body.set_room_id(std::string(500, 'r')); },
      ObjectError::kTooLong);
  broken.push_back({"signed as a certificate", "genesis", sign_bytes(key, "certificate", {}, bytes),
                    ObjectError::kBadSignature});
  broken.push_back({"a confirm", "genesis",
                    sign_bytes(key, "genesis", {}, bytes, base::as_bytes(kZeros)),
                    ObjectError::kBadField});
  return broken;
}

std::vector<BrokenObject> broken_certificates(RoomLog& log) {
  std::vector<BrokenObject> broken;
  const Join& anna = log.join("Anna");
  const v1::Certificate good = certificate_body(anna.certificate);
  const auto add_bytes = [&](std::string what, const std::string& body, ObjectError error) {
    broken.push_back({std::move(what), "certificate",
                      sign_bytes(anna.identity, "certificate", log.room(), body), error});
  };
  const auto add = [&](std::string what, const std::function<void(v1::Certificate&)>& change,
                       ObjectError error = ObjectError::kBadField) {
    add_bytes(std::move(what), changed(good, change).SerializeAsString(), error);
  };
  const std::string bytes = good.SerializeAsString();
  for (const auto& [what, body] : other_encodings(bytes, 34))
    if (!what.starts_with("a varint"))
      add_bytes(what, body, what == "empty" ? ObjectError::kBadField : ObjectError::kNotCanonical);
  add_bytes("a length that is longer than it must be",
            bytes.substr(0, 1) + std::string("\xa0\x00", 2) + bytes.substr(2),
            ObjectError::kNotCanonical);
  add("identity of 31 bytes",
      [](v1::Certificate& body) { body.set_identity(std::string(31, 'i')); });
  add("leaf of 33 bytes", [](v1::Certificate& body) { body.set_leaf(std::string(33, 'l')); });
  add("leaf of small order", [](v1::Certificate& body) { body.set_leaf(kZeros); });
  add("leaf that is not canonical",
      [](v1::Certificate& body) { body.set_leaf("\xee" + std::string(30, '\xff') + "\x7f"); });
  add(
      "identity of small order", [](v1::Certificate& body) { body.set_identity(kZeros); },
      ObjectError::kBadSignature);
  add("no encryption key", [](v1::Certificate& body) { body.clear_encryption(); });
  add("no account", [](v1::Certificate& body) { body.clear_account(); });
  add("account of 65 bytes", [](v1::Certificate& body) { body.set_account(std::string(65, 'a')); });
  add("no name", [](v1::Certificate& body) { body.clear_display_name(); });
  add("name of 41 code points",
      [](v1::Certificate& body) { body.set_display_name(std::string(41, 'n')); });
  std::string not_utf8 = bytes;
  not_utf8.back() = '\xff';
  add_bytes("name that is not UTF-8", not_utf8, ObjectError::kNotCanonical);
  std::string overlong = bytes;
  overlong.replace(overlong.size() - 2, 2, "\xc0\xaf");
  add_bytes("name with an overlong form", overlong, ObjectError::kNotCanonical);
  std::string surrogate = bytes;
  surrogate.replace(surrogate.size() - 3, 3, "\xed\xa0\x80");
  add_bytes("name with a surrogate", surrogate, ObjectError::kNotCanonical);
  add(
      "513 bytes", [](v1::Certificate& body) { body.set_account(std::string(400, 'a')); },
      ObjectError::kTooLong);
  add(
      "another room", [](v1::Certificate& body) { body.set_room_fingerprint(kZeros); },
      ObjectError::kWrongRoom);
  broken.push_back({"signed by the leaf", "certificate",
                    sign_bytes(anna.leaf, "certificate", log.room(), bytes),
                    ObjectError::kBadSignature});
  broken.push_back({"signed for another room", "certificate",
                    sign_bytes(anna.identity, "certificate", base::as_bytes(kZeros), bytes),
                    ObjectError::kBadSignature});
  v1::SignedObject shortened = anna.certificate.object;
  shortened.mutable_signature()->pop_back();
  broken.push_back({"signature of 63 bytes", "certificate", shortened, ObjectError::kBadField});
  return broken;
}

namespace {

using Change = std::function<void(v1::LogEntry&)>;

// Entries that say something that no entry may say.
std::vector<std::pair<std::string, Change>> bad_fields(RoomLog& log) {
  const Certificate anna = log.certificate("Anna");
  const auto with_op = [](v1::LogOp op) {
    return [op = std::move(op)](v1::LogEntry& body) { *body.add_ops() = op; };
  };
  v1::LogOp seat_256 = admit_op(anna, 256);
  v1::LogOp no_certificate = admit_op(anna);
  no_certificate.mutable_admit()->clear_certificate();
  v1::LogOp short_leaf = depart_op(anna.leaf_hash);
  short_leaf.mutable_depart()->mutable_leaf()->pop_back();
  v1::LogOp no_identity = eject_op(anna);
  no_identity.mutable_eject()->clear_identity();
  v1::LogOp speaker_without = speaker_op(anna, 2);
  speaker_without.mutable_role()->clear_certificate();
  v1::LogOp link_box = speaker_op(anna, 2);
  link_box.mutable_role()->set_link_box(std::string(63, 'b'));
  v1::LogOp moderator_with_seat = role_op(anna.leaf_hash, v1::ROLE_MODERATOR);
  moderator_with_seat.mutable_role()->set_seat(2);
  v1::LogOp box_of_65 = link_op(1);
  v1::LinkBox& box = *box_of_65.mutable_link()->add_boxes();
  box.set_leaf(to_string(anna.leaf_hash));
  box.set_box(std::string(65, 'b'));
  v1::LogOp boxes_256 = link_op(1);
  for (int i = 0; i < 256; ++i) {
    v1::LinkBox& one = *boxes_256.mutable_link()->add_boxes();
    one.set_leaf(to_string(anna.leaf_hash));
    one.set_box(std::string(64, 'b'));
  }
  return {
      {"n 0", [](v1::LogEntry& body) { body.set_n(0); }},
      {"n 2^53", [](v1::LogEntry& body) { body.set_n(1ULL << 53); }},
      {"prev of 31 bytes", [](v1::LogEntry& body) { body.mutable_prev()->pop_back(); }},
      {"no prev_short", [](v1::LogEntry& body) { body.clear_prev_short(); }},
      {"no prev_authority", [](v1::LogEntry& body) { body.clear_prev_authority(); }},
      {"author of 33 bytes", [](v1::LogEntry& body) { *body.mutable_author() += 'a'; }},
      {"no roster hash", [](v1::LogEntry& body) { body.clear_roster_hash(); }},
      {"no stage hash", [](v1::LogEntry& body) { body.clear_stage_hash(); }},
      {"roster of 65,536", [](v1::LogEntry& body) { body.set_roster_size(65'536); }},
      {"time before 1970", [](v1::LogEntry& body) { body.set_time_ms(-1); }},
      {"advance 3", [](v1::LogEntry& body) { body.set_advance(static_cast<v1::Advance>(3)); }},
      {"resume without an advance",
       [&log](v1::LogEntry& body) {
         body.set_resume(true);
         *body.add_ops() = admit_op(log.certificate("Host", 1));
       }},
      {"resume without an admit",
       [](v1::LogEntry& body) {
         body.set_resume(true);
         body.set_advance(v1::ADVANCE_FRESH);
       }},
      {"an op that is none", with_op({})},
      {"admit without a certificate", with_op(no_certificate)},
      {"admit with seat 256", with_op(seat_256)},
      {"depart with a leaf of 31 bytes", with_op(short_leaf)},
      {"eject without an identity", with_op(no_identity)},
      {"role 0", with_op(role_op(anna.leaf_hash, v1::ROLE_UNSPECIFIED))},
      {"role 4", with_op(role_op(anna.leaf_hash, static_cast<v1::Role>(4)))},
      {"speaker without a certificate", with_op(speaker_without)},
      {"speaker with seat 0", with_op(speaker_op(anna, 0))},
      {"link box of 63 bytes", with_op(link_box)},
      {"moderator with a seat", with_op(moderator_with_seat)},
      {"link with a box of 65 bytes", with_op(box_of_65)},
      {"link with 256 boxes", with_op(boxes_256)},
      {"invite of nobody", with_op(invite_op({}))},
      {"invite of 65",
       with_op(invite_op(std::vector<crypto::Ed25519PublicKey>(65, anna.identity)))},
      {"65 ops",
       [anna](v1::LogEntry& body) {
         for (int i = 0; i < 65; ++i) *body.add_ops() = depart_op(anna.leaf_hash);
       }},
      {"17 admits",
       [anna](v1::LogEntry& body) {
         for (int i = 0; i < 17; ++i) *body.add_ops() = admit_op(anna);
       }},
      {"lock and link",
       [](v1::LogEntry& body) {
         *body.add_ops() = lock_op(true);
         *body.add_ops() = link_op(1);
       }},
  };
}

}  // namespace

std::vector<BrokenObject> broken_entries(RoomLog& log) {
  std::vector<BrokenObject> broken;
  const Join& host = log.join("Host");
  auto beat =
      log.state().draft(host.certificate.leaf_hash, {}, v1::ADVANCE_NONE, false, log.time_ms);
  CHECK(beat.has_value());
  const v1::LogEntry good = *beat;
  const base::Bytes confirm = base::as_bytes(kZeros);
  const auto add = [&](std::string what, const std::string& body, ObjectError error,
                       base::Bytes with_confirm = {}) {
    broken.push_back({std::move(what), "entry",
                      sign_bytes(host.leaf, "entry", log.room(), body, with_confirm), error});
  };
  const std::string bytes = good.SerializeAsString();
  for (const auto& [what, body] : other_encodings(bytes, 2)) {
    if (what.starts_with("a varint"))
      add(what,
          "\x08" + std::string(1, static_cast<char>(0x80 | good.n())) + std::string(1, '\0') +
              bytes.substr(2),
          ObjectError::kNotCanonical);
    else
      add(what, body, what == "empty" ? ObjectError::kBadField : ObjectError::kNotCanonical);
  }
  add("a default written out", bytes + std::string("\x58\x00", 2), ObjectError::kNotCanonical);
  add("a boolean that is 2",
      changed<v1::LogEntry>(good, [](v1::LogEntry& body) { *body.add_ops() = lock_op(false); })
              .SerializeAsString() +
          std::string("\x68\x02", 2),
      ObjectError::kNotCanonical, confirm);
  v1::LogEntry unknown = good;
  *unknown.add_ops() = depart_op(host.certificate.leaf_hash);
  add_unknown_field(*unknown.mutable_ops(0)->mutable_depart());
  add("an unknown field in an op", unknown.SerializeAsString(), ObjectError::kNotCanonical);
  for (const auto& [what, change] : bad_fields(log)) {
    const v1::LogEntry body = changed<v1::LogEntry>(good, change);
    const bool has_advance = body.advance() != v1::ADVANCE_NONE;
    add(what, body.SerializeAsString(), ObjectError::kBadField,
        has_advance ? confirm : base::Bytes{});
  }
  add("a confirm without an advance", bytes, ObjectError::kBadField, confirm);
  v1::LogEntry advance = good;
  advance.set_advance(v1::ADVANCE_RATCHET);
  advance.set_epoch(good.epoch() + 1);
  add("an advance without a confirm", advance.SerializeAsString(), ObjectError::kBadField);
  add("a confirm of 31 bytes", advance.SerializeAsString(), ObjectError::kBadField,
      confirm.first(31));
  v1::LogEntry long_one = good;
  long_one.set_prev(std::string(roomlog::kMaxEntryBody, 'p'));
  add("more than 65,536 bytes", long_one.SerializeAsString(), ObjectError::kTooLong);
  return broken;
}

}  // namespace alcove::roomlog_test
