#pragma once
// Is this the server that it was, and where does it send its clients? Asks for the manifest,
// verifies it, holds its key against what is pinned, and puts it in force at the guard. Sans-IO:
// says what to ask the server next. docs/alcove-client.md, "Where packets go". One thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/api.h"
#include "client/known_servers.h"
#include "client/manifest_guard.h"
#include "client/outcome.h"
#include "policy/transparency_log.h"
#include "roomlog/objects.h"

namespace alcove::client {

// What a visit trusts. The guard is needed, and both outlive it.
struct HouseTrust {
  ManifestGuard* guard = nullptr;
  KnownServers* known = nullptr;  // null: nothing is remembered
  bool accept_new_key = false;    // the person said so
};

// kLink: the room's genesis names it, and the link names the genesis. kFirst: it was not known.
// kKnown: as before. kAccepted: another one than before, and the person wants that.
enum class KeyTrust : std::uint8_t { kLink, kFirst, kKnown, kAccepted };
std::string_view to_text(KeyTrust trust);  // "link", "first", "known", "accepted"

class HouseCheck {
 public:
  static constexpr std::string_view kManifest = "/.well-known/alcove/manifest";
  // Of the transparency log, which is read only where a key has changed.
  static constexpr std::uint64_t kMaxLogEntries = 16'384;

  // is_linked: a link with the room's fingerprint will show the key to be right, at
  // check_genesis().
  HouseCheck(HouseTrust trust, bool is_linked) : trust_(trust), is_linked_(is_linked) {}

  // What to ask (GET) first, and again before each further join.
  std::string begin();
  struct Step {
    std::string ask;  // what to ask next; empty: nothing
    std::optional<Outcome>
        failure;                  // the visit must end; otherwise, with nothing to ask, all is well
    bool is_unavailable = false;  // of a failure: there was no answer, a later try may help
  };
  Step handle_answer(const base::Result<HttpAnswer>& answer);

  // Of the room that is about to be entered, when handle_answer() was well. The failure, or
  // nullopt.
  std::optional<Outcome> check_genesis(const roomlog::Genesis& genesis);

  // After the first success.
  const crypto::Sha256Digest& key_hash() const { return key_hash_; }
  KeyTrust key_trust() const { return key_trust_; }
  // A link's key is right, and yet another one was known of this server.
  bool differs_from_known() const { return differs_from_known_; }

 private:
  Step handle_manifest(const HttpAnswer& answer);
  Step handle_log(const HttpAnswer& answer);
  Step judge(policy::VerifiedManifest manifest);
  Step accept(policy::VerifiedManifest manifest, KeyTrust trust);
  Step refuse_changed_key(bool proven);
  std::string log_target() const;

  HouseTrust trust_;
  bool is_linked_;
  bool is_pinned_ = false;  // by this visit
  crypto::Sha256Digest key_hash_{};
  KeyTrust key_trust_ = KeyTrust::kLink;
  bool differs_from_known_ = false;
  // Of a changed key.
  std::optional<policy::VerifiedManifest> changed_;
  policy::TransparencyLog log_;
  bool known_key_was_in_force_ = false;
};

}  // namespace alcove::client
