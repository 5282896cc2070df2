// The HTML report: SVG drawn here, styles in the file.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "client/load_report.h"

namespace alcove::client {

namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 220;
constexpr double kLeft = 56;
constexpr double kBottom = 32;
constexpr double kTop = 12;
constexpr double kRight = 12;
constexpr std::size_t kBars = 40;
constexpr int kTicks = 4;

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Load of an Alcove room</title><style>
:root{color-scheme:light dark;--back:#fff;--text:#1c1c1c;--dim:#666;--line:#ddd;--a:#2b6cb0;--b:#b7791f;--c:#c53030}
@media(prefers-color-scheme:dark){:root{--back:#16181c;--text:#e8e8e8;--dim:#9a9a9a;--line:#333;--a:#63b3ed;--b:#ecc94b;--c:#fc8181}}
body{font:16px/1.5 system-ui,sans-serif;background:var(--back);color:var(--text);margin:2rem auto;max-width:46rem;padding:0 1rem}
svg{width:100%;height:auto;font-size:11px}svg text{fill:var(--dim)}.grid{stroke:var(--line)}
.a{stroke:var(--a)}.b{stroke:var(--b)}.c{stroke:var(--c)}.line{fill:none;stroke-width:2}.bar{fill:var(--a)}
table{border-collapse:collapse;width:100%}td,th{padding:.25rem .5rem;border-bottom:1px solid var(--line);text-align:right}
td:first-child,th:first-child{text-align:left}.key{display:inline-block;width:1.5rem;border-top:3px solid;vertical-align:middle;margin:0 .3rem 0 1rem}
.ka{border-color:var(--a)}.kb{border-color:var(--b)}.kc{border-color:var(--c)}figure{margin:0 0 2rem}figcaption{color:var(--dim)}
</style></head><body>
)";

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

// A round number not below value.
double round_up(double value) {
  if (value <= 1) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 2.5, 5.0})
    if (value <= step * power) return step * power;
  return 10 * power;
}

// A frame with axes from 0; points are placed by x() and y().
struct Plot {
  double x_max = 1;
  double y_max = 1;
  std::string body{};

  double x(double value) const { return kLeft + value / x_max * (kWidth - kLeft - kRight); }
  double y(double value) const {
    return kHeight - kBottom - value / y_max * (kHeight - kBottom - kTop);
  }
  std::string finish(std::string_view unit) const {
    std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">", kWidth, kHeight);
    for (int tick = 0; tick <= kTicks; ++tick) {
      const double share = static_cast<double>(tick) / kTicks;
      out += fmt::format(
          "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
          "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.10g}</text>",
          kLeft, kWidth - kRight, y(share * y_max), y(share * y_max), kLeft - 6,
          y(share * y_max) + 4, share * y_max);
      out +=
          fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{:.10g}{}</text>",
                      x(share * x_max), kHeight - kBottom + 18, tick == kTicks ? "end" : "middle",
                      share * x_max, tick == kTicks ? fmt::format(" {}", unit) : "");
    }
    return out + body + "</svg>";
  }
};

std::string figure(std::string_view title, std::string_view picture, std::string_view caption) {
  return fmt::format("<figure><h2>{}</h2>{}<figcaption>{}</figcaption></figure>\n", title, picture,
                     caption);
}

using OfSecond = std::function<double(const LoadSecond&)>;

void add_line(Plot& plot, const std::vector<LoadSecond>& timeline, std::string_view style,
              const OfSecond& value) {
  plot.body += fmt::format("<polyline class=\"line {}\" points=\"", style);
  for (const LoadSecond& second : timeline)
    plot.body += fmt::format("{:.1f},{:.1f} ", plot.x(static_cast<double>(second.second)),
                             plot.y(value(second)));
  plot.body += "\"/>";
}

double longest(const std::vector<LoadSecond>& timeline) {
  return timeline.empty() ? 1 : std::max(1.0, static_cast<double>(timeline.back().second));
}

std::string draw_members(const LoadSummary& summary) {
  const OfSecond inside = [](const LoadSecond& s) { return static_cast<double>(s.inside); };
  const OfSecond joining = [](const LoadSecond& s) { return static_cast<double>(s.joining); };
  const OfSecond failed = [](const LoadSecond& s) { return static_cast<double>(s.failed); };
  double most = 1;
  for (const LoadSecond& second : summary.timeline)
    most = std::max({most, inside(second), joining(second), failed(second)});
  Plot plot{longest(summary.timeline), round_up(most)};
  add_line(plot, summary.timeline, "a", inside);
  add_line(plot, summary.timeline, "b", joining);
  add_line(plot, summary.timeline, "c", failed);
  return plot.finish("s");
}

