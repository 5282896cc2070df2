#include "control/commands.h"

#include <expected>
#include <utility>

#include "control/json.h"

namespace alcove::control {
namespace {

rooms::MemberId member(std::uint32_t id) { return rooms::MemberId{id}; }

std::expected<rooms::Command, ApiError> to_command(const v1::RoomCommand& body) {
  using C = v1::RoomCommand;
  switch (body.command_case()) {
    case C::kLeave:
      return rooms::Leave{};
    case C::kRaiseHand:
      return rooms::RaiseHand{};
    case C::kLowerHand:
      return rooms::LowerHand{};
    case C::kInviteToStage:
      return rooms::Invite{member(body.invite_to_stage().member_id())};
    case C::kAcceptInvitation:
      return rooms::AcceptInvitation{};
    case C::kDeclineInvitation:
      return rooms::DeclineInvitation{};
    case C::kSetMuted:
      return rooms::SetMuted{.member = member(body.set_muted().member_id()),
                             .muted = body.set_muted().muted()};
    case C::kSendReaction:
      if (const auto reaction = from_proto(body.send_reaction().reaction()))
        return rooms::React{*reaction};
      return std::unexpected(invalid_argument("reaction is not one of this server's."));
    case C::kEndRoom:
      return rooms::End{};
    case C::kDismissHand:
      return rooms::DismissHand{member(body.dismiss_hand().member_id())};
    case C::COMMAND_NOT_SET:
      break;
  }
  return std::unexpected(invalid_argument("The request has no command."));
}

// Leaving is never limited.
std::optional<ApiError> check_limit(Context& context, Membership& membership,
                                    const rooms::Command& command) {
  if (std::holds_alternative<rooms::Leave>(command)) return std::nullopt;
  if (std::holds_alternative<rooms::React>(command))
    return context.check_limit(Limit::kReaction, membership.reactions);
  if (std::holds_alternative<rooms::RaiseHand>(command) ||
      std::holds_alternative<rooms::LowerHand>(command))
    return context.check_limit(Limit::kHand, membership.hands);
  return context.check_limit(Limit::kCommand, membership.commands);
}

}  // namespace

void Commands::give(Request request) {
  Responder& responder = request.responder;
  v1::RoomCommand body;
  if (const auto parsed = parse_body(request.http, body); !parsed)
    return responder.fail(parsed.error());
  const auto place =
      house_.find_in_room(request.parameters.at(0), body.join_token(), body.has_leave());
  if (!place) return responder.fail(place.error());
  const auto command = to_command(body);
  if (!command) return responder.fail(command.error());
  Membership& membership = *place->membership;
  if (const auto error = check_limit(context_, membership, *command)) return responder.fail(*error);
  if (!place->is_member()) {
    house_.leave(*place);
    return responder.ok(v1::RoomCommandResponse());
  }
  const base::JoinId join_id = membership.join_id;
  if (const auto applied = house_.apply(place->room, *command, membership.member); !applied)
    return responder.fail(to_api_error(applied.error()));
  v1::RoomCommandResponse response;
  if (const auto after = house_.find_by_join(join_id))
    response.set_revision(after->membership->revision);
  responder.ok(response);
}

}  // namespace alcove::control
