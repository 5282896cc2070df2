#pragma once
// Sealed boxes (docs/protocol/room-keys.md, table of boxes): what each is bound to, and contexts
// made ahead, so that an eject costs one AES-GCM for each member. One thread each.

#include <map>
#include <optional>
#include <set>

#include "crypto/hpke.h"
#include "e2ee/epoch_secrets.h"
#include "roomlog/objects.h"

namespace alcove::e2ee {

enum class BoxKind : std::uint8_t { kFresh, kJoin, kRebox, kLink };
inline constexpr std::size_t kFreshBoxSize = 80;
inline constexpr std::size_t kEpochBoxSize = 84;  // JoinBox and rebox
inline constexpr std::size_t kLinkBoxSize = 64;

base::Buffer box_info(BoxKind kind, const roomlog::Hash& room, const roomlog::Hash& leaf);

struct EpochInBox {
  std::uint32_t number = 0;
  Secret secret{};
};
std::array<std::uint8_t, 36> write_epoch(const EpochInBox& epoch);
// aad: of a JoinBox the hash of the admit entry, of a rebox that of the newest advance.
std::optional<EpochInBox> open_epoch_box(BoxKind kind, const crypto::HpkePrivateKey& key,
                                         const roomlog::Hash& room, const roomlog::Hash& leaf,
                                         const roomlog::Hash& aad, base::Bytes box);
std::optional<Secret> open_fresh_box(const crypto::HpkePrivateKey& key, const roomlog::Hash& room,
                                     const roomlog::Hash& leaf, const roomlog::Hash& body_hash,
                                     base::Bytes box);
std::array<std::uint8_t, 4> link_box_aad(std::uint32_t generation);
std::optional<roomlog::LinkSecret> open_link_box(const crypto::HpkePrivateKey& key,
                                                 const roomlog::Hash& room,
                                                 const roomlog::Hash& leaf,
                                                 std::uint32_t generation, base::Bytes box);

// Contexts for fresh boxes to each member of the roster.
class PreparedBoxes {
 public:
  PreparedBoxes(const roomlog::Hash& room, base::RandomSource& random)
      : room_(room), random_(random) {}

  void want(const roomlog::Hash& leaf, const crypto::HpkePublicKey& key);
  void forget(const roomlog::Hash& leaf);
  void clear();
  // Makes at most count contexts. True while more are wanted.
  bool prepare(std::size_t count);
  bool wants_more() const { return !wanted_.empty(); }
  std::size_t ready() const { return ready_.size(); }
  // The box for a member: of a prepared context, or of one made now. An encryption key of small
  // order gets bytes that nobody can open: its holder keeps itself out.
  base::Buffer seal(const roomlog::Hash& leaf, const crypto::HpkePublicKey& key,
                    const roomlog::Hash& body_hash, const Secret& fresh);

 private:
  roomlog::Hash room_;
  base::RandomSource& random_;
  std::map<roomlog::Hash, crypto::HpkePublicKey> wanted_;
  std::map<roomlog::Hash, crypto::HpkeSealContext> ready_;
};

}  // namespace alcove::e2ee
