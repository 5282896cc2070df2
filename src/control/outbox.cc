#include "control/outbox.h"

#include <utility>

namespace alcove::control {
namespace {

void send_bytes(Context& context, const Membership& membership, base::Buffer bytes) {
  if (membership.socket == nullptr) return;
  context.metrics.count_message(bytes.size());
  membership.socket->send(std::move(bytes));
}

void send_shared(Context& context, const Membership& membership, base::Buffer begin,
                 const SharedBytes& end) {
  if (membership.socket == nullptr) return;
  context.metrics.count_message(begin.size() + end->size());
  membership.socket->send_shared(std::move(begin), end);
}

std::string text_of(const base::JoinId& join_id) {
  return std::string(base::as_text(join_id.bytes()));
}

}  // namespace

void send_message(Context& context, const Membership& membership,
                  const v1::ServerMessage& message) {
  if (membership.socket != nullptr) send_bytes(context, membership, frame_message(message));
}

void send_keys(Context& context, const Membership& membership, v1::KeysFromServer keys) {
  v1::ServerMessage message;
  *message.mutable_keys() = std::move(keys);
  send_message(context, membership, message);
}

void send_delivery(Context& context, const Membership& membership, std::string_view entries) {
  if (membership.socket != nullptr) send_bytes(context, membership, frame_delivery(entries));
}

void send_delivery(Context& context, const Membership& membership, const SharedBytes& framed) {
  send_shared(context, membership, {}, framed);
}

void send_batch(Context& context, Membership& membership, const SharedBytes& shared) {
  if (membership.socket == nullptr || !membership.admitted_sent || shared->empty()) return;
  send_shared(context, membership, frame_batch_begin(++membership.revision, shared->size()),
              shared);
}

void send_batch(Context& context, Membership& membership, std::string_view shared,
                std::string_view personal) {
  if (membership.socket == nullptr || !membership.admitted_sent) return;
  if (shared.empty() && personal.empty()) return;
  send_bytes(context, membership, frame_batch(++membership.revision, shared, personal));
}

void send_media(Context& context, Membership& membership) {
  if (membership.media == v1::MediaChanged::STATE_UNSPECIFIED) return;
  v1::RoomEvent event;
  event.mutable_media_changed()->set_state(membership.media);
  send_batch(context, membership, {}, encode_events({&event, 1}));
}

void send_removed(Context& context, Membership& membership, const char* cause) {
  v1::RoomEvent event;
  event.mutable_removed()->set_cause(cause);
  send_batch(context, membership, {}, encode_events({&event, 1}));
  close_socket(membership);
}

void send_goodbye(Context& context, Membership& membership, const ApiError& reason) {
  if (membership.socket == nullptr) return;
  v1::ServerMessage message;
  *message.mutable_goodbye()->mutable_reason() = to_proto(reason);
  send_message(context, membership, message);
  close_socket(membership);
}

void close_socket(Membership& membership) {
  if (MemberSocket* socket = std::exchange(membership.socket, nullptr)) socket->close();
}

void allow_receiving(Context& context, const Membership& membership) {
  v1::RelayCommand command;
  command.mutable_allow_receiving()->set_join_id(text_of(membership.join_id));
  context.relay.send(command);
}

void update_sending(Context& context, Membership& membership, const rooms::Member& member) {
  if (!membership.admitted_sent || membership.may_send == member.may_send()) return;
  membership.may_send = member.may_send();
  v1::RelayCommand command;
  v1::AllowSending& allow = *command.mutable_allow_sending();
  allow.set_join_id(text_of(membership.join_id));
  allow.set_allowed(membership.may_send);
  context.relay.send(command);
}

void close_endpoint(Context& context, const base::JoinId& join_id) {
  v1::RelayCommand command;
  command.mutable_close()->set_join_id(text_of(join_id));
  context.relay.send(command);
}

}  // namespace alcove::control
