#include "e2ee/keyed_frames.h"

#include <algorithm>

#include "crypto/wipe.h"

namespace alcove::e2ee {
namespace {

using base::Bytes;
using base::MutableBytes;

constexpr std::size_t kLengthSize = 2;
constexpr std::uint32_t kEpochsOfKeyId = 16;  // the key id has four bits of the epoch's number
// Of the 16 residues, those of epochs to come; the others are those of the newest and before it.
constexpr std::uint32_t kEpochsAhead = 8;

std::uint64_t key_id_of(std::uint8_t seat, std::uint32_t epoch) {
  return std::uint64_t{seat} << 4 | epoch % kEpochsOfKeyId;
}

SFrameKey derive_key(const EpochSecret& secret, std::uint8_t seat, const roomlog::Hash& holder,
                     std::uint32_t epoch) {
  std::array<std::uint8_t, 33> context;
  context[0] = seat;
  std::ranges::copy(holder, context.begin() + 1);
  SFrameBaseKey base_key;
  roomlog::expand(secret, "sframe", context, base_key);
  SFrameKey key(base_key, key_id_of(seat, epoch));
  crypto::wipe(base_key);
  return key;
}

}  // namespace

KeyedFrames::Epoch::~Epoch() { crypto::wipe(secret); }

KeyedFrames::KeyedFrames(std::size_t bucket, const roomlog::Hash& own_leaf)
    : bucket_(bucket), own_leaf_(own_leaf) {
  CHECK(bucket >= kMinPacketBucket && bucket <= kMaxPacketBucket);
}

KeyedFrames::~KeyedFrames() { crypto::wipe(plaintext_); }

void KeyedFrames::set_stage(SeatHolders holders) {
  holders_ = std::move(holders);
  const auto own = std::ranges::find(holders_, own_leaf_, &SeatHolders::value_type::second);
  seat_ = own == holders_.end() ? std::uint8_t{0} : own->first;
}

bool KeyedFrames::add_epoch(std::uint32_t number, const EpochSecret& secret) {
  if (epochs_.contains(number) || (newest_forgotten_ && number <= *newest_forgotten_)) return false;
  if (epochs_.size() == kLiveEpochs) {
    const std::uint32_t oldest = epochs_.begin()->first;
    if (number < oldest) return false;
    forget_epoch(oldest);
  }
  epochs_[number].secret = secret;
  return true;
}

void KeyedFrames::forget_epoch(std::uint32_t number) {
  if (epochs_.erase(number) == 0) return;
  newest_forgotten_ = std::max(newest_forgotten_.value_or(number), number);
  if (sending_ == number) sending_.reset();
}

std::optional<std::uint32_t> KeyedFrames::newest_epoch() const {
  if (epochs_.empty()) return std::nullopt;
  return epochs_.rbegin()->first;
}

bool KeyedFrames::use_for_sending(std::uint32_t number) {
  if (!epochs_.contains(number)) return false;
  sending_ = number;
  return true;
}

std::optional<std::size_t> KeyedFrames::seal(Bytes opus, MutableBytes out) {
  if (!may_send()) {
    ++counters_.no_seat;
    return std::nullopt;
  }
  Epoch& epoch = epochs_.at(*sending_);
  auto found = epoch.sending.find(seat_);
  if (found == epoch.sending.end()) {
    SFrameKey key = derive_key(epoch.secret, seat_, own_leaf_, *sending_);
    found = epoch.sending.emplace(seat_, Sending{std::move(key)}).first;
  }
  Sending& sending = found->second;
  const std::size_t overhead =
      sframe_header_size(sending.key.key_id(), sending.next_counter) + SFrameKey::kTagSize;
  const std::size_t plaintext_size = bucket_ - overhead;
  if (opus.empty() || opus.size() > plaintext_size - kLengthSize) {
    ++counters_.too_long;
    return std::nullopt;
  }
  if (out.size() < bucket_) return std::nullopt;
  std::array<std::uint8_t, kMaxPacketBucket> plaintext;
  base::ByteWriter writer(MutableBytes(plaintext).first(plaintext_size));
  writer.write_u16(static_cast<std::uint16_t>(opus.size()));
  writer.write_bytes(opus);
  writer.write_zeros(plaintext_size - writer.size());
  const auto size =
      sending.key.seal(sending.next_counter++, {}, writer.written(), out.first(bucket_));
  CHECK(writer.ok() && size == bucket_);
  ++counters_.sealed;
  return bucket_;
}

std::expected<KeyedFrames::Target, KeyedFrames::Misfit> KeyedFrames::find_target(
    Bytes payload) const {
  if (payload.size() != bucket_) return std::unexpected(Misfit::kSize);
  const std::optional<SFrameHeader> header = parse_sframe_header(payload);
  if (!header) return std::unexpected(Misfit::kHeader);
  const std::uint64_t seat = header->key_id >> 4;
  if (seat == 0 || seat > 255) return std::unexpected(Misfit::kSeat);
  Target target;
  target.header = *header;
  target.seat = static_cast<std::uint8_t>(seat);
  const auto residue = static_cast<std::uint32_t>(header->key_id % kEpochsOfKeyId);
  const auto epoch = std::find_if(epochs_.rbegin(), epochs_.rend(), [&](const auto& live) {
    return live.first % kEpochsOfKeyId == residue;
  });
  if (epoch == epochs_.rend()) {
    const std::uint32_t ahead = (residue - newest_epoch().value_or(residue - 1)) % kEpochsOfKeyId;
    const bool unknown = ahead >= 1 && ahead <= kEpochsAhead;
    return std::unexpected(unknown ? Misfit::kUnknownEpoch : Misfit::kOldEpoch);
  }
  target.epoch = epoch->first;
  const auto holder = holders_.find(target.seat);
  if (holder == holders_.end()) return std::unexpected(Misfit::kEmptySeat);
  target.holder = &holder->second;
  return target;
}

std::unexpected<OpenFault> KeyedFrames::count(Misfit misfit) {
  switch (misfit) {
    case Misfit::kSize:
      ++counters_.bad_size;
      break;
    case Misfit::kHeader:
      ++counters_.bad_header;
      break;
    case Misfit::kSeat:
      ++counters_.bad_seat;
      break;
    case Misfit::kOldEpoch:
      ++counters_.old_epoch;
      break;
    case Misfit::kUnknownEpoch:
      ++counters_.unknown_epoch;
      return std::unexpected(OpenFault::kUnknownEpoch);
    case Misfit::kEmptySeat:
      ++counters_.empty_seat;
      return std::unexpected(OpenFault::kEmptySeat);
  }
  return std::unexpected(OpenFault::kDropped);
}

bool KeyedFrames::can_open(Bytes payload) const {
  const std::expected<Target, Misfit> target = find_target(payload);
  return target ||
         (target.error() != Misfit::kUnknownEpoch && target.error() != Misfit::kEmptySeat);
}

KeyedFrames::Sender* KeyedFrames::find_sender(const Target& target) {
  Epoch& epoch = epochs_.at(target.epoch);
  const std::pair who(target.seat, *target.holder);
  const auto found = epoch.senders.find(who);
  if (found != epoch.senders.end()) return &found->second;
  if (epoch.senders.size() >= kSendersOfEpoch) return nullptr;
  SFrameKey key = derive_key(epoch.secret, target.seat, *target.holder, target.epoch);
  return &epoch.senders.emplace(who, Sender{std::move(key), {}}).first->second;
}

std::expected<OpenedFrame, OpenFault> KeyedFrames::open(Bytes payload) {
  const std::expected<Target, Misfit> target = find_target(payload);
  if (!target) return count(target.error());
  Sender* const sender = find_sender(*target);
  if (sender != nullptr && !sender->window.is_new(target->header.counter)) {
    ++counters_.replayed;
    return std::unexpected(OpenFault::kDropped);
  }
  std::optional<std::size_t> size;
  if (sender != nullptr) size = sender->key.open(target->header, {}, payload, plaintext_);
  if (!size) {
    ++counters_.not_opened;
    ++seats_[target->seat].not_opened;
    return std::unexpected(OpenFault::kDropped);
  }
  // Also of a frame that is badly padded: its sender used the counter.
  sender->window.accept(target->header.counter);
  const std::expected<Bytes, OpenFault> opus = unpad(Bytes(plaintext_).first(*size));
  if (!opus) return std::unexpected(opus.error());
  ++counters_.opened;
  ++seats_[target->seat].opened;
  return OpenedFrame{target->seat, *opus};
}

std::expected<Bytes, OpenFault> KeyedFrames::unpad(Bytes plaintext) {
  base::ByteReader reader(plaintext);
  const std::optional<std::uint16_t> length = reader.read_u16();
  if (!length || *length == 0 || *length > reader.remaining()) {
    ++counters_.bad_length;
    return std::unexpected(OpenFault::kDropped);
  }
  const Bytes opus = *reader.read_bytes(*length);
  // Padding is checked so that a frame has one encoding, and no hidden channel for a sender's
  // client.
  if (!std::ranges::all_of(reader.rest(), [](std::uint8_t byte) { return byte == 0; })) {
    ++counters_.bad_padding;
    return std::unexpected(OpenFault::kDropped);
  }
  return opus;
}

}  // namespace alcove::e2ee
