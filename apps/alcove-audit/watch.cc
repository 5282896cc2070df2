#include "watch.h"

#include <fmt/format.h>

#include <atomic>
#include <csignal>

#include "audit/auditor.h"
#include "audit/finding_texts.h"
#include "audit/report_words.h"
#include "base/address.h"
#include "console.h"
#include "fetch.h"
#include "given.h"
#include "net/live_capture.h"
#include "prepare.h"
#include "privileges.h"
#include "progress.h"
#include "report_files.h"

namespace alcove::app {

namespace {

constexpr std::chrono::milliseconds kWait{200};

std::atomic<bool> stopped = false;

void stop(int) { stopped = true; }

void stop_on_signals() {
  struct sigaction action{};
  action.sa_handler = stop;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // Whoever started it with nohup wants it to go on.
  struct sigaction before{};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
}

// An address alone is the most common wish.
std::string filter_of(const std::string& text) {
  return base::IpAddress::parse(text) ? "host " + text : text;
}

void print_finding(const audit::Finding& finding, audit::Language language) {
  const audit::Severity severity = audit::severity_of(finding.code);
  std::string where;
  if (!finding.evidence.empty() && finding.evidence.front().packet != 0) {
    const audit::Evidence& evidence = finding.evidence.front();
    where = fmt::format(" ({} {}, {})", audit::pick(language, "packet", "paquet"), evidence.packet,
                        audit::time_text(evidence.time));
  }
  write_stdout(fmt::format("{} [{}] {}: {}{}\n", audit::code_text(finding.code),
                           audit::severity_text(severity, language),
                           audit::finding_text(finding.code, language).title,
                           audit::clean_text(finding.subject), where));
  (void)finish_stdout();  // a reader sees it now; whether it arrived is asked at the end
}

// The manifest was fetched while the interface was open already: that is not the app's traffic.
void forget_own_traffic(net::LiveCapture& capture) {
  constexpr int kMostReads = 100;
  for (int i = 0; i < kMostReads; ++i) {
    const auto read = capture.read(std::chrono::milliseconds(i == 0 ? 100 : 0), [](const auto&) {});
    if (!read || *read == 0) return;  // an error comes back at the next read
  }
}

class Watch {
 public:
  Watch(const Options& options, Given& given, net::LiveCapture& capture)
      : options_(options),
        capture_(capture),
        progress_(options.outputs),
        auditor_(with_findings(to_auditor_options(given, options.interface))) {}

  base::Result<void> run() {
    const auto link_type = static_cast<audit::LinkType>(capture_.link_type());
    while (!stopped) {
      const auto read = capture_.read(kWait, [&](const net::LiveCapture::Frame& frame) {
        ++counters_.frames;
        counters_.bytes += frame.bytes.size();
        if (frame.wire_length > frame.bytes.size()) ++counters_.cut_frames;
        auditor_.handle_frame({.number = counters_.frames,
                               .time = frame.time,
                               .link_type = link_type,
                               .bytes = frame.bytes,
                               .wire_length = frame.wire_length});
      });
      if (!read) return std::unexpected(read.error());
      progress_.show_watch(auditor_.progress(), capture_.statistics().dropped);
    }
    return {};
  }

  std::uint64_t frames() const { return counters_.frames; }

  audit::Report finish() {
    progress_.clear();
    counters_.dropped_by_capture = capture_.statistics().dropped;
    return auditor_.finish(&counters_, "live");
  }

 private:
  audit::AuditorOptions with_findings(audit::AuditorOptions options) {
    // Standard output is JSON's where that was asked for.
    if (options_.outputs.quiet || options_.outputs.json == "-") return options;
    options.on_finding = [this](const audit::Finding& finding) {
      progress_.clear();
      print_finding(finding, options_.outputs.language);
    };
    return options;
  }

  const Options& options_;
  net::LiveCapture& capture_;
  ProgressLine progress_;
  audit::CaptureReader::Counters counters_;
  audit::Auditor auditor_;
};

}  // namespace

int watch(const Options& options) {
  limit_resources();
  GivenFiles files = options.given;
  auto given = read_local(files);
  if (!given) return give_up(given.error().message);
  auto reports = ReportFiles::open(options.outputs);
  if (!reports) return give_up(reports.error().message);
  auto capture =
      net::LiveCapture::open({.interface = options.interface, .filter = filter_of(options.filter)});
  if (!capture) return give_up(capture.error().message);
  const auto dropped = become_ordinary(options);
  if (!dropped) return give_up(dropped.error().message);
  if (!dropped->empty()) write_stderr(fmt::format("alcove-audit: {}\n", *dropped));
  if (is_url(files.manifest)) {
    if (auto read = read_remote(files, *given); !read) return give_up(read.error().message);
    forget_own_traffic(**capture);
  }
  stop_on_signals();
  Watch watching(options, *given, **capture);
  write_stderr(
      fmt::format("alcove-audit: {} {}\n",
                  audit::pick(options.outputs.language, "watching (Ctrl-C ends with the report):",
                              "surveillance (Ctrl-C termine avec le rapport) :"),
                  options.interface));
  const auto ran = watching.run();
  const audit::Report report = watching.finish();
  if (auto written = reports->write(report); !written) return give_up(written.error().message);
  // The interface went away: the report up to then was written.
  if (!ran) return give_up(ran.error().message);
  const int status = status_of(report);
  if (status == kUnusable)
    give_up(watching.frames() == 0 ? "no packet was seen: is it the right interface and filter?"
                                   : "of what was seen, no packet could be examined");
  return status;
}

}  // namespace alcove::app
