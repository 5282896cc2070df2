#pragma once
// The decoders of ITU-T G.722's two sub-bands at 64 kbit/s. The lower one gives 0 to 4 kHz at 8,000
// samples a second, which is what recognising speech needs: putting the two bands together (its
// section 4.4) is left out. A byte has the lower band's code in its low six bits and the higher
// band's in the two above. One thread an object; no failure: every byte is a code.

#include <array>
#include <cstdint>

namespace alcove::audit {

// Section 3.5 and 3.6: the pole and zero predictor that encoder and decoder share.
class G722Predictor {
 public:
  int estimate() const { return estimate_; }
  // The quantized difference of this sample; makes the estimate for the next one.
  void update(int difference);

 private:
  void adapt_poles(int partial);
  void adapt_zeros(int difference);

  std::array<int, 3> partial_{};  // this sample's and the two before: difference + zeros
  std::array<int, 3> reconstructed_{};
  std::array<int, 2> poles_{};
  std::array<int, 6> zeros_{};
  std::array<int, 6> differences_{};
  int zero_estimate_ = 0;
  int estimate_ = 0;
};

class G722LowerBand {
 public:
  int estimate() const { return predictor_.estimate(); }
  // What decode(code) would give, without changing anything: for an encoder.
  int reconstruct(unsigned code) const;
  int decode(unsigned code);  // 6 bits; 15 bits of sample

 private:
  G722Predictor predictor_;
  int log_step_ = 0;
  int step_ = 32;
};

class G722HigherBand {
 public:
  int reconstruct(unsigned code) const;
  int decode(unsigned code);  // 2 bits

 private:
  G722Predictor predictor_;
  int log_step_ = 0;
  int step_ = 8;
};

}  // namespace alcove::audit
