// What an entry that is refused costs: the room is not copied for it.

#include <gtest/gtest.h>

#include "control_fixture.h"
#include "count_allocations.h"

namespace alcove::control {
namespace {

constexpr int kMembers = 400;

class AppendCostTest : public ControlTest {
 protected:
  Client& open_full_room() {
    Client& host = open_room("ada");
    for (int i = 0; i < kMembers; ++i) join(host.room_id, {}, "G" + std::to_string(i));
    return host;
  }
  std::size_t cost(Client& author, const v1::AppendEntry& append) {
    v1::ClientMessage message;
    *message.mutable_keys()->mutable_append() = append;
    const std::string bytes = message.SerializeAsString();
    const std::size_t before = allocations();
    author.handler->on_message(base::as_bytes(bytes));
    return allocations() - before;
  }
  static std::string refused(const Client& client) {
    return client.peer->last(v1::KeysFromServer::kAppendRefused)->append_refused().reason();
  }
};

TEST_F(AppendCostTest, OfAResumeWithoutAuthority) {
  Client& host = open_full_room();
  disconnect(host);
  keeping = false;
  Client& stranger = member(host.room_id, "Stranger");
  v1::LogEntry body = *log_of(host).draft(host.leaf(), {}, v1::ADVANCE_FRESH, false, 0);
  body.set_author(roomlog_test::to_string(stranger.leaf()));
  body.set_resume(true);
  *body.add_ops() = roomlog_test::admit_op(stranger.keys.certificate, 2);
  const v1::AppendEntry append = sign(stranger, body);
  EXPECT_LT(cost(stranger, append), std::size_t{kMembers});
  EXPECT_EQ(refused(stranger), "log.invalid");
}

TEST_F(AppendCostTest, OfAnEntryThatTheLogDoesNotTake) {
  Client& host = open_full_room();
  Client& speaker = member(host.room_id, "Speaker");
  to_stage(host, speaker);
  Client& leaver = member(host.room_id, "Leaver");
  keeping = false;
  must(leaver, leave());
  v1::AppendEntry forged = draft(speaker, {roomlog_test::depart_op(leaver.leaf())});
  forged.mutable_entry()->mutable_signature()->front() ^= 1;
  EXPECT_LT(cost(speaker, forged), std::size_t{kMembers});
  EXPECT_EQ(refused(speaker), "log.invalid");
  const std::size_t taken = cost(speaker, draft(speaker, {roomlog_test::depart_op(leaver.leaf())}));
  EXPECT_GT(taken, std::size_t{kMembers}) << "else this test counts nothing";
}

}  // namespace
}  // namespace alcove::control
