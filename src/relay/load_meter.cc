#include "relay/load_meter.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace alcove::relay {
namespace {

constexpr base::Duration kInterval = base::milliseconds(200);
constexpr base::Duration kSmoothing = base::seconds(1);
constexpr base::Duration kWindow = base::seconds(4);
// Below this the 99th percentile is the one unlucky packet.
constexpr std::uint32_t kLeastSamples = 100;

double seconds_of(base::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

bool LoadMeter::add(const Batch& batch) {
  if (interval_began_ == base::Instant{}) {
    interval_began_ = batch.ended - batch.work;
    window_began_ = interval_began_;
  }
  interval_work_ += batch.work;
  if (batch.age) add_age(*batch.age, batch.work);
  if (batch.ended - interval_began_ < kInterval) return false;
  end_interval(batch.ended);
  return judge(batch.ended);
}

void LoadMeter::end_interval(base::Instant now) {
  const base::Duration elapsed = now - interval_began_;
  const double share = std::min(1.0, seconds_of(interval_work_) / seconds_of(elapsed));
  const double weight = 1 - std::exp(-seconds_of(elapsed) / seconds_of(kSmoothing));
  busy_share_ += (share - busy_share_) * weight;
  load_.busy = static_cast<unsigned>(std::lround(busy_share_ * 1000));
  interval_began_ = now;
  interval_work_ = {};
  if (now - window_began_ >= kWindow) {
    // After a long silence both windows are old.
    previous_ = now - window_began_ >= 2 * kWindow ? Window() : current_;
    current_ = Window();
    window_began_ = now;
  }
  load_.queue_age = percentile_99();
  load_.longest_fan_out = std::max(current_.longest, previous_.longest);
}

void LoadMeter::add_age(base::Duration age, base::Duration work) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(age).count();
  const auto bucket = static_cast<std::size_t>(std::clamp<std::int64_t>(whole, 0, kBuckets - 1));
  ++current_.ages[bucket];
  ++current_.count;
  current_.longest = std::max(current_.longest, work);
}

base::Duration LoadMeter::percentile_99() const {
  const std::uint32_t count = current_.count + previous_.count;
  if (count < kLeastSamples) return {};
  std::uint32_t above = count / 100;
  for (std::size_t bucket = kBuckets; bucket-- > 0;) {
    const std::uint32_t here = current_.ages[bucket] + previous_.ages[bucket];
    if (here > above) return std::chrono::milliseconds(bucket);
    above -= here;
  }
  return {};
}

bool LoadMeter::judge(base::Instant now) {
  const bool late = load_.queue_age >= kAgeOverloaded && load_.busy >= kBusyAtAll;
  if (load_.overloaded) {
    const bool relieved =
        load_.busy < kBusyRelieved && (load_.queue_age < kAgeRelieved || load_.busy < kBusyAtAll);
    if (!relieved || now - changed_at_ < kLeastOverload) return false;
  } else if (load_.busy < kBusyOverloaded && !late) {
    return false;
  }
  load_.overloaded = !load_.overloaded;
  changed_at_ = now;
  return true;
}

}  // namespace alcove::relay
