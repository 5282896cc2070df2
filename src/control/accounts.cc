#include "control/accounts.h"

#include <utility>

#include "control/invite.h"
#include "control/json.h"
#include "control/text_rules.h"
#include "crypto/password.h"

namespace alcove::control {
namespace {

using base::ErrorCode;

// The random source belongs to the control thread; a worker gets bytes that were drawn before.
class DrawnRandom final : public base::RandomSource {
 public:
  explicit DrawnRandom(base::RandomSource& random) : bytes_(random.bytes<64>()) {}
  void fill(base::MutableBytes out) override {
    CHECK(used_ + out.size() <= bytes_.size());
    for (std::uint8_t& byte : out) byte = bytes_.at(used_++);
  }

 private:
  std::array<std::uint8_t, 64> bytes_;
  std::size_t used_ = 0;
};

// What a login for an unknown name is checked against, so that it takes as long as one for a known
// name.
const std::string& dummy_password_hash() {
  static const std::string hash = [] {
    base::SeededRandom salt(0);
    return crypto::hash_password("no account has this hash", salt);
  }();
  return hash;
}

ApiError registration_error(const base::Error& error) {
  ApiError api_error = to_api_error(error);
  if (error.code == ErrorCode::kAlreadyExists) api_error.reason = "account.username_taken";
  if (error.code == ErrorCode::kPermissionDenied) api_error.reason = "account.invite_invalid";
  return api_error;
}

ApiError wrong_password() {
  return {.code = ErrorCode::kUnauthenticated,
          .reason = "account.wrong_password",
          .message = "No account has this username with this password."};
}

rooms::Person person_of(const store::Account& account) {
  return {.account = account.id,
          .username = account.username,
          .display_name = account.display_name,
          .guest = false};
}

// The registration that a request asks for, checked.
std::expected<store::Account, ApiError> checked_account(const v1::RegisterRequest& body) {
  const auto username = check_username(body.username());
  if (!username) return std::unexpected(username.error());
  if (const auto password = check_password(body.password()); !password)
    return std::unexpected(password.error());
  const std::string& wanted = body.display_name().empty() ? body.username() : body.display_name();
  const auto display_name = check_text(wanted, "display_name", kMaxDisplayName);
  if (!display_name) return std::unexpected(display_name.error());
  store::Account account;
  account.username = *username;
  account.display_name = *display_name;
  return account;
}

std::optional<ApiError> check_registration(Registration registration,
                                           const v1::RegisterRequest& body) {
  if (registration == Registration::kClosed)
    return ApiError{.code = ErrorCode::kPermissionDenied,
                    .reason = "account.registration_closed",
                    .message = "This server takes no new accounts."};
  if (registration == Registration::kInvite && body.invite_code().empty())
    return ApiError{.code = ErrorCode::kPermissionDenied,
                    .reason = "account.invite_required",
                    .message = "This server takes new accounts by invite code only."};
  return std::nullopt;
}

}  // namespace

template <typename Next>
void Accounts::with_account(Request request, Next next) {
  const std::string authorization = request.http.authorization;
  sessions_.authenticate(authorization, [request = std::move(request), next = std::move(next)](
                                            std::expected<Caller, ApiError> caller) mutable {
    if (!caller) return request.responder.fail(caller.error());
    next(std::move(request), *std::move(caller));
  });
}

void Accounts::register_account(Request request) {
  Responder& responder = request.responder;
  if (const auto error = context_.check_limit(Limit::kRegister, limit_key(request.http.remote)))
    return responder.fail(*error);
  v1::RegisterRequest body;
  if (const auto parsed = parse_body(request.http, body); !parsed)
    return responder.fail(parsed.error());
  if (const auto error = check_registration(context_.options.registration, body))
    return responder.fail(*error);
  auto account = checked_account(body);
  if (!account) return responder.fail(account.error());
  account->id = base::AccountId::make(context_.random);
  account->created_at = context_.wall;
  std::optional<store::Hash> invite;
  if (context_.options.registration == Registration::kInvite)
    invite = hash_invite_code(body.invite_code());
  Sessions::Fresh fresh = sessions_.make(account->id, {});
  const rooms::Person person = person_of(*account);
  context_.run_store(
      [account = *std::move(account), password = std::move(*body.mutable_password()), invite,
       session = fresh.session,
       random = DrawnRandom(context_.random)](store::Store& store) mutable -> base::Result<void> {
        account.password_hash = crypto::hash_password(password, random);
        if (auto created = store.create_account(account, invite); !created) return created;
        return store.create_session(session);
      },
      [this, person, fresh,
       responder = std::move(responder)](const base::Result<void>& created) mutable {
        if (!created) return responder.fail(registration_error(created.error()));
        context_.metrics.count_registration();
        responder.ok(to_proto(person, fresh.token, fresh.session.expires_at), 201);
      });
}

void Accounts::log_in(Request request) {
  Responder& responder = request.responder;
  if (const auto error = context_.check_limit(Limit::kLogIn, limit_key(request.http.remote)))
    return responder.fail(*error);
  v1::LogInRequest body;
  if (const auto parsed = parse_body(request.http, body); !parsed)
    return responder.fail(parsed.error());
  const auto username = check_username(body.username());
  if (!username || body.password().size() > 800) return responder.fail(wrong_password());
  if (const auto error =
          context_.check_limit(Limit::kLogInUsername, limit_key_of_username(*username)))
    return responder.fail(*error);
  std::string device_name;
  if (!body.device_name().empty()) {
    const auto checked = check_text(body.device_name(), "device_name", kMaxDeviceName);
    if (!checked) return responder.fail(checked.error());
    device_name = *checked;
  }
  const Sessions::Fresh fresh = sessions_.make({}, std::move(device_name));
  context_.run_store(
      [username = *username, password = std::move(*body.mutable_password()),
       session = fresh.session](
          store::Store& store) mutable -> base::Result<std::optional<store::Account>> {
        auto account = store.find_account_by_username(username);
        if (!account) return account;
        const std::string& hash = *account ? (*account)->password_hash : dummy_password_hash();
        if (!crypto::verify_password(hash, password) || !*account) return std::nullopt;
        session.account = (*account)->id;
        if (const auto created = store.create_session(session); !created)
          return std::unexpected(created.error());
        return account;
      },
      [this, fresh, responder = std::move(responder)](
          const base::Result<std::optional<store::Account>>& account) mutable {
        if (!account) return responder.fail(to_api_error(account.error()));
        context_.metrics.count_log_in(account->has_value());
        if (!*account) return responder.fail(wrong_password());
        responder.ok(to_proto(person_of(**account), fresh.token, fresh.session.expires_at), 201);
      });
}

void Accounts::me(Request request) {
  with_account(std::move(request), [](Request r, const Caller& caller) {
    v1::MeResponse response;
    *response.mutable_account() = to_proto(caller.person);
    response.set_session_id(caller.session.text());
    r.responder.ok(response);
  });
}

void Accounts::list_sessions(Request request) {
  with_account(std::move(request), [this](Request r, const Caller& caller) {
    sessions_.list(caller, [responder = std::move(r.responder)](
                               const base::Result<v1::ListSessionsResponse>& response) mutable {
      if (!response) return responder.fail(to_api_error(response.error()));
      responder.ok(*response);
    });
  });
}

void Accounts::revoke_session(Request request) {
  with_account(std::move(request), [this](Request r, const Caller& caller) {
    const std::string& text = r.parameters.at(0);
    const auto id = text == "current" ? caller.session : base::SessionId::parse(text);
    const ApiError not_found{.code = ErrorCode::kNotFound,
                             .reason = "session.not_found",
                             .message = "You have no such session."};
    if (!id) return r.responder.fail(not_found);
    sessions_.revoke(caller, *id,
                     [this, id = *id, not_found, responder = std::move(r.responder)](
                         const base::Result<bool>& revoked) mutable {
                       if (!revoked) return responder.fail(to_api_error(revoked.error()));
                       if (!*revoked) return responder.fail(not_found);
                       on_revoked_(id);
                       responder.ok(v1::Empty());
                     });
  });
}

}  // namespace alcove::control
