// HTTP and WebSocket frames in pieces of any size, and STUN's attributes: the pieces must not
// change what is read.

#include <cstdlib>
#include <string>
#include <vector>

#include "audit/http_text.h"
#include "audit/stun_attributes.h"

namespace {

using namespace alcove;

std::vector<std::string> heads_of(base::Bytes bytes, std::size_t step) {
  std::vector<std::string> heads;
  audit::HttpReader reader;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const base::Bytes piece = bytes.subspan(at, std::min(step, bytes.size() - at));
    const std::size_t used = reader.feed(piece, [&](const audit::HttpHead& head) {
      if (head.host.size() > 255 || head.target.size() > 512) std::abort();
      heads.push_back(head.method + head.host + std::to_string(head.status));
    });
    if (used > piece.size()) std::abort();
    if (used < piece.size()) break;  // a WebSocket follows
  }
  return heads;
}

base::Buffer unmasked(base::Bytes bytes, std::size_t step) {
  base::Buffer result;
  audit::WebSocketReader reader;
  for (std::size_t at = 0; at < bytes.size(); at += step)
    reader.feed(bytes.subspan(at, std::min(step, bytes.size() - at)), [&](base::Bytes payload) {
      result.insert(result.end(), payload.begin(), payload.end());
    });
  return result;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes bytes(data, size);
  if (bytes.empty()) return 0;
  const std::size_t step = 1 + bytes[0] % 7;
  heads_of(bytes, step);
  heads_of(bytes, bytes.size());
  if (unmasked(bytes, step) != unmasked(bytes, bytes.size())) std::abort();
  audit::read_stun_attributes(bytes);
  return 0;
}
