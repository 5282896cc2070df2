#pragma once
// The relay's half of ICE: a lite, always controlled agent (RFC 8445, sections 2.5 and 7.3) with
// consent (RFC 7675). It sends no checks; it answers those of one peer. One thread.

#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/datagram.h"
#include "base/time.h"
#include "wire/sdp.h"
#include "wire/stun.h"

namespace alcove::rtc {

// How long one valid binding request lets media flow (RFC 7675, section 5.1).
inline constexpr base::Duration kConsentLifetime = base::seconds(30);
// Validated paths that are remembered; the one longest without a check makes room for a new one.
inline constexpr std::size_t kMaxValidPaths = 8;

enum class IceCheckResult : std::uint8_t {
  kIgnored,   // not a binding request, or no answer may be sent; nothing was written
  kRejected,  // an error response was written
  kAccepted,  // authenticated; a success response was written
};

struct IceCheckOutcome {
  IceCheckResult result = IceCheckResult::kIgnored;
  bool path_added = false;        // the request's path was not valid before
  bool selected_changed = false;  // selected_path() is another one now
  bool restarted = false;         // the first check with the credentials of restart()
  // No longer valid: without a check for kConsentLifetime, or to make room for the new one.
  boost::container::static_vector<base::Path, kMaxValidPaths> paths_removed;
};

class IceLite {
 public:
  // Consent begins at now, so that an endpoint that never sends a check expires too.
  IceLite(base::Instant now, wire::IceCredentials local, wire::IceCredentials remote);

  // ICE restart (RFC 8445, section 9). Both pairs of credentials are accepted until the first check
  // with the new ones. Paths stay valid. The selected one carries media until that first check,
  // whose path is known to work and takes over without a nomination: Chromium nominates only what
  // it has selected itself, and leaves a path that died only after 2.5 s to 3.5 s. A second restart
  // before that first check replaces the pending credentials.
  void restart(wire::IceCredentials local, wire::IceCredentials remote);

  // request was parsed from datagram, which came by path. Writes at most one response to out; to
  // who does not know the password none that is longer than the request.
  IceCheckOutcome handle_request(base::Instant now, const base::Path& path,
                                 const wire::StunMessage& request, base::Bytes datagram,
                                 base::DatagramQueue& out);

  // Forgets a path, such as one of a TCP connection that was closed.
  void remove_path(const base::Path& path);

  // The path last nominated; before any nomination of a generation the path last validated, except
  // that TCP does not take over from UDP. nullopt before the first check, and after the selected
  // path was removed until the next check.
  const std::optional<base::Path>& selected_path() const { return selected_; }
  // DTLS and SRTP are accepted on these.
  bool is_valid_path(const base::Path& path) const;
  std::vector<base::Path> valid_paths() const;
  bool is_nominated() const { return nominated_; }

  // When media must stop and the endpoint goes: the last accepted check + kConsentLifetime.
  base::Instant consent_expires_at() const { return consent_expires_at_; }

  // Of restart() once it was called, before its first check too.
  const wire::IceCredentials& local() const { return pending_ ? pending_->local : current_.local; }
  const wire::IceCredentials& remote() const {
    return pending_ ? pending_->remote : current_.remote;
  }
  // True when a check that names this local ufrag may be for this agent: during a restart there are
  // two.
  bool accepts_ufrag(std::string_view local_ufrag) const;

 private:
  struct Generation {
    wire::IceCredentials local;
    wire::IceCredentials remote;
    std::string username;  // "local:remote", as checks of the peer say it
  };
  struct ValidPath {
    base::Path path;
    base::Instant last_check;
  };

  static Generation make_generation(wire::IceCredentials local, wire::IceCredentials remote);
  const Generation* find_generation(std::string_view username) const;
  void accept(base::Instant now, const base::Path& path, bool nominates, IceCheckOutcome& outcome);
  void touch_path(base::Instant now, const base::Path& path, IceCheckOutcome& outcome);
  void remove_expired_paths(base::Instant now, IceCheckOutcome& outcome);

  Generation current_;
  std::optional<Generation> pending_;
  std::vector<ValidPath> paths_;
  std::optional<base::Path> selected_;
  bool nominated_ = false;
  base::Instant consent_expires_at_;
};

}  // namespace alcove::rtc
