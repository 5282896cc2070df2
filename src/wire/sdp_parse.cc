#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "base/text.h"
#include "wire/sdp_text.h"

namespace alcove::wire {
namespace {

// What is wrong with a line, for its sender; null when nothing is.
using Problem = const char*;
constexpr Problem kFine = nullptr;

constexpr std::size_t kMaxIceOptions = 8;

// What may be said at session level for all m-lines, or on one of them.
struct Shared {
  std::optional<std::string> ufrag;
  std::optional<std::string> pwd;
  std::optional<SdpFingerprint> fingerprint;
  std::optional<SdpSetup> setup;
  std::optional<SdpDirection> direction;
};

template <typename Range, typename Value, typename Projection = std::identity>
bool contains(const Range& range, const Value& value, Projection projection = {}) {
  return std::ranges::find(range, value, projection) != range.end();
}

class SdpParser {
 public:
  std::expected<SdpDescription, SdpError> parse(std::string_view text);

 private:
  using Handler = Problem (SdpParser::*)(std::string_view value);
  enum class Level : std::uint8_t { kMedia, kBoth };
  struct Attribute {
    std::string_view name;
    Level level;
    Handler handler;
  };
  static const std::array<Attribute, 21> kAttributes;

  Problem parse_line(std::string_view line);
  Problem parse_origin(std::string_view value);
  Problem parse_connection(std::string_view value);
  Problem parse_media(std::string_view value);
  Problem parse_formats(std::string_view value, SdpMedia& media);
  Problem parse_attribute(std::string_view value);

  Problem handle_group(std::string_view value);
  Problem handle_ice_lite(std::string_view value);
  Problem handle_ice_options(std::string_view value);
  Problem handle_ufrag(std::string_view value);
  Problem handle_pwd(std::string_view value);
  Problem handle_fingerprint(std::string_view value);
  Problem handle_setup(std::string_view value);
  Problem handle_mid(std::string_view value);
  Problem handle_rtpmap(std::string_view value);
  Problem handle_fmtp(std::string_view value);
  Problem handle_rtcp_fb(std::string_view value);
  Problem handle_ssrc(std::string_view value);
  Problem handle_rtcp(std::string_view value);
  Problem handle_rtcp_mux(std::string_view value);
  Problem handle_bundle_only(std::string_view value);
  Problem handle_candidate(std::string_view value);
  Problem handle_end_of_candidates(std::string_view value);
  template <SdpDirection kDirection>
  Problem handle_direction(std::string_view value);

  SdpMedia& media() { return description_.media.back(); }
  SdpCodec* find_codec(std::string_view payload_type);
  void note_address() {
    if (description_.address_line == 0) description_.address_line = line_number_;
  }
  Problem finish();

