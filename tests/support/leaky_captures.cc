#include "support/leaky_captures.h"

#include <fmt/format.h>
#include <opus/opus.h>

#include <array>
#include <memory>
#include <random>

#include "support/recorded_speech.h"

namespace alcove::test {
namespace {

using audit::FindingCode;

constexpr std::uint64_t kTwentyMs = 20'000'000;
constexpr std::string_view kUserId = "4000123457";
constexpr std::string_view kRoomId = "mWvXQ9ab";
constexpr std::string_view kUuid = "8f14e45f-ceea-467f-a3b0-1c2d9e5f7a61";
constexpr std::string_view kDevice = "iPhone/iPhone9,3/iOS/14.2";
constexpr std::string_view kToken =
    "0061f8ac04be9d24c5fb7a90c3e9d1e62a7IABx0nU5bMp2Qm8c1rT0Wq6zvYkz5uY3sYl7V0oQe3G1CMhOQbcAAAAAEAB"
    "u"
    "7c9xV0RoYAEAAQBXRGhg";

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  base::Buffer bytes(std::size_t count) {
    base::Buffer result(count);
    for (std::uint8_t& byte : result) byte = static_cast<std::uint8_t>(engine_());
    return result;
  }
  std::string letters(std::size_t count) {
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string result;
    while (result.size() < count) result += kAlphabet[engine_() % kAlphabet.size()];
    return result;
  }
  std::uint32_t number() { return static_cast<std::uint32_t>(engine_()); }

 private:
  std::mt19937_64 engine_;
};

class Writer {
 public:
  Writer& u8(unsigned value) {
    bytes_.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }
  Writer& u16(unsigned value) { return u8(value >> 8).u8(value & 0xff); }
  Writer& u24(unsigned value) { return u8(value >> 16).u16(value & 0xffff); }
  Writer& u32(std::uint32_t value) { return u16(value >> 16).u16(value & 0xffff); }
  Writer& little16(unsigned value) { return u8(value & 0xff).u8(value >> 8); }
  Writer& text(std::string_view text) { return raw(base::as_bytes(text)); }
  Writer& raw(base::Bytes bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Writer& fill(std::size_t size) {
    bytes_.resize(size, 0);
    return *this;
  }
  std::size_t size() const { return bytes_.size(); }
  base::Buffer take() { return std::move(bytes_); }

 private:
  base::Buffer bytes_;
};

base::Buffer dns_query(std::uint16_t id, std::string_view name) {
  Writer out;
  out.u16(id).u16(0x0100).u16(1).u16(0).u16(0).u16(0);
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out.u8(static_cast<unsigned>(dot)).text(name.substr(0, dot));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out.u8(0).u16(1).u16(1).take();
}

base::Buffer dns_answer(base::Buffer query, const base::IpAddress& address) {
  query[2] = 0x81;
  query[3] = 0x80;
  query[7] = 1;
  Writer out;
  out.raw(query).u16(0xc00c).u16(1).u16(1).u32(60).u16(4).raw(address.bytes());
  return out.take();
}

base::Buffer rtp(std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t timestamp,
                 std::uint32_t ssrc, base::Bytes payload) {
  Writer out;
  out.u8(0x80).u8(payload_type).u16(sequence).u32(timestamp).u32(ssrc).raw(payload);
  return out.take();
}

// Little-endian type, length, value (Theori, 16 February 2021).
void add_tlv(Writer& out, unsigned key, std::string_view value) {
  out.little16(key).little16(static_cast<unsigned>(value.size())).text(value);
}
base::Buffer join_packet() {
  Writer out;
  out.raw(std::array<std::uint8_t, 6>{0x77, 0x01, 0x00, 0x00, 0x0f, 0x00});
  add_tlv(out, 1, "3.0.1.1");
  add_tlv(out, 2, "WIFI");
  add_tlv(out, 3, kDevice);
  add_tlv(out, 4, kRoomId);
  add_tlv(out, 5, kUserId);
  add_tlv(out, 6, "192.168.1.23");
  add_tlv(out, 7, kToken);
  return out.take();
}
base::Buffer bootstrap_packet() {
  Writer out;
  out.raw(std::array<std::uint8_t, 6>{0x77, 0x01, 0x00, 0x00, 0x0f, 0x00});
  add_tlv(out, 1, "3.0.1.1");
  add_tlv(out, 2, "WIFI");
  add_tlv(out, 3, kDevice);
  return out.fill(163).take();
}

std::uint8_t to_mu_law(std::int16_t sample) {  // ITU-T G.711, table 2a
  const int sign = sample < 0 ? 0x80 : 0;
  const int magnitude = std::min(sample < 0 ? -static_cast<int>(sample) : sample, 32635) + 132;
  int exponent = 7;
  for (int mask = 0x4000; (magnitude & mask) == 0 && exponent > 0; mask >>= 1) --exponent;
  return static_cast<std::uint8_t>(~(sign | exponent << 4 | (magnitude >> (exponent + 3) & 15)));
}

// The leaky app, part by part.
class LeakyApp {
 public:
  explicit LeakyApp(std::uint64_t seed) : random_(seed) {
    result_.identifiers = {std::string(kUserId), std::string(kRoomId), std::string(kUuid)};
  }
  LeakyCapture make() {
    look_up();
    call_api();
    bootstrap();
    ping();
    join();
    speak_opus();
    speak_pcmu();
    name_in_rtcp();
    meet_anycast();
    return std::move(result_);
  }

