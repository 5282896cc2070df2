#include "client/member.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace alcove::client {

using base::Instant;
using base::Result;

Member::Member(MemberOptions options, base::RandomSource& random, MediaPeerFactory peers,
               AudioSource* source, AudioSink* sink)
    : options_(std::move(options)),
      random_(random),
      peers_(std::move(peers)),
      source_(source),
      sink_(sink),
      house_check_(options_.trust, options_.room && options_.fragment),
      channel_(random),
      display_name_(options_.name),
      identity_(options_.identity ? crypto::Ed25519PrivateKey::from_seed(*options_.identity)
                                  : crypto::Ed25519PrivateKey::make(random)),
      devices_(options_.known_devices, options_.server.origin()) {}

Member::~Member() = default;

void Member::start(Instant now, base::WallTime wall,
                   std::vector<base::SocketAddress> local_addresses) {
  CHECK(phase_ == Phase::kNew);
  started_at_ = now;
  handle_wall_time(now, wall);
  local_addresses_ = std::move(local_addresses);
  phase_ = Phase::kPreparing;
  call({Ask::kHouseCheck}, "GET", house_check_.begin(), "");
}

void Member::handle_wall_time(Instant now, base::WallTime wall) {
  wall_set_at_ = now;
  wall_ = wall;
}

base::WallTime Member::wall(Instant now) const {
  return wall_ + std::chrono::duration_cast<base::milliseconds>(now - wall_set_at_);
}

void Member::leave(Instant now) {
  if (phase_ >= Phase::kDeparting) return;
  if (!has_join()) return finish(leaving_with_.status, leaving_with_.message);
  // Who is on the stage writes so itself; of others the server has it written.
  if (phase_ == Phase::kJoined && keys_->depart(now, wall(now))) {
    phase_ = Phase::kDeparting;
    update_sending(now);
    depart_until_ = now + kDepartTimeout;
  } else {
    send_leave(now);
  }
  settle(now);
}

void Member::send_leave(Instant now) {
  phase_ = Phase::kLeaving;
  update_sending(now);
  channel_.stop();
  v1::RoomCommand command;
  command.set_join_token(join_token_);
  command.mutable_leave();
  call({Ask::kLeave}, "POST", "/v1/rooms/" + room_id_ + "/commands", command.SerializeAsString());
  leave_at_ = depart_until_ = base::kNever;
  give_up_at_ = now + kLeaveTimeout;
}

