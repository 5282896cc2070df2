#include "roomlog/objects.h"

#include <gtest/gtest.h>

#include "unit/roomlog/broken_objects.h"

namespace alcove::roomlog {
namespace {

using namespace roomlog_test;

std::optional<ObjectError> error_of(const RoomLog& log, const BrokenObject& broken) {
  const auto error = [](const auto& parsed) -> std::optional<ObjectError> {
    if (parsed) return std::nullopt;
    return parsed.error();
  };
  if (broken.type == "genesis") return error(parse_genesis(broken.object));
  if (broken.type == "certificate") return error(parse_certificate(log.room(), broken.object));
  return error(parse_entry(broken.object));
}

TEST(Objects, WhatIsNotValidIsRefusedForItsReason) {
  RoomLog log;
  log.found();
  std::vector<BrokenObject> all = broken_geneses(log);
  for (auto& broken : broken_certificates(log)) all.push_back(std::move(broken));
  for (auto& broken : broken_entries(log)) all.push_back(std::move(broken));
  EXPECT_GT(all.size(), 80U);
  for (const BrokenObject& broken : all) {
    const auto error = error_of(log, broken);
    ASSERT_TRUE(error.has_value()) << broken.type << ": " << broken.what;
    EXPECT_EQ(to_text(*error), to_text(broken.error)) << broken.type << ": " << broken.what;
  }
}

TEST(Objects, GenesisIsReadAsItWasMade) {
  const Genesis made = make_test_genesis("Host", v1::ROOM_KIND_CLOSED);
  const auto parsed = parse_genesis(made.object);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->fingerprint, made.fingerprint);
  EXPECT_EQ(parsed->fingerprint,
            crypto::sha256(base::as_bytes(made.object.body() + made.object.signature())));
  EXPECT_EQ(parsed->host, made.host);
  EXPECT_EQ(parsed->body.kind(), v1::ROOM_KIND_CLOSED);
}

TEST(Objects, CertificateAtItsBounds) {
  RoomLog log;
  const Join& anna = log.join("Anna");
  v1::Certificate body;
  ASSERT_TRUE(body.ParseFromString(anna.certificate.object.body()));
  body.set_account(std::string(64, '7'));
  std::string name;
  for (int i = 0; i < 40; ++i) name += "\xf0\x9f\x8e\xa4";  // four bytes each: 160
  body.set_display_name(name);
  const Certificate made = make_certificate(log.room(), body, signer(anna.identity));
  const auto parsed = parse_certificate(log.room(), made.object);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->leaf_hash, made.leaf_hash);
  EXPECT_EQ(parsed->display_name, name);
  EXPECT_EQ(parsed->account, body.account());
  EXPECT_EQ(parsed->leaf, anna.leaf.public_key());
  EXPECT_EQ(parsed->encryption, anna.encryption.public_key());
}

TEST(Objects, WhatComesBesideTheThreeFieldsIsNotKept) {
  RoomLog log;
  v1::SignedObject object = log.found().object;
  add_unknown_field(object);
  const auto parsed = parse_entry(object);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->object.SerializeAsString(), log.last().object.SerializeAsString());
  EXPECT_EQ(parsed->hash, log.last().hash);
}

TEST(Objects, EntryHashesAreOfTheWholeAndOfTheBody) {
  RoomLog log;
  const Entry& entry = log.found();
  EXPECT_EQ(entry.body_hash, crypto::sha256(base::as_bytes(entry.object.body())));
  EXPECT_EQ(entry.hash, crypto::sha256(base::as_bytes(entry.object.body() + entry.object.confirm() +
                                                      entry.object.signature())));
  EXPECT_TRUE(entry.has_advance());
}

TEST(Link, RoomCodeIsSixGroupsOfFiveDigits) {
  Hash fingerprint{};
  EXPECT_EQ(room_code(fingerprint), "00000 00000 00000 00000 00000 00000");
  for (std::size_t i = 0; i < fingerprint.size(); ++i)
    fingerprint[i] = static_cast<std::uint8_t>(i);
  // 0x0001020304 is 16,909,060, and so on; bytes 30 and 31 do not count.
  EXPECT_EQ(room_code(fingerprint), "09060 60585 12110 63635 15160 66685");
  fingerprint[31] = 99;
  EXPECT_EQ(room_code(fingerprint), "09060 60585 12110 63635 15160 66685");
}

TEST(Link, FragmentIsReadAsItWasWritten) {
  LinkFragment fragment{.fingerprint = hash_of("fingerprint")};
  fragment.secret.fill(7);
  const std::string text = to_text(fragment);
  EXPECT_EQ(text.size(), 43U + 1 + 22);
  const auto parsed = parse_link_fragment(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->fingerprint, fragment.fingerprint);
  EXPECT_EQ(parsed->secret, fragment.secret);
  for (const std::string& bad :
       {std::string(), text + "A", text.substr(1), text.substr(0, 43), text + ".", "#" + text,
        text.substr(0, 43) + "." + text.substr(43), text.substr(0, text.size() - 1) + "B"})
    EXPECT_FALSE(parse_link_fragment(bad).has_value()) << bad;
}

TEST(Link, MacDependsOnSecretRoomAndLeaf) {
  LinkSecret secret{};
  const Hash room = hash_of("room");
  const Hash leaf = hash_of("leaf");
  const auto mac = link_mac(secret, room, leaf);
  EXPECT_NE(mac, link_mac(secret, leaf, room));
  secret[15] = 1;
  EXPECT_NE(mac, link_mac(secret, room, leaf));
}

TEST(Expand, IsHkdfWithPrefixedLabelAndContext) {
  const Hash secret = hash_of("secret");
  Hash out{};
  expand(secret, "epoch", base::as_bytes("context"), out);
  Hash expected{};
  const std::string info =
      std::string("\x00\x0e", 2) + "alcove 1 epoch" + std::string("\x00\x07", 2) + "context";
  crypto::hkdf_expand(secret, base::as_bytes(info), expected);
  EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace alcove::roomlog
