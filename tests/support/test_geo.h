#pragma once
// The small world of tests/support/geo: a database of addresses in allowed and denied countries and
// of denied owners, and the policy that goes with it. One thread.

#include <memory>
#include <string>

#include "policy/geo_database.h"
#include "policy/geo_merge.h"
#include "policy/policy.h"

namespace alcove::test {

// The tables as they are read from tests/support/geo.
policy::GeoTables read_test_tables();
// The same as an .mmdb, built on 2026-06-17.
base::Buffer make_test_mmdb();
std::unique_ptr<policy::GeoDatabase> open_test_geo();
// The path of a file "test.mmdb" in a temporary folder, made once and removed when the process
// ends.
const std::string& build_test_geo();

// location.deny = ["CN"], owner.deny = ["CN"], unknown = "deny"
policy::Policy test_policy();

}  // namespace alcove::test
