// The manifest, its log, whom the service is offered to, and relays that invent candidates.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "policy/geo_merge.h"
#include "policy/manifest.h"
#include "policy/transparency_log.h"
#include "unit/control/control_fixture.h"
#include "unit/net/temporary_directory.h"

namespace alcove::control {
namespace {

class PromisesTest : public ControlTest {
 protected:
  const crypto::Ed25519PrivateKey key_ = crypto::Ed25519PrivateKey::from_seed({7});

  PromisesTest() {
    ServerOptions options = generous();
    options.manifest_key_hash =
        std::string(base::as_text(policy::manifest_key_hash(key_.public_key())));
    restart(options);
  }

  Promises promises(std::size_t entries = 1) {
    v1::Manifest manifest;
    manifest.set_version(1);
    Promises made;
    made.manifest = policy::sign_manifest(manifest, key_);
    policy::TransparencyLog log;
    for (std::size_t i = 0; i < entries; ++i) {
      v1::TransparencyEntry entry;
      entry.set_kind(i == 0 ? v1::TransparencyEntry::KIND_KEY : v1::TransparencyEntry::KIND_POLICY);
      if (i == 0) entry.set_key(std::string(base::as_text(key_.public_key())));
      made.log.push_back(policy::make_entry(log.head(), entry, 1000, key_));
      EXPECT_TRUE(log.append(made.log.back()));
    }
    return made;
  }
  base::HttpResponse get(const std::string& path, const std::string& query = {},
                         const std::string& accept = "application/protobuf") {
    base::HttpRequest http = make("GET", path);
    http.query = query;
    http.accept = accept;
    return request(std::move(http));
  }
  static std::string header(const base::HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    return {};
  }
};

TEST_F(PromisesTest, ServesTheManifest) {
  EXPECT_EQ(get("/.well-known/alcove/manifest").status, 404);
  EXPECT_EQ(get("/.well-known/alcove/log").status, 404);
  server->set_promises(promises());
  const base::HttpResponse binary = get("/.well-known/alcove/manifest");
  EXPECT_EQ(binary.content_type, "application/protobuf");
  EXPECT_EQ(header(binary, "Cache-Control"), "no-store");
  const auto read = policy::read_manifest(base::as_bytes(binary.body));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->key, key_.public_key());
  const base::HttpResponse json = get("/.well-known/alcove/manifest", {}, "*/*");
  EXPECT_EQ(json.content_type, "application/json");
  EXPECT_TRUE(policy::read_manifest(base::as_bytes(json.body)));
  const std::string etag = header(json, "ETag");
  ASSERT_FALSE(etag.empty());
  EXPECT_NE(etag, header(binary, "ETag"));
  base::HttpRequest again = make("GET", "/.well-known/alcove/manifest");
  again.accept = "*/*";
  again.if_none_match = etag;
  const base::HttpResponse same = request(std::move(again));
  EXPECT_EQ(same.status, 304);
  EXPECT_TRUE(same.body.empty());
}

TEST_F(PromisesTest, PagesTheLog) {
  server->set_promises(promises(600));
  policy::TransparencyLog log;
  std::vector<int> sizes;
  for (std::uint64_t from = 0; from < 600; from = log.head().size) {
    const auto page =
        parse<v1::TransparencyPage>(get("/.well-known/alcove/log", "from=" + std::to_string(from)));
    EXPECT_EQ(page.size(), 600U);
    sizes.push_back(page.entries_size());
    for (const v1::SignedTransparencyEntry& entry : page.entries()) ASSERT_TRUE(log.append(entry));
  }
  EXPECT_EQ(sizes, (std::vector{256, 256, 88}));
  EXPECT_EQ(parse<v1::TransparencyPage>(get("/.well-known/alcove/log")).entries_size(), 256);
  EXPECT_EQ(parse<v1::TransparencyPage>(get("/.well-known/alcove/log", "from=18446744073709551615"))
                .entries_size(),
            0);
  for (const char* bad :
       {"from=", "from=-1", "from=x", "n=1", "from=1&x", "from=99999999999999999999"})
    EXPECT_EQ(get("/.well-known/alcove/log", bad).status, 400) << bad;
}

TEST_F(PromisesTest, AGenesisPinsTheKey) {
  const std::string token = account("ada");
  const auto start = [&](const std::string& hash) {
    return try_start(token, genesis_of("ada", v1::ROOM_KIND_OPEN, [&](v1::Genesis& genesis) {
                       genesis.set_manifest_key_hash(hash);
                     }));
  };
  const base::HttpResponse without = start("");
  EXPECT_EQ(reason(without), "room.manifest_key");
  EXPECT_EQ(without.status, 400);
  EXPECT_NE(without.body.find("this server has a manifest"), std::string::npos);
  EXPECT_EQ(reason(start(std::string(32, 'x'))), "room.manifest_key");
  const auto hash = policy::manifest_key_hash(key_.public_key());
  EXPECT_EQ(start(std::string(base::as_text(hash))).status, 201);
}

class OfferTest : public PromisesTest {
 protected:
  // 203.0.113.0/24 is in China, 198.51.100.0/24 in Germany; all others are nowhere.
  static std::unique_ptr<policy::GeoDatabase> small_world(const std::filesystem::path& folder) {
    policy::GeoTables tables;
    EXPECT_TRUE(
        tables.locations.add("203.0.113.0,203.0.113.255,CN\n198.51.100.0,198.51.100.255,DE\n"));
    const auto bytes = policy::write_mmdb(policy::merge_tables(std::move(tables)), {});
    EXPECT_TRUE(bytes);
    const std::filesystem::path file = folder / "world.mmdb";
    std::ofstream(file, std::ios::binary) << base::as_text(*bytes);
    auto database = policy::GeoDatabase::open({file.string()});
    EXPECT_TRUE(database);
    return *std::move(database);
  }
  void offer(const std::string& toml) {
    const net::TemporaryDirectory folder;
    auto policy = policy::parse_policy(toml);
    ASSERT_TRUE(policy) << policy.error().message;
    Promises made = promises();
    made.gate =
        std::make_shared<policy::EndpointGate>(*std::move(policy), small_world(folder.path()));
    server->set_promises(made);
  }
  base::HttpResponse get_from(const std::string& address, const std::string& path) {
    base::HttpRequest http = make("GET", path);
    http.remote = *base::IpAddress::parse(address);
    return request(std::move(http));
  }
};

constexpr const char* kOffer =
    "[offer]\n{} = [\"CN\"]\ntext_en = \"Not here.\"\ntext_fr = \"Pas ici.\"\n";

TEST_F(OfferTest, DeniedAnswersEveryRequestButThePromises) {
  offer(fmt::format(fmt::runtime(kOffer), "deny"));
  for (const char* path : {"/v1/config", "/v1/hallway", "/v1/nothing"}) {
    const base::HttpResponse response = get_from("203.0.113.1", path);
    EXPECT_EQ(response.status, 451) << path;
    v1::ErrorResponse error;
    ASSERT_TRUE(error.ParseFromString(response.body));
    EXPECT_EQ(error.reason(), "offer.denied");
    EXPECT_EQ(error.text_en(), "Not here.");
    EXPECT_EQ(error.text_fr(), "Pas ici.");
  }
  EXPECT_EQ(get_from("203.0.113.1", "/.well-known/alcove/manifest").status, 200);
  EXPECT_EQ(get_from("203.0.113.1", "/.well-known/alcove/log").status, 200);
  EXPECT_EQ(get_from("198.51.100.1", "/v1/config").status, 200);
  EXPECT_EQ(get_from("2001:db8::1", "/v1/config").status, 200) << "unknown";
  EXPECT_EQ(get_from("10.0.0.1", "/v1/config").status, 200) << "private";
  const auto refused = server->refuse(*base::IpAddress::parse("203.0.113.1"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 451);
  EXPECT_NE(refused->body.find("\"textFr\":\"Pas ici.\""), std::string::npos);
  EXPECT_FALSE(server->refuse(*base::IpAddress::parse("198.51.100.1")));
  EXPECT_NE(server->metrics().find("alcove_offers_total{result=\"denied\"} 4"), std::string::npos);
}

TEST_F(OfferTest, WarnedIsTold) {
  offer(fmt::format(fmt::runtime(kOffer), "warn"));
  const auto config = parse<v1::ServerConfig>(get_from("203.0.113.1", "/v1/config"));
  EXPECT_EQ(config.offer_notice().text_en(), "Not here.");
  EXPECT_EQ(config.offer_notice().text_fr(), "Pas ici.");
  EXPECT_FALSE(parse<v1::ServerConfig>(get_from("198.51.100.1", "/v1/config")).has_offer_notice());
  EXPECT_FALSE(server->refuse(*base::IpAddress::parse("203.0.113.1")));
  EXPECT_NE(server->metrics().find("alcove_offers_total{result=\"warned\"} 1"), std::string::npos);
}

class BadRelayTest : public ControlTest {
 protected:
  BadRelayTest() {
    auto policy = policy::parse_policy("[addresses]\ndeny = [\"203.0.113.0/24\"]\n");
    auto gate = std::make_shared<policy::EndpointGate>(*policy, policy::GeoDatabase::empty());
    const policy::RelayCandidate announced[] = {
        {{*base::IpAddress::parse("198.51.100.7"), 7878}, policy::Transport::kUdp}};
    EXPECT_FALSE(gate->admit(announced));
    Promises made;
    made.gate = gate;
    server->set_promises(made);
  }
  // A join whose answer is this.
  base::HttpResponse join_with(const std::string& sdp) {
    const std::string token = account("ada" + std::to_string(++accounts_));
    const std::string room = start_room(token);
    relay.answers = false;
    const Pending pending = begin_join(room, token);
    relay.answers = true;
    v1::RelayEvent event;
    last_ = relay.last_open().join_id();
    event.mutable_opened()->set_join_id(last_);
    event.mutable_opened()->set_sdp_answer(sdp);
    server->handle_relay_event(event);
    EXPECT_TRUE(pending->has_value());
    return pending->value_or(base::HttpResponse{});
  }
  int accounts_ = 0;
  std::string last_;
};

TEST_F(BadRelayTest, AnInventedCandidateFailsTheJoin) {
  const std::string good = "a=candidate:1 1 udp 1 198.51.100.7 7878 typ host\r\n";
  EXPECT_EQ(join_with(good).status, 200);
  int failures = 0;
  for (const char* address : {"203.0.113.5", "198.51.100.8", "relay.example", "2001:db8::1"}) {
    const base::HttpResponse response =
        join_with(good + "a=candidate:2 1 udp 1 " + address + " 7878 typ host\r\n");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(reason(response), "relay.bad_candidate") << address;
    EXPECT_EQ(response.body.find(address), std::string::npos) << "told to nobody";
    EXPECT_EQ(relay.last_about(last_), "closed") << address;
    ++failures;
  }
  const std::string metrics = server->metrics();
  EXPECT_NE(metrics.find("alcove_relay_bad_candidates_total " + std::to_string(failures)),
            std::string::npos);
  EXPECT_NE(metrics.find("alcove_join_failures_total{reason=\"relay.bad_candidate\"} 4"),
            std::string::npos);
}

}  // namespace
}  // namespace alcove::control
