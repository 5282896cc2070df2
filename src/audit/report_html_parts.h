#pragma once
// The sections of the HTML report, in the order they stand in it. Any thread.

#include <string>

#include "audit/report.h"

namespace alcove::audit {

inline constexpr std::size_t kMaxHtmlFlows = 300;
inline constexpr std::size_t kMaxHtmlStreams = 24;  // with a picture; the table has all

std::string html_verdict(const Report& report, Language language);
std::string html_facts(const Report& report, Language language);
std::string html_findings(const Report& report, Language language);
std::string html_countries(const Report& report, Language language);
std::string html_timeline(const Report& report, Language language);
std::string html_media(const Report& report, Language language);
std::string html_flows(const Report& report, Language language);
// Policy, manifest, database, and what the capture's counters say.
std::string html_given(const Report& report, Language language);

}  // namespace alcove::audit
