#include "client/jitter_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "unit/client/sounds.h"

namespace alcove::client {
namespace {

using base::Duration;
using base::Instant;
using base::milliseconds;

constexpr std::uint8_t kSeat = 7;
constexpr std::size_t kSecond = kSampleRate;

struct SentPacket {
  std::uint64_t sequence = 0;
  std::uint32_t timestamp = 0;
  bool marker = false;
  std::uint8_t seat = kSeat;
  base::Buffer opus;
};

// A voice as Opus knows them (a pitch and its harmonics), whose envelope is not periodic, so that
// its place in time is known.
std::vector<std::int16_t> voice(std::size_t samples) {
  std::vector<std::int16_t> out(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const double t = static_cast<double>(i) / kSampleRate;
    const double envelope = 0.5 + 0.5 * std::sin(2 * std::numbers::pi * (0.9 * t + 0.05 * t * t));
    double harmonics = 0;
    for (int k = 1; k <= 12; ++k)
      harmonics += std::sin(2 * std::numbers::pi * 140 * k * t + k * k) / k;
    out[i] = static_cast<std::int16_t>(4000 * envelope * harmonics);
  }
  return out;
}

std::vector<SentPacket> encode(const std::vector<std::int16_t>& sound,
                               std::uint64_t sequence = 1000,
                               std::uint32_t timestamp = 0xffffe000) {
  VoiceEncoder encoder(EncoderUse::kCall);
  encoder.set_loss(0.2);
  std::vector<SentPacket> packets;
  for (std::size_t i = 0; i + kFrameSamples <= sound.size(); i += kFrameSamples) {
    const base::Bytes opus = encoder.encode(std::span(sound).subspan(i, kFrameSamples));
    packets.push_back({sequence++, timestamp, packets.empty(), kSeat, base::to_buffer(opus)});
    timestamp += kFrameSamples;
  }
  return packets;
}

// Levels of 20 ms frames, for comparing envelopes.
std::vector<double> envelope(std::span<const std::int16_t> sound) {
  std::vector<double> out;
  for (std::size_t i = 0; i + kFrameSamples <= sound.size(); i += kFrameSamples)
    out.push_back(std::pow(10, level_of(sound.subspan(i, kFrameSamples)) / 20));
  return out;
}

double envelope_correlation(std::span<const std::int16_t> sent,
                            std::span<const std::int16_t> heard) {
  const std::vector<double> a = envelope(sent);
  const std::vector<double> b = envelope(heard);
  double best = -1;
  for (std::size_t lag = 0; lag < 40; ++lag) {
    const std::size_t count = std::min(a.size(), b.size() > lag ? b.size() - lag : 0);
    double a_mean = 0;
    double b_mean = 0;
    for (std::size_t i = 0; i < count; ++i) {
      a_mean += a[i] / static_cast<double>(count);
      b_mean += b[i + lag] / static_cast<double>(count);
    }
    double product = 0;
    double a_energy = 1e-12;
    double b_energy = 1e-12;
    for (std::size_t i = 0; i < count; ++i) {
      product += (a[i] - a_mean) * (b[i + lag] - b_mean);
      a_energy += (a[i] - a_mean) * (a[i] - a_mean);
      b_energy += (b[i + lag] - b_mean) * (b[i + lag] - b_mean);
    }
    best = std::max(best, product / std::sqrt(a_energy * b_energy));
  }
  return best;
}

// Arrivals by time, pulls every 20 ms.
class Playback {
 public:
  void arrive(Instant when, const SentPacket& packet) { arrivals_.emplace(when, packet); }

  std::vector<std::int16_t> play(Instant until) {
    std::vector<std::int16_t> heard;
    std::vector<std::int16_t> frame(kFrameSamples);
    for (; now_ < until; now_ += kFrameDuration) {
      while (!arrivals_.empty() && arrivals_.begin()->first <= now_) {
        const auto& [when, packet] = *arrivals_.begin();
        buffer.insert(when,
                      {packet.sequence, packet.timestamp, packet.marker, packet.seat, packet.opus});
        arrivals_.erase(arrivals_.begin());
      }
      const std::uint8_t seat = buffer.pull(now_, frame);
      seats.push_back(seat);
      heard.insert(heard.end(), frame.begin(), frame.end());
    }
    return heard;
  }

