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
  e2ee::RoomKeysOptions options;
  options.account = account_;
  options.display_name = display_name_;
  if (options_.fragment) options.link_secret = options_.fragment->secret;
  // The keys before are used until the new ones are in their place.
  auto keys = std::make_unique<e2ee::RoomKeys>(*genesis_, identity_, random_, std::move(options));
  media_->set_frames(keys->frames());
  keys_ = std::move(keys);
}

void Member::drain_keys(Instant now) {
  if (!keys_) return;
  for (const e2ee::KeyEvent& event : keys_->take_events()) {
    if (phase_ == Phase::kFinished) return;
    std::visit([&](const auto& one) { handle_keys(now, one); }, event);
  }
  for (v1::KeysFromClient& message : keys_->take_messages()) channel_.send_keys(std::move(message));
  media_->release_held(now);
  if (keys_->may_send() != may_send_) update_sending(now);
}

void Member::handle_keys(Instant, const e2ee::WaitingChanged& changed) {
  report("waiting", {{"reason", std::string(waiting_reason(changed.reason))}},
         std::string(waiting_text(changed.reason)));
}

void Member::handle_keys(Instant now, const e2ee::AdmittedEvent&) {
  link_generation_ = keys_->state().link_generation();
  report("admitted", {{"ms", milliseconds_since_start(now)}}, "");
  look_at_devices();
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
  look_at_devices();
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
  const std::string_view code = e2ee::to_text(warning.warning);
  report_warning(code, warning.active, warning.name, warning.detail);
  const bool is_broken = warning.active && (warning.warning == e2ee::KeyWarning::kFork ||
                                            warning.warning == e2ee::KeyWarning::kFailedCheck);
  if (is_broken && !keys_->admitted())
    finish(ExitStatus::kRefused, "The room cannot be verified: " + warning.detail);
}

void Member::handle_keys(Instant, const e2ee::RosterReady&) {
  look_at_devices();
  if (!std::exchange(roster_asked_, false)) return;
  const std::vector<roomlog::Certificate> roster = keys_->roster();
  for (const roomlog::Certificate& certificate : roster) report_roster_member(certificate);
  report("roster", {{"count", static_cast<std::int64_t>(roster.size())}},
         fmt::format("{} can hear.", roster.size()));
}

void Member::look_at_devices() {
  if (!keys_->admitted()) return;
  const roomlog::LogState& state = keys_->state();
  for (const auto& [seat, member] : state.stage()) look_at_device(member.certificate);
  if (!state.is_full()) return;
  for (const auto& [leaf, certificate] : state.roster()) look_at_device(certificate);
}

void Member::look_at_device(const roomlog::Certificate& certificate) {
  if (certificate.account == "guest" || certificate.leaf_hash == keys_->leaf_hash() ||
      !looked_at_.insert(certificate.leaf_hash).second)
    return;
  const DeviceState state =
      options_.known_devices.look(options_.server.origin(), certificate.account,
                                  certificate.identity, certificate.display_name);
  report("device",
         {{"state", std::string(to_text(state))},
          {"name", certificate.display_name},
          {"account", certificate.account},
          {"identity", key_text(certificate.identity)}},
         "");
  if (state != DeviceState::kChanged) return;
  report_warning(
      e2ee::to_text(e2ee::KeyWarning::kDeviceChanged), true, certificate.display_name,
      fmt::format("{} is here with a device that this computer has not met: a new one, or "
                  "somebody else under this name.",
                  certificate.display_name));
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
      case LogCommand::kNone:
        break;
    }
    return false;
  };
  if (write()) return;
  report_error(
      verb, {0, "permission_denied", "", "The room's log does not allow you this, or not now.", 0});
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

void Member::report_warning(std::string_view code, bool active, const std::string& name,
                            const std::string& detail) {
  report("warning",
         {{"code", std::string(code)}, {"active", active}, {"name", name}, {"detail", detail}},
         active ? "Warning: " + detail : fmt::format("No longer so: {}", detail));
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
