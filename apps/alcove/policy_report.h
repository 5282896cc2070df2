#pragma once
// Which addresses a policy allows, as text for people and as JSON for programs. Pure.

#include <span>
#include <string>
#include <vector>

#include "policy/decide.h"

namespace alcove::app {

enum class Language { kEnglish, kFrench };

// An address that was judged.
struct Judged {
  std::string what;   // "relay udp 198.51.100.7:7878", or as it was asked for
  std::string asked;  // the name or literal
  policy::Decision decision;
};

struct PolicyReport {
  std::string policy_file;  // empty: the default
  std::vector<Judged> judged;
  std::vector<std::string> not_judged;  // names that were not looked up, each with its reason
  policy::GeoDatabase::Id database;

  std::size_t denied() const;
};

std::string to_text(const PolicyReport& report, Language language);
std::string to_json(const PolicyReport& report, Language language);

}  // namespace alcove::app