 private:
  Leak& leak(FindingCode code, std::string what) {
    for (Leak& known : result_.leaks)
      if (known.code == code && known.what == what) return known;
    return result_.leaks.emplace_back(Leak{code, std::move(what), {}});
  }
  void note(std::uint64_t packet,
            std::initializer_list<std::pair<FindingCode, const char*>> codes) {
    for (const auto& [code, what] : codes) leak(code, what).packets.push_back(packet);
  }

  void look_up() {
    const base::Buffer query = dns_query(0x1234, "qos-america.leaky.example");
    note(capture_.udp(phone_, resolver_, query),
         {{FindingCode::kCleartextDns, "dns"}, {FindingCode::kDnsNotInManifest, "dns"}});
    capture_.udp(resolver_, phone_, dns_answer(query, denied_.ip));
  }

  void call_api() {
    CaptureBuilder::Tcp tcp(capture_, at("192.168.1.23", 50001), at("198.51.100.80", 80));
    const std::string body =
        fmt::format(R"({{"channel":"{}","attribution_is_explore":false}})", kRoomId);
    const std::uint64_t request = tcp.send(fmt::format(
        "POST /api/join_channel HTTP/1.1\r\nHost: www.leaky.example\r\nCH-UserID: {}\r\n"
        "CH-DeviceId: {}\r\nAuthorization: Token 7c1e0f93a5b84d62c7d19e0fa3b58264c1d7e9f0\r\n"
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
        kUserId, kUuid, body.size(), body));
    note(request, {{FindingCode::kCleartextHttp, "api"},
                   {FindingCode::kIdentifierField, "api headers"},
                   {FindingCode::kKnownIdentifier, "api"},
                   {FindingCode::kToken, "authorization"}});
    const std::string answer = fmt::format(R"({{"success":true,"token":"{}","users":[]}})", kToken);
    const std::uint64_t response = tcp.receive(fmt::format(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
        answer.size(), answer));
    note(response, {{FindingCode::kToken, "join token in the answer"}});
    tcp.close();
  }

  void bootstrap() {
    const base::Buffer packet = bootstrap_packet();
    const base::SocketAddress from = at("192.168.1.23", 50002);
    const std::uint64_t request = capture_.udp(from, denied_, packet);
    note(request, {{FindingCode::kDeniedCountry, "bootstrap"},
                   {FindingCode::kVendorProtocol, "bootstrap"},
                   {FindingCode::kDeviceString, "bootstrap"}});
    note(capture_.udp(denied_, from, random_.bytes(590)),
         {{FindingCode::kDeniedCountry, "bootstrap"}});
    const std::uint64_t first = capture_.size() + 1;
    CaptureBuilder::Tcp tcp(capture_, at("192.168.1.23", 50003), denied_);
    note(tcp.send(packet), {{FindingCode::kVendorProtocol, "bootstrap over TCP"},
                            {FindingCode::kDeviceString, "bootstrap over TCP"}});
    tcp.close();
    for (std::uint64_t number = first; number <= capture_.size(); ++number)
      note(number, {{FindingCode::kDeniedCountry, "bootstrap"}});
  }

  void ping() {
    const base::SocketAddress from = at("192.168.1.23", 50004);
    for (unsigned i = 0; i < 6; ++i) {
      Writer out;
      out.u16(0x0101).u32(i).u32(random_.number()).text(kUserId).fill(48);
      note(
          capture_.udp(from, at("203.0.113.20", 25000), out.take()),
          {{FindingCode::kDeniedCountry, "qos ping"}, {FindingCode::kKnownIdentifier, "qos ping"}});
    }
  }

