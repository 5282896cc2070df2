#include "net/live_capture.h"

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <poll.h>

#include <array>
#include <cerrno>

namespace alcove::net {

using base::ErrorCode;

namespace {

constexpr int kSnapLength = 262144;  // as tcpdump's: no frame is cut
constexpr int kAtATime = 4096;
constexpr std::chrono::milliseconds kKernelTimeout{100};

struct Close {
  void operator()(pcap_t* capture) const { pcap_close(capture); }
};
using Handle = std::unique_ptr<pcap_t, Close>;

ErrorCode code_of(int status) {
  switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return ErrorCode::kPermissionDenied;
    case PCAP_ERROR_NO_SUCH_DEVICE:
    case PCAP_ERROR_IFACE_NOT_UP:
      return ErrorCode::kNotFound;
    default:
      return ErrorCode::kUnavailable;
  }
}

std::unexpected<base::Error> fail_with(pcap_t* capture, int status, const std::string& interface) {
  const std::string more = pcap_geterr(capture);
  return base::fail(code_of(status), fmt::format("{}: {}{}{}", interface, pcap_statustostr(status),
                                                 more.empty() ? "" : ": ", more));
}

base::Result<void> set_filter(pcap_t* capture, const std::string& text) {
  if (text.empty()) return {};
  bpf_program program{};
  if (pcap_compile(capture, &program, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    return base::fail(ErrorCode::kInvalidArgument,
                      fmt::format("The filter \"{}\": {}", text, pcap_geterr(capture)));
  const int status = pcap_setfilter(capture, &program);
  pcap_freecode(&program);
  if (status != 0)
    return base::fail(ErrorCode::kUnavailable, fmt::format("The filter: {}", pcap_geterr(capture)));
  return {};
}

}  // namespace

struct LiveCapture::Implementation {
  Handle capture;
  int descriptor = -1;
  bool nanoseconds = false;
};

LiveCapture::LiveCapture(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
LiveCapture::~LiveCapture() = default;

base::Result<std::unique_ptr<LiveCapture>> LiveCapture::open(const LiveCaptureOptions& options) {
  std::array<char, PCAP_ERRBUF_SIZE> text{};
  auto implementation = std::make_unique<Implementation>();
  Handle& capture = implementation->capture;
  capture.reset(pcap_create(options.interface.c_str(), text.data()));
  if (capture == nullptr)
    return base::fail(ErrorCode::kUnavailable,
                      fmt::format("{}: {}", options.interface, text.data()));
  pcap_set_snaplen(capture.get(), kSnapLength);
  pcap_set_timeout(capture.get(), static_cast<int>(kKernelTimeout.count()));
  pcap_set_buffer_size(capture.get(), options.buffer_bytes);
  implementation->nanoseconds =
      pcap_set_tstamp_precision(capture.get(), PCAP_TSTAMP_PRECISION_NANO) == 0;
  // Warnings are above 0: an interface without promiscuous mode, which is not asked for.
  if (const int status = pcap_activate(capture.get()); status < 0)
    return fail_with(capture.get(), status, options.interface);
  if (auto filtered = set_filter(capture.get(), options.filter); !filtered)
    return std::unexpected(filtered.error());
  if (pcap_setnonblock(capture.get(), 1, text.data()) != 0)
    return base::fail(ErrorCode::kUnavailable,
                      fmt::format("{}: {}", options.interface, text.data()));
  implementation->descriptor = pcap_get_selectable_fd(capture.get());
  return std::unique_ptr<LiveCapture>(new LiveCapture(std::move(implementation)));
}

int LiveCapture::link_type() const { return pcap_datalink(implementation_->capture.get()); }

base::Result<std::size_t> LiveCapture::read(std::chrono::milliseconds wait,
                                            const std::function<void(const Frame&)>& handle) {
  pollfd waiting{.fd = implementation_->descriptor, .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, static_cast<int>(wait.count())) < 0 && errno != EINTR)
    return base::fail(ErrorCode::kUnavailable, "Waiting for frames failed.");
  struct Context {
    const std::function<void(const Frame&)>& handle;
    bool nanoseconds;
  } context{handle, implementation_->nanoseconds};
  const auto callback = [](u_char* user, const pcap_pkthdr* header, const u_char* bytes) {
    const auto& self = *reinterpret_cast<const Context*>(user);
    const auto fraction = std::chrono::nanoseconds(static_cast<std::int64_t>(header->ts.tv_usec) *
                                                   (self.nanoseconds ? 1 : 1000));
    self.handle({.time = std::chrono::sys_time<std::chrono::nanoseconds>(
                     std::chrono::seconds(header->ts.tv_sec) + fraction),
                 .bytes = base::Bytes(bytes, header->caplen),
                 .wire_length = header->len});
  };
  const int count = pcap_dispatch(implementation_->capture.get(), kAtATime, callback,
                                  reinterpret_cast<u_char*>(&context));
  if (count < 0)
    return base::fail(ErrorCode::kUnavailable, pcap_geterr(implementation_->capture.get()));
  return static_cast<std::size_t>(count);
}

LiveCapture::Statistics LiveCapture::statistics() const {
  pcap_stat counters{};
  if (pcap_stats(implementation_->capture.get(), &counters) != 0) return {};
  return {.received = counters.ps_recv,
          .dropped = std::uint64_t{counters.ps_drop} + counters.ps_ifdrop};
}

}  // namespace alcove::net
