#pragma once
// What the parts of a member's room keys share: its keys, the log's state, epochs, frames, and what
// goes out. Each part (Joining, Follower, Keeper, Turns) has its own duty and no reference to the
// others. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alcove/v1/keys.pb.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/ed25519.h"
#include "crypto/hpke.h"
#include "e2ee/boxes.h"
#include "e2ee/epochs.h"
#include "e2ee/keyed_frames.h"
#include "e2ee/log_record.h"
#include "e2ee/room_keys_options.h"
#include "e2ee/turns.h"
#include "e2ee/warnings.h"
#include "roomlog/log_state.h"
#include "roomlog/objects.h"

namespace alcove::e2ee {

struct Member {
  Member(roomlog::Genesis genesis, const crypto::Ed25519PrivateKey& identity_key,
         base::RandomSource& random_source, RoomKeysOptions given);

  const roomlog::Hash& room() const { return state.fingerprint(); }
  const roomlog::Hash& leaf() const { return certificate.leaf_hash; }
  bool active() const { return admitted && !out && !stopped; }
  const roomlog::StageMember* own_seat() const { return state.on_stage(leaf()); }
  bool on_stage() const { return own_seat() != nullptr; }
  bool is_moderator() const;
  // On the stage, with the roster: may write entries.
  bool is_keeper() const { return active() && connected && on_stage() && state.is_full(); }
  unsigned own_rank() const;

  v1::KeysFromClient& send() { return messages.emplace_back(); }
  // Ends following and sending for good.
  void fail(KeyWarning warning, std::string detail);
  // Tells when the account's identity is another than last time.
  void see(const roomlog::Certificate& seen);
  // For the person's own key log, if there is one.
  void log_key(std::string_view kind, base::Bytes secret) const {
    if (options.key_log != nullptr) options.key_log->add(kind, secret);
  }
  std::string name_of(const roomlog::Hash& leaf_hash) const;

  // An epoch that an entry gave or missed, put into frames as well. body_hash, confirm: of the
  // entry.
  void advance_epoch(base::Instant now, const roomlog::Entry& entry, bool eject,
                     const std::optional<Secret>& secret);
  void supply_epoch(base::Instant now, const Secret& secret);
  void begin_epoch(const roomlog::Entry& advance, const Secret& secret);
  // Frames' epochs, seats and permission as they should be now.
  void update_frames();
  bool may_send() const;

  const crypto::Ed25519PrivateKey& identity;
  base::RandomSource& random;
  RoomKeysOptions options;
  crypto::Ed25519PrivateKey leaf_key;
  crypto::HpkePrivateBytes encryption_bytes;  // wiped once the key is made
  crypto::HpkePrivateKey encryption_key;
  roomlog::LogState state;  // of the genesis until admitted
  roomlog::Certificate certificate;
  KeyedFrames frames;
  PreparedBoxes prepared;
  Epochs epochs;
  Turns turns;
  LogRecord record;

  std::vector<v1::KeysFromClient> messages;
  std::vector<KeyEvent> events;
  Warnings warnings;

  bool admitted = false;
  bool out = false;      // departed, ejected or replaced
  bool stopped = false;  // a fork or a failed check
  bool connected = false;
  base::Instant connected_at{};
  bool unknown_frames = false;  // of an epoch that no entry announced: nothing is sent

  // The newest entry with an advance, while its epoch is not known.
  std::optional<roomlog::Entry> newest_advance;
  base::Instant newest_advance_at{};
  std::optional<base::Instant> missing_since;

  // Secrets of own entries that may still come back, by hash of the entry.
  struct OwnSecrets {
    std::uint64_t n = 0;
    std::optional<Secret> epoch;
    std::optional<roomlog::LinkSecret> link;
  };
  std::map<roomlog::Hash, OwnSecrets> own_secrets;

  std::optional<roomlog::LinkSecret> link_secret;
  std::uint32_t link_generation = 0;
  bool link_is_certain = false;                  // of this generation beyond doubt
  std::map<roomlog::Hash, base::Instant> heard;  // of stage members, by leaf
  std::set<crypto::Ed25519PublicKey> seen;
};

}  // namespace alcove::e2ee
