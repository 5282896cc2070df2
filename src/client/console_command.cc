#include "client/console_command.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "roomlog/bounds.h"

namespace alcove::client {

using base::ErrorCode;
using base::Result;
using Kind = ConsoleCommand::Kind;

namespace {

// What the argument is of a verb that has one.
enum class Argument : std::uint8_t { kNone, kMember, kOptionalMember, kReaction, kFile, kKeys };

struct Verb {
  std::string_view name;
  Kind kind;
  Argument argument;
  void (*fill)(v1::RoomCommand& command) = nullptr;
  LogCommand log = LogCommand::kNone;
};

constexpr Verb log_verb(std::string_view name, Argument argument, LogCommand log) {
  return {name, Kind::kLog, argument, nullptr, log};
}

constexpr std::array kVerbs = {
    Verb{"invite", Kind::kOnMember, Argument::kMember,
         [](v1::RoomCommand& c) { c.mutable_invite_to_stage(); }},
    Verb{"mute", Kind::kRoom, Argument::kOptionalMember,
         [](v1::RoomCommand& c) { c.mutable_set_muted()->set_muted(true); }},
    Verb{"unmute", Kind::kRoom, Argument::kNone,
         [](v1::RoomCommand& c) { c.mutable_set_muted()->set_muted(false); }},
    log_verb("move-down", Argument::kOptionalMember, LogCommand::kMoveDown),
    log_verb("move-to-audience", Argument::kOptionalMember, LogCommand::kMoveDown),
    log_verb("make-moderator", Argument::kMember, LogCommand::kMakeModerator),
    log_verb("remove", Argument::kMember, LogCommand::kEject),
    log_verb("eject", Argument::kMember, LogCommand::kEject),
    log_verb("lock", Argument::kNone, LogCommand::kLock),
    log_verb("unlock", Argument::kNone, LogCommand::kUnlock),
    log_verb("new-link", Argument::kNone, LogCommand::kNewLink),
    log_verb("invite-keys", Argument::kKeys, LogCommand::kInviteKeys),
    Verb{"dismiss", Kind::kOnMember, Argument::kMember,
         [](v1::RoomCommand& c) { c.mutable_dismiss_hand(); }},
    Verb{"end", Kind::kRoom, Argument::kNone, [](v1::RoomCommand& c) { c.mutable_end_room(); }},
    Verb{"raise", Kind::kRoom, Argument::kNone, [](v1::RoomCommand& c) { c.mutable_raise_hand(); }},
    Verb{"lower", Kind::kRoom, Argument::kNone, [](v1::RoomCommand& c) { c.mutable_lower_hand(); }},
    Verb{"accept", Kind::kRoom, Argument::kNone,
         [](v1::RoomCommand& c) { c.mutable_accept_invitation(); }},
    Verb{"decline", Kind::kRoom, Argument::kNone,
         [](v1::RoomCommand& c) { c.mutable_decline_invitation(); }},
    Verb{"react", Kind::kRoom, Argument::kReaction,
         [](v1::RoomCommand& c) { c.mutable_send_reaction()->set_reaction(v1::REACTION_CLAP); }},
    Verb{"hands", Kind::kHands, Argument::kNone},
    Verb{"members", Kind::kMembers, Argument::kNone},
    Verb{"roster", Kind::kRoster, Argument::kNone},
    Verb{"code", Kind::kCode, Argument::kNone},
    Verb{"key", Kind::kKey, Argument::kNone},
    Verb{"link", Kind::kLink, Argument::kNone},
    Verb{"export-log", Kind::kExport, Argument::kFile},
    Verb{"leave", Kind::kLeave, Argument::kNone},
    Verb{"help", Kind::kHelp, Argument::kNone},
};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kSpace) - start + 1);
}