std::string draw_packets(const LoadSummary& summary) {
  const OfSecond packets = [](const LoadSecond& s) { return static_cast<double>(s.packets); };
  double most = 1;
  for (const LoadSecond& second : summary.timeline) most = std::max(most, packets(second));
  Plot plot{longest(summary.timeline), round_up(most)};
  add_line(plot, summary.timeline, "a", packets);
  return plot.finish("s");
}

// How many members have which value.
std::string draw_histogram(const std::vector<double>& values, std::string_view unit) {
  const double most = values.empty() ? 1 : *std::ranges::max_element(values);
  Plot plot{round_up(most), 1};
  std::array<std::size_t, kBars> counts{};
  for (const double value : values)
    ++counts[std::min(kBars - 1,
                      static_cast<std::size_t>(std::max(0.0, value) / plot.x_max * kBars))];
  plot.y_max = round_up(static_cast<double>(*std::ranges::max_element(counts)));
  const double width = plot.x_max / kBars;
  for (std::size_t i = 0; i < kBars; ++i) {
    if (counts[i] == 0) continue;
    const double left = plot.x(static_cast<double>(i) * width);
    const double top = plot.y(static_cast<double>(counts[i]));
    plot.body += fmt::format(
        "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", left,
        top, plot.x(width) - plot.x(0) - 1, plot.y(0) - top);
  }
  return plot.finish(unit);
}

double milliseconds_of(base::Duration duration) {
  return static_cast<double>(duration.count()) / 1000;
}

template <typename Value>
std::vector<double> collect(const std::vector<LoadRecord>& records, Value value) {
  std::vector<double> values;
  for (const LoadRecord& record : records)
    if (record.packets > 0) values.push_back(value(record));
  return values;
}

std::string row(std::string_view name, const Percentiles& p) {
  return fmt::format(
      "<tr><td>{}</td><td>{}</td><td>{:.1f}</td><td>{:.1f}</td><td>{:.1f}</td><td>{:.1f}</td></tr>",
      name, p.count, p.p50, p.p95, p.p99, p.max);
}

std::string tables(const LoadSummary& summary) {
  std::string out =
      "<table><tr><th>milliseconds</th><th>members</th><th>half</th><th>95 %</th><th>99 "
      "%</th><th>longest</th></tr>";
  out += row("request to being let in", summary.admitted);
  out += row("request to the first packet", summary.first_packet);
  out += row("the same, who came while measured", summary.first_packet_measured);
  out += row("worst gap", summary.gaps);
  out += row("worst gap while measured, who were there before", summary.gaps_already);
  out += row("jitter (RFC 3550)", summary.jitter);
  out += row("how late the load's own loop was", summary.process.lag) + "</table>\n";
  if (summary.failures.empty()) return out;
  out += "<h2>Failures</h2><table><tr><th>reason</th><th>times</th><th>what to do</th></tr>";
  for (const auto& [reason, failures] : summary.failures)
    out += fmt::format("<tr><td>{}: {}</td><td>{}</td><td>{}</td></tr>", escape(reason),
                       escape(failures.message), failures.count, escape(failures.advice));
  return out + "</table>\n";
}

}  // namespace

std::string load_html(const LoadSummary& summary, const std::vector<LoadRecord>& records) {
  std::string out(kHead);
  out += fmt::format(
      "<h1>Load of a room at {}</h1>\n<p>Profile {}: {} members, {:.10g} joins a second.</p>\n<p>",
      escape(summary.server), to_text(summary.plan.profile), summary.plan.members,
      summary.plan.rate);
  for (const char c : escape(load_text(summary)))
    out += c == '\n' ? std::string("<br>\n") : std::string(1, c);
  out += "</p>\n" + tables(summary);
  out += figure("Members", draw_members(summary),
                "<span class=\"key ka\"></span>in <span class=\"key kb\"></span>joining <span "
                "class=\"key kc\"></span>failed, by second");
  out += figure("Packets a second", draw_packets(summary), "Of all members together, by second");
  out += figure("Join time",
                draw_histogram(collect(records,
                                       [](const LoadRecord& r) {
                                         return milliseconds_of(r.first_packet - r.requested);
                                       }),
                               "ms"),
                "Members by the time from the request to the first packet");
  out += figure(
      "Worst gap",
      draw_histogram(
          collect(records, [](const LoadRecord& r) { return milliseconds_of(r.worst_gap); }), "ms"),
      "Members by the longest time between two packets of one talk spurt");
  out +=
      figure("Loss",
             draw_histogram(
                 collect(records, [](const LoadRecord& r) { return static_cast<double>(r.lost); }),
                 "packets"),
             "Members by packets that never came, after repair");
  return out + "</body></html>\n";
}

}  // namespace alcove::client