  JitterBuffer buffer;
  std::vector<std::uint8_t> seats;

 private:
  Instant now_{};
  std::multimap<Instant, SentPacket> arrivals_;
};

Instant at(std::int64_t ms) { return Instant(milliseconds(ms)); }

TEST(JitterBuffer, PlaysAPerfectStreamWholeAfterAShortWait) {
  const std::vector<std::int16_t> sound = voice(5 * kSecond);
  const std::vector<SentPacket> packets = encode(sound);
  Playback playback;
  for (std::size_t i = 0; i < packets.size(); ++i)
    playback.arrive(at(static_cast<std::int64_t>(100 + 20 * i)), packets[i]);
  const std::vector<std::int16_t> heard = playback.play(at(5600));
  EXPECT_EQ(playback.buffer.counters().played, packets.size());
  EXPECT_EQ(playback.buffer.counters().concealed, 0U);
  EXPECT_EQ(playback.buffer.counters().repaired, 0U);
  EXPECT_LE(playback.buffer.target_delay(), milliseconds(60));
  EXPECT_GE(envelope_correlation(sound, heard), 0.98);
  EXPECT_TRUE(playback.buffer.idle());
  // Silence before, the seat during, silence after.
  EXPECT_EQ(playback.seats.front(), 0);
  EXPECT_EQ(std::ranges::count(playback.seats, kSeat),
            static_cast<std::ptrdiff_t>(packets.size() + JitterBuffer::kMaxUnderruns));
  EXPECT_EQ(playback.seats.back(), 0);
}

TEST(JitterBuffer, PullsHalfFramesAsWell) {
  const std::vector<SentPacket> packets = encode(voice(kSampleRate / 2));
  JitterBuffer buffer;
  std::vector<std::int16_t> half(480);
  int heard = 0;
  for (std::int64_t i = 0; i < 100; ++i) {
    if (i % 2 == 0 && i / 2 < std::ssize(packets)) {
      const SentPacket& p = packets[static_cast<std::size_t>(i / 2)];
      buffer.insert(at(10 * i), {p.sequence, p.timestamp, p.marker, p.seat, p.opus});
    }
    heard += buffer.pull(at(10 * i), half) != 0;
  }
  EXPECT_GE(heard, 45);
}

TEST(JitterBuffer, ReorderedPacketsAreInOrder) {
  const std::vector<std::int16_t> sound = voice(4 * kSecond);
  const std::vector<SentPacket> packets = encode(sound);
  Playback playback;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto late = i % 5 == 2 ? 30 : 0;  // swaps with the next
    playback.arrive(at(static_cast<std::int64_t>(100 + 20 * i) + late), packets[i]);
  }
  const std::vector<std::int16_t> heard = playback.play(at(5000));
  EXPECT_GE(playback.buffer.counters().played, packets.size() - 2);
  EXPECT_GE(envelope_correlation(sound, heard), 0.97);
}

TEST(JitterBuffer, DuplicatesAreDropped) {
  const std::vector<SentPacket> packets = encode(voice(kSampleRate));
  Playback playback;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    playback.arrive(at(static_cast<std::int64_t>(20 * i)), packets[i]);
    playback.arrive(at(static_cast<std::int64_t>(20 * i)) + milliseconds(1), packets[i]);
  }
  playback.play(at(2000));
  EXPECT_EQ(playback.buffer.counters().played, packets.size());
  EXPECT_EQ(playback.buffer.counters().duplicates + playback.buffer.counters().late,
            packets.size());
}

TEST(JitterBuffer, SingleLossesAreRepairedFromTheNextPacket) {
  const std::vector<std::int16_t> sound = voice(4 * kSecond);
  const std::vector<SentPacket> packets = encode(sound);
  Playback playback;
  std::size_t lost = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (i % 10 == 5) {
      ++lost;
      continue;
    }
    playback.arrive(at(static_cast<std::int64_t>(20 * i)), packets[i]);
  }
  const std::vector<std::int16_t> heard = playback.play(at(5000));
  EXPECT_EQ(playback.buffer.counters().repaired, lost);
  EXPECT_EQ(playback.buffer.counters().concealed, 0U);
  EXPECT_GE(envelope_correlation(sound, heard), 0.92);
}

