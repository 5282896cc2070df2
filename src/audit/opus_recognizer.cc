#include "audit/opus_recognizer.h"

#include <opus.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include "audit/payload_structure.h"

namespace alcove::audit {
namespace {

constexpr int kDecodedRate = 8000;
constexpr int kLongestPacket = kDecodedRate * 120 / 1000;
constexpr std::size_t kMaxFrames = 48;
constexpr std::size_t kMaxPlaces = 3;
constexpr std::uint32_t kLongestGap = 48'000 * 5;

struct PacketForm {
  bool valid = false;
  unsigned configuration = 0;  // TOC without the number of frames
  std::uint32_t duration = 0;  // at 48 kHz
  std::array<base::Bytes, kMaxFrames> frames;
  std::size_t frame_count = 0;
};

PacketForm parse_packet(base::Bytes packet) {
  PacketForm form;
  if (packet.empty()) return form;
  std::array<const unsigned char*, kMaxFrames> frames{};
  std::array<opus_int16, kMaxFrames> sizes{};
  unsigned char toc = 0;
  const int count = opus_packet_parse(packet.data(), static_cast<opus_int32>(packet.size()), &toc,
                                      frames.data(), sizes.data(), nullptr);
  if (count <= 0) return form;
  form.valid = true;
  form.configuration = toc >> 2;
  form.frame_count = static_cast<std::size_t>(count);
  form.duration = static_cast<std::uint32_t>(opus_packet_get_samples_per_frame(&toc, 48'000)) *
                  static_cast<std::uint32_t>(count);
  for (std::size_t i = 0; i < form.frame_count; ++i)
    form.frames[i] = {frames[i], static_cast<std::size_t>(sizes[i])};
  return form;
}

// The clock went on by the packet's duration; after a pause (DTX) by a multiple of 2.5 ms more.
bool clock_fits(const PayloadSample& sample, std::size_t index, std::uint32_t duration) {
  if (index + 1 >= sample.size()) return true;
  const auto packets =
      static_cast<std::uint16_t>(sample[index + 1].sequence - sample[index].sequence);
  const std::uint32_t step = sample[index + 1].timestamp - sample[index].timestamp;
  if (packets != 1 || step == duration) return packets != 1 || step == duration;
  return step > duration && step < kLongestGap && (step - duration) % 120 == 0;
}

}  // namespace

OpusEvidence examine_opus(const PayloadSample& sample) {
  // By TOC and place in the packet.
  std::map<std::pair<std::uint8_t, std::size_t>, std::vector<SequencedBytes>> frames;
  std::array<std::size_t, 64> of_configuration{};
  std::size_t fitting = 0, packets = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    if (sample[i].size == 0) continue;  // keeps the stream open (RFC 7587, 4.2; or padding alone)
    ++packets;
    const PacketForm form = parse_packet(sample.payload(i));
    if (!form.valid) continue;
    ++of_configuration[form.configuration];
    for (std::size_t k = 0; k < form.frame_count; ++k)
      if (!form.frames[k].empty())
        frames[{sample.payload(i)[0], std::min(k, kMaxPlaces)}].push_back(
            {sample[i].sequence, form.frames[k]});
    if (clock_fits(sample, i, form.duration)) ++fitting;
  }
  OpusEvidence evidence;
  if (packets == 0) return evidence;
  // An encoder changes mode and bandwidth seldom: four kinds hold nearly all of its packets.
  std::ranges::sort(of_configuration, std::ranges::greater{});
  const std::size_t common =
      of_configuration[0] + of_configuration[1] + of_configuration[2] + of_configuration[3];
  evidence.plausible =
      static_cast<double>(std::min(common, fitting)) / static_cast<double>(packets);
  double sum = 0, degrees = 0;
  for (const auto& [kind, pieces] : frames) {
    // Opus has nothing in front of its bits: what stays or counts is another format's header.
    const std::size_t header = header_size_of(pieces);
    HeadTester tester;
    for (const SequencedBytes& piece : pieces)
      if (piece.bytes.size() > header) tester.add(piece.bytes.subspan(header));
    sum += tester.result().sum;
    degrees += tester.result().degrees;
  }
  evidence.head = deviations_of(sum, degrees);
  return evidence;
}

// Some seconds tell; a window of packets of 120 ms has half a minute, made to cost time.
constexpr std::size_t kEnoughSamples = 6 * kDecodedRate;

std::vector<std::int16_t> decode_opus(const PayloadSample& sample) {
  std::vector<std::int16_t> samples;
  int error = 0;
  const std::unique_ptr<OpusDecoder, void (*)(OpusDecoder*)> decoder(
      opus_decoder_create(kDecodedRate, 1, &error), opus_decoder_destroy);
  if (error != OPUS_OK) return samples;
  std::array<opus_int16, kLongestPacket> out;
  for (std::size_t i = 0; i < sample.size() && samples.size() < kEnoughSamples; ++i) {
    const base::Bytes payload = sample.payload(i);
    if (payload.empty()) continue;
    const int count =
        opus_decode(decoder.get(), payload.data(), static_cast<opus_int32>(payload.size()),
                    out.data(), kLongestPacket, 0);
    if (count > 0) samples.insert(samples.end(), out.begin(), out.begin() + count);
  }
  return samples;
}

}  // namespace alcove::audit
