#include "control/framing.h"

namespace alcove::control {
namespace {

// Tags of length-delimited fields (protobuf wire type 2) and of a varint (type 0).
constexpr std::uint8_t kBatchTag = v1::ServerMessage::kBatchFieldNumber << 3 | 2;
constexpr std::uint8_t kPaddingTag = v1::ServerMessage::kPaddingFieldNumber << 3 | 2;
constexpr std::uint8_t kRevisionTag = v1::EventBatch::kRevisionFieldNumber << 3 | 0;

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void write_varint(base::Buffer& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

void write_text(base::Buffer& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

std::size_t padded_size(std::size_t size) {
  return (size + kMessageStep - 1) / kMessageStep * kMessageStep + kMessageStep;
}

// A field of n bytes of padding takes 1 + varint_size(n) + n bytes: 1 and 130 cannot be made, so
// they take a step more.
void pad(base::Buffer& out) {
  std::size_t missing = (kMessageStep - out.size() % kMessageStep) % kMessageStep;
  if (missing == 0) return;
  constexpr std::size_t kNoOneByteField = 1;
  constexpr std::size_t kNoFieldOf130 = 130;
  if (missing == kNoOneByteField || missing == kNoFieldOf130) missing += kMessageStep;
  const std::size_t length = missing <= 129 ? missing - 2 : missing - 3;
  out.push_back(kPaddingTag);
  write_varint(out, length);
  out.resize(out.size() + length);
}

}  // namespace

base::Buffer frame_message(const v1::ServerMessage& message) {
  const std::string bytes = message.SerializeAsString();
  base::Buffer out;
  out.reserve(padded_size(bytes.size()));
  write_text(out, bytes);
  pad(out);
  return out;
}

std::string encode_events(std::span<const v1::RoomEvent> events) {
  v1::EventBatch batch;
  for (const v1::RoomEvent& event : events) *batch.add_events() = event;
  return batch.SerializeAsString();
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
