#include "process_limits.h"

#include <sys/resource.h>

#include <algorithm>

namespace alcove::app {

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::size_t raise_file_limit(std::size_t needed) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return needed;  // then opening says it
  if (limit.rlim_cur < needed && limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = std::min<rlim_t>(needed, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return static_cast<std::size_t>(limit.rlim_cur);
}

client::LoadProcess process_usage() {
  client::LoadProcess process;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return process;
  process.processor_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  process.resident_kib = usage.ru_maxrss;
  return process;
}

}  // namespace alcove::app
