#include "rtc/ice_lite.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "crypto/hash.h"
#include "rtc/ice_credentials.h"
#include "unit/rtc/ice_nodes.h"

namespace alcove::rtc {
namespace {

using base::seconds;

base::Path path_from(std::string_view text, std::uint16_t port = 5000) {
  return {base::TransportProtocol::kUdp, address("192.0.2.1", 7878), address(text, port), 0};
}

class IceLiteTest : public testing::Test {
 protected:
  struct Reply {
    IceCheckOutcome outcome;
    int error = 0;  // 0 for a success; -1 when nothing was sent
    bool has_integrity = false;
    std::optional<base::SocketAddress> mapped;
    std::vector<std::uint16_t> unknown;
  };
  using Change = std::function<void(wire::StunWriter&)>;

  // A check as a browser makes it, with what add puts before the integrity.
  Reply check(const base::Path& path, const wire::IceCredentials& local,
              const wire::IceCredentials& remote, const Change& add = {}) {
    std::array<std::uint8_t, 500> buffer;
    wire::StunWriter writer(buffer);
    writer.begin(wire::StunClass::kRequest, wire::kStunBinding, {1, 2, 3});
    writer.add_username(local.ufrag + ":" + remote.ufrag);
    writer.add_priority(1);
    if (add) add(writer);
    writer.add_integrity(base::as_bytes(local.pwd), crypto::hmac_sha1);
    writer.add_fingerprint();
    return handle(path, writer.finish(), local.pwd);
  }
  Reply check(const base::Path& path, bool nominates = false) {
    return check(path, ice_.local(), ice_.remote(), [nominates](wire::StunWriter& writer) {
      writer.add_ice_controlling(99);
      if (nominates) writer.add_use_candidate();
    });
  }

  Reply handle(const base::Path& path, base::Bytes datagram, const std::string& password) {
    Reply reply;
    base::DatagramQueue out;
    const auto request = wire::parse_stun(datagram);
    EXPECT_TRUE(request);
    reply.outcome = ice_.handle_request(now_, path, *request, datagram, out);
    if (out.empty()) {
      reply.error = -1;
      return reply;
    }
    EXPECT_EQ(out.entries().size(), 1U);
    EXPECT_EQ(out.entries()[0].path, path);
    const auto response = wire::parse_stun(out.bytes(out.entries()[0]));
    EXPECT_TRUE(response);
    EXPECT_EQ(response->transaction, request->transaction);
    EXPECT_TRUE(response->has_fingerprint);
    reply.error = response->error ? response->error->code : 0;
    reply.has_integrity =
        wire::check_integrity(*response, base::as_bytes(password), crypto::hmac_sha1);
    reply.mapped = response->xor_mapped_address;
    reply.unknown.assign(response->unknown_attributes.begin(), response->unknown_attributes.end());
    EXPECT_TRUE(reply.has_integrity || out.entries()[0].size <= datagram.size());
    return reply;
  }

