// The relay is told nothing of who is in which room: no room id, no account, no name, no title.

#include <gtest/gtest.h>

#include <cctype>

#include "base/bytes.h"
#include "control_fixture.h"

namespace alcove::control {
namespace {

std::string hexadecimal(const std::string& bytes, const char* digits) {
  std::string text;
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

std::string plain_base64(std::string url) {
  for (char& each : url) each = each == '-' ? '+' : each == '_' ? '/' : each;
  return url;
}

// The ways in which bytes may be written. Base64 as it stands at each of the three offsets, without
// the characters that neighbours change.
std::vector<std::string> spellings(const std::string& bytes) {
  std::vector<std::string> found = {bytes, hexadecimal(bytes, "0123456789abcdef"),
                                    hexadecimal(bytes, "0123456789ABCDEF")};
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string padded = std::string(offset, '\0') + bytes;
    const std::size_t whole = padded.size() / 3 * 3;
    const std::string url =
        base::to_base64url(base::as_bytes(padded).first(whole)).substr(offset == 0 ? 0 : 4);
    if (url.size() < 4) continue;
    found.push_back(url);
    found.push_back(plain_base64(url));
  }
  return found;
}

bool contains(const std::string& text, const std::string& bytes) {
  return std::ranges::any_of(spellings(bytes), [&](const std::string& each) {
    return text.find(each) != std::string::npos;
  });
}

class RelayPrivacyTest : public ControlTest {
 protected:
  std::string account_id(const Client& client) {
    const auto me = parse<v1::MeResponse>(request(make("GET", "/v1/me", nullptr, client.token)));
    return me.account().account_id();
  }
  void note(const std::string& what, const std::string& bytes) {
    ASSERT_GE(bytes.size(), 8U) << what << " might be there by chance";
    secrets_.emplace_back(what, bytes);
  }
  // As text and as the 16 bytes that it is for.
  void note_id(const std::string& what, const std::string& text) {
    note(what, text);
    const auto id = base::RoomId::parse(text);
    ASSERT_TRUE(id) << what;
    note(what, std::string(base::as_text(id->bytes())));
  }
  std::string all_commands() const {
    std::string bytes;
    for (const v1::RelayCommand& command : relay.commands) bytes += command.SerializeAsString();
    return bytes;
  }

  std::vector<std::pair<std::string, std::string>> secrets_;
};

TEST_F(RelayPrivacyTest, TheSearchFindsEverySpelling) {
  const std::string secret("\x01secret\xfe\xff bytes\x80", 16);
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string inside = std::string(offset, 'x') + secret + "yyy";
    const std::string url = base::to_base64url(base::as_bytes(inside));
    EXPECT_TRUE(contains("a" + url + "z", secret)) << offset;
    EXPECT_TRUE(contains("a" + plain_base64(url) + "z", secret)) << offset;
  }
  EXPECT_TRUE(contains("a" + secret + "z", secret));
  EXPECT_TRUE(contains(hexadecimal(secret, "0123456789ABCDEF"), secret));
  EXPECT_FALSE(contains(std::string(100, 'x'), secret));
}

TEST_F(RelayPrivacyTest, NoCommandNamesARoomOrAPerson) {
  Client& host = open_room("ada.lovelace");
  note("title", "A quiet room");
  note_id("room", host.room_id);
  note("username", "ada.lovelace");
  note_id("host's account", account_id(host));
  std::vector<Client*> guests;
  for (int i = 0; i < 6; ++i) {
    const std::string name = "Listener number " + std::to_string(i);
    guests.push_back(&member(host.room_id, name));
    note("guest's name", name);
    note_id("guest's account", account_id(*guests.back()));
  }
  const std::string grace = account("grace.hopper");
  Client& friend_of_hers = join(host.room_id, grace);
  connect(friend_of_hers);
  note("username", "grace.hopper");
  note_id("account", account_id(friend_of_hers));
  for (Client* each : guests) note("leaf", roomlog_test::to_string(each->leaf()));
  for (const int i : {0, 1, 2}) to_stage(host, *guests[static_cast<std::size_t>(i)]);
  to_stage(host, friend_of_hers);
  EXPECT_EQ(make_moderator(host, friend_of_hers), "");
  must(host, mute(guests[0]->id(), true));
  must(*guests[0], mute(guests[0]->id(), false));
  EXPECT_EQ(move_down(host, *guests[1]), "");
  EXPECT_EQ(remove(host, *guests[2]), "");
  must(*guests[3], raise_hand());
  must(*guests[4], leave());
  disconnect(*guests[5]);
  advance(base::seconds(16));
  connect(join(host.room_id, grace));  // a reload
  v1::RestartRequest restart;
  restart.set_join_token(host.join_token);
  restart.set_sdp_offer("another offer");
  const auto restarted = request(make("POST", "/v1/rooms/" + host.room_id + "/restart", &restart));
  EXPECT_EQ(restarted.status, 200) << reason(restarted);
  must(host, command([](v1::RoomCommand& c) { c.mutable_end_room(); }));

  std::map<v1::RelayCommand::CommandCase, int> kinds;
  for (const v1::RelayCommand& each : relay.commands) ++kinds[each.command_case()];
  for (int kind = v1::RelayCommand::kOpen; kind <= v1::RelayCommand::kAllowReceiving; ++kind)
    EXPECT_GT(kinds[static_cast<v1::RelayCommand::CommandCase>(kind)], 0) << kind;
  const std::string bytes = all_commands();
  EXPECT_TRUE(contains(bytes, host.join_id)) << "what it does name is found";
  for (const auto& [what, secret] : secrets_) EXPECT_FALSE(contains(bytes, secret)) << what;
}

}  // namespace
}  // namespace alcove::control
