#pragma once
// A member's side of room keys (docs/protocol/room-keys.md), sans-IO: certificate and join, the
// log, epochs, the duties of a stage member's client (admitting, departs, beats, fresh epochs),
// resume, catching up, and the keys of frames. The caller sends what take_messages() gives over the
// event connection, tells what came, and shows what take_events() says. One thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "alcove/v1/keys.pb.h"
#include "base/random.h"
#include "base/time.h"
#include "e2ee/frame_transform.h"
#include "e2ee/held_frames.h"
#include "e2ee/key_events.h"
#include "e2ee/room_keys_options.h"
#include "roomlog/log_state.h"
#include "roomlog/objects.h"

namespace alcove::e2ee {

class RoomKeys {
 public:
  // genesis: checked by the caller against the link, or taken from the server. identity outlives
  // this.
  RoomKeys(roomlog::Genesis genesis, const crypto::Ed25519PrivateKey& identity,
           base::RandomSource& random, RoomKeysOptions options);
  ~RoomKeys();

  // For the join request of this object's one join.
  v1::JoinKeys join_keys() const;
  const roomlog::Hash& leaf_hash() const;

  // The event connection: connected (after Hello) and lost.
  void handle_connected(base::Instant now);
  void handle_disconnected(base::Instant now);
  void handle_message(base::Instant now, base::WallTime wall, const v1::KeysFromServer& message);
  void handle_timeout(base::Instant now, base::WallTime wall);
  base::Instant next_deadline() const;
  std::vector<v1::KeysFromClient> take_messages();
  std::vector<KeyEvent> take_events();

  // What the person wants; each becomes a log entry. False when the state or the role does not
  // allow it.
  bool eject(base::Instant now, base::WallTime wall, const roomlog::Hash& leaf);
  bool set_role(base::Instant now, base::WallTime wall, const roomlog::Hash& leaf,
                v1::Role role);  // LISTENER or MODERATOR
  bool set_locked(base::Instant now, base::WallTime wall, bool locked);
  bool renew_link(base::Instant now, base::WallTime wall);
  bool invite_identities(base::Instant now, base::WallTime wall,
                         const std::vector<crypto::Ed25519PublicKey>& identities);
  // On the stage: the own depart. False for a listener: the control plane has it written.
  bool depart(base::Instant now, base::WallTime wall);
  // Remembers that this leaf may be given a seat when it accepts.
  void allow_stage(const roomlog::Hash& leaf);
  void request_roster();

  // False again when the membership has ended: departed, ejected or replaced.
  bool admitted() const;
  // Whether own frames may leave: admitted, fresh, not forked, with a seat.
  bool may_send() const;
  const roomlog::LogState& state() const;
  // Complete and verified; empty for a listener before RosterReady.
  std::vector<roomlog::Certificate> roster() const;
  std::optional<roomlog::LinkFragment> link()
      const;  // nullopt: this client does not have the secret
  // For the next join of this visit: what this one was given, with the link as it is known now.
  RoomKeysOptions options_for_next_join() const;
  v1::LogExport export_log() const;
  // Of this member's frames; its seat follows the log.
  FrameTransform& frames();
  // A frame whose open() said kUnknownEpoch or kEmptySeat (HeldFrames has the bounds), and what of
  // those can be opened now: give them to frames().open() in this order.
  void hold(base::Instant now, HeldFrame frame);
  std::vector<HeldFrame> take_released(base::Instant now);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::e2ee
