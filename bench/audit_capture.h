#pragma once
// A large capture of mixed traffic, the same for the same seed.

#include <cstdint>
#include <string>

namespace alcove::bench {

struct CaptureMix {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // of the file
  std::uint64_t media_packets = 0, media_bytes = 0;
  std::uint64_t tls_packets = 0, tls_bytes = 0;  // acknowledgements with them
  std::uint64_t dns_packets = 0, dns_bytes = 0;
  std::uint64_t flows = 0;
};

// Writes a pcap of about size bytes, whole records, as a relay's network card would see it:
// 1,000 members whose media goes both ways in 172 bytes a packet (RTP header and random bytes, a
// fifth over IPv6), 100 TLS connections at a time with bursts of ten segments of 1,400 bytes, an
// acknowledgement for every second one, and DNS. Of 100 packets 70 are media, 18 TLS data, 9
// acknowledgements and 3 DNS.
CaptureMix write_capture(const std::string& path, std::uint64_t size);

}  // namespace alcove::bench
