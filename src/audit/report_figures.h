#pragma once
// The pictures of the HTML report: SVG with classes for colours, a title and a description. Any
// thread.

#include <string>
#include <string_view>

#include "audit/report.h"

namespace alcove::audit {

// For text and attribute values of HTML; clean_text() is applied first.
std::string escape_html(std::string_view text, std::size_t at_most = 4096);

std::string country_figure(const Report& report, Language language);
std::string timeline_figure(const Report& report, Language language);
// Of one stream; number makes ids unique.
std::string size_figure(const MediaStreamSummary& stream, std::size_t number, Language language);

inline constexpr std::size_t kMaxCountryBars = 20;

}  // namespace alcove::audit
