#include "audit/http_text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace alcove::audit {
namespace {

constexpr std::size_t kMaxMethod = 16;
constexpr std::size_t kMaxTarget = 512;
constexpr std::size_t kMaxHost = 255;
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr auto kMethods = std::to_array<std::string_view>(
    {"GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE "});
constexpr std::string_view kVersion = "HTTP/1.";

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool equal_name(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) { return to_lower(x) == y; });
}
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}
std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), to_lower);
  return result;
}

std::string host_of(std::string_view value) {
  if (value.starts_with('[')) {  // a literal of IPv6
    const std::size_t end = value.find(']');
    value = end == std::string_view::npos ? value : value.substr(1, end - 1);
  } else {
    value = value.substr(0, value.rfind(':'));
  }
  const bool plain = std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7f; });
  return plain && value.size() <= kMaxHost ? lower(value) : std::string();
}

bool read_first_line(std::string_view line, HttpHead& head) {
  if (line.starts_with(kVersion)) {
    if (line.size() < 12) return false;
    const auto [end, error] = std::from_chars(line.data() + 9, line.data() + 12, head.status);
    return error == std::errc() && end == line.data() + 12;
  }
  const std::size_t method = line.find(' ');
  const std::size_t target = line.rfind(' ');
  if (method == std::string_view::npos || method > kMaxMethod || target <= method) return false;
  if (!line.substr(target + 1).starts_with(kVersion)) return false;
  head.request = true;
  head.method = line.substr(0, method);
  head.target = line.substr(method + 1, std::min(target - method - 1, kMaxTarget));
  return true;
}

void read_header(std::string_view line, HttpHead& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (equal_name(name, "host")) {
    head.host = host_of(value);
  } else if (equal_name(name, "content-length")) {
    std::from_chars(value.data(), value.data() + value.size(), head.content_length);
  } else if (equal_name(name, "transfer-encoding")) {
    head.chunked = lower(value).contains("chunked");
  } else if (equal_name(name, "upgrade")) {
    head.websocket = lower(value).contains("websocket");
  }
}

}  // namespace

bool starts_like_http(base::Bytes bytes) {
  const std::string_view text = base::as_text(bytes);
  const auto agrees = [text](std::string_view start) {
    const std::size_t size = std::min(text.size(), start.size());
    return size > 0 && text.substr(0, size) == start.substr(0, size);
  };
  return agrees(kVersion) || std::ranges::any_of(kMethods, agrees);
}

std::optional<HttpHead> parse_http_head(std::string_view text) {
  HttpHead head;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (first && !read_first_line(line, head)) return std::nullopt;
    if (!first) read_header(line, head);
    first = false;
  }
  if (first) return std::nullopt;
  // An answer that refuses the upgrade does not change the protocol.
  if (!head.request && head.status != 101) head.websocket = false;
  return head;
}

std::size_t HttpReader::step(base::Bytes bytes) {
  if (skip_ > 0) {
    const std::size_t passed = std::min<std::uint64_t>(skip_, bytes.size());
    skip_ -= passed;
    return passed;
  }
  if (searching_) return search(bytes);
  if (head_.empty() && !starts_like_http(bytes)) {
    searching_ = true;
    return search(bytes);
  }
  // Up to behind the empty line, which may have begun in the bytes before.
  const std::string_view text = base::as_text(bytes);
  const std::size_t overlap = std::min<std::size_t>(head_.size(), kHeadEnd.size() - 1);
  const std::string seam =
      head_.substr(head_.size() - overlap) + std::string(text.substr(0, kHeadEnd.size() - 1));
  std::size_t end = std::string_view::npos;
  if (const std::size_t at = seam.find(kHeadEnd); at != std::string::npos && at < overlap)
    end = at + kHeadEnd.size() - overlap;
  else if (const std::size_t later = text.find(kHeadEnd); later != std::string_view::npos)
    end = later + kHeadEnd.size();
  const std::size_t taken = std::min(end, text.size());
  if (head_.size() + taken > kMaxHttpHead) {
    head_.clear();
    broken_ = true;
    return taken;
  }
  head_.append(text.substr(0, taken));
  if (end != std::string_view::npos) take_head();
  return taken;
}

// To the next line that begins like HTTP.
std::size_t HttpReader::search(base::Bytes bytes) {
  const std::string_view text = base::as_text(bytes);
  for (std::size_t at = 0; at < text.size();) {
    // Whole beginnings only: a letter at the end of a piece would hold back the rest of a body.
    if (bytes.size() - at >= kVersion.size() && starts_like_http(bytes.subspan(at))) {
      searching_ = false;
      return at;
    }
    const std::size_t line = text.find('\n', at);
    if (line == std::string_view::npos) break;
    at = line + 1;
  }
  return bytes.size();
}

void HttpReader::take_head() {
  const auto head = parse_http_head(head_);
  head_.clear();
  if (!head) {
    searching_ = true;
    return;
  }
  found_ = *head;
  ready_ = true;
  const bool empty =
      !found_.request && (found_.status < 200 || found_.status == 204 || found_.status == 304);
  const bool to_the_end = !found_.request && found_.content_length == 0;
  if (empty || found_.websocket) return;
  if (found_.chunked || to_the_end)
    searching_ = true;
  else
    skip_ = found_.content_length;
}

base::Bytes WebSocketReader::step(base::Bytes bytes, std::size_t& used) {
  if (remaining_ == 0) {
    header_.push_back(bytes[used++]);
    if (!read_header()) return {};
    header_.clear();
    place_ = 0;
    return {};
  }
  const std::size_t size = std::min<std::uint64_t>(remaining_, bytes.size() - used);
  const base::Bytes part = bytes.subspan(used, size);
  used += size;
  remaining_ -= size;
  unmasked_.assign(part.begin(), part.end());
  if (masked_)
    for (std::size_t i = 0; i < size; ++i) unmasked_[i] ^= mask_[(place_ + i) % mask_.size()];
  place_ += size;
  return compressed_ ? base::Bytes{} : base::Bytes(unmasked_);
}

// Whether the header is whole.
bool WebSocketReader::read_header() {
  if (header_.size() < 2) return false;
  const std::uint8_t short_length = header_[1] & 0x7f;
  masked_ = (header_[1] & 0x80) != 0;
  const std::size_t length_size = short_length == 127 ? 8 : short_length == 126 ? 2 : 0;
  const std::size_t size = 2 + length_size + (masked_ ? mask_.size() : 0);
  // RSV2, RSV3 and the opcodes that nobody uses: not a WebSocket any more.
  const std::uint8_t opcode = header_[0] & 0x0f;
  if ((header_[0] & 0x30) != 0 || (opcode > 2 && opcode < 8) || opcode > 10) {
    broken_ = true;
    return false;
  }
  if (header_.size() < size) return false;
  if (opcode != 0) compressed_ = (header_[0] & 0x40) != 0;
  remaining_ = short_length;
  if (length_size != 0) {
    remaining_ = 0;
    for (std::size_t i = 0; i < length_size; ++i) remaining_ = remaining_ << 8 | header_[2 + i];
  }
  if (masked_)
    std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(2 + length_size), mask_.size(),
                mask_.begin());
  return true;
}

}  // namespace alcove::audit
