#include "watch.h"

#include <fmt/format.h>

#include <atomic>
#include <csignal>

#include "audit/auditor.h"
#include "audit/finding_texts.h"
#include "audit/report_words.h"
#include "base/address.h"
#include "console.h"
#include "given.h"
#include "net/live_capture.h"
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
  auto given = read_given(options.given);
  if (!given) return give_up(given.error().message);
  auto reports = ReportFiles::open(options.outputs);
  if (!reports) return give_up(reports.error().message);
  auto capture =
      net::LiveCapture::open({.interface = options.interface, .filter = filter_of(options.filter)});
  if (!capture) return give_up(capture.error().message);
  if (!options.keep_privileges) {
    const auto dropped = drop_privileges();
    if (!dropped) return give_up(dropped.error().message);
    if (!dropped->empty()) write_stderr(fmt::format("alcove-audit: {}\n", *dropped));
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
  // Unlike a file, a quiet wire is an outcome.
  return report.clean() ? kClean : kFindings;
}

}  // namespace alcove::app
