#pragma once
// A room's log with people whose keys follow from their names, for tests: every run has the same
// bytes. All in the header, so that each test program only includes it.

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/hpke.h"
#include "roomlog/log_state.h"
#include "roomlog/objects.h"

namespace alcove::roomlog_test {

using roomlog::Certificate;
using roomlog::Entry;
using roomlog::Hash;

inline Hash hash_of(const std::string& text) { return crypto::sha256(base::as_bytes(text)); }
inline std::string to_string(base::Bytes bytes) { return std::string(base::as_text(bytes)); }

// One join of a person. Names make the keys: identity by the name, the others by name and number.
struct Join {
  std::string name;
  crypto::Ed25519PrivateKey identity;
  crypto::Ed25519PrivateKey leaf;
  crypto::HpkePrivateKey encryption;
  Certificate certificate;
};

inline Hash identity_seed(const std::string& name) { return hash_of("identity " + name); }
inline Hash leaf_seed(const std::string& name, int number) {
  return hash_of("leaf " + name + " " + std::to_string(number));
}
inline Hash encryption_bytes(const std::string& name, int number) {
  return hash_of("encryption " + name + " " + std::to_string(number));
}

inline roomlog::Sign signer(const crypto::Ed25519PrivateKey& key) {
  return [&key](base::Bytes message) { return key.sign(message); };
}

inline Join make_join(const Hash& room, const std::string& name, int number) {
  Join join{.name = name,
            .identity = crypto::Ed25519PrivateKey::from_seed(identity_seed(name)),
            .leaf = crypto::Ed25519PrivateKey::from_seed(leaf_seed(name, number)),
            .encryption = crypto::HpkePrivateKey::from_bytes(encryption_bytes(name, number)),
            .certificate = {}};
  v1::Certificate body;
  body.set_room_fingerprint(to_string(room));
  body.set_identity(to_string(join.identity.public_key()));
  body.set_leaf(to_string(join.leaf.public_key()));
  body.set_encryption(to_string(join.encryption.public_key()));
  body.set_account("guest");
  body.set_display_name(name);
  join.certificate = roomlog::make_certificate(room, body, signer(join.identity));
  return join;
}

inline roomlog::Genesis make_test_genesis(const std::string& host,
                                          v1::RoomKind kind = v1::ROOM_KIND_OPEN) {
  const auto key = crypto::Ed25519PrivateKey::from_seed(identity_seed(host));
  v1::Genesis body;
  body.set_version(1);
  const Hash id = hash_of("room");
  body.set_room_id(to_string(base::Bytes(id).first(16)));
  body.set_host(to_string(key.public_key()));
  body.set_kind(kind);
  body.set_packet_bucket(160);
  body.set_created_at_ms(1'750'000'000'000);
  return roomlog::make_genesis(body, signer(key));
}

inline v1::LogOp admit_op(const Certificate& certificate, std::uint32_t seat = 0) {
  v1::LogOp op;
  *op.mutable_admit()->mutable_certificate() = certificate.object;
  op.mutable_admit()->set_seat(seat);
  return op;
}
inline v1::LogOp depart_op(const Hash& leaf) {
  v1::LogOp op;
  op.mutable_depart()->set_leaf(to_string(leaf));
  return op;
}
inline v1::LogOp eject_op(const Certificate& certificate) {
  v1::LogOp op;
  op.mutable_eject()->set_leaf(to_string(certificate.leaf_hash));
  op.mutable_eject()->set_identity(to_string(certificate.identity));
  return op;
}
inline v1::LogOp speaker_op(const Certificate& certificate, std::uint32_t seat) {
  v1::LogOp op;
  op.mutable_role()->set_leaf(to_string(certificate.leaf_hash));
  op.mutable_role()->set_role(v1::ROLE_SPEAKER);
  op.mutable_role()->set_seat(seat);
  *op.mutable_role()->mutable_certificate() = certificate.object;
  return op;
}
// LISTENER or MODERATOR.
inline v1::LogOp role_op(const Hash& leaf, v1::Role role) {
  v1::LogOp op;
  op.mutable_role()->set_leaf(to_string(leaf));
  op.mutable_role()->set_role(role);
  return op;
}
inline v1::LogOp lock_op(bool locked) {
  v1::LogOp op;
  op.mutable_lock()->set_locked(locked);
  return op;
}
inline v1::LogOp link_op(std::uint32_t generation) {
  v1::LogOp op;
  op.mutable_link()->set_generation(generation);
  return op;
}
inline v1::LogOp invite_op(const std::vector<crypto::Ed25519PublicKey>& identities) {
  v1::LogOp op;
  for (const auto& identity : identities) op.mutable_invite()->add_identities(to_string(identity));
  return op;
}

// Epochs as in docs/protocol/room-keys.md, written apart from src/e2ee.
struct TestEpochs {
  Hash chain{};
  Hash joiner{};
  Hash epoch{};
  Hash confirm{};

