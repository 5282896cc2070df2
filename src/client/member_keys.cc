// A Member and its room's keys: what the log says, what the person is told of it, and what the
// person has written into it.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "client/member.h"

namespace alcove::client {

using base::Instant;

namespace {

std::string_view waiting_reason(v1::Waiting::Reason reason) {
  switch (reason) {
    case v1::Waiting::REASON_ASKED:
      return "asked";
    case v1::Waiting::REASON_NOBODY:
      return "nobody";
    case v1::Waiting::REASON_RESUME:
      return "resume";
    default:
      return "unknown";
  }
}

std::string_view waiting_text(v1::Waiting::Reason reason) {
  switch (reason) {
    case v1::Waiting::REASON_NOBODY:
      return "Nobody on the stage is there to let you in: waiting.";
    case v1::Waiting::REASON_RESUME:
      return "Nobody is on the stage: the room goes on with you.";
    default:
      return "";
  }
}

std::string key_text(const crypto::Ed25519PublicKey& key) { return base::to_base64url(key); }

}  // namespace

void Member::make_keys() {
  // A link that was renewed meanwhile is the one to come in by.
  e2ee::RoomKeysOptions options;
  if (keys_)
    options = keys_->options_for_next_join();
  else if (options_.fragment)
    options.link_secret = options_.fragment->secret;
  options.account = account_;
  options.display_name = display_name_;
  options.known_devices = &devices_;
  options.key_log = options_.key_log;
  // The keys before are used until the new ones are in their place.
  auto keys = std::make_unique<e2ee::RoomKeys>(*genesis_, identity_, random_, std::move(options));
  media_->set_frames(keys->frames());
  keys_ = std::move(keys);
}

void Member::drain_keys(Instant now) {
  if (!keys_) return;
  for (const DeviceWatch::Met& met : devices_.take_met()) report_device(met);
  for (const e2ee::KeyEvent& event : keys_->take_events()) {
    if (phase_ == Phase::kFinished) return;
    std::visit([&](const auto& one) { handle_keys(now, one); }, event);
  }
  for (v1::KeysFromClient& message : keys_->take_messages()) channel_.send_keys(std::move(message));
  for (const e2ee::HeldFrame& frame : keys_->take_released(now)) media_->play(now, frame);
  if (keys_->may_send() != may_send_) update_sending(now);
}

void Member::handle_keys(Instant, const e2ee::WaitingChanged& changed) {
  report("waiting", {{"reason", std::string(waiting_reason(changed.reason))}},
         std::string(waiting_text(changed.reason)));
}

void Member::handle_keys(Instant now, const e2ee::AdmittedEvent&) {
  link_generation_ = keys_->state().link_generation();
  report("admitted", {{"ms", milliseconds_since_start(now)}}, "");
}

void Member::handle_keys(Instant now, const e2ee::LogChanged&) {
  const roomlog::LogState& state = keys_->state();
  report("log",
         {{"n", static_cast<std::int64_t>(state.n())},
          {"roster_size", std::int64_t{state.roster_size()}},
          {"stage", static_cast<std::int64_t>(state.stage().size())},
          {"locked", state.locked()},
          {"link_void", state.link_void()}},
         "");
  if (state.link_generation() != link_generation_) {
    link_generation_ = state.link_generation();
    if (keys_->link()) report_link();
  }
  if (phase_ == Phase::kDeparting && state.on_stage(keys_->leaf_hash()) == nullptr) send_leave(now);
}

void Member::handle_keys(Instant, const e2ee::EpochChanged& changed) {
  report("epoch", {{"epoch", std::int64_t{changed.epoch}}}, "");
}

void Member::handle_keys(Instant, const e2ee::WarningEvent& warning) {
  report("warning",
         {{"code", std::string(e2ee::to_text(warning.warning))},
          {"active", warning.active},
          {"name", warning.name},
          {"detail", warning.detail}},
         fmt::format("{}{}{}{}", warning.active ? "Warning: " : "No longer so: ", warning.name,
                     warning.name.empty() ? "" : ": ", warning.detail));
  const bool is_broken = warning.active && (warning.warning == e2ee::KeyWarning::kFork ||
                                            warning.warning == e2ee::KeyWarning::kFailedCheck);
  if (is_broken && !joined_once_)
    finish(ExitStatus::kRefused, "The room cannot be verified: " + warning.detail);
}

void Member::handle_keys(Instant, const e2ee::RosterReady&) {
  if (!std::exchange(roster_asked_, false)) return;
  const std::vector<roomlog::Certificate> roster = keys_->roster();
  for (const roomlog::Certificate& certificate : roster) report_roster_member(certificate);
  report("roster", {{"count", static_cast<std::int64_t>(roster.size())}},
         fmt::format("{} can hear.", roster.size()));
}

void Member::report_device(const DeviceWatch::Met& met) {
  report("device",
         {{"state", std::string(to_text(met.state))},
          {"name", met.certificate.display_name},
          {"account", met.certificate.account},
          {"identity", key_text(met.certificate.identity)}},
         "");
}

void Member::write_log(Instant now, std::string_view verb, LogCommand command,
                       const roomlog::Hash& leaf) {
  const auto write = [&] {
    switch (command) {
      case LogCommand::kEject:
        return keys_->eject(now, wall(now), leaf);
      case LogCommand::kMoveDown:
        return keys_->set_role(now, wall(now), leaf, v1::ROLE_LISTENER);
      case LogCommand::kMakeModerator:
        return keys_->set_role(now, wall(now), leaf, v1::ROLE_MODERATOR);
      case LogCommand::kLock:
        return keys_->set_locked(now, wall(now), true);
      case LogCommand::kUnlock:
        return keys_->set_locked(now, wall(now), false);
      case LogCommand::kNewLink:
        return keys_->renew_link(now, wall(now));
      case LogCommand::kInviteKeys:
      case LogCommand::kNone:
        break;
    }
    return false;
  };
  if (write()) return;
  report_error(
      verb, {0, "permission_denied", "", "The room's log does not allow you this, or not now.", 0});
}

void Member::invite_keys(Instant now, std::string_view verb,
                         const std::vector<crypto::Ed25519PublicKey>& keys) {
  if (keys_->invite_identities(now, wall(now), keys)) return;
  report_error(
      verb, {0, "permission_denied", "", "Only moderators invite keys, at most 1,024 in all.", 0});
}

const roomlog::Certificate* Member::certificate_of(const v1::Member& member) const {
  roomlog::Hash leaf{};
  if (!keys_ || !keys_->admitted() || member.leaf().size() != leaf.size()) return nullptr;
  std::ranges::copy(base::as_bytes(member.leaf()), leaf.begin());
  const roomlog::LogState& state = keys_->state();
  if (const roomlog::StageMember* on_stage = state.on_stage(leaf)) return &on_stage->certificate;
  return state.is_full() ? state.member(leaf) : nullptr;
}

std::string Member::name_of(const v1::Member& member) const {
  const roomlog::Certificate* certificate = certificate_of(member);
  return certificate == nullptr ? member.display_name() : certificate->display_name;
}

std::string Member::link_text(const roomlog::LinkFragment& fragment) const {
  return options_.server.origin() + "/r/" + options_.room->text() + "#" +
         roomlog::to_text(fragment);
}

void Member::report_code() {
  const bool compared = options_.fragment.has_value();
  const std::string code = roomlog::room_code(genesis_->fingerprint);
  report("room_code", {{"code", code}, {"compared", compared}},
         fmt::format("The room's code is {}{}.", code,
                     compared ? "" : " (not compared: the link did not have it)"));
}

void Member::report_link() {
  const std::optional<roomlog::LinkFragment> fragment = keys_->link();
  if (!fragment)
    return report_error("link",
                        {0, "failed_precondition", "",
                         "This client does not have the link's secret: ask a moderator.", 0});
  const std::string link = link_text(*fragment);
  report("link", {{"link", link}}, link);
}

void Member::report_key() {
  const std::string key = key_text(identity_.public_key());
  report("key", {{"identity", key}}, key);
}

void Member::report_roster_member(const roomlog::Certificate& certificate) {
  const roomlog::StageMember* on_stage = keys_->state().on_stage(certificate.leaf_hash);
  const v1::Role role = on_stage == nullptr ? v1::ROLE_LISTENER : on_stage->role;
  const bool guest = certificate.account == "guest";
  report("roster_member",
         {{"name", certificate.display_name},
          {"account", certificate.account},
          {"role", std::string(role_name(role))},
          {"seat", std::int64_t{on_stage == nullptr ? std::uint8_t{0} : on_stage->seat}},
          {"identity", key_text(certificate.identity)},
          {"self", certificate.leaf_hash == keys_->leaf_hash()}},
         fmt::format("{} ({}{}), key {}", certificate.display_name, role_name(role),
                     guest ? ", guest" : "", key_text(certificate.identity)));
}

void Member::save_log(std::string path) {
  effects_.emplace_back(SaveFile{std::move(path), keys_->export_log().SerializeAsString()});
}

void Member::handle_saved(const std::string& path, const base::Result<void>& saved) {
  if (!saved) return report_error("export-log", {0, "unavailable", "", saved.error().message, 0});
  report("log_exported", {{"file", path}}, "The room's log is in " + path + ".");
}

}  // namespace alcove::client
