#include "client/house_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace alcove::client {

using base::Result;

namespace {

HouseCheck::Step failed(ExitStatus status, std::string message) {
  return {"", Outcome{status, std::move(message)}};
}

HouseCheck::Step failed_by(const ApiError& error) {
  HouseCheck::Step step = failed(exit_status_of(error), error.message);
  step.is_unavailable = step.failure->status == ExitStatus::kNetwork;
  return step;
}

}  // namespace

std::string_view to_text(KeyTrust trust) {
  switch (trust) {
    case KeyTrust::kLink:
      return "link";
    case KeyTrust::kFirst:
      return "first";
    case KeyTrust::kKnown:
      return "known";
    case KeyTrust::kAccepted:
      return "accepted";
  }
  return "";
}

std::string HouseCheck::begin() {
  CHECK(trust_.guard != nullptr);
  changed_.reset();
  return std::string(kManifest);
}

std::string HouseCheck::log_target() const {
  return fmt::format("/.well-known/alcove/log?from={}", log_.head().size);
}

HouseCheck::Step HouseCheck::handle_answer(const Result<HttpAnswer>& answer) {
  const std::optional<ApiError> error = error_of(answer);
  if (changed_) return error ? refuse_changed_key(false) : handle_log(*answer);
  if (error && error->http_status == 404)
    return failed(ExitStatus::kNotAllowed,
                  "The server has no manifest, so nothing says where its packets may go: either it "
                  "is not an Alcove server, or somebody on the way has taken it out.");
  if (error) return failed_by(*error);
  return handle_manifest(*answer);
}

HouseCheck::Step HouseCheck::handle_manifest(const HttpAnswer& answer) {
  Result<policy::VerifiedManifest> manifest = policy::read_manifest(base::as_bytes(answer.body));
  if (!manifest)
    return failed(
        ExitStatus::kNotAllowed,
        "What says where this server's packets go cannot be trusted. " + manifest.error().message);
  return judge(*std::move(manifest));
}

HouseCheck::Step HouseCheck::judge(policy::VerifiedManifest manifest) {
  const crypto::Sha256Digest hash = policy::manifest_key_hash(manifest.key);
  if (is_pinned_) {
    if (hash == key_hash_) return accept(std::move(manifest), key_trust_);
    return failed(ExitStatus::kKeyChanged,
                  "The key of the server's manifest changed during the visit.");
  }
  key_hash_ = hash;
  if (is_linked_) return accept(std::move(manifest), KeyTrust::kLink);
  const auto known =
      trust_.known == nullptr ? std::nullopt : trust_.known->find(trust_.guard->house().origin());
  if (!known) return accept(std::move(manifest), KeyTrust::kFirst);
  if (*known == hash) return accept(std::move(manifest), KeyTrust::kKnown);
  if (trust_.accept_new_key) return accept(std::move(manifest), KeyTrust::kAccepted);
  changed_ = std::move(manifest);
  log_ = policy::TransparencyLog();
  known_key_was_in_force_ = false;
  return {log_target(), std::nullopt};
}

HouseCheck::Step HouseCheck::accept(policy::VerifiedManifest manifest, KeyTrust trust) {
  if (Result<void> accepted = trust_.guard->accept(std::move(manifest)); !accepted)
    return failed(ExitStatus::kNotAllowed, accepted.error().message);
  key_trust_ = trust;
  is_pinned_ = is_pinned_ || trust != KeyTrust::kLink;
  if (trust != KeyTrust::kLink && trust_.known != nullptr)
    trust_.known->set(trust_.guard->house().origin(), key_hash_);
  return {};
}

// Only to find the right words: was the change signed by the key that is known?
HouseCheck::Step HouseCheck::handle_log(const HttpAnswer& answer) {
  v1::TransparencyPage page;
  if (!page.ParseFromString(answer.body)) return refuse_changed_key(false);
  const auto known = trust_.known->find(trust_.guard->house().origin());
  for (const v1::SignedTransparencyEntry& entry : page.entries()) {
    if (!log_.append(entry)) return refuse_changed_key(false);
    if (known == policy::manifest_key_hash(log_.head().key)) known_key_was_in_force_ = true;
  }
  const bool has_more = log_.head().size < page.size() && !page.entries().empty() &&
                        log_.head().size < kMaxLogEntries;
  if (has_more) return {log_target(), std::nullopt};
  return refuse_changed_key(known_key_was_in_force_ && log_.head().key == changed_->key);
}

HouseCheck::Step HouseCheck::refuse_changed_key(bool proven) {
  changed_.reset();
  const std::string origin = trust_.guard->house().origin();
  if (proven)
    return failed(
        ExitStatus::kKeyChanged,
        fmt::format("{} has a new key for its manifest, and its log shows that the old key "
                    "signed the change: it was the operator, or somebody who has the "
                    "operator's key. --accept-new-manifest-key goes on with it.",
                    origin));
  return failed(
      ExitStatus::kKeyChanged,
      fmt::format("WARNING: {} SHOWS ANOTHER KEY FOR ITS MANIFEST THAN BEFORE, and nothing proves "
                  "that its operator changed it. Somebody may be sending you to other servers. "
                  "Nothing more was sent. Ask the operator by another way; "
                  "--accept-new-manifest-key goes on with the new key.",
                  origin));
}

std::optional<Outcome> HouseCheck::check_genesis(const roomlog::Genesis& genesis) {
  const base::Bytes named = base::as_bytes(genesis.body.manifest_key_hash());
  if (!std::ranges::equal(named, key_hash_))
    return Outcome{
        ExitStatus::kKeyChanged,
        fmt::format("WARNING: the room was begun under {} than the one that signs the server's "
                    "manifest now. Somebody may be sending you to other servers: no sound was sent "
                    "or received.",
                    named.empty() ? "no key for the manifest, rather" : "another key")};
  if (!is_linked_ || is_pinned_) return std::nullopt;
  is_pinned_ = true;
  if (trust_.known == nullptr) return std::nullopt;
  const std::string origin = trust_.guard->house().origin();
  const auto known = trust_.known->find(origin);
  differs_from_known_ = known && *known != key_hash_;
  if (!known) trust_.known->set(origin, key_hash_);
  return std::nullopt;
}

}  // namespace alcove::client