  base::SeededRandom random_{1};
  base::Instant now_{seconds(1000)};
  IceLite ice_{now_, make_ice_credentials(random_, "a1"), make_ice_credentials(random_)};
};

TEST_F(IceLiteTest, AnswersWithTheMappedAddress) {
  const Reply reply = check(path_from("198.51.100.7"));
  EXPECT_EQ(reply.outcome.result, IceCheckResult::kAccepted);
  EXPECT_TRUE(reply.outcome.path_added);
  EXPECT_TRUE(reply.outcome.selected_changed);
  EXPECT_EQ(reply.error, 0);
  EXPECT_TRUE(reply.has_integrity);
  EXPECT_EQ(reply.mapped, address("198.51.100.7", 5000));
  const Reply again = check(path_from("198.51.100.7"));
  EXPECT_FALSE(again.outcome.path_added);
  EXPECT_FALSE(again.outcome.selected_changed);
}

TEST_F(IceLiteTest, AnswersIpv6) {
  base::Path path = path_from("2001:db8::7");
  path.local = address("2001:db8::1", 7878);
  EXPECT_EQ(check(path).mapped, address("2001:db8::7", 5000));
}

TEST_F(IceLiteTest, RefusesWrongCredentials) {
  wire::IceCredentials local = ice_.local();
  local.pwd.back() = local.pwd.back() == 'a' ? 'b' : 'a';
  const Reply reply = check(path_from("198.51.100.7"), local, ice_.remote());
  EXPECT_EQ(reply.error, 401);
  EXPECT_EQ(reply.outcome.result, IceCheckResult::kRejected);
  EXPECT_FALSE(reply.has_integrity);

  wire::IceCredentials remote = ice_.remote();
  remote.ufrag += "x";
  EXPECT_EQ(check(path_from("198.51.100.7"), ice_.local(), remote).error, 401);
  EXPECT_FALSE(ice_.selected_path());
  EXPECT_TRUE(ice_.valid_paths().empty());
  EXPECT_EQ(ice_.consent_expires_at(), now_ + kConsentLifetime);
}

TEST_F(IceLiteTest, RefusesARequestWithoutIntegrity) {
  std::array<std::uint8_t, 200> buffer;
  wire::StunWriter writer(buffer);
  writer.begin(wire::StunClass::kRequest, wire::kStunBinding, {1});
  writer.add_username(ice_.local().ufrag + ":" + ice_.remote().ufrag);
  writer.add_priority(1);
  writer.add_ice_controlling(1);
  writer.add_fingerprint();
  EXPECT_EQ(handle(path_from("198.51.100.7"), writer.finish(), "").error, 400);
}

TEST_F(IceLiteTest, AnUnauthenticatedErrorIsNeverLongerThanTheRequest) {
  std::array<std::uint8_t, 200> buffer;
  wire::StunWriter writer(buffer);
  writer.begin(wire::StunClass::kRequest, wire::kStunBinding, {1});
  writer.add_fingerprint();
  const Reply reply = handle(path_from("198.51.100.7"), writer.finish(), "");
  EXPECT_EQ(reply.error, -1);
  EXPECT_EQ(reply.outcome.result, IceCheckResult::kIgnored);
}

TEST_F(IceLiteTest, IgnoresWhatIsNotACheck) {
  std::array<std::uint8_t, 200> buffer;
  for (const auto message_class :
       {wire::StunClass::kIndication, wire::StunClass::kSuccess, wire::StunClass::kError}) {
    wire::StunWriter writer(buffer);
    writer.begin(message_class, wire::kStunBinding, {1});
    writer.add_username(ice_.local().ufrag + ":" + ice_.remote().ufrag);
    writer.add_integrity(base::as_bytes(ice_.local().pwd), crypto::hmac_sha1);
    writer.add_fingerprint();
    EXPECT_EQ(handle(path_from("198.51.100.7"), writer.finish(), "").error, -1);
  }
  wire::StunWriter writer(buffer);  // no fingerprint
  writer.begin(wire::StunClass::kRequest, wire::kStunBinding, {1});
  writer.add_username(ice_.local().ufrag + ":" + ice_.remote().ufrag);
  writer.add_integrity(base::as_bytes(ice_.local().pwd), crypto::hmac_sha1);
  EXPECT_EQ(handle(path_from("198.51.100.7"), writer.finish(), "").error, -1);
}

TEST_F(IceLiteTest, UnknownRequiredAttributes) {
  // The writer has no way to write one: CHANGE-REQUEST (0x0003) by hand, before the integrity.
  std::array<std::uint8_t, 200> buffer;
  wire::StunWriter writer(buffer);
  writer.begin(wire::StunClass::kRequest, wire::kStunBinding, {1});
  writer.add_username(ice_.local().ufrag + ":" + ice_.remote().ufrag);
  writer.add_priority(0x11223344);
  base::Bytes so_far = writer.finish();
  for (std::size_t i = 0; i + 4 <= so_far.size(); ++i)
    if (so_far[i] == 0x00 && so_far[i + 1] == 0x24) buffer[i + 1] = 0x03;
  writer.add_integrity(base::as_bytes(ice_.local().pwd), crypto::hmac_sha1);
  writer.add_fingerprint();
  const Reply reply = handle(path_from("198.51.100.7"), writer.finish(), ice_.local().pwd);
  EXPECT_EQ(reply.error, 420);
  EXPECT_TRUE(reply.has_integrity);
  EXPECT_EQ(reply.unknown, std::vector<std::uint16_t>{3});
}

TEST_F(IceLiteTest, RoleConflict) {
  const Reply reply = check(path_from("198.51.100.7"), ice_.local(), ice_.remote(),
                            [](wire::StunWriter& writer) { writer.add_ice_controlled(1); });
  EXPECT_EQ(reply.error, 487);
  EXPECT_TRUE(reply.has_integrity);
  EXPECT_FALSE(ice_.selected_path());
}

TEST_F(IceLiteTest, BeforeNominationTheLastAfterItTheNominated) {
  const base::Path a = path_from("198.51.100.7");
  const base::Path b = path_from("198.51.100.8");
  check(a);
  check(b);
  EXPECT_EQ(ice_.selected_path(), b);
  EXPECT_FALSE(ice_.is_nominated());
  EXPECT_TRUE(check(a, true).outcome.selected_changed);
  EXPECT_EQ(ice_.selected_path(), a);
  EXPECT_TRUE(ice_.is_nominated());
  check(b);
  EXPECT_EQ(ice_.selected_path(), a);
  EXPECT_TRUE(ice_.is_valid_path(b));
  check(b, true);
  EXPECT_EQ(ice_.selected_path(), b);
}

TEST_F(IceLiteTest, PathsAreBoundedAndTheSelectedOneStays) {
  check(path_from("198.51.100.7", 1), true);
  for (std::uint16_t port = 2; port <= kMaxValidPaths; ++port) {
    now_ += base::milliseconds(10);
    EXPECT_TRUE(check(path_from("198.51.100.7", port)).outcome.paths_removed.empty());
  }
  now_ += base::milliseconds(10);
  const Reply reply = check(path_from("198.51.100.7", 100));
  ASSERT_EQ(reply.outcome.paths_removed.size(), 1U);
  EXPECT_EQ(reply.outcome.paths_removed[0], path_from("198.51.100.7", 2));
  EXPECT_EQ(ice_.valid_paths().size(), kMaxValidPaths);
  EXPECT_EQ(ice_.selected_path(), path_from("198.51.100.7", 1));
}

TEST_F(IceLiteTest, ConsentIsRenewedByEachCheck) {
  EXPECT_EQ(ice_.consent_expires_at(), now_ + seconds(30));
  now_ += seconds(20);
  check(path_from("198.51.100.7"), true);
  EXPECT_EQ(ice_.consent_expires_at(), now_ + seconds(30));
}

TEST_F(IceLiteTest, APathWithoutChecksLosesConsentOfItsOwn) {
  const base::Path a = path_from("198.51.100.7");
  const base::Path b = path_from("198.51.100.8");
  check(a, true);
  for (int i = 0; i < 5; ++i) {
    now_ += seconds(5);
    check(b);
  }
  EXPECT_EQ(ice_.selected_path(), a);
  now_ += seconds(5);
  const Reply reply = check(b);
  ASSERT_EQ(reply.outcome.paths_removed.size(), 1U);
  EXPECT_EQ(reply.outcome.paths_removed[0], a);
  EXPECT_TRUE(reply.outcome.selected_changed);
  EXPECT_EQ(ice_.selected_path(), b);
}

TEST_F(IceLiteTest, RemovedPath) {
  const base::Path a = path_from("198.51.100.7");
  check(a, true);
  ice_.remove_path(a);
  EXPECT_FALSE(ice_.is_valid_path(a));
  EXPECT_FALSE(ice_.selected_path());
  check(path_from("198.51.100.8"));
  EXPECT_EQ(ice_.selected_path(), path_from("198.51.100.8"));
}

TEST_F(IceLiteTest, RestartAcceptsBothUntilTheFirstNewCheck) {
  const base::Path a = path_from("198.51.100.7");
  const base::Path b = path_from("198.51.100.8");
  check(a, true);
  const wire::IceCredentials old_local = ice_.local();
  const wire::IceCredentials old_remote = ice_.remote();
  ice_.restart(make_ice_credentials(random_, "a1"), make_ice_credentials(random_));
  EXPECT_TRUE(ice_.accepts_ufrag(old_local.ufrag));
  EXPECT_TRUE(ice_.accepts_ufrag(ice_.local().ufrag));
  EXPECT_EQ(check(a, old_local, old_remote).error, 0);
  // The two generations do not mix.
  EXPECT_EQ(check(a, old_local, ice_.remote()).error, 401);

  EXPECT_EQ(ice_.selected_path(), a);  // carries media until the first new check
  const Reply first = check(b);
  EXPECT_TRUE(first.outcome.restarted);
  EXPECT_TRUE(first.outcome.selected_changed);
  EXPECT_EQ(ice_.selected_path(), b);
  EXPECT_EQ(check(a, old_local, old_remote).error, 401);
  EXPECT_FALSE(ice_.accepts_ufrag(old_local.ufrag));
}

TEST_F(IceLiteTest, ARestartIsFollowedWithoutANominationAndEndsWithOne) {
  const base::Path a = path_from("198.51.100.7");
  const base::Path b = path_from("198.51.100.8");
  check(a, true);
  ice_.restart(make_ice_credentials(random_), make_ice_credentials(random_));
  check(b);
  EXPECT_FALSE(ice_.is_nominated());
  check(a);
  EXPECT_EQ(ice_.selected_path(), a);
  EXPECT_TRUE(check(b, true).outcome.selected_changed);
  check(a);
  EXPECT_EQ(ice_.selected_path(), b);
}

TEST_F(IceLiteTest, UnnominatedTcpDoesNotTakeOverFromUdp) {
  const base::Path udp = path_from("198.51.100.7");
  base::Path tcp = path_from("198.51.100.7", 5001);
  tcp.protocol = base::TransportProtocol::kTcp;
  check(tcp);
  EXPECT_EQ(ice_.selected_path(), tcp);
  check(udp);
  check(tcp);
  EXPECT_EQ(ice_.selected_path(), udp);
  check(tcp, true);
  EXPECT_EQ(ice_.selected_path(), tcp);
  // After a restart the UDP path that was may be dead: what is checked first takes over.
  check(udp, true);
  ice_.restart(make_ice_credentials(random_), make_ice_credentials(random_));
  check(tcp);
  EXPECT_EQ(ice_.selected_path(), tcp);
}

TEST_F(IceLiteTest, ASecondRestartReplacesThePendingOne) {
  ice_.restart(make_ice_credentials(random_), make_ice_credentials(random_));
  const std::string first = ice_.local().ufrag;
  ice_.restart(make_ice_credentials(random_), make_ice_credentials(random_));
  EXPECT_FALSE(ice_.accepts_ufrag(first));
  EXPECT_TRUE(check(path_from("198.51.100.7")).outcome.restarted);
}

TEST(IceCredentialsTest, LengthsAndCharacters) {
  base::SeededRandom random(3);
  const wire::IceCredentials a = make_ice_credentials(random, "shard12+");
  const wire::IceCredentials b = make_ice_credentials(random);
  EXPECT_TRUE(is_valid(a));
  EXPECT_TRUE(is_valid(b));
  EXPECT_TRUE(a.ufrag.starts_with("shard12+"));
  EXPECT_EQ(a.ufrag.size(), 16U);
  EXPECT_EQ(b.ufrag.size(), 8U);
  EXPECT_EQ(b.pwd.size(), 24U);
  EXPECT_NE(a.pwd, b.pwd);
  EXPECT_FALSE(is_valid({"abc", b.pwd}));
  EXPECT_FALSE(is_valid({"ab:d", b.pwd}));
  EXPECT_FALSE(is_valid({"abcd", "short"}));
  EXPECT_FALSE(is_valid({std::string(257, 'a'), b.pwd}));
  EXPECT_TRUE(is_valid({std::string(256, 'a'), std::string(256, '/')}));
}

}  // namespace
}  // namespace alcove::rtc
