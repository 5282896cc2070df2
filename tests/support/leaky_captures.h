#pragma once
// What an app of 2021 let out, as captures: built from what was published then, with invented ids.
// Each leak comes with the packets that a right audit names. The clean twin does the same things as
// they should be done.

#include <cstdint>
#include <string>
#include <vector>

#include "alcove/v1/manifest.pb.h"
#include "audit/finding.h"
#include "support/capture_builder.h"

namespace alcove::test {

struct Leak {
  audit::FindingCode code;
  std::string what;
  // Every one of them must be counted by findings of the code, and be in their evidence while that
  // has room.
  std::vector<std::uint64_t> packets;
};

struct LeakyCapture {
  CaptureBuilder capture;
  std::vector<Leak> leaks;
  std::vector<std::string> identifiers;  // what the auditor was told to seek
};

// A day of the leaky app: a lookup, the API over HTTP, bootstrap and pings to a denied country, a
// join, audio in Opus and G.711 to a denied owner's relays, one of them anycast.
LeakyCapture make_leaky_app(std::uint64_t seed = 1);

// TLS 1.3 to the house, STUN with fresh credentials, DTLS and SRTP of one size to the relay.
LeakyCapture make_clean_twin(std::uint64_t seed = 1);

// What the clean twin's server promises: 198.51.100.10, TCP 443 and UDP 7878.
v1::Manifest twin_manifest();

// 20 ms frames of Debian's recorded speech as Opus, 20 to 32 kbit/s; empty where alsa-utils is not
// installed.
std::vector<base::Buffer> opus_speech(std::size_t frames);
// The same speech as PCMU at 8 kHz, 160 bytes a frame.
std::vector<base::Buffer> pcmu_speech(std::size_t frames);

}  // namespace alcove::test
