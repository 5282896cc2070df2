#pragma once
// Frames of a network interface as they pass, by libpcap. Opening needs the right to capture
// (CAP_NET_RAW); reading does not. One thread.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace alcove::net {

struct LiveCaptureOptions {
  std::string interface;  // "eth0", or "any"
  std::string filter;     // libpcap's language; empty: everything
  // What the kernel keeps while this process is busy; over that it drops, and counts.
  int buffer_bytes = 32 << 20;
};

class LiveCapture {
 public:
  struct Frame {
    std::chrono::sys_time<std::chrono::nanoseconds> time;
    base::Bytes bytes;  // valid during the call
    std::uint32_t wire_length = 0;
  };
  struct Statistics {
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;  // by the kernel's buffer and by the interface
  };
  // kInvalidArgument for a filter that does not compile, kPermissionDenied, kNotFound for an
  // interface that is not there, else kUnavailable.
  static base::Result<std::unique_ptr<LiveCapture>> open(const LiveCaptureOptions& options);
  ~LiveCapture();
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;

  // The number in tcpdump.org's list of link-layer types.
  int link_type() const;
  // Waits at most this long for frames, then hands on what is there, at most some thousands. An
  // interrupted wait is none. An error: the interface went away.
  base::Result<std::size_t> read(std::chrono::milliseconds wait,
                                 const std::function<void(const Frame&)>& handle);
  Statistics statistics() const;

 private:
  struct Implementation;
  explicit LiveCapture(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::net
