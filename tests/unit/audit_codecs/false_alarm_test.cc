// What must never be taken for audio: 10,000 streams of ciphertext in every shape that a hop sees,
// each with the clock and the sizes that would fit a codec.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <random>

#include "audit/codec_recognizer.h"
#include "audit/sframe_recognizer.h"
#include "support/audio_streams.h"

namespace alcove {
namespace {

constexpr int kStreams = 10'000;

enum class Shape {
  kRandom,          // SRTP: nothing in front
  kSameFirstByte,   // one constant byte that may well be an Opus TOC
  kSFrame,          // a true header with a counter from anywhere
  kSFrameFromZero,  // its header grows within the stream
  kTocInClear,      // an end-to-end format that leaves Opus' TOC readable
  kKeyedSpeech,     // AES-CTR of real speech, Opus or G.711, with its sizes
  kTrailer,         // a constant trailer, as a key index or MKI
  kPadding,         // RTP padding, encrypted with the rest
  kCount,
};

struct Generated {
  test::Payloads stream;
  Shape shape = Shape::kRandom;
  std::string text;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {
    test::Pcm pcm = test::recordings();
    pcm.resize(std::min<std::size_t>(pcm.size(), 48'000 * 7));
    opus_ = test::opus_payloads(pcm, {.bits_per_second = 32'000});
    mu_law_ = test::mu_law_payloads(test::resample(pcm, 48'000, 8'000));
  }

  Generated next(int index) {
    Generated out;
    out.shape = static_cast<Shape>(index % static_cast<int>(Shape::kCount));
    const std::size_t packets = pick(20, 300);
    const std::uint8_t toc = opus_toc();
    const bool fixed = pick(0, 2) == 0;
    const std::size_t size = fixed ? (pick(0, 1) == 0 ? 160 : pick(20, 200)) : 0;
    const std::uint32_t step = fixed && size == 160 ? 160 : opus_step(toc);
    std::uint64_t counter = out.shape == Shape::kSFrameFromZero ? 0 : random_() >> pick(0, 60);
    const std::uint64_t key_id = random_() >> pick(0, 63);
    const base::Buffer trailer = test::random_bytes(random_, pick(1, 6));
    const std::size_t from = pick(0, 30);
    for (std::size_t i = 0; i < packets; ++i) {
      const std::size_t length = fixed ? size : opus_like_size(i);
      base::Buffer payload = test::random_bytes(random_, length);
      std::uint32_t payload_step = step;
      switch (out.shape) {
        case Shape::kSameFirstByte:
        case Shape::kTocInClear:
          payload[0] = toc;
          break;
        case Shape::kSFrame:
        case Shape::kSFrameFromZero:
          payload = test::sframe_like(key_id, counter++, payload);
          break;
        case Shape::kKeyedSpeech: {
          const test::Payloads& source = from % 2 == 0 ? opus_ : mu_law_;
          payload = source.payloads[(from + i) % source.payloads.size()];
          payload_step = source.steps[0];
          const base::Buffer pad = test::random_bytes(random_, payload.size());
          for (std::size_t k = 0; k < payload.size(); ++k) payload[k] ^= pad[k];
          break;
        }
        case Shape::kTrailer:
          payload.insert(payload.end(), trailer.begin(), trailer.end());
          break;
        case Shape::kPadding: {
          // SRTP encrypts it with the rest: what shows is a size that is a multiple of four.
          const base::Buffer padding = test::random_bytes(random_, 4 - payload.size() % 4);
          payload.insert(payload.end(), padding.begin(), padding.end());
          break;
        }
        default:
          break;
      }
      out.stream.payloads.push_back(std::move(payload));
      out.stream.steps.push_back(payload_step);
    }
    out.stream.payload_type = payload_type();
    out.text = fmt::format("stream {}, shape {}, {} packets, payload type {}", index,
                           static_cast<int>(out.shape), packets, out.stream.payload_type);
    return out;
  }

 private:
  std::size_t pick(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(random_);
  }
  std::uint8_t opus_toc() {
    // SILK, hybrid and CELT of 20 ms, one frame, often; anything else sometimes.
    static constexpr std::array<std::uint8_t, 6> kUsual = {0x08, 0x48, 0x68, 0x78, 0xb8, 0xf8};
    return pick(0, 3) == 0 ? static_cast<std::uint8_t>(pick(0, 255)) : kUsual[pick(0, 5)];
  }
  static std::uint32_t opus_step(std::uint8_t toc) {
    static constexpr std::array<std::uint32_t, 4> kSilk = {480, 960, 1920, 2880};
    static constexpr std::array<std::uint32_t, 4> kCelt = {120, 240, 480, 960};
    const unsigned configuration = toc >> 3;
    const std::uint32_t frame = configuration < 12   ? kSilk[configuration & 3]
                                : configuration < 16 ? kSilk[configuration & 1]
                                                     : kCelt[configuration & 3];
    return frame * ((toc & 3) == 0 ? 1 : 2);
  }
  std::size_t opus_like_size(std::size_t index) {
    return opus_.payloads[(index * 7 + pick(0, 5)) % opus_.payloads.size()].size() + 16;
  }
  std::uint8_t payload_type() {
    static constexpr std::array<std::uint8_t, 5> kTypes = {0, 8, 9, 96, 111};
    return kTypes[pick(0, 4)];
  }

  std::mt19937_64 random_;
  test::Payloads opus_, mu_law_;
};

TEST(FalseAlarms, NoneInTenThousandStreams) {
  Generator generator(20261124);
  int alarms = 0, structured = 0, sframe = 0, sframe_missed = 0;
  double highest_head = 0, highest_body = 0, highest_opus = 0;
  for (int i = 0; i < kStreams; ++i) {
    const Generated made = generator.next(i);
    const audit::PayloadSample sample = test::sample_of(made.stream, 0, 65'400);
    const audit::Recognition recognition = audit::recognize_codec(sample, made.stream.payload_type);
    if (recognition.codec != audit::Codec::kNone || recognition.speech.speech) {
      ++alarms;
      ADD_FAILURE() << made.text << ", codec " << static_cast<int>(recognition.codec);
    }
    if (!recognition.random) {
      ++structured;
      ADD_FAILURE() << made.text << ", head " << recognition.structure.head << ", body "
                    << recognition.structure.body;
    }
    highest_head = std::max(highest_head, recognition.structure.head);
    highest_body = std::max(highest_body, recognition.structure.body);
    highest_opus = std::max(highest_opus, recognition.opus_head);
    const bool is_sframe = made.shape == Shape::kSFrame || made.shape == Shape::kSFrameFromZero;
    audit::PayloadSample bodies;
    const bool taken = audit::looks_like_sframe(sample, bodies);
    if (is_sframe && !taken) ++sframe_missed;
    if (made.shape == Shape::kRandom && taken) ++sframe;
    if (is_sframe && taken) {
      EXPECT_TRUE(audit::recognize_codec(bodies, made.stream.payload_type).random) << made.text;
    }
  }
  fmt::print(
      "{} streams: {} alarms, {} called structured; highest deviations {:.1f} (head), {:.1f} "
      "(body), {:.1f} (Opus)\n",
      kStreams, alarms, structured, highest_head, highest_body, highest_opus);
  EXPECT_EQ(alarms, 0);
  EXPECT_EQ(structured, 0);
  EXPECT_EQ(sframe_missed, 0);
  EXPECT_EQ(sframe, 0);
}

}  // namespace
}  // namespace alcove
