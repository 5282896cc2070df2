#include "bench/room_keys_house.h"

#include <algorithm>
#include <ctime>

#include "alcove/v1/events.pb.h"
#include "base/check.h"
#include "control/framing.h"

namespace alcove::bench {
namespace {

using base::Instant;
using roomlog_test::to_string;

// Every so many joiners one is a whole member.
constexpr std::size_t kSampleEvery = 250;

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

roomlog::Genesis genesis_of(const crypto::Ed25519PrivateKey& host, base::RandomSource& random) {
  v1::Genesis body;
  body.set_version(1);
  body.set_room_id(to_string(random.bytes<16>()));
  body.set_host(to_string(host.public_key()));
  body.set_kind(v1::ROOM_KIND_OPEN);
  body.set_packet_bucket(160);
  body.set_created_at_ms(1'750'000'000'000);
  return roomlog::make_genesis(body, roomlog_test::signer(host));
}

// The size on the WebSocket, padding and frame header included.
std::size_t wire_size(const v1::KeysFromServer& message) {
  v1::ServerMessage wrapped;
  *wrapped.mutable_keys() = message;
  const std::size_t size = control::frame_message(wrapped).size();
  return size + (size < 126 ? 2 : size < 65'536 ? 4 : 10);
}
std::size_t wire_size(const v1::AppendEntry& append) {
  v1::ClientMessage wrapped;
  *wrapped.mutable_keys()->mutable_append() = append;
  return (wrapped.ByteSizeLong() + 255) / 256 * 256 + 14;
}

double milliseconds(base::Duration duration) {
  return static_cast<double>(duration.count()) / 1000;
}

}  // namespace

House::House(std::size_t members)
    : members_(members),
      host_identity_(crypto::Ed25519PrivateKey::make(random_)),
      genesis_(genesis_of(host_identity_, random_)),
      log_(genesis_) {
  e2ee::RoomKeysOptions options;
  options.account = "guest";
  options.display_name = "Keeper";
  keeper_ = std::make_unique<e2ee::RoomKeys>(genesis_, host_identity_, random_, options);
  keeper_->handle_connected(now_);
  v1::KeysFromServer waiting;
  waiting.mutable_waiting()->set_reason(v1::Waiting::REASON_RESUME);
  keeper_->handle_message(now_, wall(), waiting);
  v1::KeysFromServer resume;
  *resume.mutable_resume()->mutable_genesis() = genesis_.object;
  keeper_->handle_message(now_, wall(), resume);
  drain();
  CHECK(keeper_->admitted());
  for (std::size_t i = 0; i < members_; ++i) make_joiner(i);
}

House::~House() = default;

base::WallTime House::wall() const {
  return base::WallTime(
      std::chrono::milliseconds(1'750'000'001'000 + now_.time_since_epoch().count() / 1000));
}

void House::make_joiner(std::size_t index) {
  Joiner& joiner = joiners_.emplace_back();
  const std::string name = "Member " + std::to_string(index);
  if (index % kSampleEvery == 0) {
    e2ee::RoomKeysOptions options;
    options.account = "guest";
    options.display_name = name;
    joiner.identity =
        std::make_unique<crypto::Ed25519PrivateKey>(crypto::Ed25519PrivateKey::make(random_));
    joiner.keys = std::make_unique<e2ee::RoomKeys>(genesis_, *joiner.identity, random_, options);
    joiner.join_keys = joiner.keys->join_keys();
    const auto certificate =
        roomlog::parse_certificate(genesis_.fingerprint, joiner.join_keys.certificate());
    CHECK(certificate.has_value());
    joiner.certificate = *certificate;
    return;
  }
  joiner.certificate = roomlog_test::make_join(genesis_.fingerprint, name, 0).certificate;
  *joiner.join_keys.mutable_certificate() = joiner.certificate.object;
}

double House::keeper(const std::function<void(e2ee::RoomKeys&)>& call) {
  const double before = cpu_seconds();
  call(*keeper_);
  const double taken = cpu_seconds() - before;
  keeper_cpu_ += taken;
  now_ += base::Duration(static_cast<std::int64_t>(taken * 1e6));
  return taken;
}

void House::run_until(Instant end) {
  while (true) {
    drain();
    const Instant due = keeper_->next_deadline();
    if (due > end) break;
    now_ = std::max(now_, due);
    keeper([&](e2ee::RoomKeys& keys) { keys.handle_timeout(now_, wall()); });
  }
  now_ = std::max(now_, end);
}

void House::drain() {
  for (bool more = true; more;) {
    more = false;
    for (const v1::KeysFromClient& message : keeper_->take_messages()) {
      if (!message.has_append()) continue;
      handle(message.append());
      more = true;
    }
  }
  for (const e2ee::KeyEvent& event : keeper_->take_events())
    CHECK(!std::holds_alternative<e2ee::WarningEvent>(event));
}

void House::handle(const v1::AppendEntry& append) {
  const auto entry = roomlog::parse_entry(append.entry());
  CHECK(entry.has_value());
  const roomlog::EntryClass entry_class = log_.class_of(entry->body);
  CHECK(log_.apply(*entry, roomlog::Follow::kFull).has_value());
  bytes_up_ += wire_size(append);
  ++entries_;
  // A joiner's chain is that from before the entry that admits it.
  if (entry->body.resume()) {
    v1::KeysFromServer message;
    *message.mutable_admitted()->mutable_chain() = chain();
    *message.mutable_admitted()->mutable_admit() = append.entry();
    keeper([&](e2ee::RoomKeys& keys) { keys.handle_message(now_, wall(), message); });
  } else {
    hand_out(*entry, append);
  }
  for (const v1::JoinBox& box : append.join_boxes()) admit(*entry, box);
  if (entry_class.is_authority()) authority_.push_back(entry->object);
  if (entry_class.advance) advance_ = entry->object;
  if (entry_class.is_short()) head_ = entry->object;
}

void House::hand_out(const roomlog::Entry& entry, const v1::AppendEntry& append) {
  v1::KeysFromServer message;
  v1::DeliveredEntry& delivered = *message.mutable_delivery()->add_entries();
  *delivered.mutable_entry() = entry.object;
  bytes_down_ += wire_size(message);
  keeper([&](e2ee::RoomKeys& keys) { keys.handle_message(now_, wall(), message); });
  if (entry.body.ops_size() > 0 && !entry.has_advance() &&
      entry.body.prev_authority() == to_string(log_.last_authority()))
    return;  // of the roster's class: not on the short path
  std::size_t position = 0;
  bool first_of_sample = true;
  const auto keeper_leaf = keeper_->leaf_hash();
  std::map<roomlog::Hash, std::size_t> positions;
  if (!append.boxes().empty())
    for (const auto& [leaf, certificate] : log_.roster())
      if (leaf != keeper_leaf) positions[leaf] = position++;
  for (Joiner& joiner : joiners_) {
    if (!joiner.in || !joiner.keys) continue;
    const auto found = positions.find(joiner.certificate.leaf_hash);
    delivered.clear_box();
    if (found != positions.end()) delivered.set_box(append.boxes().substr(found->second * 80, 80));
    const double before = cpu_seconds();
    joiner.keys->handle_message(now_, wall(), message);
    if (std::exchange(first_of_sample, false)) {
      listener_cpu_ += cpu_seconds() - before;
      listener_bytes_ += wire_size(message);
    }
    joiner.keys->take_events();
  }
}

void House::admit(const roomlog::Entry& entry, const v1::JoinBox& box) {
  Joiner& joiner = joiners_.at(box.candidate());
  CHECK(!joiner.in);
  joiner.in = true;
  joiner.admitted = now_;
  ++in_;
  v1::KeysFromServer message;
  *message.mutable_admitted()->mutable_chain() = chain();
  *message.mutable_admitted()->mutable_admit() = entry.object;
  message.mutable_admitted()->set_box(box.box());
  admitted_bytes_ += wire_size(message);
  if (!joiner.keys) return;
  joiner.keys->handle_connected(now_);
  const double before = cpu_seconds();
  joiner.keys->handle_message(now_, wall(), message);
  joiner_cpu_ += cpu_seconds() - before;
  ++checked_joins_;
  CHECK(joiner.keys->admitted());
}

v1::LogChain House::chain() const {
  v1::LogChain chain;
  *chain.mutable_genesis() = genesis_.object;
  for (const v1::SignedObject& entry : authority_) *chain.add_authority() = entry;
  const auto is_authority = [this](const v1::SignedObject& entry) {
    return std::ranges::any_of(authority_, [&](const v1::SignedObject& other) {
      return other.signature() == entry.signature();
    });
  };
  if (!advance_.body().empty() && !is_authority(advance_)) *chain.mutable_advance() = advance_;
  if (!head_.body().empty() && !is_authority(head_) && head_.signature() != advance_.signature())
    *chain.mutable_head() = head_;
  return chain;
}

void House::ask(std::size_t index) {
  Joiner& joiner = joiners_[index];
  joiner.asked = now_;
  v1::KeysFromServer message;
  v1::AdmitTask& task = *message.mutable_task()->mutable_admit();
  task.set_candidate(static_cast<std::uint32_t>(index));
  *task.mutable_keys() = joiner.join_keys;
  bytes_down_ += wire_size(message);
  keeper([&](e2ee::RoomKeys& keys) { keys.handle_message(now_, wall(), message); });
  drain();
}

JoinFigures House::run_joins(double joins_per_second) {
  keeper_cpu_ = 0;
  bytes_up_ = bytes_down_ = entries_ = 0;
  run_until(now_ + base::seconds(2));
  keeper_cpu_ = 0;
  bytes_up_ = bytes_down_ = entries_ = 0;
  const Instant begin = now_;
  for (std::size_t i = 0; i < members_; ++i) {
    run_until(begin + base::Duration(static_cast<std::int64_t>(static_cast<double>(i) * 1e6 /
                                                               joins_per_second)));
    ask(i);
  }
  for (int i = 0; i < 600 && in_ < members_; ++i) run_until(now_ + base::milliseconds(100));
  CHECK(in_ == members_);
  JoinFigures figures = join_figures();
  const auto first = static_cast<std::size_t>(joins_per_second);
  for (std::size_t i = 0; i < std::min(first, members_); ++i)
    figures.first_second_admitted_ms =
        std::max(figures.first_second_admitted_ms, milliseconds(joiners_[i].admitted - begin));
  return figures;
}

JoinFigures House::join_figures() const {
  const auto joins = static_cast<double>(members_);
  JoinFigures figures;
  figures.keeper_cpu_us = keeper_cpu_ * 1e6 / joins;
  figures.joiner_bytes = static_cast<double>(admitted_bytes_) / joins;
  figures.keeper_bytes_up = static_cast<double>(bytes_up_) / joins;
  figures.keeper_bytes_down = static_cast<double>(bytes_down_) / joins;
  figures.joiner_cpu_us = joiner_cpu_ * 1e6 / static_cast<double>(checked_joins_);
  figures.entries = entries_;
  std::vector<double> waits;
  for (const Joiner& joiner : joiners_)
    waits.push_back(milliseconds(joiner.admitted - joiner.asked));
  std::ranges::sort(waits);
  figures.admitted_after_ms_median = waits[waits.size() / 2];
  figures.admitted_after_ms_max = waits.back();
  return figures;
}

base::Buffer House::keeper_frame() {
  base::Buffer payload(keeper_->frames().sealed_size());
  const base::Buffer opus(80, 0x5a);
  const auto size = keeper_->frames().seal(opus, payload);
  CHECK(size && *size == payload.size());
  return payload;
}

EpochFigures House::run_eject() {
  EpochFigures figures;
  // The contexts of the boxes are made ahead, in slices.
  keeper_cpu_ = 0;
  run_until(now_ + base::seconds(30));
  figures.prepare_cpu_ms = keeper_cpu_ * 1000;
  const auto eject_at = [&](std::size_t index) {
    bytes_up_ = 0;
    keeper_cpu_ = 0;
    const std::uint64_t n = log_.n();
    keeper([&](e2ee::RoomKeys& keys) {
      CHECK(keys.eject(now_, wall(), joiners_[index].certificate.leaf_hash));
    });
    while (log_.n() == n)
      run_until(std::max(now_ + base::milliseconds(1), keeper_->next_deadline()));
    joiners_[index].in = false;
    return keeper_cpu_ * 1000;
  };
  Joiner& ejected = joiners_[kSampleEvery];
  figures.eject_cpu_ms = eject_at(kSampleEvery);
  figures.bytes_up = bytes_up_;
  figures.bytes_per_member = static_cast<double>(bytes_up_) / static_cast<double>(members_);
  const base::Buffer frame = keeper_frame();
  figures.ejected_opens = ejected.keys->frames().open(frame).has_value();
  figures.others_open = true;
  for (std::size_t i = 0; i < members_; i += kSampleEvery)
    if (joiners_[i].in && !joiners_[i].keys->frames().open(frame)) figures.others_open = false;
  figures.unprepared_cpu_ms = eject_at(1);
  return figures;
}

RestFigures House::run_rest() {
  run_until(now_ + base::seconds(20));
  listener_bytes_ = 0;
  listener_cpu_ = 0;
  constexpr int kMinutes = 5;  // a fresh epoch of every ten minutes may fall into it
  run_until(now_ + base::seconds(60 * kMinutes));
  return {.bytes_per_minute = listener_bytes_ / kMinutes,
          .cpu_us_per_minute = listener_cpu_ * 1e6 / kMinutes};
}

}  // namespace alcove::bench
