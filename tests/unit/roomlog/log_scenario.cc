#include "unit/roomlog/log_scenario.h"

namespace alcove::roomlog_test {

namespace {

// Always the same bytes: the ephemeral keys of the vectors' boxes.
class NamedRandom final : public base::RandomSource {
 public:
  explicit NamedRandom(std::string name) : name_(std::move(name)) {}
  void fill(base::MutableBytes out) override {
    const Hash bytes = hash_of(name_);
    CHECK(out.size() <= bytes.size());
    std::copy_n(bytes.begin(), out.size(), out.begin());
  }

 private:
  std::string name_;
};

class Writer {
 public:
  explicit Writer(Scenario& scenario) : scenario_(scenario), log_(scenario.log) {}

  void write(const std::string& what, const Join& author, std::vector<v1::LogOp> ops,
             v1::Advance advance = v1::ADVANCE_NONE, bool resume = false) {
    const roomlog::LogState before = log_.state();
    log_.write(author, std::move(ops), advance, resume);
    scenario_.steps.push_back({what, before, log_.state()});
  }
  std::string link_box(const Join& receiver, std::uint32_t generation) {
    base::Buffer info = roomlog::length_prefixed(base::as_bytes("alcove 1 link"));
    const auto add = [&info](base::Bytes bytes) {
      info.insert(info.end(), bytes.begin(), bytes.end());
    };
    add(log_.room());
    add(receiver.certificate.leaf_hash);
    NamedRandom random("ephemeral link " + receiver.name);
    const base::Buffer aad = {0, 0, 0, static_cast<std::uint8_t>(generation)};
    const Hash secret = hash_of("link secret " + std::to_string(generation));
    const auto box = crypto::hpke_seal(receiver.encryption.public_key(), info, aad,
                                       base::Bytes(secret).first(16), random);
    CHECK(box.has_value());
    return to_string(*box);
  }

 private:
  Scenario& scenario_;
  RoomLog& log_;
};

v1::LogOp with_box(v1::LogOp op, const Join& receiver, const std::string& box) {
  v1::LinkBox& added = *op.mutable_link()->add_boxes();
  added.set_leaf(to_string(receiver.certificate.leaf_hash));
  added.set_box(box);
  return op;
}

void write_first_half(RoomLog& log, Writer& writer) {
  const auto& host = log.join("Host");
  const auto& anna = log.join("Anna");
  const auto& mona = log.join("Mona");
  writer.write("the host founds the room", host, {admit_op(host.certificate, 1)}, v1::ADVANCE_FRESH,
               true);
  writer.write("two listeners", host,
               {admit_op(anna.certificate), admit_op(log.certificate("Leo"))});
  writer.write("a listener, with a ratchet", host, {admit_op(mona.certificate)},
               v1::ADVANCE_RATCHET);
  writer.write("Anna speaks", host, {speaker_op(anna.certificate, 2)});
  writer.write("Mona speaks", host, {speaker_op(mona.certificate, 3)});
  writer.write("Mona moderates", host, {role_op(mona.certificate.leaf_hash, v1::ROLE_MODERATOR)});
  writer.write("locked", mona, {lock_op(true)});
  writer.write("a beat", anna, {});
  writer.write("a listener replaces itself while locked", anna,
               {admit_op(log.certificate("Leo", 1))});
  writer.write("open again", host, {lock_op(false)});
  v1::LogOp link = with_box(link_op(1), anna, writer.link_box(anna, 1));
  link = with_box(link, mona, writer.link_box(mona, 1));
  writer.write("a new link", host, {link});
  writer.write("invited", mona,
               {invite_op({log.certificate("Zoe").identity, log.certificate("Quinn").identity})});
  writer.write("two listeners, by a speaker", anna,
               {admit_op(log.certificate("Eve")), admit_op(log.certificate("Ben"))});
  writer.write("a listener is ejected", mona, {eject_op(log.certificate("Eve"))},
               v1::ADVANCE_FRESH);
  writer.write("a new link after the eject", mona, {link_op(2)});
}

void write_second_half(RoomLog& log, Writer& writer) {
  const auto& host = log.join("Host");
  const auto& anna = log.join("Anna", 1);
  const auto& mona = log.join("Mona");
  const auto& ben = log.join("Ben");
  writer.write("Anna replaces her place on the stage, with a ratchet", host,
               {admit_op(anna.certificate)}, v1::ADVANCE_RATCHET);
  writer.write("a listener departs, another is admitted", anna,
               {depart_op(log.leaf("Leo", 1)), admit_op(log.certificate("Zoe"))});
  v1::LogOp speaker = speaker_op(ben.certificate, 4);
  speaker.mutable_role()->set_link_box(writer.link_box(ben, 2));
  writer.write("Ben speaks, with the link", host, {speaker});
  writer.write("a speaker is ejected", mona, {eject_op(ben.certificate)}, v1::ADVANCE_FRESH);
  writer.write("Mona steps down", mona, {role_op(mona.certificate.leaf_hash, v1::ROLE_LISTENER)});
  writer.write("Mona speaks again", host, {speaker_op(mona.certificate, 5)});
  writer.write("Mona moderates again", host,
               {role_op(mona.certificate.leaf_hash, v1::ROLE_MODERATOR)});
  writer.write("the host leaves", host, {depart_op(host.certificate.leaf_hash)});
  writer.write("a fresh epoch", mona, {}, v1::ADVANCE_FRESH);
  writer.write("the host comes back", mona, {admit_op(log.certificate("Host", 1), 6)});
  log.time_ms += 31'000;
  writer.write("both moderators are gone: Anna is one by rule", anna,
               {depart_op(log.leaf("Host", 1)), depart_op(mona.certificate.leaf_hash)},
               v1::ADVANCE_FRESH);
  writer.write("Mona comes back as a listener", anna, {admit_op(log.certificate("Mona", 1))});
  log.time_ms += 40'000;
  const auto& resuming = log.join("Mona", 2);
  writer.write("Mona resumes, in place of her listener; Anna is gone", resuming,
               {admit_op(resuming.certificate, 7), depart_op(anna.certificate.leaf_hash)},
               v1::ADVANCE_FRESH, true);
  const auto& again = log.join("Mona", 3);
  writer.write("Mona resumes, in place of her own leaf on the stage", again,
               {admit_op(again.certificate)}, v1::ADVANCE_FRESH, true);
  writer.write("a beat of the last one", again, {});
}

}  // namespace

std::unique_ptr<Scenario> make_scenario() {
  auto scenario = std::make_unique<Scenario>();
  Writer writer(*scenario);
  write_first_half(scenario->log, writer);
  write_second_half(scenario->log, writer);
  return scenario;
}

}  // namespace alcove::roomlog_test
