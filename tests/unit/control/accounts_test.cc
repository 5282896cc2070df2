#include <gtest/gtest.h>

#include "control/invite.h"
#include "control_fixture.h"

namespace alcove::control {
namespace {

class AccountsTest : public ControlTest {
 protected:
  base::HttpResponse try_log_in(const std::string& username, const std::string& password,
                                const std::string& device = "Firefox on Linux") {
    v1::LogInRequest body;
    body.set_username(username);
    body.set_password(password);
    body.set_device_name(device);
    return request(make("POST", "/v1/sessions", &body));
  }
  v1::ListSessionsResponse sessions(const std::string& token) {
    return parse<v1::ListSessionsResponse>(request(make("GET", "/v1/sessions", nullptr, token)));
  }
};

TEST_F(AccountsTest, RegistersAndLogsIn) {
  const base::HttpResponse response = try_register("Ada.Lovelace");
  EXPECT_EQ(response.status, 201);
  const auto registered = parse<v1::SessionResponse>(response);
  EXPECT_EQ(registered.account().username(), "ada.lovelace");
  EXPECT_EQ(registered.account().display_name(), "Ada.Lovelace");
  const auto me =
      parse<v1::MeResponse>(request(make("GET", "/v1/me", nullptr, registered.token())));
  EXPECT_EQ(me.account().account_id(), registered.account().account_id());
  EXPECT_EQ(reason(try_register("ada.lovelace")), "account.username_taken");
  const auto logged_in = parse<v1::SessionResponse>(try_log_in("ADA.lovelace", "correct horse"));
  EXPECT_NE(logged_in.token(), registered.token());
  EXPECT_EQ(reason(try_log_in("ada.lovelace", "wrong horse")), "account.wrong_password");
  EXPECT_EQ(reason(try_log_in("nobody.here", "correct horse")), "account.wrong_password");
  EXPECT_EQ(try_log_in("!", "correct horse").status, 401);
  EXPECT_NE(server->metrics().find("alcove_log_ins_total{result=\"failure\"} 2"),
            std::string::npos);
  EXPECT_NE(server->metrics().find("alcove_registrations_total 1"), std::string::npos);
}

TEST_F(AccountsTest, TheStoreKeepsHashesOnly) {
  const auto registered = parse<v1::SessionResponse>(try_register("ada"));
  const auto account = *store->find_account_by_username("ada");
  EXPECT_TRUE(account->password_hash.starts_with("$argon2id$"));
  const auto listed = *store->list_sessions(account->id, wall);
  EXPECT_NE(base::to_base64url(listed.at(0).token_hash), registered.token());
}

TEST_F(AccountsTest, BadRegistrationsSayWhatIsWrong) {
  const auto attempt = [&](const std::string& username, const std::string& password,
                           const std::string& name) {
    v1::RegisterRequest body;
    body.set_username(username);
    body.set_password(password);
    body.set_display_name(name);
    return request(make("POST", "/v1/accounts", &body)).status;
  };
  EXPECT_EQ(attempt("ad", "correct horse", "Ada"), 400);
  EXPECT_EQ(attempt("1ada", "correct horse", "Ada"), 400);
  EXPECT_EQ(attempt("ada lovelace", "correct horse", "Ada"), 400);
  EXPECT_EQ(attempt(std::string(31, 'a'), "correct horse", "Ada"), 400);
  EXPECT_EQ(attempt("ada", "short", "Ada"), 400);
  EXPECT_EQ(attempt("ada", std::string(201, 'x'), "Ada"), 400);
  EXPECT_EQ(attempt("ada", "correct horse", "A\nda"), 400);
  EXPECT_EQ(attempt("ada", "correct horse", "\u202eadA"), 400);
}

TEST_F(AccountsTest, RegistrationByInviteOrNotAtAll) {
  ServerOptions options = generous();
  options.registration = Registration::kInvite;
  restart(options);
  const std::string code = make_invite_code(random);
  ASSERT_TRUE(store->create_invite({hash_invite_code(code), 1, wall + base::seconds(60)}));
  EXPECT_EQ(reason(try_register("ada")), "account.invite_required");
  EXPECT_EQ(reason(try_register("ada", "WRONG")), "account.invite_invalid");
  std::string typed = code;
  for (char& c : typed) c = c == '-' ? ' ' : static_cast<char>(std::tolower(c));
  EXPECT_EQ(try_register("ada", typed).status, 201);
  EXPECT_EQ(reason(try_register("grace", code)), "account.invite_invalid");

  options.registration = Registration::kClosed;
  restart(options);
  EXPECT_EQ(reason(try_register("edsger")), "account.registration_closed");
  const auto config = parse<v1::ServerConfig>(request(make("GET", "/v1/config")));
  EXPECT_EQ(config.registration(), v1::ServerConfig::REGISTRATION_CLOSED);
  EXPECT_EQ(config.slots(), 4U);
}

TEST_F(AccountsTest, ListsAndRevokesOwnSessions) {
  parse<v1::SessionResponse>(try_register("ada"));
  const std::string first =
      parse<v1::SessionResponse>(try_log_in("ada", "correct horse", "Phone")).token();
  advance(base::seconds(1));
  const std::string second = parse<v1::SessionResponse>(try_log_in("ada", "correct horse")).token();
  const auto list = sessions(second);
  ASSERT_EQ(list.sessions_size(), 3);
  EXPECT_TRUE(list.sessions(0).current());
  EXPECT_EQ(list.sessions(0).device_name(), "Firefox on Linux");
  EXPECT_EQ(list.sessions(1).device_name(), "Phone");
  const std::string path = "/v1/sessions/" + list.sessions(1).session_id();
  EXPECT_EQ(request(make("GET", "/v1/me", nullptr, first)).status, 200);  // now cached
  const std::string stranger = account("grace");
  EXPECT_EQ(reason(request(make("DELETE", path, nullptr, stranger))), "session.not_found");
  EXPECT_EQ(request(make("DELETE", path, nullptr, second)).status, 200);
  EXPECT_EQ(reason(request(make("GET", "/v1/me", nullptr, first))), "session.invalid");
  EXPECT_EQ(sessions(second).sessions_size(), 2);
  EXPECT_EQ(request(make("DELETE", "/v1/sessions/nonsense", nullptr, second)).status, 404);
  EXPECT_EQ(request(make("DELETE", "/v1/sessions/current", nullptr, second)).status, 200);
  EXPECT_EQ(request(make("GET", "/v1/me", nullptr, second)).status, 401);
}

TEST_F(AccountsTest, SessionsExpireUnlessTheyAreUsed) {
  ServerOptions options = generous();
  options.session_lifetime = base::seconds(3600);
  restart(options);
  const std::string used = parse<v1::SessionResponse>(try_register("ada")).token();
  const std::string unused = parse<v1::SessionResponse>(try_log_in("ada", "correct horse")).token();
  for (int i = 0; i < 4; ++i) {
    advance(base::seconds(1800));
    EXPECT_EQ(request(make("GET", "/v1/me", nullptr, used)).status, 200);
  }
  EXPECT_EQ(request(make("GET", "/v1/me", nullptr, unused)).status, 401);
}

TEST_F(AccountsTest, FollowsAndUnfollows) {
  const std::string ada = account("ada");
  account("grace");
  EXPECT_TRUE(parse<v1::FollowResponse>(request(make("PUT", "/v1/follows/Grace", nullptr, ada)))
                  .following());
  const auto list =
      parse<v1::ListFollowsResponse>(request(make("GET", "/v1/follows", nullptr, ada)));
  ASSERT_EQ(list.accounts_size(), 1);
  EXPECT_EQ(list.accounts(0).username(), "grace");
  EXPECT_FALSE(parse<v1::FollowResponse>(request(make("DELETE", "/v1/follows/grace", nullptr, ada)))
                   .following());
  EXPECT_EQ(reason(request(make("PUT", "/v1/follows/nobody", nullptr, ada))), "account.not_found");
  EXPECT_EQ(reason(request(make("PUT", "/v1/follows/%00", nullptr, ada))), "account.not_found");
  EXPECT_EQ(request(make("PUT", "/v1/follows/ada", nullptr, ada)).status, 400);
  EXPECT_EQ(request(make("PUT", "/v1/follows/grace")).status, 401);
  Client& host = open_room("edsger");
  Client& guest = member(host.room_id, "Guest");
  EXPECT_EQ(reason(request(make("PUT", "/v1/follows/grace", nullptr, guest.token))),
            "account.required");
}

// A pool that keeps jobs until told, or refuses them.
class ManualExecutor final : public base::Executor {
 public:
  bool run(Job work, Job done) override {
    if (full) return false;
    jobs.emplace_back(std::move(work), std::move(done));
    return true;
  }
  void run_all() {
    while (!jobs.empty()) {
      auto [work, done] = std::move(jobs.front());
      jobs.erase(jobs.begin());
      work();
      done();
    }
  }
  bool full = false;
  std::vector<std::pair<Job, Job>> jobs;
};

TEST_F(AccountsTest, AFullPoolIsUnavailableAndALateAnswerIsDroppedWithTheServer) {
  const std::string token = account("ada");
  ManualExecutor manual;
  auto other = std::make_unique<Server>(generous(), *store, manual, relay, random);
  other->set_time(now, wall);
  int status = 0;
  const auto ask = [&] {
    other->handle_request(make("GET", "/v1/me", nullptr, token),
                          [&](const base::HttpResponse& response) { status = response.status; });
  };
  manual.full = true;
  ask();
  EXPECT_EQ(status, 503);
  manual.full = false;
  status = 0;
  ask();
  EXPECT_EQ(status, 0);
  manual.run_all();
  EXPECT_EQ(status, 200);
}

TEST_F(AccountsTest, ARevocationOvertakesALookUpThatIsUnderWay) {
  const std::string token = account("ada");
  ManualExecutor manual;
  Server other(generous(), *store, manual, relay, random);
  other.set_time(now, wall);
  int status = 0;
  const auto ask = [&] {
    other.handle_request(make("GET", "/v1/me", nullptr, token),
                         [&](const base::HttpResponse& response) { status = response.status; });
  };
  ask();
  manual.run_all();
  EXPECT_EQ(status, 200);
  other.handle_request(make("DELETE", "/v1/sessions/current", nullptr, token), [](const auto&) {});
  manual.run_all();
  ask();
  manual.run_all();
  EXPECT_EQ(status, 401);
}

TEST_F(AccountsTest, JobsThatComeBackAfterTheServerAreDropped) {
  const std::string token = account("ada");
  ManualExecutor manual;
  {
    Server other(generous(), *store, manual, relay, random);
    other.set_time(now, wall);
    other.handle_request(make("GET", "/v1/me", nullptr, token),
                         [](const base::HttpResponse&) { ADD_FAILURE() << "answered"; });
  }
  manual.run_all();
}

}  // namespace
}  // namespace alcove::control
