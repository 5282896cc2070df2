#pragma once
// The roster with what an entry changes in it, beside the state: 5,000 certificates are not copied
// for every entry. One thread.

#include <cstdint>
#include <map>
#include <optional>

#include "roomlog/objects.h"

namespace alcove::roomlog {

using Roster = std::map<Hash, Certificate>;                       // by leaf hash
using LeafOfIdentity = std::map<crypto::Ed25519PublicKey, Hash>;  // of the same roster

class RosterView {
 public:
  // Who does not have the roster: nothing in it can be asked.
  RosterView() = default;
  // Both outlive this.
  RosterView(const Roster& roster, const LeafOfIdentity& leaf_of)
      : roster_(&roster), leaf_of_(&leaf_of), size_(roster.size()) {}

  bool is_known() const { return roster_ != nullptr; }
  const Certificate* find(const Hash& leaf) const;
  std::optional<Hash> leaf_of(const crypto::Ed25519PublicKey& identity) const;
  // Without the roster these do nothing.
  void add(const Certificate& certificate);  // its leaf and identity are not in it
  void remove(const Hash& leaf);             // is in it

  std::size_t size() const { return size_; }
  // H(leaf hashes in ascending order, joined).
  Hash hash() const;
  // Leaf to its certificate, or to nothing where it is out.
  using Changes = std::map<Hash, std::optional<Certificate>>;
  const Changes& changes() const { return changes_; }

 private:
  const Roster* roster_ = nullptr;
  const LeafOfIdentity* leaf_of_ = nullptr;
  std::size_t size_ = 0;
  Changes changes_;
};

}  // namespace alcove::roomlog
