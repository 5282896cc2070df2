// The small values: exit status, events as JSON, durations, typed commands, API answers, padding.

#include <gtest/gtest.h>

#include <limits>

#include "alcove/v1/events.pb.h"
#include "alcove/v1/rooms.pb.h"
#include "client/api.h"
#include "client/console_command.h"
#include "client/duration_text.h"
#include "client/member_event.h"
#include "client/outcome.h"
#include "client/room_view.h"

namespace alcove::client {
namespace {

TEST(ExitStatus, IsThatOfTheDocument) {
  EXPECT_EQ(exit_status_of(200), ExitStatus::kOk);
  for (const int refused : {400, 401, 403, 404, 409, 412, 429})
    EXPECT_EQ(exit_status_of(refused), ExitStatus::kRefused) << refused;
  for (const int network : {0, 101, 500, 502, 503, 504})
    EXPECT_EQ(exit_status_of(network), ExitStatus::kNetwork) << network;
  EXPECT_EQ(static_cast<int>(ExitStatus::kUsage), 1);
  EXPECT_EQ(static_cast<int>(ExitStatus::kRefused), 2);
  EXPECT_EQ(static_cast<int>(ExitStatus::kNetwork), 3);
  EXPECT_EQ(static_cast<int>(ExitStatus::kMediaFailed), 4);
  EXPECT_EQ(static_cast<int>(ExitStatus::kEnded), 5);
}

TEST(MemberEvent, IsOneLineOfJson) {
  EXPECT_EQ(to_json({"left", {}, "text is not in it"}), R"({"event":"left"})");
  EXPECT_EQ(
      to_json(
          {"media",
           {{"sent", std::int64_t{12}}, {"loss", 0.25}, {"on", true}, {"name", "Zoë \"Z\"\n\\"}},
           ""}),
      "{\"event\":\"media\",\"sent\":12,\"loss\":0.25,\"on\":true,"
      "\"name\":\"Zoë \\\"Z\\\"\\u000a\\\\\"}");
  EXPECT_EQ(to_json({"x", {{"a", std::numeric_limits<double>::infinity()}}, ""}),
            R"({"event":"x","a":null})");
  EXPECT_EQ(to_json({"x", {{"a", "\xff\xc3"}}, ""}), R"({"event":"x","a":"\ufffd\ufffd"})");
}

TEST(Duration, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(parse_duration("30s"), base::seconds(30));
  EXPECT_EQ(parse_duration("30"), base::seconds(30));
  EXPECT_EQ(parse_duration("1.5m"), base::seconds(90));
  EXPECT_EQ(parse_duration("2h"), base::seconds(7200));
  EXPECT_EQ(parse_duration("500ms"), base::milliseconds(500));
  for (const std::string_view bad :
       {"", "s", "-1s", "0s", "3 s", "1d", "1e3s", "nan", "9999h", "1.5.2s"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(ConsoleCommand, SpeaksTheApi) {
  EXPECT_TRUE(parse_console_command("raise")->command.has_raise_hand());
  EXPECT_EQ(parse_console_command(" lock \r")->log, LogCommand::kLock);
  EXPECT_EQ(parse_console_command("unlock")->log, LogCommand::kUnlock);
  EXPECT_EQ(parse_console_command("eject Anna")->log, LogCommand::kEject);
  EXPECT_EQ(parse_console_command("remove Anna")->kind, ConsoleCommand::Kind::kLog);
  EXPECT_EQ(parse_console_command("move-down")->target, "");
  EXPECT_EQ(parse_console_command("move-to-audience Anna")->target, "Anna");
  EXPECT_EQ(parse_console_command("export-log a b.log")->target, "a b.log");
  EXPECT_EQ(parse_console_command("react heart")->command.send_reaction().reaction(),
            v1::REACTION_HEART);
  EXPECT_EQ(parse_console_command("leave")->kind, ConsoleCommand::Kind::kLeave);
  const auto invite = parse_console_command("invite  Anna Maria ");
  ASSERT_TRUE(invite);
  EXPECT_EQ(invite->kind, ConsoleCommand::Kind::kOnMember);
  EXPECT_EQ(invite->target, "Anna Maria");
  EXPECT_EQ(parse_console_command("mute")->kind, ConsoleCommand::Kind::kRoom);
  EXPECT_EQ(parse_console_command("mute #4")->kind, ConsoleCommand::Kind::kOnMember);
}

TEST(ConsoleCommand, ExplainsMistakes) {
  for (const std::string_view bad :
       {"dance", "invite", "lock now", "react moo", "unmute Anna", "eject", "export-log",
        "code 12345", "invite-keys", "invite-keys Anna"})
    EXPECT_FALSE(parse_console_command(bad)) << bad;
}

TEST(ConsoleCommand, InvitesKeys) {
  const std::string key(43, 'A');
  const auto two = parse_console_command("invite-keys " + key + "  " + key);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->log, LogCommand::kInviteKeys);
  EXPECT_EQ(two->keys, std::vector<crypto::Ed25519PublicKey>(2));
  EXPECT_FALSE(parse_console_command("invite-keys " + key + "A"));
  std::string many = "invite-keys";
  for (int i = 0; i < 64; ++i) many += " " + key;
  EXPECT_TRUE(parse_console_command(many));
  EXPECT_FALSE(parse_console_command(many + " " + key));
}

TEST(FindMember, ByIdThenByNameIfThatIsOne) {
  v1::RoomState state;
  const auto add = [&](std::uint32_t id, const char* name, const char* username) {
    v1::Member* member = state.add_stage();
    member->set_member_id(id);
    member->set_display_name(name);
    member->set_username(username);
  };
  add(1, "Anna", "anna");
  add(2, "Bob", "");
  add(3, "bob", "robert");
  add(4, "2", "");
  EXPECT_EQ(find_member(state.stage(), "ANNA")->member_id(), 1U);
  EXPECT_EQ(find_member(state.stage(), "robert")->member_id(), 3U);
  EXPECT_EQ(find_member(state.stage(), "2")->member_id(), 2U);
  EXPECT_EQ(find_member(state.stage(), "#3")->member_id(), 3U);
  EXPECT_FALSE(find_member(state.stage(), "Bob"));
  EXPECT_FALSE(find_member(state.stage(), "Carol"));
}

TEST(ApiAnswer, IsTheMessageOrTheError) {
  v1::RoomCommandResponse message;
  message.set_revision(9);
  const HttpAnswer good{200, std::string(kProtobufType), message.SerializeAsString()};
  EXPECT_EQ(parse_answer<v1::RoomCommandResponse>(good)->revision(), 9U);

  v1::ErrorResponse refusal;
  refusal.set_code("permission_denied");
  refusal.set_reason("room.locked");
  refusal.set_message("The room is locked.");
  const HttpAnswer refused{403, std::string(kProtobufType), refusal.SerializeAsString()};
  const auto error = parse_answer<v1::RoomCommandResponse>(refused).error();
  EXPECT_EQ(error.http_status, 403);
  EXPECT_EQ(error.reason, "room.locked");
  EXPECT_EQ(error.message, "The room is locked.");

  EXPECT_EQ(error_of(HttpAnswer{502, "text/html", "<h1>"})->http_status, 502);
  EXPECT_EQ(error_of(HttpAnswer{200, "text/html", "<h1>"})->http_status, 0);
  EXPECT_EQ(error_of(base::fail(base::ErrorCode::kUnavailable, "refused"))->message, "refused");
  EXPECT_FALSE(
      parse_answer<v1::RoomCommandResponse>(HttpAnswer{200, std::string(kProtobufType), "\xff"}));
}

TEST(Padding, FillsEveryMessageToTheGrain) {
  for (std::size_t length = 0; length < 600; ++length) {
    v1::ClientMessage message;
    message.mutable_hello()->set_join_token(std::string(length, 'x'));
    const base::Buffer bytes = serialize_padded(message);
    ASSERT_EQ(bytes.size() % kMessageGrain, 0U) << length;
    ASSERT_LE(bytes.size(), message.ByteSizeLong() + 2 * kMessageGrain);
    v1::ClientMessage again;
    ASSERT_TRUE(again.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    EXPECT_EQ(again.hello().join_token().size(), length);
    EXPECT_EQ(again.padding().find_first_not_of('\0'), std::string::npos);
  }
}

}  // namespace
}  // namespace alcove::client
