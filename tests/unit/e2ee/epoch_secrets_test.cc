// The key schedule and the boxes against the published vectors, which were computed apart from
// them.

#include "e2ee/epoch_secrets.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/text.h"
#include "crypto/hkdf.h"
#include "e2ee/boxes.h"

namespace alcove::e2ee {
namespace {

using Fields = google::protobuf::Map<std::string, google::protobuf::Value>;

google::protobuf::Struct read(const std::string& name) {
  std::ifstream file(std::string(ALCOVE_VECTORS) + "/room-keys/" + name);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  google::protobuf::Struct parsed;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(text, &parsed).ok());
  return parsed;
}

base::Buffer bytes(const Fields& fields, const std::string& name) {
  return base::from_hex(fields.at(name).string_value()).value();
}

template <std::size_t N>
std::array<std::uint8_t, N> exact(const Fields& fields, const std::string& name) {
  const base::Buffer all = bytes(fields, name);
  std::array<std::uint8_t, N> out{};
  EXPECT_EQ(all.size(), N);
  std::copy_n(all.begin(), std::min(N, all.size()), out.begin());
  return out;
}

TEST(EpochSecrets, FollowThePublishedVectors) {
  const auto vectors = read("objects.json");
  int count = 0;
  for (const auto& each : vectors.fields().at("epochs").list_value().values()) {
    const Fields& fields = each.struct_value().fields();
    const bool is_ratchet = fields.at("mode").string_value() == "ratchet";
    const Secret fresh = is_ratchet ? kNoSecret : exact<32>(fields, "fresh");
    const auto body_hash = exact<32>(fields, "h");
    const Secret epoch = derive_epoch(exact<32>(fields, "chain_before"), fresh, body_hash);
    EXPECT_EQ(epoch, exact<32>(fields, "epoch"));
    EXPECT_EQ(chain_of(epoch), exact<32>(fields, "chain"));
    EXPECT_EQ(application_secret_of(epoch), exact<32>(fields, "app"));
    EXPECT_EQ(confirm_of(epoch, body_hash), exact<32>(fields, "confirm"));
    for (const auto& seat : fields.at("seats").list_value().values()) {
      const Fields& of = seat.struct_value().fields();
      const auto number = static_cast<std::uint8_t>(of.at("seat").number_value());
      EXPECT_EQ(frame_key_of(epoch, number, exact<32>(of, "leaf_hash")), exact<16>(of, "base"));
    }
    ++count;
  }
  EXPECT_EQ(count, 4);
}

TEST(Boxes, OpenThePublishedVectors) {
  const auto vectors = read("boxes.json");
  int count = 0;
  for (const auto& each : vectors.fields().at("boxes").list_value().values()) {
    const Fields& fields = each.struct_value().fields();
    const std::string kind = fields.at("kind").string_value();
    const auto key = crypto::HpkePrivateKey::from_bytes(exact<32>(fields, "receiver_private"));
    const auto room = exact<32>(fields, "room_fp");
    const auto leaf = exact<32>(fields, "leaf_hash");
    const base::Buffer box = bytes(fields, "box");
    const base::Buffer plaintext = bytes(fields, "plaintext");
    if (kind == "box") {
      const auto fresh = open_fresh_box(key, room, leaf, exact<32>(fields, "aad"), box);
      EXPECT_EQ(fresh, exact<32>(fields, "plaintext"));
      EXPECT_EQ(box.size(), kFreshBoxSize);
    } else if (kind == "link") {
      const auto generation = base::ByteReader(bytes(fields, "aad")).read_u32().value();
      EXPECT_EQ(open_link_box(key, room, leaf, generation, box), exact<16>(fields, "plaintext"));
      EXPECT_FALSE(open_link_box(key, room, leaf, generation + 1, box).has_value());
      EXPECT_EQ(box.size(), kLinkBoxSize);
    } else {
      const BoxKind of = kind == "join" ? BoxKind::kJoin : BoxKind::kRebox;
      const BoxKind other = kind == "join" ? BoxKind::kRebox : BoxKind::kJoin;
      const auto aad = exact<32>(fields, "aad");
      const auto epoch = open_epoch_box(of, key, room, leaf, aad, box);
      ASSERT_TRUE(epoch.has_value());
      EXPECT_TRUE(std::ranges::equal(write_epoch(*epoch), plaintext));
      EXPECT_FALSE(open_epoch_box(other, key, room, leaf, aad, box).has_value());
      EXPECT_FALSE(open_epoch_box(of, key, leaf, room, aad, box).has_value());
      EXPECT_EQ(box.size(), kEpochBoxSize);
    }
    ++count;
  }
  EXPECT_EQ(count, 4);
}

TEST(Boxes, PreparedContextsAreUsedOnce) {
  base::SeededRandom random(3);
  const auto key = crypto::HpkePrivateKey::make(random);
  const roomlog::Hash room{1};
  const roomlog::Hash leaf{2};
  PreparedBoxes prepared(room, random);
  prepared.want(leaf, key.public_key());
  EXPECT_TRUE(prepared.wants_more());
  EXPECT_FALSE(prepared.prepare(8));
  EXPECT_EQ(prepared.ready(), 1);
  const Secret fresh{5};
  const base::Buffer first = prepared.seal(leaf, key.public_key(), roomlog::Hash{7}, fresh);
  EXPECT_EQ(prepared.ready(), 0);
  EXPECT_TRUE(prepared.wants_more());
  const base::Buffer second = prepared.seal(leaf, key.public_key(), roomlog::Hash{7}, fresh);
  EXPECT_NE(first, second);
  for (const base::Buffer& box : {first, second})
    EXPECT_EQ(open_fresh_box(key, room, leaf, roomlog::Hash{7}, box), fresh);
}

}  // namespace
}  // namespace alcove::e2ee
