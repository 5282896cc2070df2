// tests/vectors/room-keys: written with ALCOVE_WRITE_VECTORS=<that folder>, else compared with what
// this code would write.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "unit/roomlog/broken_objects.h"
#include "unit/roomlog/json.h"
#include "unit/roomlog/log_scenario.h"

namespace alcove::roomlog {
namespace {

using namespace roomlog_test;
using Members = Json::Members;

// One value that is given out as a private key of HPKE's sender.
class FixedRandom final : public base::RandomSource {
 public:
  explicit FixedRandom(const Hash& bytes) : bytes_(bytes) {}
  void fill(base::MutableBytes out) override {
    CHECK(out.size() == bytes_.size());
    std::ranges::copy(bytes_, out.begin());
  }

 private:
  Hash bytes_;
};

template <typename Message>
Json hex_of(const Message& message) {
  return Json::hex(message.SerializeAsString());
}

Json keys_of(RoomLog& log) {
  std::vector<Json> keys;
  for (const std::string name : {"Host", "Anna", "Leo"}) {
    const Join& join = log.join(name);
    keys.push_back(Members{{"name", name},
                           {"identity_seed", Json::hex(identity_seed(name))},
                           {"identity", Json::hex(join.identity.public_key())},
                           {"leaf_seed", Json::hex(leaf_seed(name, 0))},
                           {"leaf", Json::hex(join.leaf.public_key())},
                           {"encryption_private", Json::hex(encryption_bytes(name, 0))},
                           {"encryption", Json::hex(join.encryption.public_key())},
                           {"certificate", hex_of(join.certificate.object)},
                           {"account", join.certificate.account},
                           {"display_name", join.certificate.display_name},
                           {"leaf_hash", Json::hex(join.certificate.leaf_hash)}});
  }
  return keys;
}

Json link_of(RoomLog& log) {
  LinkFragment fragment{.fingerprint = log.room()};
  const Hash secret = hash_of("link secret 0");
  std::copy_n(secret.begin(), fragment.secret.size(), fragment.secret.begin());
  Hash key{};
  expand(fragment.secret, "link", {}, key);
  return Members{{"fragment", to_text(fragment)},
                 {"secret", Json::hex(fragment.secret)},
                 {"link_key", Json::hex(key)},
                 {"leaf_hash", Json::hex(log.leaf("Anna"))},
                 {"link_mac", Json::hex(link_mac(fragment.secret, log.room(), log.leaf("Anna")))}};
}

Json expand_examples() {
  const Hash secret = hash_of("secret");
  const Hash context = hash_of("context");
  const base::Bytes all(context);
  base::Buffer seat_and_leaf = {7};
  seat_and_leaf.insert(seat_and_leaf.end(), context.begin(), context.end());
  const std::vector<std::tuple<std::string, base::Bytes, std::size_t>> examples = {
      {"link", {}, 32},
      {"epoch", all, 32},
      {"chain", {}, 32},
      {"confirm", {}, 32},
      {"sframe", seat_and_leaf, 16},
      {"app", {}, 32}};
  std::vector<Json> out;
  for (const auto& [label, with, size] : examples) {
    base::Buffer bytes(size);
    expand(secret, label, with, bytes);
    out.push_back(Members{{"secret", Json::hex(secret)},
                          {"label", label},
                          {"context", Json::hex(with)},
                          {"size", size},
                          {"out", Json::hex(bytes)}});
  }
  return out;
}

Json epoch_of(const std::string& mode, TestEpochs& epochs, const std::optional<Hash>& fresh,
              const Hash& h) {
  const Hash chain_before = mode == "resume" ? Hash{} : epochs.chain;
  epochs.advance(h, fresh, mode == "resume");
  std::vector<Json> seats;
  for (const std::uint8_t seat : {1, 2, 255}) {
    const Hash leaf = hash_of("leaf of seat " + std::to_string(seat));
    base::Buffer context = {seat};
    context.insert(context.end(), leaf.begin(), leaf.end());
    std::array<std::uint8_t, 16> base_key{};
    expand(epochs.epoch, "sframe", context, base_key);
    seats.push_back(Members{
        {"seat", unsigned{seat}}, {"leaf_hash", Json::hex(leaf)}, {"base", Json::hex(base_key)}});
  }
  Hash app{};
  expand(epochs.epoch, "app", {}, app);
  return Members{{"mode", mode},
                 {"chain_before", Json::hex(chain_before)},
                 {"fresh", Json::hex(fresh ? base::Bytes(*fresh) : base::Bytes{})},
                 {"h", Json::hex(h)},
                 {"joiner", Json::hex(epochs.joiner)},
                 {"epoch", Json::hex(epochs.epoch)},
                 {"chain", Json::hex(epochs.chain)},
                 {"confirm", Json::hex(epochs.confirm)},
                 {"app", Json::hex(app)},
                 {"seats", std::move(seats)}};
}

Json epoch_examples() {
  TestEpochs epochs;
  std::vector<Json> out;
  out.push_back(epoch_of("fresh", epochs, hash_of("fresh 1"), hash_of("h 1")));
  out.push_back(epoch_of("ratchet", epochs, std::nullopt, hash_of("h 2")));
  out.push_back(epoch_of("fresh", epochs, hash_of("fresh 3"), hash_of("h 3")));
  out.push_back(epoch_of("resume", epochs, hash_of("fresh 4"), hash_of("h 4")));
  return out;
}

std::string write_objects() {
  RoomLog log(v1::ROOM_KIND_CLOSED);
  const Json genesis = Members{{"object", hex_of(log.genesis().object)},
                               {"room_fp", Json::hex(log.room())},
                               {"room_code", room_code(log.room())},
                               {"host", Json::hex(log.genesis().host)}};
  log.found();
  std::vector<BrokenObject> broken = broken_geneses(log);
  for (auto& one : broken_certificates(log)) broken.push_back(std::move(one));
  for (auto& one : broken_entries(log)) broken.push_back(std::move(one));
  std::vector<Json> invalid;
  for (const BrokenObject& one : broken) {
    if (one.object.body().size() > 40'000) continue;  // only long: each test makes its own
    invalid.push_back(Members{{"what", one.what},
                              {"type", one.type},
                              {"object", hex_of(one.object)},
                              {"error", to_text(one.error)}});
  }
  return Json(Members{{"genesis", genesis},
                      {"keys", keys_of(log)},
                      {"link", link_of(log)},
                      {"expand", expand_examples()},
                      {"epochs", epoch_examples()},
                      {"entry", hex_of(log.last().object)},
                      {"invalid", std::move(invalid)}})
      .to_text();
}

Json stage_of(const LogState& state) {
  std::vector<Json> stage;
  for (const auto& [seat, member] : state.stage())
    stage.push_back(Members{{"seat", unsigned{seat}},
                            {"leaf_hash", Json::hex(member.certificate.leaf_hash)},
                            {"identity", Json::hex(member.certificate.identity)},
                            {"role", static_cast<int>(member.role)},
                            {"since", member.since}});
  return stage;
}

Json roster_of(const LogState& state) {
  std::vector<Json> roster;
  for (const auto& [leaf, certificate] : state.roster()) roster.push_back(Json::hex(leaf));
  return roster;
}

Json entry_of(const WrittenEntry& written, const ScenarioStep& step) {
  const EntryClass& of = written.entry_class;
  const bool advance = of.advance;
  return Members{{"what", step.what},
                 {"object", hex_of(written.entry.object)},
                 {"n", written.entry.body.n()},
                 {"hash", Json::hex(written.entry.hash)},
                 {"body_hash", Json::hex(written.entry.body_hash)},
                 {"class", Members{{"authority", of.authority},
                                   {"advance", of.advance},
                                   {"beat", of.beat},
                                   {"resume", of.resume}}},
                 {"stage_hash", Json::hex(step.after.stage_hash())},
                 {"roster_hash", Json::hex(step.after.roster_hash())},
                 {"stage", stage_of(step.after)},
                 {"roster", roster_of(step.after)},
                 {"locked", step.after.locked()},
                 {"link_void", step.after.link_void()},
                 {"link_generation", step.after.link_generation()},
                 {"next_free_seat", unsigned{step.after.next_free_seat().value_or(0)}},
                 {"epoch_number", step.after.epoch()},
                 {"fresh", Json::hex(written.fresh ? base::Bytes(*written.fresh) : base::Bytes{})},
                 {"epoch", Json::hex(advance ? base::Bytes(written.epochs.epoch) : base::Bytes{})},
                 {"confirm", Json::hex(written.entry.object.confirm())}};
}

std::string_view name_of(Follow follow) {
  return follow == Follow::kFull ? "full" : follow == Follow::kShort ? "short" : "chain";
}

std::string write_log() {
  const auto scenario = make_scenario();
  std::vector<Json> entries;
  for (std::size_t i = 0; i < scenario->steps.size(); ++i)
    entries.push_back(entry_of(scenario->log.entries()[i], scenario->steps[i]));
  std::vector<Json> invalid;
  for (const InvalidEntry& one : invalid_entries(*scenario))
    invalid.push_back(Members{{"what", one.what},
                              {"after", one.after},
                              {"follow", name_of(one.follow)},
                              {"object", hex_of(one.entry.object)},
                              {"error", to_text(one.error)}});
  std::vector<Json> chains;
  for (const InvalidChain& one : invalid_chains(*scenario))
    chains.push_back(
        Members{{"what", one.what}, {"chain", hex_of(one.chain)}, {"error", to_text(one.error)}});
  std::vector<Json> roster;
  for (const Certificate& certificate : scenario->log.roster())
    roster.push_back(hex_of(certificate.object));
  return Json(Members{{"genesis", hex_of(scenario->log.genesis().object)},
                      {"entries", std::move(entries)},
                      {"chain", hex_of(scenario->log.chain())},
                      {"roster", std::move(roster)},
                      {"invalid", std::move(invalid)},
                      {"invalid_chains", std::move(chains)}})
      .to_text();
}

Json box_of(RoomLog& log, const std::string& kind, base::Bytes aad, base::Bytes plaintext) {
  const Join& receiver = log.join("Anna");
  base::Buffer info = length_prefixed(base::as_bytes("alcove 1 " + kind));
  info.insert(info.end(), log.room().begin(), log.room().end());
  const Hash& leaf = receiver.certificate.leaf_hash;
  info.insert(info.end(), leaf.begin(), leaf.end());
  const Hash ephemeral = hash_of("ephemeral " + kind);
  FixedRandom random(ephemeral);
  const auto box =
      crypto::hpke_seal(receiver.encryption.public_key(), info, aad, plaintext, random);
  CHECK(box.has_value());
  const auto opened = crypto::hpke_open(receiver.encryption, info, aad, *box);
  CHECK(opened && std::ranges::equal(*opened, plaintext));
  return Members{{"kind", kind},
                 {"room_fp", Json::hex(log.room())},
                 {"leaf_hash", Json::hex(leaf)},
                 {"receiver_private", Json::hex(encryption_bytes("Anna", 0))},
                 {"receiver_public", Json::hex(receiver.encryption.public_key())},
                 {"ephemeral_private", Json::hex(ephemeral)},
                 {"info", Json::hex(info)},
                 {"aad", Json::hex(aad)},
                 {"plaintext", Json::hex(plaintext)},
                 {"box", Json::hex(*box)}};
}

std::string write_boxes() {
  RoomLog log;
  const Hash h = hash_of("h");
  const Hash entry = hash_of("an entry's hash");
  const Hash fresh = hash_of("fresh");
  const Hash epoch = hash_of("epoch");
  base::Buffer numbered = {0, 0, 1, 2};
  numbered.insert(numbered.end(), epoch.begin(), epoch.end());
  const base::Buffer generation = {0, 0, 0, 3};
  const Hash secret = hash_of("link secret 3");
  std::vector<Json> boxes;
  boxes.push_back(box_of(log, "box", h, fresh));
  boxes.push_back(box_of(log, "join", entry, numbered));
  boxes.push_back(box_of(log, "rebox", entry, numbered));
  boxes.push_back(box_of(log, "link", generation, base::Bytes(secret).first(16)));
  return Json(Members{{"boxes", std::move(boxes)}}).to_text();
}

std::vector<std::pair<std::string, std::string>> all_vectors() {
  return {{"objects.json", write_objects() + "\n"},
          {"log.json", write_log() + "\n"},
          {"boxes.json", write_boxes() + "\n"}};
}

TEST(Vectors, Write) {
  const char* folder = std::getenv("ALCOVE_WRITE_VECTORS");
  if (!folder) GTEST_SKIP() << "ALCOVE_WRITE_VECTORS is not set";
  for (const auto& [name, text] : all_vectors()) {
    std::ofstream file(std::string(folder) + "/" + name, std::ios::binary);
    file << text;
    ASSERT_TRUE(file.flush().good()) << name;
  }
}

TEST(Vectors, AreWhatThisCodeWrites) {
  for (const auto& [name, text] : all_vectors()) {
    std::ifstream file(std::string(ALCOVE_VECTORS) + "/room-keys/" + name, std::ios::binary);
    ASSERT_TRUE(file.is_open()) << name;
    const std::string stored(std::istreambuf_iterator<char>(file), {});
    EXPECT_TRUE(stored == text) << name << " differs";
  }
}

}  // namespace
}  // namespace alcove::roomlog
