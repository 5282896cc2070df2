#include "e2ee/member.h"

#include <utility>

namespace alcove::e2ee {
namespace {

using base::Instant;
using roomlog::Hash;

std::string to_field(base::Bytes bytes) { return std::string(base::as_text(bytes)); }

roomlog::Certificate certify(const Hash& room, const crypto::Ed25519PrivateKey& identity,
                             const crypto::Ed25519PrivateKey& leaf,
                             const crypto::HpkePrivateKey& encryption,
                             const RoomKeysOptions& options) {
  v1::Certificate body;
  body.set_room_fingerprint(to_field(room));
  body.set_identity(to_field(identity.public_key()));
  body.set_leaf(to_field(leaf.public_key()));
  body.set_encryption(to_field(encryption.public_key()));
  body.set_account(options.account);
  body.set_display_name(options.display_name);
  return roomlog::make_certificate(room, body,
                                   [&](base::Bytes message) { return identity.sign(message); });
}

}  // namespace

Member::Member(roomlog::Genesis genesis, const crypto::Ed25519PrivateKey& identity_key,
               base::RandomSource& random_source, RoomKeysOptions given)
    : identity(identity_key),
      random(random_source),
      options(std::move(given)),
      leaf_key(crypto::Ed25519PrivateKey::make(random)),
      encryption_bytes(random.bytes<32>()),
      encryption_key(crypto::HpkePrivateKey::from_bytes(encryption_bytes)),
      state(std::move(genesis)),
      certificate(certify(state.fingerprint(), identity, leaf_key, encryption_key, options)),
      frames(state.genesis().body.packet_bucket(), certificate.leaf_hash),
      prepared(state.fingerprint(), random),
      record(state.genesis().object, options.keep_log),
      warnings(events),
      link_secret(options.link_secret) {
  log_key("leaf", leaf_key.seed());
  log_key("encryption", encryption_bytes);
  if (link_secret) log_key("link_secret", *link_secret);
  crypto::wipe(encryption_bytes);
}

bool Member::is_moderator() const {
  const roomlog::StageMember* own = own_seat();
  return own != nullptr && own->role == v1::ROLE_MODERATOR;
}

unsigned Member::own_rank() const {
  const roomlog::StageMember* own = own_seat();
  return own == nullptr ? Turns::kMaxRank : turns.rank_of(state.stage(), own->seat);
}

void Member::fail(KeyWarning warning, std::string detail) {
  stopped = true;
  warnings.raise(warning, {}, std::move(detail));
  update_frames();
}

void Member::see(const roomlog::Certificate& other) {
  // Bounded by the roster: beyond it nobody can be in the room at the same time.
  constexpr std::size_t kMaxSeen = 65'535;
  if (options.known_devices == nullptr || other.account == "guest" ||
      other.identity == certificate.identity || seen.size() >= kMaxSeen ||
      !seen.insert(other.identity).second)
    return;
  if (options.known_devices->see(other) == KnownDevices::Seen::kChanged)
    warnings.tell(KeyWarning::kDeviceChanged, other.display_name,
                  "This account has another device key than last time: a new device, or somebody "
                  "else under this name.");
}

std::string Member::name_of(const Hash& leaf_hash) const {
  if (const roomlog::StageMember* member = state.on_stage(leaf_hash))
    return member->certificate.display_name;
  if (!state.is_full()) return {};
  const roomlog::Certificate* found = state.member(leaf_hash);
  return found == nullptr ? std::string() : found->display_name;
}

void Member::begin_epoch(const roomlog::Entry& advance, const Secret& secret) {
  newest_advance = advance;
  missing_since.reset();
  log_key("epoch", secret);
  epochs.begin(advance.body.epoch(), secret);
  events.emplace_back(EpochChanged{advance.body.epoch()});
}

void Member::advance_epoch(Instant now, const roomlog::Entry& entry, bool eject,
                           const std::optional<Secret>& secret) {
  const bool fresh = entry.body.advance() == v1::ADVANCE_FRESH;
  newest_advance = entry;
  newest_advance_at = now;
  // A ratchet that this client cannot follow because it lacks the epoch before must not be sent
  // without either.
  const bool required = fresh || missing_since.has_value();
  if (secret) log_key("epoch", *secret);
  if (secret)
    missing_since.reset();
  else if (!missing_since)
    missing_since = now;
  epochs.advance(now, entry.body.epoch(), eject, required, secret);
  if (secret) events.emplace_back(EpochChanged{entry.body.epoch()});
}

void Member::supply_epoch(Instant now, const Secret& secret) {
  missing_since.reset();
  log_key("epoch", secret);
  epochs.supply(now, newest_advance->body.epoch(), secret);
  events.emplace_back(EpochChanged{newest_advance->body.epoch()});
  update_frames();
}

void Member::update_frames() {
  SeatHolders holders;
  if (active())
    for (const auto& [seat, member] : state.stage())
      holders.emplace(seat, member.certificate.leaf_hash);
  frames.set_stage(std::move(holders));
  for (const std::uint32_t number : epochs.take_expired()) frames.forget_epoch(number);
  for (const Epochs::Epoch& epoch : epochs.known())
    if (epoch.live && !frames.is_live(epoch.number)) frames.add_epoch(epoch.number, epoch.secret);
  if (const auto sending = epochs.sending()) frames.use_for_sending(*sending);
  frames.allow_sending(may_send());
}

bool Member::may_send() const {
  return active() && on_stage() && epochs.sending().has_value() && !unknown_frames &&
         !warnings.is_active(KeyWarning::kStale, {});
}

}  // namespace alcove::e2ee
