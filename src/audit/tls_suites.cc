// Which cipher suites of IANA's registry are weak. The numbers are the registry's.

#include <algorithm>
#include <array>

#include "audit/tls_hello.h"

namespace alcove::audit {
namespace {

template <std::size_t N>
bool contains(const std::array<std::uint16_t, N>& sorted, std::uint16_t suite) {
  return std::ranges::binary_search(sorted, suite);
}

constexpr auto kNullSuites = std::to_array<std::uint16_t>(
    {0x0000, 0x0001, 0x0002, 0x002c, 0x002d, 0x002e, 0x003b, 0x00b0, 0x00b1, 0x00b4, 0x00b5, 0x00b8,
     0x00b9, 0xc001, 0xc006, 0xc00b, 0xc010, 0xc015, 0xc039, 0xc03a, 0xc03b, 0xc0b4, 0xc0b5});
constexpr auto kAnonymousSuites = std::to_array<std::uint16_t>(
    {0x0017, 0x0018, 0x0019, 0x001a, 0x001b, 0x0034, 0x003a, 0x0046, 0x006c, 0x006d,
     0x0089, 0x009b, 0x00a6, 0x00a7, 0x00bf, 0x00c5, 0xc016, 0xc017, 0xc018, 0xc019});
constexpr auto kExportSuites = std::to_array<std::uint16_t>(
    {0x0003, 0x0006, 0x0008, 0x000b, 0x000e, 0x0011, 0x0014, 0x0026, 0x0027, 0x0028, 0x0029, 0x002a,
     0x002b, 0x0062, 0x0063, 0x0064, 0x0065});
constexpr auto kDesSuites =
    std::to_array<std::uint16_t>({0x0009, 0x000c, 0x000f, 0x0012, 0x0015, 0x001e, 0x0022});
constexpr auto kTripleDesSuites = std::to_array<std::uint16_t>(
    {0x000a, 0x000d, 0x0010, 0x0013, 0x0016, 0x001f, 0x0023, 0x008b, 0x008f, 0x0093, 0xc003, 0xc008,
     0xc00d, 0xc012, 0xc01a, 0xc01b, 0xc01c, 0xc034});
constexpr auto kRc4Suites =
    std::to_array<std::uint16_t>({0x0004, 0x0005, 0x0020, 0x0024, 0x0066, 0x008a, 0x008e, 0x0092,
                                  0xc002, 0xc007, 0xc00c, 0xc011, 0xc033});
constexpr auto kStaticRsaSuites = std::to_array<std::uint16_t>(
    {0x0007, 0x002f, 0x0035, 0x003c, 0x003d, 0x0041, 0x0084, 0x0096, 0x009c, 0x009d, 0x00ba,
     0x00c0, 0xc03c, 0xc03d, 0xc050, 0xc051, 0xc07a, 0xc07b, 0xc09c, 0xc09d, 0xc0a0, 0xc0a1});

}  // namespace

SuiteWeakness suite_weakness(std::uint16_t suite) {
  if (contains(kNullSuites, suite)) return SuiteWeakness::kNoEncryption;
  if (contains(kExportSuites, suite)) return SuiteWeakness::kExport;
  if (contains(kAnonymousSuites, suite)) return SuiteWeakness::kNoAuthentication;
  if (contains(kDesSuites, suite)) return SuiteWeakness::kDes;
  if (contains(kTripleDesSuites, suite)) return SuiteWeakness::kTripleDes;
  if (contains(kRc4Suites, suite)) return SuiteWeakness::kRc4;
  if (contains(kStaticRsaSuites, suite)) return SuiteWeakness::kStaticRsa;
  return SuiteWeakness::kNone;
}

std::string_view weakness_name(SuiteWeakness weakness) {
  switch (weakness) {
    case SuiteWeakness::kNone:
      return "";
    case SuiteWeakness::kNoEncryption:
      return "NULL";
    case SuiteWeakness::kNoAuthentication:
      return "anonymous";
    case SuiteWeakness::kExport:
      return "EXPORT";
    case SuiteWeakness::kDes:
      return "DES";
    case SuiteWeakness::kTripleDes:
      return "3DES";
    case SuiteWeakness::kRc4:
      return "RC4";
    case SuiteWeakness::kStaticRsa:
      return "static RSA";
  }
  return "";
}

}  // namespace alcove::audit