  void join() {
    note(capture_.udp(media_, relay_, join_packet()), {{FindingCode::kDeniedOwner, "relay"},
                                                       {FindingCode::kKnownIdentifier, "join"},
                                                       {FindingCode::kToken, "join"},
                                                       {FindingCode::kDeviceString, "join"},
                                                       {FindingCode::kPrivateAddress, "join"},
                                                       {FindingCode::kVendorProtocol, "join"}});
    Writer out;
    out.raw(random_.bytes(24)).text(R"({"rtc.user_set_channel_profile":1})").u8(0x58).u8(1);
    note(capture_.udp(media_, relay_, out.take()),
         {{FindingCode::kVendorProtocol, "profile"}, {FindingCode::kDeniedOwner, "relay"}});
  }

  // The packets of one stream; every one of them is a leak of the codes.
  void speak(const base::SocketAddress& from, const base::SocketAddress& to,
             std::uint8_t payload_type, std::uint32_t step, const std::vector<base::Buffer>& frames,
             std::initializer_list<FindingCode> codes, const char* what) {
    const std::uint32_t ssrc = random_.number();
    std::uint16_t sequence = 4711;
    std::uint32_t timestamp = 1000;
    capture_.set_step(std::chrono::nanoseconds(kTwentyMs));
    for (const base::Buffer& frame : frames) {
      const std::uint64_t number =
          capture_.udp(from, to, rtp(payload_type, sequence++, timestamp, ssrc, frame));
      for (const FindingCode code : codes) leak(code, what).packets.push_back(number);
      timestamp += step;
    }
    capture_.set_step(std::chrono::milliseconds(1));
  }

  void speak_opus() {
    speak(media_, relay_, 111, 960, opus_speech(300),
          {FindingCode::kDeniedOwner, FindingCode::kRtpInClear, FindingCode::kOpusReadable,
           FindingCode::kSpeechReadable, FindingCode::kSizesTellSpeech},
          "opus");
  }
  void speak_pcmu() {
    speak(at("192.168.1.23", 50010), at("192.0.2.11", 4002), 0, 160, pcmu_speech(300),
          {FindingCode::kDeniedOwner, FindingCode::kRtpInClear, FindingCode::kPcmuReadable,
           FindingCode::kSpeechReadable},
          "pcmu");
  }

  void name_in_rtcp() {
    const std::string name = "uid-4000123457@192.168.1.23";
    Writer out;
    out.u8(0x80).u8(200).u16(6).u32(0x01020304).u32(random_.number()).u32(random_.number());
    out.u32(1000).u32(300).u32(36000);
    Writer item;
    item.u32(0x01020304).u8(1).u8(static_cast<unsigned>(name.size())).text(name).u8(0);
    item.fill((item.size() + 3) / 4 * 4);
    out.u8(0x81).u8(202).u16(static_cast<unsigned>(item.size() / 4)).raw(item.take());
    note(capture_.udp(media_, relay_, out.take()), {{FindingCode::kRtcpName, "cname"},
                                                    {FindingCode::kUnencryptedRtcp, "rtcp"},
                                                    {FindingCode::kDeniedOwner, "relay"}});
  }

  void meet_anycast() {
    for (int i = 0; i < 3; ++i)
      note(capture_.udp(at("192.168.1.23", 50012), at("192.0.2.140", 4003), random_.bytes(60)),
           {{FindingCode::kAnycast, "anycast relay"},
            {FindingCode::kNotInManifest, "anycast relay"}});
  }

