#pragma once
// A member without a client: keys that the test (an attacker) holds itself, to write entries that
// an honest client would not, and to try what can be opened with what it was given.

#include <optional>
#include <string>
#include <vector>

#include "e2ee/boxes.h"
#include "e2ee/epoch_secrets.h"
#include "e2ee/keyed_frames.h"
#include "support/simulated_house.h"

namespace alcove::simulation {

struct BareMember {
  BareMember(SimulatedHouse& of, const std::string& name)
      : house(of),
        identity(crypto::Ed25519PrivateKey::make(of.random)),
        leaf_key(crypto::Ed25519PrivateKey::make(of.random)),
        encryption(crypto::HpkePrivateKey::make(of.random)),
        certificate(certify(name)) {}

  roomlog::Certificate certify(const std::string& name) const {
    v1::Certificate body;
    body.set_room_fingerprint(to_field(house.genesis().fingerprint));
    body.set_identity(to_field(identity.public_key()));
    body.set_leaf(to_field(leaf_key.public_key()));
    body.set_encryption(to_field(encryption.public_key()));
    body.set_account("account-" + name);
    body.set_display_name(name);
    return roomlog::make_certificate(
        house.genesis().fingerprint, body,
        [this](base::Bytes message) { return identity.sign(message); });
  }

  v1::KeysFromServer admit_task(std::uint32_t candidate) const {
    v1::KeysFromServer message;
    v1::AdmitTask& task = *message.mutable_task()->mutable_admit();
    task.set_candidate(candidate);
    *task.mutable_keys()->mutable_certificate() = certificate.object;
    return message;
  }
  // Opens the JoinBox that goes with an entry, if there is one.
  void take_join_box(const v1::AppendEntry& append) {
    for (const v1::JoinBox& box : append.join_boxes()) {
      const auto opened = e2ee::open_epoch_box(
          e2ee::BoxKind::kJoin, encryption, house.genesis().fingerprint, certificate.leaf_hash,
          roomlog::object_hash(append.entry()), base::as_bytes(box.box()));
      if (opened) epoch = opened;
    }
  }
  // Asks keeper to let it in, and waits for that.
  void enter(SimulatedHouse::Who keeper) {
    house.inject(keeper, admit_task(900'000));
    house.run_for(base::milliseconds(300));
    for (const auto& [who, append] : house.appends) take_join_box(append);
  }
  // Whether a frame opens with the epoch that it has, everybody's seat being known to it.
  bool opens(const base::Buffer& frame) const {
    if (!epoch || frame.empty()) return false;
    e2ee::KeyedFrames frames(160, certificate.leaf_hash);
    e2ee::SeatHolders holders;
    for (const auto& [seat, member] : house.log().state.stage())
      holders.emplace(seat, member.certificate.leaf_hash);
    frames.set_stage(holders);
    frames.add_epoch(epoch->number, epoch->secret);
    return frames.open(frame).has_value();
  }

  // Entries signed by this member's leaf. fresh: of the next epoch; spoil: after it was computed.
  roomlog::Entry sign(v1::LogEntry body, base::Bytes confirm) const {
    return roomlog::make_entry(house.genesis().fingerprint, std::move(body), confirm,
                               [this](base::Bytes message) { return leaf_key.sign(message); });
  }
  std::optional<v1::LogEntry> draft(std::vector<v1::LogOp> ops, v1::Advance advance) const {
    auto body = house.log().state.draft(certificate.leaf_hash, std::move(ops), advance, false,
                                        house.wall().time_since_epoch().count());
    if (!body) return std::nullopt;
    return *std::move(body);
  }
  // A fresh box for each of the roster but this member.
  std::string boxes(const roomlog::Entry& entry, const e2ee::Secret& fresh) const {
    std::string all;
    for (const auto& [leaf, member] : house.log().state.roster()) {
      if (leaf == certificate.leaf_hash) continue;
      const auto box = crypto::hpke_seal(
          member.encryption,
          e2ee::box_info(e2ee::BoxKind::kFresh, house.genesis().fingerprint, leaf), entry.body_hash,
          fresh, house.random);
      all += to_field(*box);
    }
    return all;
  }

  SimulatedHouse& house;
  crypto::Ed25519PrivateKey identity;
  crypto::Ed25519PrivateKey leaf_key;
  crypto::HpkePrivateKey encryption;
  roomlog::Certificate certificate;
  std::optional<e2ee::EpochInBox> epoch;
};

}  // namespace alcove::simulation
