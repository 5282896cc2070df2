#include "audit/content_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "audit/content_inspector.h"
#include "audit/endpoint_text.h"
#include "audit/vendor_protocols.h"

namespace alcove::audit {
namespace {

constexpr std::size_t kMaxCrypto = 256;

std::string_view text_of(base::Bytes bytes, Span span) {
  return base::as_text(bytes).substr(span.begin, span.size());
}

// RFC 6455, section 1.3: the same in every handshake.
constexpr std::string_view kWebSocketConstant = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// Hashes of resources that pages and headers carry, and versions of them (RFC 9110, 8.8.3).
bool is_public_hash(base::Bytes bytes, Span run) {
  const std::string_view token = text_of(bytes, run);
  for (const std::string_view start : {"sha256-", "sha384-", "sha512-"})
    if (token.starts_with(start)) return true;
  const std::size_t before = std::min<std::size_t>(run.begin, 10);
  const std::string_view ahead = base::as_text(bytes).substr(run.begin - before, before);
  return ahead.ends_with("ETag: \"") || ahead.ends_with("etag: \"") || ahead.ends_with("W/\"") ||
         token == kWebSocketConstant;
}

}  // namespace

void ContentInspector::judge_rule(Text& text, std::size_t at, std::size_t length,
                                  ContentRule rule) {
  switch (rule) {
    case ContentRule::kField:
      return judge_field(text, at);
    case ContentRule::kDevice:
      return judge_device(text, at);
    case ContentRule::kAuthorization:
    case ContentRule::kBearer:
    case ContentRule::kCookie:
      return judge_header(text, at, length, rule);
    case ContentRule::kDescription:
      if (cannot_be_chance(text.bytes, at, length))
        tell(text, FindingCode::kCleartextSdp, place_of(text), at,
             make_excerpt(text.bytes, at, 40));
      return;
    case ContentRule::kCrypto:
      return judge_crypto(text, at);
    case ContentRule::kAddress:
      return judge_address(text, at);
    case ContentRule::kVendorMessage:
      if (const auto message = vendor_message(text.bytes, at))
        tell(text, FindingCode::kVendorProtocol, endpoint_text(text.flow), at, *message);
      return;
  }
}

void ContentInspector::judge_field(Text& text, std::size_t at) {
  if (at < text.field_end) return;
  const auto field = find_field(text.bytes, at);
  if (!field || !cannot_be_chance(text.bytes, field->name.begin, kMinIdentifier)) return;
  text.field_end = field->value.begin;
  const std::string_view name = text_of(text.bytes, field->name);
  const std::string_view value = text_of(text.bytes, field->value);
  // A token of a known kind is told as such.
  if (field->secret && recognize_token(text.bytes, field->value).kind != TokenKind::kNone) return;
  tell(text, field->secret ? FindingCode::kToken : FindingCode::kIdentifierField, name,
       field->name.begin, fmt::format("{}: {}", name, cut_secret(value)));
}

void ContentInspector::judge_device(Text& text, std::size_t at) {
  if (at < text.device_end) return;
  const auto device = find_device(text.bytes, at);
  if (!device || !cannot_be_chance(text.bytes, device->begin, device->size())) return;
  text.device_end = device->end;
  const std::string_view name = text_of(text.bytes, *device);
  tell(text, FindingCode::kDeviceString, name, device->begin, name);
}

void ContentInspector::judge_header(Text& text, std::size_t at, std::size_t length,
                                    ContentRule rule) {
  const auto value = header_value(text.bytes, at + length);
  if (!value) return;
  std::string_view what = "Cookie";
  std::string_view secret = text_of(text.bytes, *value);
  if (rule == ContentRule::kBearer) {
    what = "Bearer";
    // "Authorization: Bearer" is told by the header already.
    constexpr std::size_t kHeader = 15;
    const std::size_t before = std::min(at, kHeader);
    if (base::as_text(text.bytes).substr(at - before, before).ends_with("uthorization: ")) return;
    secret = secret.substr(0, secret.find(' '));
    if (secret.size() < kMinToken) return;
  } else if (rule == ContentRule::kAuthorization) {
    // Only a scheme that is known is not a secret itself.
    what = secret.substr(0, secret.find(' '));
    constexpr std::array<std::string_view, 6> kSchemes = {"Basic", "Bearer",    "Digest",
                                                          "Token", "Negotiate", "ApiKey"};
    if (std::ranges::find(kSchemes, what) == kSchemes.end() || what.size() == secret.size())
      what = "Authorization";
    else
      secret.remove_prefix(what.size() + 1);
  }
  const std::string subject = fmt::format("{} at {}", what, place_of(text));
  tell(text, FindingCode::kToken, subject, at, fmt::format("{} {}", what, cut_secret(secret)));
}

void ContentInspector::judge_crypto(Text& text, std::size_t at) {
  constexpr std::string_view kInline = "inline:";
  const std::string_view line = base::as_text(text.bytes).substr(at, kMaxCrypto);
  const std::size_t key = line.find(kInline);
  if (key == std::string_view::npos) return;
  const std::string_view value = line.substr(key + kInline.size());
  tell(text, FindingCode::kSrtpKeyInClear, place_of(text), at,
       fmt::format("{}{}", make_excerpt(base::as_bytes(line), 0, key + kInline.size()),
                   cut_secret(value.substr(0, value.find_first_of(" \r\n\\\"|")))));
}

void ContentInspector::judge_address(Text& text, std::size_t at) {
  if (!text.state.global) return;
  const auto span = find_address(text.bytes, at);
  if (!span) return;
  const std::string_view name = text_of(text.bytes, *span);
  const auto address = base::IpAddress::parse(name);
  if (!address || !private_addresses_.contains(*address)) return;
  if (!cannot_be_chance(text.bytes, span->begin, span->size())) return;
  tell(text, FindingCode::kPrivateAddress, name, span->begin,
       make_excerpt(text.bytes, span->begin - std::min<std::size_t>(span->begin, 16), 48));
}

void ContentInspector::judge_token(Text& text, Span run) {
  const Token token = recognize_token(text.bytes, run);
  if (token.kind != TokenKind::kNone) {
    const std::string cut = cut_secret(text_of(text.bytes, token.span));
    tell(text, FindingCode::kToken, fmt::format("{} {}", token_kind_name(token.kind), cut),
         token.span.begin, cut);
  }
  const std::string_view characters = text_of(text.bytes, run);
  const bool audio =
      text.flow.application == Application::kRtp || text.flow.application == Application::kSrtp;
  if (audio || run.size() > kMaxToken || !looks_random(characters) ||
      is_public_hash(text.bytes, run))
    return;
  const StreamTail::Origin origin =
      text.tail != nullptr ? text.tail->origin(run.begin) : text.packet;
  const auto repetition = repeated_.add(characters, {text.flow.id, origin.number, origin.time,
                                                     text.direction == Direction::kForward});
  if (!repetition) return;
  const std::string cut = cut_secret(characters);
  if (repetition->is_new)
    findings_.add(
        FindingCode::kRepeatedToken, cut,
        Evidence{repetition->first.packet, repetition->first.time, repetition->first.flow, cut});
  tell(text, FindingCode::kRepeatedToken, cut, run.begin, cut);
}

void ContentInspector::judge_vendor(Text& text) {
  if (!is_vendor_list(text.bytes)) return;
  tell(text, FindingCode::kVendorProtocol, endpoint_text(text.flow), 0,
       make_excerpt(text.bytes, 0, 64));
}

}  // namespace alcove::audit
