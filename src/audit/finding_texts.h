#pragma once
// What a finding's code means, in plain words for people who are under attack and are not
// engineers. The same table in docs/audit.md; a test compares them. Any thread.

#include <span>
#include <string_view>

#include "audit/finding.h"
#include "audit/report.h"

namespace alcove::audit {

struct FindingText {
  std::string_view title;    // one line, no full stop
  std::string_view meaning;  // what it means for those whose device it is
  std::string_view action;   // what to do about it
};

// Of every code of all_codes().
const FindingText& finding_text(FindingCode code, Language language);

// The hundreds of the codes, as the reports group them.
enum class FindingGroup : std::uint8_t { kWhere, kReadable, kAudio, kSizes, kCapture };
FindingGroup group_of(FindingCode code);
std::string_view group_title(FindingGroup group, Language language);

// The parts of the table, one a file.
struct FindingTexts {
  FindingCode code;
  FindingText english;
  FindingText french;
};
std::span<const FindingTexts> texts_of_where();
std::span<const FindingTexts> texts_of_readable();
std::span<const FindingTexts> texts_of_readable_protocols();
std::span<const FindingTexts> texts_of_audio();
std::span<const FindingTexts> texts_of_capture();

}  // namespace alcove::audit
