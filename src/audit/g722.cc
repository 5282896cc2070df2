#include "audit/g722.h"

#include <algorithm>

namespace alcove::audit {
namespace {

// Table 16: quantizer outputs by code, scaled by 2^15 over the step; codes 0 to 3 are not sent.
constexpr std::array<int, 64> kSixBitOutputs = {
    -136,   -136,   -136,  -136,  -24808, -21904, -19008, -16704, -14984, -13512, -12280,
    -11192, -10232, -9360, -8576, -7856,  -7192,  -6576,  -6000,  -5456,  -4944,  -4464,
    -4008,  -3576,  -3168, -2776, -2400,  -2032,  -1688,  -1360,  -1040,  -728,   24808,
    21904,  19008,  16704, 14984, 13512,  12280,  11192,  10232,  9360,   8576,   7856,
    7192,   6576,   6000,  5456,  4944,   4464,   4008,   3576,   3168,   2776,   2400,
    2032,   1688,   1360,  1040,  728,    432,    136,    -432,   -136};
// The four upper bits alone drive the predictor and the step, so that stolen low bits do no harm.
constexpr std::array<int, 16> kFourBitOutputs = {0,     -20456, -12896, -8968, -6288, -4240,
                                                 -2584, -1200,  20456,  12896, 8968,  6288,
                                                 4240,  2584,   1200,   0};
constexpr std::array<int, 4> kTwoBitOutputs = {-7408, -1616, 7408, 1616};
// Tables 17 and 18: what a code adds to the logarithm of the step.
constexpr std::array<int, 16> kLowerMultipliers = {-60,  3042, 1198, 538, 334, 172, 58,  -30,
                                                   3042, 1198, 538,  334, 172, 58,  -30, -60};
constexpr std::array<int, 4> kHigherMultipliers = {798, -214, 798, -214};
constexpr int kLowerLogLimit = 18432;
constexpr int kHigherLogLimit = 22528;
// 2^(11 + i/32), the antilogarithm's mantissas.
constexpr std::array<int, 32> kMantissas = {
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008};

int saturate(int value) { return std::clamp(value, -32768, 32767); }
int sign_of(int value) { return value < 0 ? -1 : 1; }

int next_log_step(int log_step, int multiplier, int limit) {
  return std::clamp((log_step * 127 >> 7) + multiplier, 0, limit);
}

int step_of(int log_step, int exponent_base) {
  const int mantissa = kMantissas[static_cast<std::size_t>(log_step >> 6 & 31)];
  const int shift = exponent_base - (log_step >> 11);
  return (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
}

int clamp_sample(int value) { return std::clamp(value, -16384, 16383); }

}  // namespace

void G722Predictor::adapt_poles(int partial) {
  partial_ = {partial, partial_[0], partial_[1]};
  const int same_last = sign_of(partial_[0]) * sign_of(partial_[1]);
  const int same_second = sign_of(partial_[0]) * sign_of(partial_[2]);
  // UPPOL2, with the leak of 127/128.
  const int scaled = saturate(poles_[0] * 4);
  int second = (same_last > 0 ? -scaled : scaled);
  second = std::min(second, 32767) >> 7;
  second += same_second > 0 ? 128 : -128;
  second = std::clamp(second + (poles_[1] * 32512 >> 15), -12288, 12288);
  // UPPOL1.
  int first = (same_last > 0 ? 192 : -192) + (poles_[0] * 32640 >> 15);
  const int limit = saturate(15360 - second);
  first = std::clamp(first, -limit, limit);
  poles_ = {first, second};
}

void G722Predictor::adapt_zeros(int difference) {
  const int gain = difference == 0 ? 0 : 128;
  for (std::size_t i = 0; i < zeros_.size(); ++i) {
    const int moved = sign_of(differences_[i]) == sign_of(difference) ? gain : -gain;
    zeros_[i] = saturate(moved + (zeros_[i] * 32640 >> 15));
  }
  std::shift_right(differences_.begin(), differences_.end(), 1);
  differences_[0] = difference;
}

void G722Predictor::update(int difference) {
  const int reconstructed = saturate(estimate_ + difference);
  const int partial = saturate(zero_estimate_ + difference);
  adapt_poles(partial);
  adapt_zeros(difference);
  reconstructed_ = {reconstructed, reconstructed_[0], reconstructed_[1]};
  const int now = saturate(reconstructed_[0] * 2);
  const int before = saturate(reconstructed_[1] * 2);
  const int pole_estimate = saturate((poles_[0] * now >> 15) + (poles_[1] * before >> 15));
  int sum = 0;
  for (std::size_t i = 0; i < zeros_.size(); ++i)
    sum += zeros_[i] * saturate(differences_[i] * 2) >> 15;
  zero_estimate_ = saturate(sum);
  estimate_ = saturate(pole_estimate + zero_estimate_);
}

int G722LowerBand::reconstruct(unsigned code) const {
  return clamp_sample(predictor_.estimate() + (step_ * kSixBitOutputs[code & 63] >> 15));
}

int G722LowerBand::decode(unsigned code) {
  const int sample = reconstruct(code);
  const unsigned upper = code >> 2 & 15;
  predictor_.update(step_ * kFourBitOutputs[upper] >> 15);
  log_step_ = next_log_step(log_step_, kLowerMultipliers[upper], kLowerLogLimit);
  step_ = step_of(log_step_, 8);
  return sample;
}

int G722HigherBand::reconstruct(unsigned code) const {
  return clamp_sample(predictor_.estimate() + (step_ * kTwoBitOutputs[code & 3] >> 15));
}

int G722HigherBand::decode(unsigned code) {
  const int sample = reconstruct(code);
  predictor_.update(step_ * kTwoBitOutputs[code & 3] >> 15);
  log_step_ = next_log_step(log_step_, kHigherMultipliers[code & 3], kHigherLogLimit);
  step_ = step_of(log_step_, 10);
  return sample;
}

}  // namespace alcove::audit
