#include "e2ee/log_record.h"

namespace alcove::e2ee {
namespace {

std::uint64_t number_of(const v1::SignedObject& entry) {
  v1::LogEntry body;
  return body.ParseFromString(entry.body()) ? body.n() : 0;
}

}  // namespace

LogRecord::LogRecord(const v1::SignedObject& genesis, bool keep) : keep_(keep) {
  *log_.mutable_genesis() = genesis;
}

bool LogRecord::take(const v1::SignedObject& object) {
  const std::size_t size = object.ByteSizeLong();
  if (!keep_ || size > kMaxBytes - bytes_) {
    // With a hole in it the rest would not be checkable.
    keep_ = false;
    return false;
  }
  bytes_ += size;
  return true;
}

void LogRecord::begin(const v1::LogChain& chain) {
  is_authority_.clear();
  log_.clear_authority();
  log_.clear_entries();
  log_.clear_roster();
  bytes_ = 0;
  std::uint64_t last = 0;
  for (const v1::SignedObject& entry : chain.authority()) {
    if (!take(entry)) return;
    *log_.add_authority() = entry;
    last = number_of(entry);
  }
  for (const v1::SignedObject* entry : {&chain.advance(), &chain.head()}) {
    const std::uint64_t n = number_of(*entry);
    if (n <= last) continue;
    last = n;
    add(*entry, false);
  }
}

void LogRecord::restart(std::string_view without) {
  v1::LogExport before;
  before.Swap(&log_);
  bytes_ = 0;
  *log_.mutable_genesis() = before.genesis();
  for (const v1::SignedObject& entry : before.authority())
    if (take(entry)) *log_.add_authority() = entry;
  for (std::size_t i = 0; i < is_authority_.size(); ++i) {
    const v1::SignedObject& entry = before.entries(static_cast<int>(i));
    if (is_authority_[i] && entry.body() != without && take(entry)) *log_.add_authority() = entry;
  }
  is_authority_.clear();
}

void LogRecord::leave_stage() { restart({}); }

void LogRecord::begin_full(std::span<const roomlog::Certificate> roster,
                           const v1::SignedObject& head, bool head_is_authority) {
  restart(head.body());
  for (const roomlog::Certificate& certificate : roster)
    if (take(certificate.object)) *log_.add_roster() = certificate.object;
  add(head, head_is_authority);
}

void LogRecord::add(const v1::SignedObject& entry, bool is_authority) {
  if (!take(entry)) return;
  *log_.add_entries() = entry;
  is_authority_.push_back(is_authority);
}

}  // namespace alcove::e2ee
