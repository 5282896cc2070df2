// SFrame headers, and frames under room keys: as they come, and sealed first, so that what follows
// authentication is reached too.

#include <algorithm>
#include <cstdint>

#include "e2ee/keyed_frames.h"

namespace {

using alcove::base::Buffer;
using alcove::base::ByteReader;
using alcove::base::Bytes;
using alcove::base::MutableBytes;
namespace e2ee = alcove::e2ee;
namespace roomlog = alcove::roomlog;

constexpr std::size_t kBucket = 160;
constexpr std::uint8_t kSeats = 3;  // 1 to 3 are taken
constexpr std::uint32_t kFirstEpoch = 14;
constexpr std::uint32_t kEpochs = 3;  // over the edge of four bits

roomlog::Hash leaf_of(std::uint8_t seat) {
  roomlog::Hash leaf;
  leaf.fill(seat);
  return leaf;
}

e2ee::EpochSecret secret_of(std::uint32_t epoch) {
  e2ee::EpochSecret secret;
  secret.fill(static_cast<std::uint8_t>(epoch));
  return secret;
}

class Room {
 public:
  Room() : frames_(kBucket, leaf_of(kSeats + 1)) {
    e2ee::SeatHolders holders;
    for (std::uint8_t seat = 1; seat <= kSeats; ++seat) holders[seat] = leaf_of(seat);
    frames_.set_stage(std::move(holders));
    for (std::uint32_t i = 0; i < kEpochs; ++i)
      CHECK(frames_.add_epoch(kFirstEpoch + i, secret_of(kFirstEpoch + i)));
  }
  e2ee::KeyedFrames& frames() { return frames_; }

 private:
  e2ee::KeyedFrames frames_;
};

// There is one encoding of a header.
void check_header(Bytes bytes) {
  const auto header = e2ee::parse_sframe_header(bytes);
  if (!header) return;
  CHECK(header->size <= bytes.size());
  CHECK(header->size == e2ee::sframe_header_size(header->key_id, header->counter));
  Buffer again(header->size);
  alcove::base::ByteWriter writer(again);
  e2ee::write_sframe_header(header->key_id, header->counter, writer);
  CHECK(writer.ok() && std::ranges::equal(again, bytes.first(header->size)));
}

// Nobody but a holder of the key makes a frame that opens.
void check_foreign(Bytes payload) {
  Room room;
  CHECK(!room.frames().open(payload));
  Buffer fitted(payload.begin(), payload.end());
  fitted.resize(kBucket);
  const bool can_open = room.frames().can_open(fitted);
  const auto opened = room.frames().open(fitted);
  CHECK(!opened);
  CHECK(can_open == (opened.error() == e2ee::OpenFault::kDropped));
}

// input: u8 seat, u8 epoch, u64 counter, plaintext.
void check_sealed(Bytes input) {
  ByteReader reader(input);
  const auto seat_byte = reader.read_u8();
  const auto epoch_byte = reader.read_u8();
  const auto counter = reader.read_u64();
  if (!counter) return;
  const auto seat = static_cast<std::uint8_t>(1 + *seat_byte % kSeats);
  const std::uint32_t epoch = kFirstEpoch + *epoch_byte % kEpochs;
  Buffer context(33, seat);
  e2ee::SFrameBaseKey base_key;
  roomlog::expand(secret_of(epoch), "sframe", context, base_key);
  e2ee::SFrameKey key(base_key, std::uint64_t{seat} << 4 | epoch % 16);

  Buffer plaintext(reader.rest().begin(), reader.rest().end());
  plaintext.resize(kBucket - e2ee::SFrameKey::kTagSize -
                   e2ee::sframe_header_size(key.key_id(), *counter));
  Buffer payload(kBucket);
  CHECK(key.seal(*counter, {}, plaintext, payload) == kBucket);

  Room room;
  CHECK(room.frames().can_open(payload));
  const auto opened = room.frames().open(payload);
  if (opened) {
    const std::size_t length = std::size_t{plaintext[0]} << 8 | plaintext[1];
    CHECK(opened->seat == seat && opened->opus.size() == length);
    CHECK(std::ranges::equal(opened->opus, Bytes(plaintext).subspan(2, length)));
  }
  CHECK(!room.frames().open(payload));
  CHECK(room.frames().counters().replayed == 1);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes rest = Bytes(data, size).subspan(1);
  check_header(rest);
  if (data[0] % 2 == 0) {
    check_foreign(rest);
  } else {
    check_sealed(rest);
  }
  return 0;
}
