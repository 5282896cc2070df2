#pragma once
// What a load is asked to do: how many members, how fast they come, how long they stay
// (docs/load.md). Values. Any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "client/house_check.h"
#include "client/link.h"
#include "roomlog/objects.h"

namespace alcove::client {

// kSteady: all come, and stay. kFlash: some listen already when the others come at once. kChurn:
// all come, then each second some leave and as many come.
enum class LoadProfile : std::uint8_t { kSteady, kFlash, kChurn };
std::string_view to_text(LoadProfile profile);

struct LoadPlan {
  LoadProfile profile = LoadProfile::kSteady;
  std::size_t members = 100;
  double rate = 50;                         // joins a second
  base::Duration stay = base::seconds(30);  // measured, after all have come
  std::size_t already = 0;                  // kFlash: of members
  double fill_rate = 50;                    // kFlash: joins a second of those
  std::size_t sample = 5;                   // members that follow the log and decrypt
  std::uint32_t opened_share = 50;          // of the others: one packet in so many is authenticated
};

// What was typed.
struct LoadTexts {
  std::string link;
  std::string profile = "steady";
  std::string seconds = "30";
  std::int64_t members = 100;
  double rate = 50;
  std::int64_t already = -1;  // -1: what is left of members after 10 s of rate
  std::int64_t sample = 5;
};

struct LoadOptions {
  ServerAddress server;
  base::RoomId room;
  std::optional<roomlog::LinkFragment> fragment;
  LoadPlan plan;
  HouseTrust trust;     // for this server
  bool french = false;  // which of the operator's texts the person reads
};

inline constexpr std::int64_t kMaxLoadMembers = 100'000;
inline constexpr double kMaxLoadRate = 10'000;

// kInvalidArgument, with a message that names the option.
base::Result<LoadOptions> make_load_options(const LoadTexts& texts);
base::Result<LoadOptions> make_load_options(std::string_view link, const LoadPlan& plan);
// Without the link, for a room that the load starts itself.
base::Result<LoadPlan> make_load_plan(const LoadTexts& texts);

// Whether a server of this host is reached over loopback, where each member has an address of its
// own.
bool is_loopback_host(std::string_view host);

}  // namespace alcove::client
