#include "audit/finding_texts.h"

#include <array>

#include "base/check.h"

namespace alcove::audit {

const FindingText& finding_text(FindingCode code, Language language) {
  for (const auto& part : {texts_of_where(), texts_of_readable(), texts_of_readable_protocols(),
                           texts_of_audio(), texts_of_capture()}) {
    for (const FindingTexts& texts : part)
      if (texts.code == code) return language == Language::kFrench ? texts.french : texts.english;
  }
  base::check_failed("a finding has a text", __FILE__, __LINE__);
}

FindingGroup group_of(FindingCode code) {
  const unsigned number = static_cast<unsigned>(code);
  if (number < 200) return FindingGroup::kWhere;
  if (number < 300) return FindingGroup::kReadable;
  if (number < 400) return FindingGroup::kAudio;
  if (number < 500) return FindingGroup::kSizes;
  return FindingGroup::kCapture;
}

std::string_view group_title(FindingGroup group, Language language) {
  struct Titles {
    std::string_view english, french;
  };
  static constexpr std::array<Titles, 5> kTitles = {{
      {"Where packets went", "Où sont allés les paquets"},
      {"What could be read on the way", "Ce qui pouvait être lu en chemin"},
      {"Whether audio could be heard", "Si le son pouvait être écouté"},
      {"What sizes and timings tell", "Ce que disent les tailles et les rythmes"},
      {"The capture itself", "La capture elle-même"},
  }};
  const Titles& titles = kTitles[static_cast<std::size_t>(group)];
  return language == Language::kFrench ? titles.french : titles.english;
}

}  // namespace alcove::audit
