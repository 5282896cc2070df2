#include "roomlog/roster_view.h"

namespace alcove::roomlog {

const Certificate* RosterView::find(const Hash& leaf) const {
  if (!is_known()) return nullptr;
  if (const auto changed = changes_.find(leaf); changed != changes_.end())
    return changed->second ? &*changed->second : nullptr;
  const auto found = roster_->find(leaf);
  return found == roster_->end() ? nullptr : &found->second;
}

std::optional<Hash> RosterView::leaf_of(const crypto::Ed25519PublicKey& identity) const {
  if (!is_known()) return std::nullopt;
  for (const auto& [leaf, certificate] : changes_)
    if (certificate && certificate->identity == identity) return leaf;
  const auto found = leaf_of_->find(identity);
  if (found == leaf_of_->end() || changes_.contains(found->second)) return std::nullopt;
  return found->second;
}

void RosterView::add(const Certificate& certificate) {
  if (!is_known()) return;
  changes_[certificate.leaf_hash] = certificate;
  ++size_;
}

void RosterView::remove(const Hash& leaf) {
  if (!is_known()) return;
  CHECK(find(leaf) != nullptr);
  changes_[leaf] = std::nullopt;
  --size_;
}

Hash RosterView::hash() const {
  base::Buffer leaves;
  leaves.reserve((size_ + changes_.size()) * sizeof(Hash));
  const auto add_leaf = [&leaves](const Hash& leaf) {
    leaves.insert(leaves.end(), leaf.begin(), leaf.end());
  };
  auto change = changes_.begin();
  for (const auto& [leaf, certificate] : *roster_) {
    for (; change != changes_.end() && change->first < leaf; ++change)
      if (change->second) add_leaf(change->first);
    if (change != changes_.end() && change->first == leaf) {
      if (change->second) add_leaf(leaf);
      ++change;
    } else {
      add_leaf(leaf);
    }
  }
  for (; change != changes_.end(); ++change)
    if (change->second) add_leaf(change->first);
  return crypto::sha256(leaves);
}

}  // namespace alcove::roomlog
