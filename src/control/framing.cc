#include "control/framing.h"

#include <type_traits>

namespace alcove::control {
namespace {

constexpr std::uint8_t kKeysTag = v1::ServerMessage::kKeysFieldNumber << 3 | 2;
constexpr std::uint8_t kDeliveryTag = v1::KeysFromServer::kDeliveryFieldNumber << 3 | 2;
constexpr std::uint8_t kEntriesTag = v1::LogDelivery::kEntriesFieldNumber << 3 | 2;
constexpr std::uint8_t kEntryTag = v1::DeliveredEntry::kEntryFieldNumber << 3 | 2;
constexpr std::uint8_t kBoxTag = v1::DeliveredEntry::kBoxFieldNumber << 3 | 2;
// Tags of length-delimited fields (protobuf wire type 2) and of a varint (type 0).
constexpr std::uint8_t kBatchTag = v1::ServerMessage::kBatchFieldNumber << 3 | 2;
constexpr std::uint8_t kPaddingTag = v1::ServerMessage::kPaddingFieldNumber << 3 | 2;
constexpr std::uint8_t kRevisionTag = v1::EventBatch::kRevisionFieldNumber << 3 | 0;

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void write_varint(auto& out, std::uint64_t value) {
  using Byte = std::remove_cvref_t<decltype(out)>::value_type;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<Byte>(value | 0x80));
  out.push_back(static_cast<Byte>(value));
}

void write_text(base::Buffer& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

std::size_t field_size(std::size_t content) { return 1 + varint_size(content) + content; }

void write_field(std::string& out, std::uint8_t tag, std::string_view content) {
  out.push_back(static_cast<char>(tag));
  write_varint(out, content.size());
  out += content;
}

std::size_t padded_size(std::size_t size) {
  return (size + kMessageStep - 1) / kMessageStep * kMessageStep + kMessageStep;
}

// A field of n bytes of padding takes 1 + varint_size(n) + n bytes: 1 and 130 cannot be made, so
// they take a step more.
void pad(base::Buffer& out, std::size_t size, std::size_t step) {
  std::size_t missing = (step - size % step) % step;
  if (missing == 0) return;
  constexpr std::size_t kNoOneByteField = 1;
  constexpr std::size_t kNoFieldOf130 = 130;
  if (missing == kNoOneByteField || missing == kNoFieldOf130) missing += step;
  const std::size_t length = missing <= 129 ? missing - 2 : missing - 3;
  out.push_back(kPaddingTag);
  write_varint(out, length);
  out.resize(out.size() + length);
}
void pad(base::Buffer& out, std::size_t step = kMessageStep) { pad(out, out.size(), step); }

}  // namespace

base::Buffer frame_message(const v1::ServerMessage& message) {
  const std::string bytes = message.SerializeAsString();
  base::Buffer out;
  out.reserve(padded_size(bytes.size()));
  write_text(out, bytes);
  pad(out, message.has_keys() ? kKeysStep : kMessageStep);
  return out;
}

std::string encode_entry(std::string_view object, std::string_view box) {
  const std::size_t size = field_size(object.size()) + (box.empty() ? 0 : field_size(box.size()));
  std::string out;
  out.reserve(field_size(size));
  out.push_back(static_cast<char>(kEntriesTag));
  write_varint(out, size);
  write_field(out, kEntryTag, object);
  if (!box.empty()) write_field(out, kBoxTag, box);
  return out;
}

base::Buffer frame_delivery(std::string_view entries) {
  base::Buffer out;
  out.reserve(padded_size(field_size(field_size(entries.size()))));
  out.push_back(kKeysTag);
  write_varint(out, field_size(entries.size()));
  out.push_back(kDeliveryTag);
  write_varint(out, entries.size());
  write_text(out, entries);
  pad(out, kKeysStep);
  return out;
}

std::string encode_events(std::span<const v1::RoomEvent> events) {
  v1::EventBatch batch;
  for (const v1::RoomEvent& event : events) *batch.add_events() = event;
  return batch.SerializeAsString();
}

base::Buffer frame_batch_begin(std::uint64_t revision, std::size_t events_size) {
  const std::size_t size = 1 + varint_size(revision) + events_size;
  base::Buffer out;
  out.reserve(2 * kMessageStep);
  pad(out, 1 + varint_size(size) + size, kMessageStep);
  out.push_back(kBatchTag);
  write_varint(out, size);
  out.push_back(kRevisionTag);
  write_varint(out, revision);
  return out;
}

base::Buffer frame_batch(std::uint64_t revision, std::string_view shared,
                         std::string_view personal) {
  const std::size_t size = 1 + varint_size(revision) + shared.size() + personal.size();
  base::Buffer out;
  out.reserve(padded_size(1 + varint_size(size) + size));
  out.push_back(kBatchTag);
  write_varint(out, size);
  out.push_back(kRevisionTag);
  write_varint(out, revision);
  write_text(out, shared);
  write_text(out, personal);
  pad(out);
  return out;
}

}  // namespace alcove::control
