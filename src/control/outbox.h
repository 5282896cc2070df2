#pragma once
// What goes to a member's WebSocket and to the relay about its endpoint. One thread.

#include <string_view>

#include "control/api_error.h"
#include "control/context.h"
#include "control/framing.h"
#include "control/live_room.h"

namespace alcove::control {

// No-op without a socket.
void send_message(Context& context, const Membership& membership, const v1::ServerMessage& message);
void send_keys(Context& context, const Membership& membership, v1::KeysFromServer keys);
// Encoded entries (framing.h).
void send_delivery(Context& context, const Membership& membership, std::string_view entries);
// The same for many: a whole message, framed once.
void send_delivery(Context& context, const Membership& membership, const SharedBytes& framed);
// Counts the revision. No-op before the member has been sent Welcome.
void send_batch(Context& context, Membership& membership, std::string_view shared,
                std::string_view personal);
// The same for many: encoded events.
void send_batch(Context& context, Membership& membership, const SharedBytes& shared);
// The present state of media, if there is one.
void send_media(Context& context, Membership& membership);
// The last of a join.
void send_removed(Context& context, Membership& membership, const char* cause);
// Also for candidates. The socket is closed.
void send_goodbye(Context& context, Membership& membership, const ApiError& reason);
void close_socket(Membership& membership);

void allow_receiving(Context& context, const Membership& membership);
// AllowSending where it changes.
void update_sending(Context& context, Membership& membership, const rooms::Member& member);
void close_endpoint(Context& context, const base::JoinId& join_id);

}  // namespace alcove::control