  SdpDescription description_;
  std::vector<Shared> shared_ = {Shared{}};  // of the session, then of each m-line
  std::size_t line_number_ = 0;
  bool has_origin_ = false;
};

// Attributes that are not here mean nothing to us and are skipped.
const std::array<SdpParser::Attribute, 21> SdpParser::kAttributes = {{
    {"group", Level::kBoth, &SdpParser::handle_group},
    {"ice-lite", Level::kBoth, &SdpParser::handle_ice_lite},
    {"ice-options", Level::kBoth, &SdpParser::handle_ice_options},
    {"ice-ufrag", Level::kBoth, &SdpParser::handle_ufrag},
    {"ice-pwd", Level::kBoth, &SdpParser::handle_pwd},
    {"fingerprint", Level::kBoth, &SdpParser::handle_fingerprint},
    {"setup", Level::kBoth, &SdpParser::handle_setup},
    {"sendrecv", Level::kBoth, &SdpParser::handle_direction<SdpDirection::kSendRecv>},
    {"sendonly", Level::kBoth, &SdpParser::handle_direction<SdpDirection::kSendOnly>},
    {"recvonly", Level::kBoth, &SdpParser::handle_direction<SdpDirection::kRecvOnly>},
    {"inactive", Level::kBoth, &SdpParser::handle_direction<SdpDirection::kInactive>},
    {"mid", Level::kMedia, &SdpParser::handle_mid},
    {"rtpmap", Level::kMedia, &SdpParser::handle_rtpmap},
    {"fmtp", Level::kMedia, &SdpParser::handle_fmtp},
    {"rtcp-fb", Level::kMedia, &SdpParser::handle_rtcp_fb},
    {"ssrc", Level::kMedia, &SdpParser::handle_ssrc},
    {"rtcp", Level::kMedia, &SdpParser::handle_rtcp},
    {"rtcp-mux", Level::kMedia, &SdpParser::handle_rtcp_mux},
    {"bundle-only", Level::kMedia, &SdpParser::handle_bundle_only},
    {"candidate", Level::kBoth, &SdpParser::handle_candidate},
    {"end-of-candidates", Level::kBoth, &SdpParser::handle_end_of_candidates},
}};

std::expected<SdpDescription, SdpError> SdpParser::parse(std::string_view text) {
  if (text.size() > kMaxSdpSize) return std::unexpected(SdpError{0, "more than 64 KiB"});
  while (!text.empty()) {
    ++line_number_;
    std::string_view line = take_until(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (const Problem problem = parse_line(line); problem != kFine)
      return std::unexpected(SdpError{line_number_, problem});
  }
  if (const Problem problem = finish(); problem != kFine)
    return std::unexpected(SdpError{0, problem});
  return std::move(description_);
}

Problem SdpParser::parse_line(std::string_view line) {
  if (line.size() > kMaxSdpLine) return "a line of more than 1024 characters";
  if (line.size() < 2 || line[1] != '=') return "a line that is not type=value";
  const bool has_control = std::ranges::any_of(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; });
  if (has_control || !base::is_utf8(line)) return "characters that are not text";
  const std::string_view value = line.substr(2);
  if (line_number_ == 1) return line == "v=0" ? kFine : "the first line must be v=0";
  switch (line[0]) {
    case 'o':
      return parse_origin(value);
    case 'c':
      return parse_connection(value);
    case 'm':
      return parse_media(value);
    case 'a':
      return parse_attribute(value);
    case 'v':
      return "v= a second time";
    default:
      // The other types of RFC 8866, section 5, say nothing that is needed.
      return std::string_view("siuepbtrzk").find(line[0]) == std::string_view::npos
                 ? "a line of an unknown type"
                 : kFine;
  }
}

Problem SdpParser::parse_origin(std::string_view value) {
  if (has_origin_) return "o= a second time";
  has_origin_ = true;
  const std::string_view username = take_until(value, ' ');
  const auto id = parse_decimal<std::uint64_t>(take_until(value, ' '));
  const auto version = parse_decimal<std::uint64_t>(take_until(value, ' '));
  if (username.empty() || !id || !version) return "o= needs a name and two numbers";
  description_.session_id = *id;
  description_.session_version = *version;
  if (!is_placeholder_address(value)) note_address();
  return kFine;
}

Problem SdpParser::parse_connection(std::string_view value) {
  if (!is_placeholder_address(value)) note_address();
  return kFine;
}

Problem SdpParser::parse_media(std::string_view value) {
  if (description_.media.size() == kMaxSdpMedia) return "more than 16 m= lines";
  SdpMedia media;
  media.line = line_number_;
  media.media = take_until(value, ' ');
  media.kind = to_media_kind(media.media);
  const auto port = parse_decimal<std::uint16_t>(take_until(value, ' '));
  media.protocol = take_until(value, ' ');
  if (!is_sdp_token(media.media)) return "m= without a kind";
  if (!port) return "m= without a port from 0 to 65535";
  media.port = *port;
  if (const Problem problem = parse_formats(value, media); problem != kFine) return problem;
  description_.media.push_back(std::move(media));
  shared_.emplace_back();
  return kFine;
}

Problem SdpParser::parse_formats(std::string_view value, SdpMedia& media) {
  std::string_view parts = media.protocol;
  bool is_rtp = false;
  do {
    const std::string_view part = take_until(parts, '/');
    if (!is_sdp_token(part)) return "m= without a protocol";
    is_rtp = is_rtp || part == "RTP";
  } while (!parts.empty());
  if (media.protocol.ends_with('/')) return "m= without a protocol";

  while (!value.empty()) {
    const std::string_view format = take_until(value, ' ');
    if (!is_sdp_token(format)) return "m= with a malformed format";
    if (media.formats.size() == kMaxSdpPayloadTypes) return "m= with more than 64 formats";
    media.formats.emplace_back(format);
    if (!is_rtp) continue;
    const auto payload_type = parse_decimal<std::uint8_t>(format);
    if (!payload_type || *payload_type > 127) return "m= with a payload type above 127";
    if (contains(media.codecs, *payload_type, &SdpCodec::payload_type))
      return "m= with a payload type twice";
    media.codecs.emplace_back().payload_type = *payload_type;
  }
  return media.formats.empty() ? "m= without a format" : kFine;
}

Problem SdpParser::parse_attribute(std::string_view value) {
  const std::string_view name = take_until(value, ':');
  if (!is_sdp_token(name)) return "a= without a name";
  const auto attribute = std::ranges::find(kAttributes, name, &Attribute::name);
  if (attribute == kAttributes.end()) return kFine;
  if (attribute->level == Level::kMedia && description_.media.empty()) return kFine;
  return (this->*attribute->handler)(value);
}

Problem SdpParser::handle_group(std::string_view value) {
  if (take_until(value, ' ') != "BUNDLE" || !description_.media.empty()) return kFine;
  if (!description_.bundle.empty()) return kFine;  // a second group would be a second transport
  while (!value.empty()) {
    const std::string_view mid = take_until(value, ' ');
    if (!is_sdp_token(mid)) return "a=group with a malformed mid";
    if (description_.bundle.size() == kMaxSdpMedia) return "a=group with more than 16 mids";
    if (contains(description_.bundle, mid)) return "a=group with a mid twice";
    description_.bundle.emplace_back(mid);
  }
  return kFine;
}

Problem SdpParser::handle_ice_lite(std::string_view) {
  description_.ice_lite = true;
  return kFine;
}

Problem SdpParser::handle_ice_options(std::string_view value) {
  while (!value.empty()) {
    const std::string_view option = take_until(value, ' ');
    if (contains(description_.ice_options, option)) continue;
    if (description_.ice_options.size() == kMaxIceOptions) return "more than 8 a=ice-options";
    description_.ice_options.emplace_back(option);
  }
  return kFine;
}

Problem SdpParser::handle_ufrag(std::string_view value) {
  if (!is_ice_text(value, 4, 256)) return "a=ice-ufrag is not 4 to 256 letters, digits, + or /";
  if (shared_.back().ufrag) return "a=ice-ufrag a second time";
  shared_.back().ufrag = value;
  return kFine;
}

Problem SdpParser::handle_pwd(std::string_view value) {
  if (!is_ice_text(value, 22, 256)) return "a=ice-pwd is not 22 to 256 letters, digits, + or /";
  if (shared_.back().pwd) return "a=ice-pwd a second time";
  shared_.back().pwd = value;
  return kFine;
}

Problem SdpParser::handle_fingerprint(std::string_view value) {
  auto fingerprint = parse_fingerprint(value);
  if (!fingerprint) return "a=fingerprint is not an algorithm and bytes in hexadecimal";
  auto& known = shared_.back().fingerprint;
  if (!known || known->algorithm != "sha-256") known = std::move(fingerprint);
  return kFine;
}

Problem SdpParser::handle_setup(std::string_view value) {
  if (shared_.back().setup) return "a=setup a second time";
  shared_.back().setup = parse_setup(value);
  if (!shared_.back().setup) return "a=setup is not actpass, active or passive";
  return kFine;
}

template <SdpDirection kDirection>
Problem SdpParser::handle_direction(std::string_view) {
  if (shared_.back().direction) return "a direction a second time";
  shared_.back().direction = kDirection;
  return kFine;
}

Problem SdpParser::handle_mid(std::string_view value) {
  if (!is_sdp_token(value)) return "a=mid is not a token";
  if (!media().mid.empty()) return "a=mid a second time";
  if (contains(description_.media, value, &SdpMedia::mid)) return "a=mid of an earlier m= line";
  media().mid = value;
  return kFine;
}

SdpCodec* SdpParser::find_codec(std::string_view payload_type) {
  const auto number = parse_decimal<std::uint8_t>(payload_type);
  if (!number) return nullptr;
  const auto codec = std::ranges::find(media().codecs, *number, &SdpCodec::payload_type);
  return codec == media().codecs.end() ? nullptr : &*codec;
}

Problem SdpParser::handle_rtpmap(std::string_view value) {
  SdpCodec* codec = find_codec(take_until(value, ' '));
  const std::string_view name = take_until(value, '/');
  const auto clock_rate = parse_decimal<std::uint32_t>(take_until(value, '/'));
  const auto channels =
      value.empty() ? std::optional<std::uint8_t>(1) : parse_decimal<std::uint8_t>(value);
  if (!is_sdp_token(name) || !clock_rate || !channels)
    return "a=rtpmap is not a payload type and name/rate/channels";
  if (codec == nullptr) return kFine;  // of a payload type that the m-line does not offer
  codec->name = name;
  codec->clock_rate = *clock_rate;
  codec->channels = *channels;
  return kFine;
}

Problem SdpParser::handle_fmtp(std::string_view value) {
  if (SdpCodec* codec = find_codec(take_until(value, ' '))) codec->parameters = value;
  return kFine;
}

Problem SdpParser::handle_rtcp_fb(std::string_view value) {
  const std::string_view target = take_until(value, ' ');
  for (SdpCodec& codec : media().codecs) {
    if (target != "*" && &codec != find_codec(target)) continue;
    if (codec.feedback.size() == kMaxSdpFeedback) return "more than 16 a=rtcp-fb of a payload type";
    codec.feedback.emplace_back(value);
  }
  return kFine;
}

Problem SdpParser::handle_ssrc(std::string_view value) {
  const auto ssrc = parse_decimal<std::uint32_t>(take_until(value, ' '));
  if (!ssrc) return "a=ssrc without a number";
  auto source = std::ranges::find(media().sources, *ssrc, &SdpSource::ssrc);
  if (source == media().sources.end()) {
    if (media().sources.size() == kMaxSdpSources) return "more than 16 a=ssrc of an m= line";
    source = media().sources.insert(source, {.ssrc = *ssrc, .cname = {}});
  }
  if (take_until(value, ':') == "cname") source->cname = value;
  return kFine;
}

Problem SdpParser::handle_rtcp(std::string_view value) {
  take_until(value, ' ');
  if (!value.empty() && !is_placeholder_address(value)) note_address();
  return kFine;
}

Problem SdpParser::handle_rtcp_mux(std::string_view) {
  media().rtcp_mux = true;
  return kFine;
}

Problem SdpParser::handle_bundle_only(std::string_view) {
  media().bundle_only = true;
  return kFine;
}

Problem SdpParser::handle_candidate(std::string_view value) {
  const auto candidate = parse_candidate(value);
  if (!candidate) return "a=candidate is malformed";
  note_address();
  if (!*candidate || description_.media.empty()) return kFine;
  if (media().candidates.size() == kMaxSdpCandidates)
    return "more than 64 a=candidate of an m= line";
  media().candidates.push_back(**candidate);
  return kFine;
}

Problem SdpParser::handle_end_of_candidates(std::string_view) {
  if (!description_.media.empty()) media().end_of_candidates = true;
  return kFine;
}

Problem SdpParser::finish() {
  if (!has_origin_) return "no o= line";
  const Shared& session = shared_.front();
  for (std::size_t i = 0; i < description_.media.size(); ++i) {
    SdpMedia& media = description_.media[i];
    Shared& own = shared_[i + 1];
    if (!own.ufrag && !own.pwd) {
      own.ufrag = session.ufrag;
      own.pwd = session.pwd;
    }
    if (own.ufrag.has_value() != own.pwd.has_value())
      return "a=ice-ufrag and a=ice-pwd must come together";
    if (own.ufrag) media.ice = IceCredentials{std::move(*own.ufrag), std::move(*own.pwd)};
    media.fingerprint = own.fingerprint ? own.fingerprint : session.fingerprint;
    media.setup = own.setup ? own.setup : session.setup;
    media.direction = own.direction.value_or(session.direction.value_or(SdpDirection::kSendRecv));
  }
  return kFine;
}

}  // namespace

std::expected<SdpDescription, SdpError> parse_sdp(std::string_view text) {
  return SdpParser().parse(text);
}

}  // namespace alcove::wire
