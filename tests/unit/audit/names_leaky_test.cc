// The leaky app of 2021 and its clean twin, by the inspectors of addresses, names and text alone.

#include "names_harness.h"
#include "support/leaky_captures.h"

namespace alcove::audit {
namespace {

using enum FindingCode;

bool is_of_names(FindingCode code) {
  switch (code) {
    case kCleartextDns:
    case kDnsNotInManifest:
    case kCleartextHttp:
    case kIdentifierField:
    case kKnownIdentifier:
    case kToken:
    case kVendorProtocol:
    case kDeviceString:
    case kPrivateAddress:
    case kNotInManifest:
      return true;
    default:
      return false;
  }
}

TEST(NamesLeaky, EachLeakIsFoundInItsPackets) {
  const test::LeakyCapture leaky = test::make_leaky_app();
  const v1::Manifest manifest = test::twin_manifest();
  NamesHarness audit(leaky.identifiers, nullptr, &manifest);
  audit.run(leaky.capture);
  std::size_t judged = 0;
  for (const test::Leak& leak : leaky.leaks) {
    if (!is_of_names(leak.code)) continue;
    ++judged;
    const Packets found = audit.packets(leak.code);
    for (const std::uint64_t packet : leak.packets)
      EXPECT_NE(std::ranges::find(found, packet), found.end())
          << code_text(leak.code) << " " << leak.what << " " << packet << "\n"
          << audit.list();
  }
  EXPECT_GE(judged, 12U);
}

TEST(NamesLeaky, SecretsAreCutInWhatIsTold) {
  const test::LeakyCapture leaky = test::make_leaky_app();
  NamesHarness audit(leaky.identifiers);
  audit.run(leaky.capture);
  for (const Finding& finding : audit.findings.sorted()) {
    for (const Evidence& evidence : finding.evidence)
      EXPECT_EQ(evidence.excerpt.find("0061f8ac04be9d24"), std::string::npos)
          << code_text(finding.code) << " " << evidence.excerpt;
    EXPECT_EQ(finding.subject.find("0061f8ac04be9d24"), std::string::npos);
  }
}

TEST(NamesLeaky, TheCleanTwinIsClean) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const test::LeakyCapture clean = test::make_clean_twin(seed);
    const v1::Manifest manifest = test::twin_manifest();
    NamesHarness audit(clean.identifiers, nullptr, &manifest);
    audit.run(clean.capture);
    EXPECT_EQ(audit.list(), "");
  }
}

}  // namespace
}  // namespace alcove::audit
