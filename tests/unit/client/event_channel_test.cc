#include "client/event_channel.h"

#include <gtest/gtest.h>

#include "client/api.h"

namespace alcove::client {
namespace {

using base::Instant;

class EventChannelTest : public testing::Test {
 protected:
  template <typename Effect>
  std::vector<Effect> take() {
    std::vector<Effect> found;
    for (ChannelEffect& effect : channel_.take_effects())
      if (auto* one = std::get_if<Effect>(&effect)) found.push_back(std::move(*one));
    return found;
  }
  v1::ClientMessage only_message() {
    const std::vector<SendWebSocket> sent = take<SendWebSocket>();
    EXPECT_EQ(sent.size(), 1U);
    v1::ClientMessage message;
    if (sent.empty()) return message;
    EXPECT_EQ(sent[0].message.size() % kMessageGrain, 0U);
    EXPECT_TRUE(
        message.ParseFromArray(sent[0].message.data(), static_cast<int>(sent[0].message.size())));
    return message;
  }
  void receive(std::uint64_t id, const v1::ServerMessage& message) {
    channel_.handle_message(now_, id, serialize_padded(message));
  }
  void welcome(std::uint64_t id) {
    v1::ServerMessage message;
    message.mutable_welcome()->mutable_room()->set_revision(4);
    receive(id, message);
  }
  std::uint64_t go_live() {
    channel_.start(now_, "token");
    const std::uint64_t id = take<OpenWebSocket>().at(0).id;
    channel_.handle_opened(now_, id);
    EXPECT_EQ(only_message().hello().join_token(), "token");
    welcome(id);
    EXPECT_TRUE(channel_.live());
    EXPECT_EQ(channel_.take_events().size(), 2U);  // connected, and Welcome
    return id;
  }
  void advance_to_deadline() {
    now_ = channel_.next_deadline();
    ASSERT_NE(now_, base::kNever);
    channel_.handle_timeout(now_);
  }

  Instant now_{};
  base::SeededRandom random_{1};
  EventChannel channel_{random_};
};

TEST_F(EventChannelTest, SaysHelloAndPassesOnWhatComes) {
  const std::uint64_t id = go_live();
  v1::ServerMessage batch;
  batch.mutable_batch()->set_revision(5);
  receive(id, batch);
  const auto events = channel_.take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<v1::EventBatch>(events[0]).revision(), 5U);
}

TEST_F(EventChannelTest, WhoWaitsToBeLetInKeepsItsConnection) {
  channel_.send_keys({});  // to nobody
  channel_.start(now_, "token");
  const std::uint64_t id = take<OpenWebSocket>().at(0).id;
  channel_.handle_opened(now_, id);
  EXPECT_TRUE(only_message().has_hello());
  v1::ServerMessage waiting;
  waiting.mutable_keys()->mutable_waiting()->set_reason(v1::Waiting::REASON_NOBODY);
  for (int minutes = 0; minutes < 4; ++minutes) {
    receive(id, waiting);
    EXPECT_TRUE(channel_.answered());
    EXPECT_FALSE(channel_.live());
    advance_to_deadline();
    EXPECT_TRUE(only_message().has_ping());
  }
  const auto events = channel_.take_events();
  ASSERT_EQ(events.size(), 5U);
  EXPECT_TRUE(std::holds_alternative<ChannelConnected>(events[0]));
  EXPECT_TRUE(std::get<v1::KeysFromServer>(events[1]).has_waiting());
  v1::KeysFromClient request;
  request.mutable_request_roster();
  channel_.send_keys(request);
  EXPECT_TRUE(only_message().keys().has_request_roster());
  channel_.handle_closed(now_, id);
  EXPECT_TRUE(std::holds_alternative<ChannelLost>(channel_.take_events().at(0)));
}

TEST_F(EventChannelTest, ComesBackWithGrowingWaits) {
  std::uint64_t id = go_live();
  channel_.handle_closed(now_, id);
  EXPECT_FALSE(channel_.live());
  base::Duration last{};
  for (int i = 0; i < 8; ++i) {
    const base::Duration wait = channel_.next_deadline() - now_;
    EXPECT_LE(wait, EventChannel::kLongestRetry);
    if (i < 5) {
      EXPECT_GT(wait, last);
    }
    last = wait;
    advance_to_deadline();
    const auto opened = take<OpenWebSocket>();
    ASSERT_EQ(opened.size(), 1U);
    id = opened[0].id;
    channel_.handle_closed(now_, id);
  }
  advance_to_deadline();
  id = take<OpenWebSocket>().at(0).id;
  channel_.handle_opened(now_, id);
  EXPECT_TRUE(only_message().has_hello());
  welcome(id);
  EXPECT_TRUE(channel_.live());
  channel_.handle_closed(now_, id);
  EXPECT_LE(channel_.next_deadline() - now_, EventChannel::kFirstRetry);
}

TEST_F(EventChannelTest, NoticesAConnectionThatIsDead) {
  const std::uint64_t id = go_live();
  advance_to_deadline();
  EXPECT_TRUE(only_message().has_ping());
  v1::ServerMessage pong;
  pong.mutable_pong()->set_nonce(1);
  receive(id, pong);
  advance_to_deadline();
  EXPECT_TRUE(only_message().has_ping());
  advance_to_deadline();  // no pong
  EXPECT_EQ(take<CloseWebSocket>().size(), 1U);
  EXPECT_FALSE(channel_.live());
  welcome(id);  // from the connection that was given up
  EXPECT_FALSE(channel_.live());
}

TEST_F(EventChannelTest, GivesUpAConnectionWithoutWelcome) {
  channel_.start(now_, "token");
  const std::uint64_t id = take<OpenWebSocket>().at(0).id;
  channel_.handle_opened(now_, id);
  (void)channel_.take_effects();
  advance_to_deadline();
  EXPECT_EQ(take<CloseWebSocket>().at(0).id, id);
}

TEST_F(EventChannelTest, AsksOnceForTheStateAfterAGap) {
  const std::uint64_t id = go_live();
  channel_.resync();
  channel_.resync();
  EXPECT_TRUE(only_message().has_resync());
  welcome(id);
  channel_.resync();
  EXPECT_TRUE(only_message().has_resync());
}

TEST_F(EventChannelTest, DropsWhatIsNotOfTheProtocol) {
  const std::uint64_t id = go_live();
  const base::Buffer rubbish = {0xff, 0xff, 0xff};
  channel_.handle_message(now_, id, rubbish);
  channel_.handle_message(now_, id, {});
  EXPECT_EQ(channel_.malformed(), 2U);
  EXPECT_TRUE(channel_.take_events().empty());
}

TEST_F(EventChannelTest, HurriesWhenTheNetworkChanges) {
  const std::uint64_t id = go_live();
  channel_.hurry(now_);
  EXPECT_TRUE(only_message().has_ping());
  channel_.handle_closed(now_, id);
  channel_.hurry(now_);
  EXPECT_EQ(take<OpenWebSocket>().size(), 1U);
  channel_.stop();
  EXPECT_EQ(channel_.next_deadline(), base::kNever);
}

}  // namespace
}  // namespace alcove::client