  Random random_;
  LeakyCapture result_;
  CaptureBuilder& capture_ = result_.capture;
  const base::SocketAddress phone_ = at("192.168.1.23", 50000);
  const base::SocketAddress media_ = at("192.168.1.23", 50009);
  const base::SocketAddress resolver_ = at("192.168.1.1", 53);
  const base::SocketAddress denied_ = at("203.0.113.10", 8000);
  const base::SocketAddress relay_ = at("192.0.2.10", 4001);
};

// One TLS record.
base::Buffer record(unsigned type, base::Bytes body) {
  return Writer().u8(type).u16(0x0303).u16(static_cast<unsigned>(body.size())).raw(body).take();
}

base::Buffer client_hello(Random& random, std::string_view name) {
  Writer sni;
  sni.u16(static_cast<unsigned>(name.size() + 3))
      .u8(0)
      .u16(static_cast<unsigned>(name.size()))
      .text(name);
  Writer extensions;
  extensions.u16(0).u16(static_cast<unsigned>(sni.size())).raw(sni.take());
  extensions.u16(43).u16(3).u8(2).u16(0x0304);   // supported_versions
  extensions.u16(10).u16(4).u16(2).u16(0x001d);  // supported_groups
  extensions.u16(13).u16(4).u16(2).u16(0x0403);  // signature_algorithms
  extensions.u16(51).u16(38).u16(36).u16(0x001d).u16(32).raw(random.bytes(32));  // key_share
  Writer body;
  body.u16(0x0303).raw(random.bytes(32)).u8(32).raw(random.bytes(32));
  body.u16(4).u16(0x1301).u16(0x1302).u8(1).u8(0);
  body.u16(static_cast<unsigned>(extensions.size())).raw(extensions.take());
  Writer message;
  message.u8(1).u24(static_cast<unsigned>(body.size())).raw(body.take());
  return record(22, message.take());
}

base::Buffer server_hello(Random& random) {
  Writer extensions;
  extensions.u16(43).u16(2).u16(0x0304);
  extensions.u16(51).u16(36).u16(0x001d).u16(32).raw(random.bytes(32));
  Writer body;
  body.u16(0x0303).raw(random.bytes(32)).u8(32).raw(random.bytes(32)).u16(0x1301).u8(0);
  body.u16(static_cast<unsigned>(extensions.size())).raw(extensions.take());
  Writer message;
  message.u8(2).u24(static_cast<unsigned>(body.size())).raw(body.take());
  return record(22, message.take());
}

base::Buffer stun_binding(Random& random, bool request, const std::string& username) {
  Writer attributes;
  if (request) {
    const std::size_t padded = (username.size() + 3) / 4 * 4;
    attributes.u16(0x0006).u16(static_cast<unsigned>(username.size())).text(username);
    attributes.fill(4 + padded);
    attributes.u16(0x0024).u16(4).u32(0x7e0000ff);
  }
  attributes.u16(0x0008).u16(20).raw(random.bytes(20));  // MESSAGE-INTEGRITY
  Writer out;
  out.u16(request ? 0x0001 : 0x0101).u16(static_cast<unsigned>(attributes.size()));
  out.u32(0x2112a442).raw(random.bytes(12)).raw(attributes.take());
  return out.take();
}

base::Buffer dtls_record(unsigned type, unsigned epoch, std::uint64_t sequence, base::Bytes body) {
  return Writer()
      .u8(type)
      .u16(0xfefd)
      .u16(epoch)
      .u16(0)
      .u32(static_cast<std::uint32_t>(sequence))
      .u16(static_cast<unsigned>(body.size()))
      .raw(body)
      .take();
}

base::Buffer dtls_hello(Random& random, bool client) {
  Writer extensions;
  extensions.u16(14).u16(client ? 5 : 5).u16(2).u16(0x0007).u8(0);  // use_srtp, AEAD_AES_128_GCM
  extensions.u16(23).u16(0);                                        // extended_master_secret
  Writer body;
  body.u16(0xfefd).raw(random.bytes(32)).u8(0);
  if (client)
    body.u8(0).u16(2).u16(0xc02b).u8(1).u8(0);
  else
    body.u16(0xc02b).u8(0);
  body.u16(static_cast<unsigned>(extensions.size())).raw(extensions.take());
  const auto size = static_cast<unsigned>(body.size());
  Writer message;
  message.u8(client ? 1 : 2).u24(size).u16(0).u24(0).u24(size).raw(body.take());
  return dtls_record(22, 0, 0, message.take());
}

void talk_tls(CaptureBuilder& capture, Random& random) {
  CaptureBuilder::Tcp tcp(capture, at("192.168.1.23", 51000), at("198.51.100.10", 443));
  tcp.send(client_hello(random, "alcove.example"));
  tcp.receive(server_hello(random));
  tcp.receive(record(20, std::array<std::uint8_t, 1>{1}));
  tcp.receive(record(23, random.bytes(2200)));
  tcp.send(record(23, random.bytes(69)));
  for (int i = 0; i < 20; ++i) {
    tcp.send(record(23, random.bytes(256 + 17)));
    tcp.receive(record(23, random.bytes(512 + 17)));
  }
  tcp.close();
}

void talk_srtp(CaptureBuilder& capture, Random& random) {
  const base::SocketAddress phone = at("192.168.1.23", 51001), relay = at("198.51.100.10", 7878);
  const std::string username = random.letters(20) + ":" + random.letters(4);
  for (int i = 0; i < 3; ++i) {
    capture.udp(phone, relay, stun_binding(random, true, username));
    capture.udp(relay, phone, stun_binding(random, false, username));
  }
  capture.udp(phone, relay, dtls_hello(random, true));
  capture.udp(relay, phone, dtls_hello(random, false));
  capture.udp(phone, relay, dtls_record(22, 1, 0, random.bytes(40)));
  capture.udp(relay, phone, dtls_record(22, 1, 0, random.bytes(40)));
  const std::uint32_t up = random.number(), down = random.number();
  for (std::uint16_t i = 0; i < 400; ++i) {
    const std::uint32_t timestamp = 960U * i;
    capture.udp(phone, relay, rtp(111, i, timestamp, up, random.bytes(160 + 16)));
    capture.udp(
        relay, phone,
        rtp(111, static_cast<std::uint16_t>(i + 900), timestamp, down, random.bytes(160 + 16)));
    capture.wait(std::chrono::milliseconds(18));
    if (i % 100 == 99) {
      Writer srtcp;
      srtcp.u8(0x80).u8(200).u16(6).u32(up).raw(random.bytes(48)).u32(0x80000000U + i);
      capture.udp(phone, relay, srtcp.take());
    }
  }
}

}  // namespace

LeakyCapture make_leaky_app(std::uint64_t seed) { return LeakyApp(seed).make(); }

LeakyCapture make_clean_twin(std::uint64_t seed) {
  Random random(seed);
  LeakyCapture result;
  result.identifiers = {std::string(kUserId), std::string(kRoomId), std::string(kUuid)};
  talk_tls(result.capture, random);
  talk_srtp(result.capture, random);
  return result;
}

v1::Manifest twin_manifest() {
  v1::Manifest manifest;
  manifest.set_version(1);
  manifest.set_serial(1);
  v1::ManifestEndpoint& house = *manifest.add_endpoints();
  house.set_purpose(v1::ManifestEndpoint::PURPOSE_HOUSE);
  house.set_host("alcove.example");
  house.add_addresses("198.51.100.10");
  house.add_ports(443);
  house.set_protocol(v1::ManifestEndpoint::PROTOCOL_TCP);
  v1::ManifestEndpoint& relay = *manifest.add_endpoints();
  relay.set_purpose(v1::ManifestEndpoint::PURPOSE_RELAY);
  relay.add_addresses("198.51.100.10");
  relay.add_ports(7878);
  relay.set_protocol(v1::ManifestEndpoint::PROTOCOL_UDP);
  return manifest;
}

std::vector<base::Buffer> opus_speech(std::size_t frames) {
  const std::vector<std::int16_t> samples = recorded_speech();
  int error = 0;
  const std::unique_ptr<OpusEncoder, void (*)(OpusEncoder*)> encoder(
      opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &error), &opus_encoder_destroy);
  std::vector<base::Buffer> result;
  if (!encoder) return result;
  opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(24000));
  for (std::size_t begin = 0; result.size() < frames && begin + 960 <= samples.size();
       begin += 960) {
    base::Buffer packet(1500);
    const int size = opus_encode(encoder.get(), samples.data() + begin, 960, packet.data(),
                                 static_cast<opus_int32>(packet.size()));
    if (size <= 0) break;
    packet.resize(static_cast<std::size_t>(size));
    result.push_back(std::move(packet));
  }
  return result;
}

std::vector<base::Buffer> pcmu_speech(std::size_t frames) {
  const std::vector<std::int16_t> samples = recorded_speech();
  std::vector<base::Buffer> result;
  // Six samples make one of 8 kHz: their mean is filter enough here.
  for (std::size_t begin = 0; result.size() < frames && begin + 960 <= samples.size();
       begin += 960) {
    base::Buffer packet;
    for (std::size_t i = begin; i < begin + 960; i += 6) {
      int sum = 0;
      for (std::size_t k = 0; k < 6; ++k) sum += samples[i + k];
      packet.push_back(to_mu_law(static_cast<std::int16_t>(sum / 6)));
    }
    result.push_back(std::move(packet));
  }
  return result;
}

}  // namespace alcove::test
