#include "e2ee/boxes.h"

#include <string_view>

namespace alcove::e2ee {
namespace {

std::string_view label_of(BoxKind kind) {
  switch (kind) {
    case BoxKind::kFresh:
      return "alcove 1 box";
    case BoxKind::kJoin:
      return "alcove 1 join";
    case BoxKind::kRebox:
      return "alcove 1 rebox";
    case BoxKind::kLink:
      return "alcove 1 link";
  }
  return {};
}

template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> open_exact(const crypto::HpkePrivateKey& key,
                                                      base::Bytes info, base::Bytes aad,
                                                      base::Bytes box) {
  if (box.size() != crypto::kHpkeEncapsulationSize + N + crypto::kHpkeTagSize) return std::nullopt;
  const auto plain = crypto::hpke_open(key, info, aad, box);
  if (!plain || plain->size() != N) return std::nullopt;
  std::array<std::uint8_t, N> out{};
  std::memcpy(out.data(), plain->data(), N);
  return out;
}

}  // namespace

base::Buffer box_info(BoxKind kind, const roomlog::Hash& room, const roomlog::Hash& leaf) {
  base::Buffer info = roomlog::length_prefixed(base::as_bytes(label_of(kind)));
  info.insert(info.end(), room.begin(), room.end());
  info.insert(info.end(), leaf.begin(), leaf.end());
  return info;
}

std::array<std::uint8_t, 36> write_epoch(const EpochInBox& epoch) {
  std::array<std::uint8_t, 36> out{};
  base::ByteWriter writer(out);
  writer.write_u32(epoch.number);
  writer.write_bytes(epoch.secret);
  return out;
}

std::optional<EpochInBox> open_epoch_box(BoxKind kind, const crypto::HpkePrivateKey& key,
                                         const roomlog::Hash& room, const roomlog::Hash& leaf,
                                         const roomlog::Hash& aad, base::Bytes box) {
  const auto plain = open_exact<36>(key, box_info(kind, room, leaf), aad, box);
  if (!plain) return std::nullopt;
  base::ByteReader reader(*plain);
  EpochInBox epoch;
  epoch.number = *reader.read_u32();
  std::memcpy(epoch.secret.data(), reader.rest().data(), epoch.secret.size());
  return epoch;
}

std::optional<Secret> open_fresh_box(const crypto::HpkePrivateKey& key, const roomlog::Hash& room,
                                     const roomlog::Hash& leaf, const roomlog::Hash& body_hash,
                                     base::Bytes box) {
  return open_exact<32>(key, box_info(BoxKind::kFresh, room, leaf), body_hash, box);
}

std::array<std::uint8_t, 4> link_box_aad(std::uint32_t generation) {
  std::array<std::uint8_t, 4> aad{};
  base::ByteWriter writer(aad);
  writer.write_u32(generation);
  return aad;
}

std::optional<roomlog::LinkSecret> open_link_box(const crypto::HpkePrivateKey& key,
                                                 const roomlog::Hash& room,
                                                 const roomlog::Hash& leaf,
                                                 std::uint32_t generation, base::Bytes box) {
  return open_exact<16>(key, box_info(BoxKind::kLink, room, leaf), link_box_aad(generation), box);
}

void PreparedBoxes::want(const roomlog::Hash& leaf, const crypto::HpkePublicKey& key) {
  if (!ready_.contains(leaf)) wanted_.emplace(leaf, key);
}

void PreparedBoxes::forget(const roomlog::Hash& leaf) {
  wanted_.erase(leaf);
  ready_.erase(leaf);
}

void PreparedBoxes::clear() {
  wanted_.clear();
  ready_.clear();
}

bool PreparedBoxes::prepare(std::size_t count) {
  for (; count > 0 && !wanted_.empty(); --count) {
    const auto node = wanted_.extract(wanted_.begin());
    auto context = crypto::HpkeSealContext::make(
        node.mapped(), box_info(BoxKind::kFresh, room_, node.key()), random_);
    if (context) ready_.emplace(node.key(), std::move(*context));
  }
  return !wanted_.empty();
}

base::Buffer PreparedBoxes::seal(const roomlog::Hash& leaf, const crypto::HpkePublicKey& key,
                                 const roomlog::Hash& body_hash, const Secret& fresh) {
  std::optional<crypto::HpkeSealContext> context;
  if (auto node = ready_.extract(leaf))
    context.emplace(std::move(node.mapped()));
  else
    context = crypto::HpkeSealContext::make(key, box_info(BoxKind::kFresh, room_, leaf), random_);
  wanted_.insert_or_assign(leaf, key);
  if (!context) return base::Buffer(kFreshBoxSize);
  return std::move(*context).seal(body_hash, fresh);
}

}  // namespace alcove::e2ee