Result<v1::Reaction> parse_reaction(std::string_view text) {
  if (text.empty() || text == "clap") return v1::REACTION_CLAP;
  if (text == "heart") return v1::REACTION_HEART;
  if (text == "laugh") return v1::REACTION_LAUGH;
  if (text == "wow") return v1::REACTION_WOW;
  if (text == "thumbs-up") return v1::REACTION_THUMBS_UP;
  return base::fail(ErrorCode::kInvalidArgument, "react clap, heart, laugh, wow or thumbs-up.");
}

// Identities as key and roster show them, with spaces between.
Result<std::vector<crypto::Ed25519PublicKey>> parse_keys(std::string_view text) {
  std::vector<crypto::Ed25519PublicKey> keys;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    const auto bytes = base::from_base64url(text.substr(0, end));
    crypto::Ed25519PublicKey key{};
    if (!bytes || bytes->size() != key.size())
      return base::fail(ErrorCode::kInvalidArgument,
                        "\"" + std::string(text.substr(0, end)) +
                            "\" is not a key: they have 43 letters, digits, - or _, as key and "
                            "roster show them.");
    std::ranges::copy(*bytes, key.begin());
    keys.push_back(key);
    text = trim(text.substr(end));
  }
  if (keys.empty() || keys.size() > std::size_t{roomlog::kMaxInvitesInEntry})
    return base::fail(ErrorCode::kInvalidArgument,
                      "invite-keys needs 1 to 64 keys, as key and roster show them.");
  return keys;
}

}  // namespace

Result<ConsoleCommand> parse_console_command(std::string_view line) {
  line = trim(line);
  const std::size_t space = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view name = line.substr(0, space);
  const std::string_view argument = trim(line.substr(space));
  const auto verb = std::ranges::find(kVerbs, name, &Verb::name);
  if (verb == kVerbs.end())
    return base::fail(ErrorCode::kInvalidArgument,
                      "There is no command \"" + std::string(name) + "\": help lists them.");
  ConsoleCommand result;
  result.kind = verb->kind;
  result.verb = name;
  result.log = verb->log;
  if (verb->fill != nullptr) verb->fill(result.command);
  if (verb->argument == Argument::kNone && !argument.empty())
    return base::fail(ErrorCode::kInvalidArgument, std::string(name) + " stands alone.");
  if (verb->argument == Argument::kMember && argument.empty())
    return base::fail(ErrorCode::kInvalidArgument,
                      std::string(name) + " needs a name or an id: members lists them.");
  if (verb->argument == Argument::kFile && argument.empty())
    return base::fail(ErrorCode::kInvalidArgument, std::string(name) + " needs a file's name.");
  if (verb->argument == Argument::kReaction) {
    const Result<v1::Reaction> reaction = parse_reaction(argument);
    if (!reaction) return std::unexpected(reaction.error());
    result.command.mutable_send_reaction()->set_reaction(*reaction);
    return result;
  }
  if (verb->argument == Argument::kKeys) {
    auto keys = parse_keys(argument);
    if (!keys) return std::unexpected(keys.error());
    result.keys = *std::move(keys);
    return result;
  }
  if (!argument.empty() && result.kind == Kind::kRoom) result.kind = Kind::kOnMember;
  result.target = argument;
  return result;
}

std::string_view console_help() {
  return "raise, lower             raise or lower your hand\n"
         "accept, decline          answer an invitation to the stage\n"
         "mute, unmute             yourself\n"
         "move-down                yourself, to the audience\n"
         "react [clap|heart|laugh|wow|thumbs-up]\n"
         "members, hands           list everybody, or the raised hands\n"
         "roster                   who can hear, as the room's log proves it\n"
         "code, link               the room code to compare, the link for sharing\n"
         "key                      your identity key, for a moderator's invite-keys\n"
         "export-log FILE          the room's log, for alcove-client verify --log\n"
         "leave                    quietly\n"
         "Moderators, with a name or an id:\n"
         "invite, mute, move-down, make-moderator, remove, dismiss NAME\n"
         "lock, unlock, end        the room\n"
         "new-link                 voids the link before\n"
         "invite-keys KEY...       these people need no link to come into a closed room\n";
}

}  // namespace alcove::client
