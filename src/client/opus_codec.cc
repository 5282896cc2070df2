#include "client/opus_codec.h"

#include <opus.h>

#include <algorithm>
#include <cmath>

#include "client/voice_activity.h"

namespace alcove::client {

using base::Bytes;

namespace {

constexpr int kChannels = 1;

void set(OpusEncoder* encoder, int request, opus_int32 value) {
  CHECK(opus_encoder_ctl(encoder, request, value) == OPUS_OK);
}

}  // namespace

void VoiceEncoder::Free::operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }

VoiceEncoder::VoiceEncoder(EncoderUse use) : packet_(1275) {
  int error = OPUS_OK;
  const bool call = use == EncoderUse::kCall;
  encoder_.reset(opus_encoder_create(
      kSampleRate, kChannels, call ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_AUDIO, &error));
  CHECK(error == OPUS_OK);
  set(encoder_.get(), OPUS_SET_BITRATE_REQUEST,
      call ? kCallBitsPerSecond : kRecordingBitsPerSecond);
  set(encoder_.get(), OPUS_SET_DTX_REQUEST, 0);
  if (!call) {
    set(encoder_.get(), OPUS_SET_COMPLEXITY_REQUEST, 5);
    return;
  }
  set(encoder_.get(), OPUS_SET_VBR_REQUEST, 0);
  set(encoder_.get(), OPUS_SET_SIGNAL_REQUEST, OPUS_SIGNAL_VOICE);
  set(encoder_.get(), OPUS_SET_INBAND_FEC_REQUEST, 1);
  set_loss(0);
}

VoiceEncoder::~VoiceEncoder() = default;

Bytes VoiceEncoder::encode(std::span<const std::int16_t> samples) {
  const int size = opus_encode(encoder_.get(), samples.data(), static_cast<int>(samples.size()),
                               packet_.data(), static_cast<opus_int32>(packet_.size()));
  return size <= 0 ? Bytes() : Bytes(packet_).first(static_cast<std::size_t>(size));
}

void VoiceEncoder::set_loss(double loss) {
  const int percent = std::clamp(static_cast<int>(std::lround(loss * 100)), kLeastLossPercent, 30);
  if (percent == loss_percent_) return;
  loss_percent_ = percent;
  set(encoder_.get(), OPUS_SET_PACKET_LOSS_PERC_REQUEST, percent);
}

int VoiceEncoder::lookahead() const {
  opus_int32 samples = 0;
  CHECK(opus_encoder_ctl(encoder_.get(), OPUS_GET_LOOKAHEAD(&samples)) == OPUS_OK);
  return samples;
}

void VoiceEncoder::reset() { CHECK(opus_encoder_ctl(encoder_.get(), OPUS_RESET_STATE) == OPUS_OK); }

void VoiceDecoder::Free::operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }

VoiceDecoder::VoiceDecoder() {
  int error = OPUS_OK;
  decoder_.reset(opus_decoder_create(kSampleRate, kChannels, &error));
  CHECK(error == OPUS_OK);
}

VoiceDecoder::~VoiceDecoder() = default;

std::optional<std::size_t> VoiceDecoder::duration(Bytes packet) {
  if (packet.empty()) return std::nullopt;
  const int samples = opus_packet_get_nb_samples(
      packet.data(), static_cast<opus_int32>(packet.size()), kSampleRate);
  if (samples <= 0) return std::nullopt;
  return static_cast<std::size_t>(samples);
}

std::size_t VoiceDecoder::decode(Bytes packet, std::span<std::int16_t> out) {
  if (packet.empty()) return 0;
  const int samples =
      opus_decode(decoder_.get(), packet.data(), static_cast<opus_int32>(packet.size()), out.data(),
                  static_cast<int>(out.size()), 0);
  return samples <= 0 ? 0 : static_cast<std::size_t>(samples);
}

std::size_t VoiceDecoder::decode_lost_before(Bytes packet, std::span<std::int16_t> out) {
  if (packet.empty()) return 0;
  const int samples =
      opus_decode(decoder_.get(), packet.data(), static_cast<opus_int32>(packet.size()), out.data(),
                  static_cast<int>(out.size()), 1);
  return samples <= 0 ? 0 : static_cast<std::size_t>(samples);
}

std::size_t VoiceDecoder::conceal(std::span<std::int16_t> out) {
  const int samples =
      opus_decode(decoder_.get(), nullptr, 0, out.data(), static_cast<int>(out.size()), 0);
  return samples <= 0 ? 0 : static_cast<std::size_t>(samples);
}

void VoiceDecoder::reset() { CHECK(opus_decoder_ctl(decoder_.get(), OPUS_RESET_STATE) == OPUS_OK); }

}  // namespace alcove::client
