#include "report_files.h"

#include "console.h"

namespace alcove::app {

using base::Result;

namespace {

Result<void> open_into(std::optional<OutputFile>& file, const std::string& path) {
  if (path.empty()) return {};
  auto opened = OutputFile::open(path);
  if (!opened) return std::unexpected(opened.error());
  file = *std::move(opened);
  return {};
}

Result<void> print(const std::string& text) {
  write_stdout(text);
  if (finish_stdout()) return {};
  return base::fail(base::ErrorCode::kUnavailable, "standard output cannot be written");
}

}  // namespace

Result<ReportFiles> ReportFiles::open(const Outputs& outputs) {
  ReportFiles files;
  files.outputs_ = outputs;
  if (auto html = open_into(files.html_, outputs.html); !html) return std::unexpected(html.error());
  if (auto sarif = open_into(files.sarif_, outputs.sarif); !sarif)
    return std::unexpected(sarif.error());
  if (outputs.json != "-") {
    if (auto json = open_into(files.json_, outputs.json); !json)
      return std::unexpected(json.error());
  }
  return files;
}

Result<void> ReportFiles::write(const audit::Report& report) {
  const audit::Language language = outputs_.language;
  Result<void> result;
  const auto note = [&](Result<void> written) {
    if (!written) result = std::move(written);
  };
  if (html_) note(html_->write(audit::to_html(report, language)));
  if (json_) note(json_->write(audit::to_json(report, language)));
  if (sarif_) note(sarif_->write(audit::to_sarif(report, language)));
  if (outputs_.json == "-")
    note(print(audit::to_json(report, language)));
  else if (!outputs_.quiet)
    note(print(audit::to_text(report, language)));
  return result;
}

int status_of(const audit::Report& report) {
  // A capture in which there was nothing to examine must not pass for a clean one.
  if (report.packets.packets == 0) return kUnusable;
  return report.clean() ? kClean : kFindings;
}

}  // namespace alcove::app
