#include "audit/key_log.h"

#include <algorithm>
#include <utility>

namespace alcove::audit {
namespace {

constexpr std::size_t kMaxLine = 512;

std::optional<SecretLabel> label_of(std::string_view text) {
  using enum SecretLabel;
  static constexpr auto kLabels = std::to_array<std::pair<std::string_view, SecretLabel>>({
      {"CLIENT_RANDOM", kMasterSecret},
      {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", kClientHandshake},
      {"SERVER_HANDSHAKE_TRAFFIC_SECRET", kServerHandshake},
      {"CLIENT_TRAFFIC_SECRET_0", kClientTraffic},
      {"SERVER_TRAFFIC_SECRET_0", kServerTraffic},
      {"EXPORTER_SECRET", kExporter},
  });
  const auto found =
      std::ranges::find(kLabels, text, &std::pair<std::string_view, SecretLabel>::first);
  if (found == kLabels.end()) return std::nullopt;
  return found->second;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The number of bytes, or nullopt when it is not hexadecimal or does not fit.
std::optional<std::size_t> decode_hex(std::string_view text, base::MutableBytes out) {
  if (text.size() % 2 != 0 || text.size() / 2 > out.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size() / 2; ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return text.size() / 2;
}

// The next word of the line, which loses it.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

void KeyLog::add(std::string_view text) {
  const std::size_t before = secrets_.size();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    add_line(line);
  }
  if (secrets_.size() != before) ++version_;
}

void KeyLog::add_line(std::string_view line) {
  if (line.starts_with('#')) return;
  const bool long_line = line.size() > kMaxLine;
  const std::string_view label_text = take_word(line);
  if (label_text.empty()) return;
  const std::string_view random_text = take_word(line);
  const std::string_view secret_text = take_word(line);
  Random random;
  Secret secret;
  const auto random_size = decode_hex(random_text, random);
  const auto secret_size = decode_hex(secret_text, secret.bytes);
  if (long_line || random_size != random.size() || !secret_size || *secret_size == 0 ||
      !take_word(line).empty()) {
    ++bad_lines_;
    return;
  }
  const std::optional<SecretLabel> label = label_of(label_text);
  if (!label) return;
  if (*label == SecretLabel::kMasterSecret && *secret_size != 48) {
    ++bad_lines_;
    return;
  }
  secret.size = static_cast<std::uint8_t>(*secret_size);
  const std::pair key(random, *label);
  if (secrets_.size() >= kMaxLines && !secrets_.contains(key)) {
    ++left_out_;
    return;
  }
  secrets_.insert_or_assign(key, secret);
}

std::optional<base::Bytes> KeyLog::find(const Random& client_random, SecretLabel label) const {
  const auto found = secrets_.find({client_random, label});
  if (found == secrets_.end()) return std::nullopt;
  return base::Bytes(found->second.bytes).first(found->second.size);
}

bool KeyLog::knows(const Random& client_random) const {
  const auto found = secrets_.lower_bound({client_random, SecretLabel::kMasterSecret});
  return found != secrets_.end() && found->first.first == client_random;
}

}  // namespace alcove::audit