TEST(JitterBuffer, BadNetworkKeepsTheEnvelope) {
  const std::vector<std::int16_t> sound = voice(10 * kSecond);
  const std::vector<SentPacket> packets = encode(sound);
  base::SeededRandom random(3);
  Playback playback;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (random.below(100) < 20) continue;
    playback.arrive(at(static_cast<std::int64_t>(100 + 20 * i + random.below(31))), packets[i]);
  }
  const std::vector<std::int16_t> heard = playback.play(at(11000));
  EXPECT_GE(envelope_correlation(sound, heard), 0.85);
  EXPECT_GT(playback.buffer.target_delay(), milliseconds(40));
  EXPECT_LE(playback.buffer.target_delay(), milliseconds(80));
}

TEST(JitterBuffer, TheTargetFollowsTheJitter) {
  const std::vector<SentPacket> packets = encode(voice(12 * kSecond));
  base::SeededRandom random(4);
  Playback playback;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const std::uint32_t jitter = i < 300 ? random.below(150) : 0;
    playback.arrive(at(static_cast<std::int64_t>(100 + 20 * i + jitter)), packets[i]);
  }
  playback.play(at(6000));
  EXPECT_GT(playback.buffer.target_delay(), milliseconds(120));
  playback.play(at(14000));
  EXPECT_EQ(playback.buffer.target_delay(), DelayEstimator::kLeast);
  EXPECT_GT(playback.buffer.counters().shortened, 0U);
}