void Member::handle_line(Instant now, std::string_view line) {
  if (line.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  Result<ConsoleCommand> command = parse_console_command(line);
  if (!command) {
    return report_error("", {0, "invalid_argument", "", command.error().message, 0});
  }
  if (command->kind == ConsoleCommand::Kind::kHelp)
    return report("help", {{"text", std::string(console_help())}}, std::string(console_help()));
  if (command->kind == ConsoleCommand::Kind::kLeave) return leave(now);
  // Who waits outside a closed room asks with it to be let in.
  if (command->kind == ConsoleCommand::Kind::kKey) return report_key();
  const bool early = command->kind == ConsoleCommand::Kind::kCode && genesis_;
  if (phase_ != Phase::kJoined && !early)
    return report_error(command->verb, {0, "unavailable", "", "Not in the room at the moment.", 0});
  handle_command(now, std::move(*command));
  settle(now);
}

void Member::handle_command(Instant now, ConsoleCommand command) {
  switch (command.kind) {
    case ConsoleCommand::Kind::kRoom:
      return send_command(now, command.verb, std::move(command.command));
    case ConsoleCommand::Kind::kOnMember:
      return command_on_member(
          now, {Ask::kFindMember, command.verb, command.target, command.command, command.log});
    case ConsoleCommand::Kind::kLog:
      if (command.log == LogCommand::kInviteKeys)
        return invite_keys(now, command.verb, command.keys);
      if (command.target.empty())
        return write_log(now, command.verb, command.log, keys_->leaf_hash());
      return command_on_member(
          now, {Ask::kFindMember, command.verb, command.target, command.command, command.log});
    case ConsoleCommand::Kind::kMembers:
      return request_members({Ask::kListMembers, command.verb}, "");
    case ConsoleCommand::Kind::kHands:
      return list_hands();
    case ConsoleCommand::Kind::kRoster:
      roster_asked_ = true;
      return keys_->request_roster();
    case ConsoleCommand::Kind::kCode:
      return report_code();
    case ConsoleCommand::Kind::kLink:
      return report_link();
    case ConsoleCommand::Kind::kExport:
      return save_log(std::move(command.target));
    case ConsoleCommand::Kind::kKey:
    case ConsoleCommand::Kind::kLeave:
    case ConsoleCommand::Kind::kHelp:
      return;
  }
}

void Member::handle_answer(Instant now, std::uint64_t id, const Result<HttpAnswer>& answer) {
  const auto found = pending_.find(id);
  if (found == pending_.end() || phase_ == Phase::kFinished) return;
  Pending pending = std::move(found->second);
  pending_.erase(found);
  switch (pending.ask) {
    case Ask::kHouseCheck:
      handle_house_check(now, answer);
      break;
    case Ask::kConfig:
      handle_config(answer);
      break;
    case Ask::kLogIn:
      handle_log_in(answer);
      break;
    case Ask::kStartRoom:
      handle_start_room(answer);
      break;
    case Ask::kGenesis:
      handle_genesis(answer);
      break;
    case Ask::kJoin:
      handle_join(now, answer);
      break;
    case Ask::kRestart:
      handle_restart(now, answer);
      break;
    case Ask::kCommand:
      if (const auto error = error_of(answer)) report_error(pending.verb, *error);
      break;
    case Ask::kLeave:
      finish(leaving_with_.status, leaving_with_.message);
      break;
    case Ask::kFindMember:
    case Ask::kListMembers:
      handle_members(now, std::move(pending), answer);
      break;
  }
  settle(now);
}

void Member::handle_websocket_opened(Instant now, std::uint64_t id) {
  channel_.handle_opened(now, id);
  settle(now);
}

void Member::handle_websocket_message(Instant now, std::uint64_t id, base::Bytes message) {
  channel_.handle_message(now, id, message);
  settle(now);
}

void Member::handle_websocket_closed(Instant now, std::uint64_t id, const base::Error& reason) {
  channel_.handle_closed(now, id);
  if (reason.code == base::ErrorCode::kPermissionDenied && phase_ != Phase::kFinished)
    finish(ExitStatus::kNotAllowed, reason.message);
  settle(now);
}

void Member::handle_datagram(Instant now, const base::Path& path, base::Bytes datagram) {
  if (!media_) return;
  media_->handle_datagram(now, path, datagram);
  settle(now);
}

void Member::handle_tcp_opened(Instant now, const base::SocketAddress& remote,
                               const base::Path& path) {
  tcp_connections_.insert(path.connection);
  if (media_) media_->handle_tcp_opened(now, remote, path);
  settle(now);
}

void Member::handle_tcp_failed(Instant now, const base::SocketAddress& remote) {
  if (media_) media_->handle_tcp_failed(now, remote);
  settle(now);
}

void Member::handle_tcp_closed(Instant now, std::uint64_t connection) {
  tcp_connections_.erase(connection);
  if (media_) media_->handle_tcp_closed(now, connection);
  settle(now);
}

void Member::handle_network_change(Instant now, std::vector<base::SocketAddress> local_addresses) {
  local_addresses_ = std::move(local_addresses);
  if (!has_join() || !media_was_connected_) return;
  channel_.hurry(now);
  restart_media(now);
  settle(now);
}

void Member::handle_timeout(Instant now) {
  if (phase_ == Phase::kFinished) return;
  channel_.handle_timeout(now);
  if (keys_) keys_->handle_timeout(now, wall(now));
  if (media_) media_->handle_timeout(now);
  if (now >= join_at_) join();
  handle_media_deadlines(now);
  if (now >= leave_at_) {
    leave_at_ = base::kNever;
    // A script that stayed its time and never had sound should know.
    if (!media_was_connected_) {
      leaving_with_ = {ExitStatus::kMediaFailed, diagnose().message};
    } else if (!joined_once_) {
      leaving_with_ = {ExitStatus::kRefused, "Nobody has let you in."};
    }
    leave(now);
  }
  if (now >= depart_until_ && phase_ == Phase::kDeparting) send_leave(now);
  if (now >= give_up_at_ && phase_ == Phase::kLeaving)
    finish(leaving_with_.status, leaving_with_.message);
  settle(now);
}

Instant Member::next_deadline() const {
  if (phase_ == Phase::kFinished) return base::kNever;
  Instant next = std::min({channel_.next_deadline(), join_at_, restart_at_, notice_at_, give_up_at_,
                           statistics_at_, leave_at_, depart_until_});
  if (keys_) next = std::min(next, keys_->next_deadline());
  if (media_) next = std::min(next, media_->next_deadline());
  return next;
}

// What follows from whatever was just handled: every public call ends here.
void Member::settle(Instant now) {
  if (phase_ == Phase::kFinished) return;
  drain_channel(now);
  drain_keys(now);
  drain_media(now);
  for (ChannelEffect& effect : channel_.take_effects())
    std::visit([this](auto& one) { effects_.emplace_back(std::move(one)); }, effect);
}

void Member::call(Pending pending, std::string method, std::string target, std::string body) {
  HttpCall request;
  request.id = ++next_call_;
  request.method = std::move(method);
  request.target = std::move(target);
  request.authorization = authorization_;
  if (pending.ask == Ask::kFindMember || pending.ask == Ask::kListMembers)
    request.join_token = join_token_;
  request.body = std::move(body);
  request.fresh_connection = pending.ask == Ask::kRestart || reconnecting_;
  pending_.emplace(request.id, std::move(pending));
  effects_.emplace_back(std::move(request));
}

void Member::report(std::string name, std::vector<std::pair<std::string, EventValue>> fields,
                    std::string text) {
  events_.push_back({std::move(name), std::move(fields), std::move(text)});
}

void Member::report_error(std::string_view command, const ApiError& error) {
  std::vector<std::pair<std::string, EventValue>> fields;
  if (!command.empty()) fields.emplace_back("command", std::string(command));
  fields.emplace_back("code", error.code);
  if (!error.reason.empty()) fields.emplace_back("reason", error.reason);
  fields.emplace_back("message", error.message);
  fields.emplace_back("fatal", false);
  report("error", std::move(fields),
         command.empty() ? error.message : fmt::format("{}: {}", command, error.message));
}

void Member::finish(ExitStatus status, std::string message) {
  if (phase_ == Phase::kFinished) return;
  const auto number = std::int64_t{static_cast<int>(status)};
  if (status != ExitStatus::kOk) {
    report("error", {{"message", message}, {"fatal", true}, {"status", number}}, message);
  }
  if (joined_once_) report("left", {{"status", number}}, "");
  if (joined_once_ && !options_.export_log.empty()) save_log(options_.export_log);
  channel_.stop();
  for (ChannelEffect& effect : channel_.take_effects())
    std::visit([this](auto& one) { effects_.emplace_back(std::move(one)); }, effect);
  phase_ = Phase::kFinished;
  outcome_ = Outcome{status, std::move(message)};
}

void Member::finish_by(const ApiError& error) {
  finish(exit_status_of(error), message_for(error, options_.french));
}

std::int64_t Member::milliseconds_since_start(Instant now) const {
  return std::chrono::duration_cast<base::milliseconds>(now - started_at_).count();
}

std::vector<MemberEffect> Member::take_effects() { return std::exchange(effects_, {}); }

std::vector<MemberEvent> Member::take_events() { return std::exchange(events_, {}); }

Result<void> Member::finish_recording(Instant now) {
  if (media_) return media_->finish_recording(now);
  return sink_ == nullptr ? Result<void>() : sink_->finish();
}

base::DatagramQueue& Member::datagrams() { return media_ ? media_->outgoing() : nothing_; }

}  // namespace alcove::client
