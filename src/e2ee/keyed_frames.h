#pragma once
// Frames under the room's keys: docs/protocol/room-keys.md, "Epochs" and "Frames". It keeps the
// keys of the live epochs and is told by the log's follower who sits where, which epochs live and
// in which one to send; it knows no time. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "crypto/replay_window.h"
#include "e2ee/frame_transform.h"
#include "e2ee/sframe.h"
#include "roomlog/objects.h"

namespace alcove::e2ee {

using EpochSecret = std::array<std::uint8_t, 32>;  // `epoch` of the protocol
using SeatHolders = std::map<std::uint8_t, roomlog::Hash>;

class KeyedFrames final : public FrameTransform {
 public:
  static constexpr std::size_t kLiveEpochs = 8;
  // Keys of senders kept in one epoch, those of holders who left included: frames of further ones
  // are not opened. Far more than the log's entries of one epoch seat.
  static constexpr std::size_t kSendersOfEpoch = 512;

  // bucket: kMinPacketBucket to kMaxPacketBucket (CHECK), that of the genesis.
  KeyedFrames(std::size_t bucket, const roomlog::Hash& own_leaf);
  // A copy would use its counters again.
  KeyedFrames(const KeyedFrames&) = delete;
  KeyedFrames& operator=(const KeyedFrames&) = delete;
  ~KeyedFrames() override;

  // Who holds each seat (1 to 255), in force for the next frame: of the log's state after each
  // entry. The own seat is that of the own leaf.
  void set_stage(SeatHolders holders);
  // 0: none.
  std::uint8_t seat() const { return seat_; }

  // Frames of this epoch can be opened from now on. A ninth live epoch forgets the oldest. False,
  // and nothing happens, for one that is live already, or not newer than one that was
  // forgotten: a counter never runs twice under one key.
  bool add_epoch(std::uint32_t number, const EpochSecret& secret);
  // Wipes it. Sending in it ends.
  void forget_epoch(std::uint32_t number);
  bool is_live(std::uint32_t number) const { return epochs_.contains(number); }
  std::optional<std::uint32_t> newest_epoch() const;

  // Sends in this live epoch from the next frame on. False, and nothing happens, when it is not
  // live. Sending needs this, a seat, and allow_sending(true).
  bool use_for_sending(std::uint32_t number);
  std::optional<std::uint32_t> sending_epoch() const { return sending_; }
  // At first false.
  void allow_sending(bool allowed) { allowed_ = allowed; }
  bool may_send() const { return allowed_ && seat_ != 0 && sending_.has_value(); }

  // Frames that named this seat in a live epoch while somebody held it. A seat whose not_opened
  // grows while opened does not belongs to somebody on another log. Runs on over holders.
  struct SeatCounters {
    std::uint64_t opened = 0;
    std::uint64_t not_opened = 0;
  };
  const SeatCounters& seat_counters(std::uint8_t seat) const { return seats_[seat]; }

  // RFC 9605 ciphertext of exactly the bucket.
  std::optional<std::size_t> seal(base::Bytes opus, base::MutableBytes out) override;
  // counters().unknown_epoch grows with frames of an epoch that no entry has announced yet.
  std::expected<OpenedFrame, OpenFault> open(base::Bytes payload) override;
  bool can_open(base::Bytes payload) const override;
  std::size_t sealed_size() const override { return bucket_; }
  const FrameCounters& counters() const override { return counters_; }

 private:
  struct Sender {
    SFrameKey key;
    crypto::ReplayWindow window;
  };
  // Own frames under one seat. Kept with the epoch, also while the seat is lost.
  struct Sending {
    SFrameKey key;
    std::uint64_t next_counter = 0;
  };
  struct Epoch {
    Epoch() = default;
    Epoch(const Epoch&) = delete;
    Epoch& operator=(const Epoch&) = delete;
    ~Epoch();

    EpochSecret secret{};
    std::map<std::pair<std::uint8_t, roomlog::Hash>, Sender> senders;
    std::map<std::uint8_t, Sending> sending;  // by own seat
  };
  // Where a frame belongs.
  struct Target {
    SFrameHeader header;
    std::uint8_t seat = 0;
    std::uint32_t epoch = 0;
    const roomlog::Hash* holder = nullptr;
  };
  enum class Misfit : std::uint8_t {
    kSize,
    kHeader,
    kSeat,
    kUnknownEpoch,
    kOldEpoch,
    kEmptySeat,
  };

  std::expected<Target, Misfit> find_target(base::Bytes payload) const;
  std::unexpected<OpenFault> count(Misfit misfit);
  Sender* find_sender(const Target& target);
  std::expected<base::Bytes, OpenFault> unpad(base::Bytes plaintext);

  std::size_t bucket_;
  roomlog::Hash own_leaf_;
  SeatHolders holders_;
  std::uint8_t seat_ = 0;
  std::map<std::uint32_t, Epoch> epochs_;
  std::optional<std::uint32_t> newest_forgotten_;
  std::optional<std::uint32_t> sending_;
  bool allowed_ = false;
  FrameCounters counters_;
  std::array<SeatCounters, 256> seats_{};
  std::array<std::uint8_t, kMaxPacketBucket> plaintext_{};
};

}  // namespace alcove::e2ee