TEST(JitterBuffer, ANewSpurtIsPlayedWhenItComesWhateverItsTimestamp) {
  const std::vector<std::int16_t> sound = voice(kSampleRate);
  const std::vector<SentPacket> first = encode(sound, 10, 1000);
  // As the relay re-anchors: sequence numbers go on; the timestamp says three seconds, or nonsense.
  for (const std::uint32_t gap : {144'000U, 0U, 0x80000000U, 5U}) {
    const std::uint32_t begin = 1000 + kSampleRate + gap;
    const std::vector<SentPacket> second = encode(sound, 10 + first.size(), begin);
    Playback playback;
    for (std::size_t i = 0; i < first.size(); ++i)
      playback.arrive(at(static_cast<std::int64_t>(20 * i)), first[i]);
    for (std::size_t i = 0; i < second.size(); ++i)
      playback.arrive(at(static_cast<std::int64_t>(4000 + 20 * i)), second[i]);
    playback.play(at(4000));
    const std::vector<std::int16_t> heard = playback.play(at(5500));
    EXPECT_EQ(playback.buffer.counters().played, first.size() + second.size()) << gap;
    EXPECT_GE(envelope_correlation(sound, heard), 0.97) << gap;
    EXPECT_EQ(playback.buffer.counters().spurts, 2U);
  }
}

TEST(JitterBuffer, AChangeOfSpeakerWithoutAGapIsPlayed) {
  const std::vector<SentPacket> first = encode(voice(kSampleRate), 10, 0);
  std::vector<SentPacket> second = encode(voice(kSampleRate), 10 + first.size(), 48'000 + 300);
  for (SentPacket& packet : second) packet.seat = 9;
  Playback playback;
  for (std::size_t i = 0; i < first.size(); ++i)
    playback.arrive(at(static_cast<std::int64_t>(20 * i)), first[i]);
  for (std::size_t i = 0; i < second.size(); ++i)
    playback.arrive(at(static_cast<std::int64_t>(1006 + 20 * i)), second[i]);
  playback.play(at(2500));
  EXPECT_EQ(playback.buffer.counters().played, first.size() + second.size());
  EXPECT_GE(std::ranges::count(playback.seats, 9), 48);
}

TEST(JitterBuffer, ASpurtWhoseFirstPacketIsLostIsPlayed) {
  const std::vector<SentPacket> first = encode(voice(kSampleRate), 10, 0);
  const std::vector<SentPacket> second = encode(voice(kSampleRate), 10 + first.size(), 48'000 * 5);
  Playback playback;
  for (std::size_t i = 0; i < first.size(); ++i)
    playback.arrive(at(static_cast<std::int64_t>(20 * i)), first[i]);
  for (std::size_t i = 1; i < second.size(); ++i)
    playback.arrive(at(static_cast<std::int64_t>(5000 + 20 * i)), second[i]);
  playback.play(at(7000));
  EXPECT_EQ(playback.buffer.counters().played, first.size() + second.size() - 1);
}

TEST(JitterBuffer, AStallIsBridgedAndCaughtUp) {
  const std::vector<SentPacket> packets = encode(voice(6 * kSecond));
  Playback playback;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto sent = static_cast<std::int64_t>(20 * i);
    playback.arrive(at(sent >= 2000 && sent < 2300 ? 2300 : sent), packets[i]);
  }
  playback.play(at(6500));
  const JitterCounters& counters = playback.buffer.counters();
  EXPECT_GT(counters.underruns, 0U);
  EXPECT_GT(counters.shortened, 10U);
  EXPECT_GE(counters.played + counters.overflowed + counters.late, packets.size() - 12);
}

TEST(JitterBuffer, FollowsASendersClock) {
  for (const double drift : {0.998, 1.002}) {
    const std::vector<SentPacket> packets = encode(voice(40 * kSecond));
    Playback playback;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const auto sent = static_cast<std::int64_t>(20'000 * drift * static_cast<double>(i));
      playback.arrive(Instant(Duration(sent)), packets[i]);
    }
    playback.play(at(38000));
    const JitterCounters& counters = playback.buffer.counters();
    EXPECT_EQ(counters.overflowed, 0U) << drift;
    EXPECT_EQ(counters.late, 0U) << drift;
    // 0.2 % of 38 s is 76 ms: made up for a pitch period at a time.
    EXPECT_GT(drift < 1 ? counters.shortened : counters.lengthened + counters.underruns, 2U)
        << drift;
    EXPECT_LE(counters.underruns, 3U) << drift;
  }
}

TEST(JitterBuffer, RubbishIsDroppedAndCounted) {
  JitterBuffer buffer;
  buffer.insert(at(0), {1, 0, true, 1, {}});
  const base::Buffer too_many_frames = {0x03, 0x3f, 0x00};
  buffer.insert(at(0), {2, 960, false, 1, too_many_frames});
  EXPECT_EQ(buffer.counters().not_opus, 2U);
  EXPECT_TRUE(buffer.idle());
}

TEST(JitterBuffer, AHostileSenderCannotBreakIt) {
  base::SeededRandom random(6);
  JitterBuffer buffer;
  std::vector<std::int16_t> frame(kFrameSamples);
  const std::vector<SentPacket> good = encode(voice(kSampleRate / 2));
  std::uint64_t sequence = 0;
  for (int i = 0; i < 20000; ++i) {
    sequence += random.below(8) == 0 ? random.below(500) : random.below(3);
    base::Buffer opus(random.below(200));
    random.fill(opus);
    if (random.below(2) == 0)
      opus = good[random.below(static_cast<std::uint32_t>(good.size()))].opus;
    const std::uint64_t near = sequence - std::min<std::uint64_t>(sequence, random.below(100));
    buffer.insert(at(i),
                  {random.below(4) == 0 ? near : sequence, random.next_u32(), random.below(5) == 0,
                   static_cast<std::uint8_t>(random.below(255)), opus});
    if (i % 7 == 0) buffer.pull(at(i), frame);
  }
  // It still plays what is good.
  const std::uint64_t played = buffer.counters().played;
  std::uint64_t next = sequence + 200;
  std::uint32_t timestamp = 77;
  std::int64_t now = 30000;
  for (const SentPacket& packet : good) {
    buffer.insert(at(now), {next++, timestamp, &packet == &good.front(), 3, packet.opus});
    timestamp += kFrameSamples;
    buffer.pull(at(now), frame);
    now += 20;
  }
  for (int i = 0; i < 20; ++i) buffer.pull(at(now += 20), frame);
  EXPECT_EQ(buffer.counters().played - played, good.size());
}

}  // namespace
}  // namespace alcove::client
