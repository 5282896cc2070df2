#pragma once
// Bounds of the room log (docs/protocol/room-keys.md, "Signed objects" and "The log"). Any thread.

#include <cstddef>
#include <cstdint>

#include "alcove/v1/keys.pb.h"

namespace alcove::roomlog {

inline constexpr std::size_t kMaxGenesisBody = 512;
inline constexpr std::size_t kMaxCertificateBody = 512;
inline constexpr std::size_t kMaxEntryBody = 65'536;
// Numbers of entries and times in milliseconds: what JavaScript counts exactly.
inline constexpr std::int64_t kMaxNumber = (std::int64_t{1} << 53) - 1;
inline constexpr std::size_t kMaxAccountBytes = 64;
inline constexpr std::size_t kMaxNameCodePoints = 40;
inline constexpr std::size_t kMaxNameBytes = 160;
inline constexpr int kMaxOps = 64;
inline constexpr int kMaxAdmits = 16;
inline constexpr int kMaxLinkBoxes = 255;
inline constexpr int kMaxInvitesInEntry = 64;
inline constexpr std::size_t kMaxInvites = 1'024;
inline constexpr std::size_t kMaxAuthorityEntries = 1'024;
inline constexpr std::size_t kMaxRoster = 65'535;
inline constexpr std::size_t kLinkBoxSize = 64;
inline constexpr std::int64_t kDepartAfterMs = 30'000;

// Every size and number of the body that does not depend on the room or its state.
bool is_within_bounds(const v1::Genesis& body);
bool is_within_bounds(const v1::Certificate& body);
bool is_within_bounds(const v1::LogEntry& body);

}  // namespace alcove::roomlog
