#include "rtc/ice_lite.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/hash.h"

namespace alcove::rtc {
namespace {

// Room for any response: the longest is a 420 with kMaxUnknownAttributes.
constexpr std::size_t kMaxResponse = 160;

struct Refusal {
  std::uint16_t code = 0;
  std::string_view reason;
};
constexpr Refusal kBadRequest{400, "Bad Request"};
constexpr Refusal kUnauthenticated{401, "Unauthenticated"};
constexpr Refusal kUnknownAttribute{420, "Unknown Attribute"};
constexpr Refusal kRoleConflict{487, "Role Conflict"};

// An error response; without a password it goes out unauthenticated (RFC 8489, section 9.1.3), and
// not at all (false) when it would be longer than the request: who spoofs a source must gain
// nothing.
bool write_refusal(const Refusal& refusal, const std::string* password,
                   const wire::StunMessage& request, std::size_t request_size,
                   const base::Path& path, base::DatagramQueue& out) {
  wire::StunWriter writer(out.reserve(kMaxResponse));
  writer.begin(wire::StunClass::kError, wire::kStunBinding, request.transaction);
  writer.add_error_code(refusal.code, refusal.reason);
  if (refusal.code == kUnknownAttribute.code) writer.add_unknown_attributes(request.not_understood);
  if (password) writer.add_integrity(base::as_bytes(*password), crypto::hmac_sha1);
  writer.add_fingerprint();
  const std::size_t size = writer.finish().size();
  CHECK(size != 0);
  if (!password && size > request_size) return false;
  out.commit(path, size);
  return true;
}

void write_success(const std::string& password, const wire::StunMessage& request,
                   const base::Path& path, base::DatagramQueue& out) {
  wire::StunWriter writer(out.reserve(kMaxResponse));
  writer.begin(wire::StunClass::kSuccess, wire::kStunBinding, request.transaction);
  writer.add_xor_mapped_address(path.remote);
  writer.add_integrity(base::as_bytes(password), crypto::hmac_sha1);
  writer.add_fingerprint();
  const std::size_t size = writer.finish().size();
  CHECK(size != 0);
  out.commit(path, size);
}

}  // namespace

IceLite::IceLite(base::Instant now, wire::IceCredentials local, wire::IceCredentials remote)
    : current_(make_generation(std::move(local), std::move(remote))),
      consent_expires_at_(now + kConsentLifetime) {}

IceLite::Generation IceLite::make_generation(wire::IceCredentials local,
                                             wire::IceCredentials remote) {
  std::string username = local.ufrag + ":" + remote.ufrag;
  return {std::move(local), std::move(remote), std::move(username)};
}

void IceLite::restart(wire::IceCredentials local, wire::IceCredentials remote) {
  pending_ = make_generation(std::move(local), std::move(remote));
}

const IceLite::Generation* IceLite::find_generation(std::string_view username) const {
  if (pending_ && username == pending_->username) return &*pending_;
  return username == current_.username ? &current_ : nullptr;
}

bool IceLite::accepts_ufrag(std::string_view local_ufrag) const {
  return local_ufrag == current_.local.ufrag || (pending_ && local_ufrag == pending_->local.ufrag);
}

IceCheckOutcome IceLite::handle_request(base::Instant now, const base::Path& path,
                                        const wire::StunMessage& request, base::Bytes datagram,
                                        base::DatagramQueue& out) {
  IceCheckOutcome outcome;
  // ICE's checks always have FINGERPRINT (RFC 8445, section 7.1); nothing else is for us.
  if (request.message_class != wire::StunClass::kRequest || request.method != wire::kStunBinding ||
      !request.has_fingerprint)
    return outcome;
  const auto refuse = [&](const Refusal& refusal, const std::string* password) {
    if (write_refusal(refusal, password, request, datagram.size(), path, out))
      outcome.result = IceCheckResult::kRejected;
    return outcome;
  };
  // The order of RFC 8489, sections 9.1.3 and 6.3.1.
  if (!request.username || request.integrity_offset == 0) return refuse(kBadRequest, nullptr);
  const Generation* generation = find_generation(*request.username);
  if (!generation) return refuse(kUnauthenticated, nullptr);
  const std::string& password = generation->local.pwd;
  if (!wire::check_integrity(request, base::as_bytes(password), crypto::hmac_sha1))
    return refuse(kUnauthenticated, nullptr);
  if (!request.not_understood.empty()) return refuse(kUnknownAttribute, &password);
  // A lite agent is never controlling (RFC 8445, section 6.1.1), so it cannot take the other role.
  if (request.ice_controlled) return refuse(kRoleConflict, &password);

  write_success(password, request, path, out);
  outcome.result = IceCheckResult::kAccepted;
  if (pending_ && generation == &*pending_) {
    current_ = std::move(*pending_);
    pending_.reset();
    outcome.restarted = true;
    nominated_ = false;
  }
  accept(now, path, request.use_candidate, outcome);
  return outcome;
}

void IceLite::accept(base::Instant now, const base::Path& path, bool nominates,
                     IceCheckOutcome& outcome) {
  consent_expires_at_ = now + kConsentLifetime;
  remove_expired_paths(now, outcome);
  touch_path(now, path, outcome);
  // TCP is the way of last resort: not in place of UDP that works.
  const bool worsens = selected_ && selected_->protocol == base::TransportProtocol::kUdp &&
                       path.protocol == base::TransportProtocol::kTcp;
  const bool selects = nominates || !selected_ || outcome.restarted || (!nominated_ && !worsens);
  if (nominates) nominated_ = true;
  if (selects && selected_ != path) {
    selected_ = path;
    outcome.selected_changed = true;
  }
}

void IceLite::touch_path(base::Instant now, const base::Path& path, IceCheckOutcome& outcome) {
  const auto known = std::ranges::find(paths_, path, &ValidPath::path);
  if (known != paths_.end()) {
    known->last_check = now;
    return;
  }
  if (paths_.size() == kMaxValidPaths) {
    const auto age = [this](const ValidPath& valid) {
      return valid.path == selected_ ? base::kNever : valid.last_check;
    };
    const auto oldest = std::ranges::min_element(paths_, {}, age);
    outcome.paths_removed.push_back(oldest->path);
    paths_.erase(oldest);
  }
  paths_.push_back({path, now});
  outcome.path_added = true;
}

void IceLite::remove_expired_paths(base::Instant now, IceCheckOutcome& outcome) {
  std::erase_if(paths_, [&](const ValidPath& valid) {
    if (now < valid.last_check + kConsentLifetime) return false;
    outcome.paths_removed.push_back(valid.path);
    if (selected_ == valid.path) selected_.reset();
    return true;
  });
}

void IceLite::remove_path(const base::Path& path) {
  std::erase_if(paths_, [&](const ValidPath& valid) { return valid.path == path; });
  if (selected_ == path) selected_.reset();
}

bool IceLite::is_valid_path(const base::Path& path) const {
  return std::ranges::find(paths_, path, &ValidPath::path) != paths_.end();
}

std::vector<base::Path> IceLite::valid_paths() const {
  std::vector<base::Path> paths;
  paths.reserve(paths_.size());
  for (const ValidPath& valid : paths_) paths.push_back(valid.path);
  return paths;
}

}  // namespace alcove::rtc