  // fresh: nullopt for a ratchet.
  void advance(const Hash& body_hash, const std::optional<Hash>& fresh, bool resume) {
    if (resume) chain = Hash{};
    joiner = crypto::hkdf_extract(chain, fresh.value_or(Hash{}));
    roomlog::expand(joiner, "epoch", body_hash, epoch);
    roomlog::expand(epoch, "chain", {}, chain);
    Hash key{};
    roomlog::expand(epoch, "confirm", {}, key);
    confirm = crypto::hmac_sha256(key, body_hash);
  }
};

struct WrittenEntry {
  Entry entry;
  roomlog::EntryClass entry_class;
  std::optional<Hash> fresh;
  TestEpochs epochs;  // after it
};

class RoomLog {
 public:
  explicit RoomLog(v1::RoomKind kind = v1::ROOM_KIND_OPEN, const std::string& host = "Host")
      : genesis_(make_test_genesis(host, kind)), state_(genesis_), host_(host) {}

  const roomlog::Genesis& genesis() const { return genesis_; }
  const Hash& room() const { return genesis_.fingerprint; }
  // Full; in the order of what was written.
  const roomlog::LogState& state() const { return state_; }
  const std::deque<WrittenEntry>& entries() const { return entries_; }
  const Entry& last() const { return entries_.back().entry; }
  // Of the next entry; each takes a second.
  std::int64_t time_ms = 1'750'000'001'000;

  // The keys of a person's join: made when first asked for.
  const Join& join(const std::string& name, int number = 0) {
    const auto key = std::pair(name, number);
    auto found = joins_.find(key);
    if (found == joins_.end()) found = joins_.emplace(key, make_join(room(), name, number)).first;
    return found->second;
  }
  const Certificate& certificate(const std::string& name, int number = 0) {
    return join(name, number).certificate;
  }
  const Hash& leaf(const std::string& name, int number = 0) {
    return certificate(name, number).leaf_hash;
  }

  // The first entry: the host on seat 1.
  const Entry& found() { return resume(join(host_), 1); }

  // A resume by this join, with further ops.
  const Entry& resume(const Join& author, std::uint32_t seat, std::vector<v1::LogOp> more = {}) {
    more.insert(more.begin(), admit_op(author.certificate, seat));
    return write(author, std::move(more), v1::ADVANCE_FRESH, true);
  }

  // Drafted, signed, applied in full (CHECK): what the author's client would write.
  const Entry& write(const Join& author, std::vector<v1::LogOp> ops,
                     v1::Advance advance = v1::ADVANCE_NONE, bool is_resume = false) {
    auto body =
        state_.draft(author.certificate.leaf_hash, std::move(ops), advance, is_resume, time_ms);
    CHECK(body.has_value());
    time_ms += 1000;
    return apply(sign(author, *std::move(body)));
  }
  // A signed entry that is not applied: body as it is. With an advance its confirm is right.
  WrittenEntry sign(const Join& author, v1::LogEntry body) const {
    WrittenEntry written{.entry_class = state_.class_of(body), .epochs = epochs_};
    base::Buffer confirm;
    if (body.advance() != v1::ADVANCE_NONE) {
      if (body.advance() == v1::ADVANCE_FRESH)
        written.fresh = hash_of("fresh " + std::to_string(body.n()));
      written.epochs.advance(crypto::sha256(base::as_bytes(body.SerializeAsString())),
                             written.fresh, body.resume());
      confirm = base::to_buffer(written.epochs.confirm);
    }
    const auto& key = body.resume() ? author.identity : author.leaf;
    written.entry = roomlog::make_entry(room(), std::move(body), confirm, signer(key));
    return written;
  }
  // Applied in full (CHECK).
  const Entry& apply(WrittenEntry written) {
    CHECK(state_.apply(written.entry, roomlog::Follow::kFull).has_value());
    epochs_ = written.epochs;
    entries_.push_back(std::move(written));
    return entries_.back().entry;
  }

  // What a joiner is given that is admitted by the entry after the first `count`; default all.
  v1::LogChain chain(std::size_t count = SIZE_MAX) const {
    v1::LogChain chain;
    *chain.mutable_genesis() = genesis_.object;
    for (std::size_t i = 0; i < std::min(count, entries_.size()); ++i) {
      const WrittenEntry& written = entries_[i];
      if (written.entry_class.is_authority()) *chain.add_authority() = written.entry.object;
      if (written.entry_class.advance) *chain.mutable_advance() = written.entry.object;
      if (written.entry_class.is_short()) *chain.mutable_head() = written.entry.object;
    }
    return chain;
  }
  // In the order of leaf hashes, as of the last entry.
  std::vector<Certificate> roster() const {
    std::vector<Certificate> certificates;
    for (const auto& [leaf, certificate] : state_.roster()) certificates.push_back(certificate);
    return certificates;
  }
  const TestEpochs& epochs() const { return epochs_; }

  // Common steps, written by the host's first join.
  const Entry& admit(const std::string& name, int number = 0) {
    return write(join(host_), {admit_op(certificate(name, number))});
  }
  // A listener onto the next free seat.
  const Entry& make_speaker(const std::string& name, int number = 0) {
    return write(join(host_), {speaker_op(certificate(name, number), *state_.next_free_seat())});
  }
  const Entry& make_moderator(const std::string& name, int number = 0) {
    return write(join(host_), {role_op(leaf(name, number), v1::ROLE_MODERATOR)});
  }

 private:
  roomlog::Genesis genesis_;
  roomlog::LogState state_;
  std::string host_;
  std::map<std::pair<std::string, int>, Join> joins_;
  std::deque<WrittenEntry> entries_;
  TestEpochs epochs_;
};

}  // namespace alcove::roomlog_test
