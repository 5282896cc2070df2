#include "client/load_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/address.h"
#include "client/duration_text.h"

namespace alcove::client {

using base::ErrorCode;
using base::Result;

namespace {

// A flash crowd comes within about so long, when nothing else is said.
constexpr double kFlashSeconds = 10;
// Those who listen already come no faster than this: they are not what is measured.
constexpr double kFillRate = 100;

std::unexpected<base::Error> wrong(std::string message) {
  return base::fail(ErrorCode::kInvalidArgument, std::move(message));
}

std::optional<LoadProfile> parse_profile(std::string_view text) {
  for (const LoadProfile profile : {LoadProfile::kSteady, LoadProfile::kFlash, LoadProfile::kChurn})
    if (text == to_text(profile)) return profile;
  return std::nullopt;
}

Result<void> complete_flash(const LoadTexts& texts, LoadPlan& plan) {
  const double crowd =
      std::min(std::ceil(plan.rate * kFlashSeconds), static_cast<double>(plan.members));
  const auto left = plan.members - static_cast<std::size_t>(crowd);
  if (texts.already >= texts.members)
    return wrong("--already is less than --members: the others are the crowd that comes.");
  plan.already = texts.already < 0 ? left : static_cast<std::size_t>(texts.already);
  plan.fill_rate = std::min(plan.rate, kFillRate);
  return {};
}

}  // namespace

std::string_view to_text(LoadProfile profile) {
  switch (profile) {
    case LoadProfile::kSteady:
      return "steady";
    case LoadProfile::kFlash:
      return "flash";
    case LoadProfile::kChurn:
      return "churn";
  }
  return "";
}

Result<LoadPlan> make_load_plan(const LoadTexts& texts) {
  LoadPlan plan;
  const std::optional<LoadProfile> profile = parse_profile(texts.profile);
  if (!profile) return wrong("--profile is steady, flash or churn.");
  plan.profile = *profile;
  if (texts.members < 1 || texts.members > kMaxLoadMembers)
    return wrong(fmt::format("--members is 1 to {}.", kMaxLoadMembers));
  plan.members = static_cast<std::size_t>(texts.members);
  // Also refuses what is not a number.
  if (!(texts.rate > 0 && texts.rate <= kMaxLoadRate))
    return wrong(fmt::format("--rate is more than 0 and at most {} joins a second.", kMaxLoadRate));
  plan.rate = plan.fill_rate = texts.rate;
  const std::optional<base::Duration> stay = parse_duration(texts.seconds);
  if (!stay) return wrong("--seconds takes a number of seconds, or a duration such as 5m.");
  plan.stay = *stay;
  if (texts.sample < 0) return wrong("--sample is 0 or more.");
  plan.sample = static_cast<std::size_t>(std::min(texts.sample, texts.members));
  if (texts.already >= 0 && plan.profile != LoadProfile::kFlash)
    return wrong("--already is for --profile flash.");
  if (plan.profile == LoadProfile::kFlash)
    if (Result<void> completed = complete_flash(texts, plan); !completed)
      return std::unexpected(completed.error());
  return plan;
}

Result<LoadOptions> make_load_options(const LoadTexts& texts) {
  const Result<LoadPlan> plan = make_load_plan(texts);
  if (!plan) return std::unexpected(plan.error());
  return make_load_options(texts.link, *plan);
}

Result<LoadOptions> make_load_options(std::string_view text, const LoadPlan& plan) {
  LoadOptions options;
  options.plan = plan;
  Result<RoomLink> link = parse_room_link(text);
  if (!link) return std::unexpected(link.error());
  options.server = std::move(link->server);
  options.room = link->room;
  if (link->fragment.empty()) return options;
  const auto fragment = roomlog::parse_link_fragment(link->fragment);
  if (!fragment) return wrong("What follows # in the link is not complete: it proves the room.");
  options.fragment = *fragment;
  return options;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  const std::optional<base::IpAddress> address = base::IpAddress::parse(host);
  return address && address->is_loopback();
}

}  // namespace alcove::client
