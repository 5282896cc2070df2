#include "audit/report_figures.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/report_words.h"

namespace alcove::audit {

namespace {

constexpr double kWidth = 720;

std::string open_svg(double height, std::string_view id, std::string_view title,
                     std::string_view description) {
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-labelledby=\"{}-t {}-d\">"
      "<title id=\"{}-t\">{}</title><desc id=\"{}-d\">{}</desc>",
      kWidth, height, id, id, id, escape_html(title), id, escape_html(description));
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string escape_html(std::string_view text, std::size_t at_most) {
  std::string out;
  for (const char c : clean_text(text, at_most)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string country_figure(const Report& report, Language language) {
  constexpr double kRow = 30;
  constexpr double kLeft = 200;
  constexpr double kValue = 150;
  const std::size_t rows = std::min(report.countries.size(), kMaxCountryBars);
  std::uint64_t most = 1;
  for (const CountrySummary& country : report.countries) most = std::max(most, country.bytes);
  std::string out =
      open_svg(static_cast<double>(rows) * kRow + 4, "countries",
               pick(language, "Bytes by country", "Octets par pays"),
               pick(language,
                    "One bar for each country; denied ones are red and say so. The table below "
                    "has the numbers.",
                    "Une barre par pays ; les pays refusés sont en rouge et le disent. Le tableau "
                    "ci-dessous donne les nombres."));
  for (std::size_t i = 0; i < rows; ++i) {
    const CountrySummary& country = report.countries[i];
    const double y = static_cast<double>(i) * kRow + 4;
    // A single ping must be seen beside gigabytes.
    const double width = std::max(3.0, share(country.bytes, most) * (kWidth - kLeft - kValue));
    out += fmt::format(
        "<text class=\"{}\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}{}</text>"
        "<rect class=\"{}\" x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" rx=\"2\"/>"
        "<text class=\"dim\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
        country.denied ? "bad" : "", kLeft - 10, y + 16, country.denied ? "✕ " : "",
        escape_html(country_text(country.country, country.private_addresses, language), 48),
        country.denied ? "denied" : "bar", kLeft, y, width, kRow - 8, kLeft + width + 8, y + 16,
        size_text(country.bytes, language));
  }
  return out + "</svg>";
}

std::string timeline_figure(const Report& report, Language language) {
  constexpr double kHeight = 200;
  constexpr double kTop = 16;
  constexpr double kBottom = 34;
  constexpr double kLeft = 8;
  const Timeline& timeline = report.timeline;
  std::uint64_t most = 1;
  for (const Timeline::Bin& bin : timeline.bins) most = std::max(most, bin.packets);
  const double plot = kHeight - kTop - kBottom;
  const double base = kHeight - kBottom;
  const double width =
      (kWidth - 2 * kLeft) / static_cast<double>(std::max<std::size_t>(timeline.bins.size(), 1));
  std::string out = open_svg(
      kHeight, "timeline", pick(language, "Packets over time", "Paquets au fil du temps"),
      pick(language,
           "One column for each stretch of time: media dark, other packets light, packets to or "
           "from denied addresses red, with a red mark below the axis.",
           "Une colonne par tranche de temps : le média en foncé, les autres paquets en clair, "
           "les paquets refusés en rouge, avec une marque rouge sous l'axe."));
  const auto column = [&](std::string_view style, double x, double bottom, double height) {
    if (height <= 0) return;
    out += fmt::format(
        "<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" "
        "height=\"{:.2f}\"/>",
        style, x, bottom - height, std::max(width - 0.4, 0.6), height);
  };
  for (std::size_t i = 0; i < timeline.bins.size(); ++i) {
    const Timeline::Bin& bin = timeline.bins[i];
    const double x = kLeft + static_cast<double>(i) * width;
    const double denied =
        bin.denied_packets == 0 ? 0 : std::max(3.0, share(bin.denied_packets, most) * plot);
    const double media = share(std::min(bin.media_packets, bin.packets), most) * plot;
    const double all = share(bin.packets, most) * plot;
    column("other", x, base, all);
    column("bar", x, base, media);
    column("denied", x, base, denied);
    if (bin.denied_packets > 0) {
      out += fmt::format(
          "<rect class=\"denied\" x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" "
          "height=\"6\"/>",
          x, base + 3, std::max(width, 2.0));
    }
  }
  out += fmt::format(
      "<line class=\"axis\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>"
      "<text class=\"dim\" x=\"{}\" y=\"{}\">0</text>"
      "<text class=\"dim\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>"
      "<text class=\"dim\" x=\"{}\" y=\"12\">{} {} {}</text></svg>",
      kLeft, kWidth - kLeft, base, base, kLeft, kHeight - 6, kWidth - kLeft, kHeight - 6,
      duration_text(span_between(report.begin, report.end), language), kLeft,
      counted(most, pick(language, "packet", "paquet"), pick(language, "packets", "paquets"),
              language),
      pick(language, "in", "en"), duration_text(timeline.bin, language));
  return out;
}

std::string size_figure(const MediaStreamSummary& stream, std::size_t number, Language language) {
  constexpr double kHeight = 110;
  constexpr double kBottom = 22;
  constexpr double kTop = 4;
  std::size_t last = 15;  // at least to 512 bytes, so that pictures compare
  for (std::size_t i = 0; i < stream.sizes.size(); ++i)
    if (stream.sizes[i] > 0) last = std::max(last, i);
  const std::uint32_t most = *std::max_element(stream.sizes.begin(), stream.sizes.end());
  const double width = (kWidth - 16) / static_cast<double>(last + 1);
  std::string out = open_svg(
      kHeight, fmt::format("sizes-{}", number),
      fmt::format("{} {:08x}", pick(language, "Payload sizes of stream", "Tailles du flux"),
                  stream.ssrc),
      counted(stream.distinct_sizes, pick(language, "different size", "taille différente"),
              pick(language, "different sizes", "tailles différentes"), language));
  for (std::size_t i = 0; i <= last; ++i) {
    if (stream.sizes[i] == 0) continue;
    const double height =
        std::max(2.0, share(stream.sizes[i], std::max(most, 1U)) * (kHeight - kBottom - kTop));
    out += fmt::format(
        "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\"/>",
        8 + static_cast<double>(i) * width, kHeight - kBottom - height, std::max(width - 2, 1.0),
        height);
  }
  out += fmt::format(
      "<line class=\"axis\" x1=\"8\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>"
      "<text class=\"dim\" x=\"8\" y=\"{}\">0</text>"
      "<text class=\"dim\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text></svg>",
      kWidth - 8, kHeight - kBottom, kHeight - kBottom, kHeight - 6, kWidth - 8, kHeight - 6,
      size_text((last + 1) * 32, language));
  return out;
}

}  // namespace alcove::audit
