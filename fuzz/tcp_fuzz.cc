// Segments of one direction in any order, against a model that writes them into an array: five
// bytes make one of them (position, length, and whether its bytes are others).

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstdlib>

#include "audit/tcp_stream.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
namespace {

using namespace alcove;

constexpr std::size_t kSpan = 8192;

void require(bool condition) {
  if (!condition) std::abort();
}

// The first byte that comes for a place stays; what comes out is what is there.
class Model final : public audit::TcpStream::Sink {
 public:
  void add(std::size_t begin, base::Bytes bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::size_t at = begin + i;
      if (at < end_ || known_[at]) continue;
      known_[at] = true;
      bytes_[at] = bytes[i];
    }
  }
  void handle_piece(const audit::StreamPiece& piece) override {
    require(piece.after_gap ? piece.offset > end_ : piece.offset == end_);
    require(!piece.bytes.empty() && piece.offset + piece.bytes.size() <= kSpan);
    for (std::size_t i = 0; i < piece.bytes.size(); ++i)
      require(known_[piece.offset + i] && bytes_[piece.offset + i] == piece.bytes[i]);
    end_ = piece.offset + piece.bytes.size();
  }
  // All that can be handed on has been.
  void check_ready() const { require(end_ == kSpan || !known_[end_]); }
  void check_all() const {
    for (std::size_t at = end_; at < kSpan; ++at) require(!known_[at]);
  }

 private:
  std::size_t end_ = 0;
  std::bitset<kSpan> known_;
  std::array<std::uint8_t, kSpan> bytes_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::ByteReader reader({data, size});
  const auto first = reader.read_u32();
  if (!first) return 0;
  audit::TcpStream::Totals totals;
  {
    audit::TcpStream stream(totals);
    Model model;
    audit::Packet packet;
    stream.begin(*first, model);
    std::uint64_t repeated = 0;
    while (const auto position = reader.read_u16()) {
      const std::size_t begin = *position % kSpan;
      const std::size_t length =
          std::min<std::size_t>(reader.read_u16().value_or(1) % 2048, kSpan - begin);
      const std::uint8_t other = reader.read_u8().value_or(0);
      base::Buffer bytes(length);
      for (std::size_t i = 0; i < length; ++i)
        bytes[i] = static_cast<std::uint8_t>((begin + i) * 31 + (other == 0 ? 0 : other));
      if (other != 0) ++repeated;
      model.add(begin, bytes);
      stream.add(*first + static_cast<std::uint32_t>(begin), bytes,
                 static_cast<std::uint32_t>(length), packet, model);
      model.check_ready();
      require(totals.waiting <= audit::TcpStream::kMaxWaiting);
      require(repeated != 0 || totals.different == 0);
    }
    stream.flush(model);
    model.check_all();
  }
  require(totals.waiting == 0);
  return 0;
}
