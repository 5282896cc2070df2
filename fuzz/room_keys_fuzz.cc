// Whatever a hostile server can say to a member's client: one that keeps the stage (0) and one that
// listens (1), in a room that was founded and joined honestly.
//
// The input is a list of records: u8 kind, u8 argument, u16 length, bytes. Bit 0 of kind is who it
// is for, bits 1 to 3 what it is: 0 a KeysFromServer message; 1 something that the host wants, by
// the op of a LogEntry, and that the server orders; 2 moves the clock; 3 a wish; 4 a frame; 5 a new
// connection; 6 and 7 cut or restore what the honest server delivers.

#include <algorithm>
#include <string>

#include "alcove/v1/keys.pb.h"
#include "base/bytes.h"
#include "support/simulated_room.h"

namespace {

using namespace alcove;  // NOLINT(google-build-using-namespace): a program of one file
using simulation::Who;

class Target {
 public:
  Target() {
    room_.resolves_departs = false;
    room_.tamper = [this](Who, v1::KeysFromServer&) -> std::optional<base::Duration> {
      if (is_cut_) return std::nullopt;
      return base::Duration{};
    };
  }

  void step(std::uint8_t kind, std::uint8_t argument, base::Bytes bytes) {
    const Who who = kind & 1;
    switch (kind >> 1 & 7) {
      case 0:
        return message(who, bytes);
      case 1:
        return order(bytes);
      case 2:
        return room_.run_for(base::milliseconds(argument * 100));
      case 3:
        return wish(who, argument);
      case 4:
        if (const auto opened = room_.keys(who).frames().open(bytes)) CHECK(opened->seat != 0);
        return;
      case 5:
        room_.keys(who).handle_disconnected(room_.now);
        room_.keys(who).handle_connected(room_.now);
        return room_.drain(who);
      default:
        is_cut_ = argument % 2 == 1;
    }
  }

 private:
  void message(Who who, base::Bytes bytes) {
    v1::KeysFromServer parsed;
    if (parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      room_.inject(who, parsed);
  }

  void order(base::Bytes bytes) {
    v1::LogEntry ops;
    if (!ops.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || ops.ops_size() != 1)
      return;
    const v1::LogOp& op = ops.ops(0);
    if (op.has_lock()) room_.keys(0).set_locked(room_.now, room_.wall(), op.lock().locked());
    if (op.has_eject()) room_.keys(0).eject(room_.now, room_.wall(), room_.leaf(1));
    if (op.has_link()) room_.keys(0).renew_link(room_.now, room_.wall());
    if (op.has_role()) room_.give_stage(0, 1);
    room_.drain(0);
    room_.run_for(base::milliseconds(100));
  }

  void wish(Who who, std::uint8_t argument) {
    e2ee::RoomKeys& keys = room_.keys(who);
    const roomlog::Hash other = room_.leaf(1 - who);
    switch (argument % 6) {
      case 0:
        keys.eject(room_.now, room_.wall(), other);
        break;
      case 1:
        keys.set_role(room_.now, room_.wall(), other,
                      argument % 12 == 1 ? v1::ROLE_LISTENER : v1::ROLE_MODERATOR);
        break;
      case 2:
        keys.depart(room_.now, room_.wall());
        break;
      case 3:
        keys.request_roster();
        break;
      case 4:
        keys.allow_stage(other);
        break;
      default:
        keys.renew_link(room_.now, room_.wall());
    }
    room_.drain(who);
  }

  simulation::Room room_{1};
  bool is_cut_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Target target;
  base::ByteReader reader(base::Bytes(data, size));
  constexpr int kMaxSteps = 32;
  for (int i = 0; i < kMaxSteps; ++i) {
    const auto kind = reader.read_u8();
    const auto argument = reader.read_u8();
    const auto length = reader.read_u16();
    if (!kind || !argument || !length) break;
    target.step(*kind, *argument,
                *reader.read_bytes(std::min<std::size_t>(*length, reader.remaining())));
  }
  return 0;
}
