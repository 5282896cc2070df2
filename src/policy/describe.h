#pragma once
// A policy in words, for its operator and for people who want to know it. Any thread.

#include <string>
#include <vector>

#include "policy/policy.h"

namespace alcove::policy {

// Sentences, in the order in which decide() looks at the rules.
std::vector<std::string> describe_en(const Policy& policy);
std::vector<std::string> describe_fr(const Policy& policy);

}  // namespace alcove::policy
