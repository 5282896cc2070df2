// What a room with a large audience costs the control plane: CPU for each join and for a minute at
// rest, resident memory for each member.
//   build/release/bench/bench_signalling [--members 5000] [--from 1000] [--rest 30] [--json]
//
// The server is a process of its own (signalling_house.h): real HTTP, WebSocket and control::Server
// without TLS; the relay is one that answers at once. Members are real sockets with real
// certificates. Their only keeper admits up to 16 in an entry, as clients do, and writes a beat
// every 5 s. CPU is the server's, user and system; memory is resident, after malloc_trim.

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "alcove/v1/events.pb.h"
#include "alcove/v1/rooms.pb.h"
#include "bench/signalling_house.h"
#include "bench/signalling_socket.h"
#include "crypto/random.h"
#include "room_log_fixture.h"
#include "roomlog/bounds.h"

namespace alcove::bench {
namespace {

constexpr const char* kHost = "ada";
constexpr std::chrono::seconds kBeatEvery{5};
constexpr std::chrono::seconds kPingEvery{20};
constexpr std::size_t kJoinBoxSize = 84;

struct Options {
  std::size_t members = 5000;
  std::size_t from = 1000;
  int rest_seconds = 30;
  bool json = false;
};

struct Figures {
  double first_join_cpu_us = 0;  // a join, up to `from` members
  double join_cpu_us = 0;        // from there on
  double bytes_per_member = 0;
  double rest_cpu_seconds_per_minute = 0;
  double rest_messages_per_minute = 0;
};

// Of the server's process.
double cpu_seconds(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string field;
  for (int i = 0; i < 11; ++i) fields >> field;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double resident_bytes(pid_t pid) {
  kill(pid, SIGUSR1);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

class Room {
 public:
  explicit Room(HouseProcess house);
  void join();
  // The keeper's work, and what the others have been sent.
  void work();
  void beat();
  void ping_all();
  bool settled() const { return admitted_ == joins_; }
  std::size_t received() const;

 private:
  std::string begin_join(const roomlog_test::Join& keys, const std::string& session);
  static std::string hello(const std::string& token);
  void keep(const std::string& message);
  void admit();
  void append(std::vector<v1::LogOp> ops, const std::vector<std::uint32_t>& candidates,
              bool resume = false, v1::Advance advance = v1::ADVANCE_NONE);

  HouseProcess house_;
  crypto::SystemRandom random_;
  roomlog::LogState log_;
  std::string room_id_;
  std::unique_ptr<roomlog_test::Join> host_;
  std::vector<MemberSocket> sockets_;  // the first is the keeper's
  std::vector<std::pair<std::uint32_t, roomlog::Certificate>> waiting_;
  std::size_t joins_ = 0;
  std::size_t admitted_ = 0;
  std::uint32_t requests_ = 0;
};

roomlog::Genesis make_genesis(crypto::SystemRandom& random) {
  const auto key = crypto::Ed25519PrivateKey::from_seed(roomlog_test::identity_seed(kHost));
  v1::Genesis body;
  body.set_version(1);
  body.set_room_id(roomlog_test::to_string(random.bytes<16>()));
  body.set_host(roomlog_test::to_string(key.public_key()));
  body.set_kind(v1::ROOM_KIND_OPEN);
  body.set_packet_bucket(160);
  body.set_created_at_ms(std::time(nullptr) * std::int64_t{1000});
  return roomlog::make_genesis(body, roomlog_test::signer(key));
}

Room::Room(HouseProcess house) : house_(std::move(house)), log_(make_genesis(random_)) {
  v1::StartRoomRequest start;
  start.set_title("A large room");
  *start.mutable_genesis() = log_.genesis().object;
  v1::StartRoomResponse started;
  CHECK(started.ParseFromString(
      post(house_.port, "/v1/rooms", start.SerializeAsString(), house_.host_token)));
  room_id_ = started.room().room_id();
  host_ =
      std::make_unique<roomlog_test::Join>(roomlog_test::make_join(log_.fingerprint(), kHost, 0));
  v1::Certificate body;
  CHECK(body.ParseFromString(host_->certificate.object.body()));
  body.set_account(house_.host_account);
  host_->certificate =
      roomlog::make_certificate(log_.fingerprint(), body, roomlog_test::signer(host_->identity));
  const std::string token = begin_join(*host_, house_.host_token);
  sockets_.emplace_back(house_.port);
  sockets_.back().send(hello(token));
  while (!settled()) work();
}

std::string Room::hello(const std::string& token) {
  v1::ClientMessage message;
  message.mutable_hello()->set_join_token(token);
  return message.SerializeAsString();
}

// The join token.
std::string Room::begin_join(const roomlog_test::Join& keys, const std::string& session) {
  v1::JoinRoomRequest request;
  request.set_sdp_offer(std::string(5'400, 'o'));
  if (session.empty()) request.set_guest_name(keys.name);
  *request.mutable_keys()->mutable_certificate() = keys.certificate.object;
  v1::JoinRoomResponse response;
  CHECK(response.ParseFromString(
      post(house_.port, "/v1/rooms/" + room_id_ + "/join", request.SerializeAsString(), session)));
  ++joins_;
  return response.join_token();
}

void Room::join() {
  const roomlog_test::Join keys = roomlog_test::make_join(
      log_.fingerprint(), fmt::format("Listener {}", joins_), static_cast<int>(joins_));
  const std::string token = begin_join(keys, {});
  sockets_.emplace_back(house_.port);
  sockets_.back().send(hello(token));
}

void Room::work() {
  std::vector<pollfd> waits;
  waits.reserve(sockets_.size());
  for (const MemberSocket& socket : sockets_) waits.push_back({socket.descriptor(), POLLIN, 0});
  constexpr int kPatience = 20;
  poll(waits.data(), waits.size(), kPatience);
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < waits.size(); ++i) {
    if (waits[i].revents == 0) continue;
    if (!sockets_[i].drain(i == 0 ? &messages : nullptr)) {
      fmt::print(stderr, "the server has closed the WebSocket of member {}\n", i);
      std::exit(1);
    }
  }
  for (const std::string& message : messages) keep(message);
  while (!waiting_.empty()) admit();
}

void Room::keep(const std::string& message) {
  v1::ServerMessage parsed;
  CHECK(parsed.ParseFromString(message));
  CHECK(!parsed.has_goodbye() && !parsed.keys().has_append_refused());
  if (parsed.keys().has_resume()) {
    ++admitted_;
    append({roomlog_test::admit_op(host_->certificate, *log_.next_free_seat())}, {}, true,
           v1::ADVANCE_FRESH);
  } else if (parsed.keys().task().has_admit()) {
    const v1::AdmitTask& task = parsed.keys().task().admit();
    auto certificate = roomlog::parse_certificate(log_.fingerprint(), task.keys().certificate());
    CHECK(certificate.has_value());
    // Asked for again on a slow machine: it is in, or next.
    const bool is_known = log_.member(certificate->leaf_hash) != nullptr ||
                          std::ranges::any_of(waiting_, [&](const auto& each) {
                            return each.second.leaf_hash == certificate->leaf_hash;
                          });
    if (is_known) return;
    waiting_.emplace_back(task.candidate(), *std::move(certificate));
  }
}

void Room::admit() {
  std::vector<v1::LogOp> ops;
  std::vector<std::uint32_t> candidates;
  while (!waiting_.empty() && candidates.size() < std::size_t{roomlog::kMaxAdmits}) {
    candidates.push_back(waiting_.back().first);
    ops.push_back(roomlog_test::admit_op(waiting_.back().second));
    waiting_.pop_back();
  }
  admitted_ += candidates.size();
  append(std::move(ops), candidates);
}

void Room::beat() { append({}, {}); }

void Room::append(std::vector<v1::LogOp> ops, const std::vector<std::uint32_t>& candidates,
                  bool resume, v1::Advance advance) {
  auto body = log_.draft(host_->certificate.leaf_hash, std::move(ops), advance, resume,
                         std::time(nullptr) * std::int64_t{1000});
  CHECK(body.has_value());
  const roomlog::Hash confirm = roomlog_test::hash_of("confirm");
  const roomlog::Entry entry =
      roomlog::make_entry(log_.fingerprint(), *std::move(body),
                          advance == v1::ADVANCE_NONE ? base::Bytes() : base::Bytes(confirm),
                          roomlog_test::signer(resume ? host_->identity : host_->leaf));
  v1::ClientMessage message;
  v1::AppendEntry& append = *message.mutable_keys()->mutable_append();
  append.set_request(++requests_);
  *append.mutable_entry() = entry.object;
  for (const std::uint32_t candidate : candidates) {
    append.add_join_boxes()->set_candidate(candidate);
    append.mutable_join_boxes()->rbegin()->set_box(std::string(kJoinBoxSize, 'j'));
  }
  CHECK(log_.apply(entry, roomlog::Follow::kFull));
  sockets_.front().send(message.SerializeAsString());
}

void Room::ping_all() {
  v1::ClientMessage ping;
  ping.mutable_ping()->set_nonce(1);
  const std::string bytes = ping.SerializeAsString();
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    sockets_[i].send(bytes);
    if (i % 500 == 0) work();
  }
}

std::size_t Room::received() const {
  std::size_t sum = 0;
  for (const MemberSocket& socket : sockets_) sum += socket.received();
  return sum;
}

using Clock = std::chrono::steady_clock;

void join_until(Room& room, std::size_t from, std::size_t to) {
  Clock::time_point beat = Clock::now() + kBeatEvery;
  for (std::size_t i = from; i < to; ++i) {
    room.join();
    if (i % 16 == 0) room.work();
    if (Clock::now() < beat) continue;
    room.beat();
    beat = Clock::now() + kBeatEvery;
  }
  while (!room.settled()) room.work();
}

// Nothing happens but beats and pings.
void rest(Room& room, std::chrono::seconds time) {
  const Clock::time_point end = Clock::now() + time;
  Clock::time_point beat = Clock::now() + kBeatEvery;
  Clock::time_point ping = Clock::now() + kPingEvery;
  while (Clock::now() < end) {
    room.work();
    if (Clock::now() >= beat) {
      room.beat();
      beat += kBeatEvery;
    }
    if (Clock::now() >= ping) {
      room.ping_all();
      ping += kPingEvery;
    }
  }
}

Figures measure(const Options& options) {
  HouseProcess house = start_house(kHost);
  const pid_t pid = house.pid;
  Room room(std::move(house));
  Figures figures;
  const double begun = cpu_seconds(pid);
  join_until(room, 1, options.from);
  const double half = cpu_seconds(pid);
  figures.first_join_cpu_us = (half - begun) * 1e6 / static_cast<double>(options.from);
  rest(room, std::chrono::seconds(6));
  const double small = resident_bytes(pid);
  const double joining = cpu_seconds(pid);
  join_until(room, options.from, options.members);
  const auto more = static_cast<double>(options.members - options.from);
  figures.join_cpu_us = (cpu_seconds(pid) - joining) * 1e6 / more;
  rest(room, std::chrono::seconds(6));
  figures.bytes_per_member = (resident_bytes(pid) - small) / more;
  const double resting = cpu_seconds(pid);
  const std::size_t received = room.received();
  rest(room, std::chrono::seconds(options.rest_seconds));
  const double minutes = options.rest_seconds / 60.0;
  figures.rest_cpu_seconds_per_minute = (cpu_seconds(pid) - resting) / minutes;
  figures.rest_messages_per_minute = static_cast<double>(room.received() - received) / minutes;
  kill(pid, SIGKILL);
  return figures;
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view flag = arguments[i];
    const bool has_value = i + 1 < count;
    if (flag == "--json") {
      options.json = true;
    } else if (flag == "--members" && has_value) {
      options.members = std::strtoul(arguments[++i], nullptr, 10);
    } else if (flag == "--from" && has_value) {
      options.from = std::strtoul(arguments[++i], nullptr, 10);
    } else if (flag == "--rest" && has_value) {
      options.rest_seconds = std::atoi(arguments[++i]);
    } else {
      fmt::print(stderr,
                 "usage: bench_signalling [--members N] [--from N] [--rest SECONDS] [--json]\n");
      std::exit(2);
    }
  }
  if (options.from < 2 || options.members <= options.from || options.members > 18'000 ||
      options.rest_seconds < 5) {
    fmt::print(stderr, "--from is less than --members, which is 18000 at most; --rest 5 or more\n");
    std::exit(2);
  }
  return options;
}

void print(const Options& options, const Figures& f) {
  const char* format =
      options.json
          ? R"({{"members": {}, "from": {}, "first_join_cpu_us": {:.0f}, "join_cpu_us": {:.0f}, )"
            R"("bytes_per_member": {:.0f}, "rest_cpu_seconds_per_minute": {:.2f}, )"
            R"("rest_messages_per_minute": {:.0f}}})"
            "\n"
          : "members {}, from {}\nCPU of a join: {:.0f} us at first, {:.0f} us from there on\n"
            "resident: {:.0f} bytes a member\nat rest: {:.2f} s of CPU and {:.0f} messages a "
            "minute\n";
  fmt::print(fmt::runtime(format), options.members, options.from, f.first_join_cpu_us,
             f.join_cpu_us, f.bytes_per_member, f.rest_cpu_seconds_per_minute,
             f.rest_messages_per_minute);
}

}  // namespace
}  // namespace alcove::bench

int main(int count, char** arguments) {
  const alcove::bench::Options options = alcove::bench::parse(count, arguments);
  alcove::bench::print(options, alcove::bench::measure(options));
  return 0;
}
