#include "audit/flow_table.h"

#include <algorithm>
#include <utility>

#include "audit/flow_index.h"
#include "audit/flow_recency.h"
#include "audit/tcp_stream.h"
#include "base/check.h"

namespace alcove::audit {
namespace {

constexpr std::uint32_t kMaxFlows = 65536;
constexpr std::uint16_t kFirstFreePort = 1024;

namespace tcp_flag {
constexpr std::uint8_t kFin = 1;
constexpr std::uint8_t kSyn = 2;
constexpr std::uint8_t kReset = 4;
constexpr std::uint8_t kAcknowledge = 16;
}  // namespace tcp_flag

bool is_syn(const Packet& packet) {
  return (packet.tcp_flags & (tcp_flag::kSyn | tcp_flag::kAcknowledge)) == tcp_flag::kSyn;
}

bool source_is_client(const Packet& packet) {
  if ((packet.tcp_flags & tcp_flag::kSyn) != 0) return is_syn(packet);
  return packet.source.port >= kFirstFreePort || packet.destination.port < kFirstFreePort;
}

struct Connection {
  explicit Connection(TcpStream::Totals& totals) : streams{TcpStream(totals), TcpStream(totals)} {}
  std::array<TcpStream, 2> streams;  // by Direction
  std::array<bool, 2> ended{};       // by FIN
  bool closed = false;
};

struct Entry {
  Flow flow;
  bool client_is_second = false;  // of FlowSockets
  std::unique_ptr<Connection> connection;
};

}  // namespace

class FlowTable::Implementation {
 public:
  explicit Implementation(std::vector<Inspector*> inspectors)
      : inspectors_(std::move(inspectors)), index_(kMaxFlows) {
    CHECK(inspectors_.size() <= kMaxInspectors);
    for (std::size_t slot = 0; slot < inspectors_.size(); ++slot) inspectors_[slot]->slot = slot;
  }

  void handle_packet(const Packet& packet) {
    CHECK(!finished_);
    for (std::uint32_t idle; (idle = recency_.next_idle(packet.time)) != FlowRecency::kNone;)
      end(idle);
    const FlowSockets sockets = sockets_of(packet);
    const Found found = find_or_open(packet, sockets);
    Entry& entry = *entries_[found.number];
    const Direction direction =
        sockets.swapped == entry.client_is_second ? Direction::kForward : Direction::kBackward;
    count(entry.flow, direction, packet);
    recency_.touch(found.number, packet.time);
    if (found.fresh)
      for (Inspector* inspector : inspectors_) inspector->handle_flow(entry.flow);
    for (Inspector* inspector : inspectors_)
      inspector->handle_packet(entry.flow, direction, packet);
    if (entry.connection) handle_segment(found.number, entry, direction, packet);
  }

  void handle_decrypted(Flow& flow, Direction direction, const StreamPiece& piece) {
    for (Inspector* inspector : inspectors_) inspector->handle_decrypted(flow, direction, piece);
  }

  void finish() {
    CHECK(!finished_);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> open;
    for (std::uint32_t number = 0; number < entries_.size(); ++number)
      if (entries_[number]) open.emplace_back(entries_[number]->flow.id, number);
    std::ranges::sort(open);
    for (const auto& [id, number] : open) end(number);
    for (Inspector* inspector : inspectors_) inspector->finish();
    finished_ = true;
  }

  const Counters& counters() const { return counters_; }

 private:
  struct Found {
    std::uint32_t number = FlowIndex::kNone;
    bool fresh = false;
  };

  class PieceSink final : public TcpStream::Sink {
   public:
    PieceSink(Implementation& table, Flow& flow, Direction direction)
        : table_(table), flow_(flow), direction_(direction) {}
    void handle_piece(const StreamPiece& piece) override {
      for (Inspector* inspector : table_.inspectors_)
        inspector->handle_stream(flow_, direction_, piece);
    }

   private:
    Implementation& table_;
    Flow& flow_;
    Direction direction_;
  };

  Found find_or_open(const Packet& packet, const FlowSockets& sockets) {
    if (last_ != FlowIndex::kNone && last_sockets_.same(sockets) &&
        !is_other_flow(last_, packet, sockets))
      return {last_, false};
    const std::uint64_t hash = index_.hash(sockets);
    std::uint32_t number = index_.find(sockets, hash);
    bool fresh = number == FlowIndex::kNone;
    if (!fresh && is_other_flow(number, packet, sockets)) {
      end(number);
      fresh = true;
    }
    if (fresh) number = open(packet, sockets, hash);
    last_ = number;
    last_sockets_ = sockets;
    return {number, fresh};
  }

  // The same sockets, used once more.
  bool is_other_flow(std::uint32_t number, const Packet& packet, const FlowSockets& sockets) const {
    if (recency_.is_idle(number, packet.time)) return true;
    if (!is_syn(packet)) return false;
    const Entry& entry = *entries_[number];
    if (!entry.connection) return false;
    const Connection& connection = *entry.connection;
    const TcpStream& stream = connection.streams[sockets.swapped == entry.client_is_second ? 0 : 1];
    return (stream.begun() || connection.closed) && !stream.begins_at(packet.sequence + 1);
  }

  std::uint32_t open(const Packet& packet, const FlowSockets& sockets, std::uint64_t hash) {
    if (index_.size() == kMaxFlows) {
      end(recency_.oldest());
      ++counters_.flows_dropped;
    }
    const std::uint32_t number = index_.add(sockets, hash);
    if (number >= entries_.size()) entries_.resize(number + 1);
    entries_[number] = std::make_unique<Entry>();
    Entry& entry = *entries_[number];
    entry.flow.id = static_cast<std::uint32_t>(++counters_.flows);
    const bool forward = source_is_client(packet);
    entry.flow.key = {forward ? packet.source : packet.destination,
                      forward ? packet.destination : packet.source, packet.protocol};
    entry.client_is_second = forward == sockets.swapped;
    // Without ports (fragments, headers cut off) there is no telling what belongs to one stream.
    const bool stream = packet.protocol == ip_protocol::kTcp &&
                        (packet.source.port != 0 || packet.destination.port != 0);
    if (stream) entry.connection = std::make_unique<Connection>(totals_);
    recency_.add(number, stream ? FlowRecency::List::kConnections : FlowRecency::List::kDatagrams,
                 packet.time);
    return number;
  }

  static void count(Flow& flow, Direction direction, const Packet& packet) {
    FlowTraffic& traffic = flow.traffic[static_cast<std::size_t>(direction)];
    if (traffic.packets == 0) {
      traffic.first_number = packet.first_number;
      traffic.first = packet.time;
    }
    ++traffic.packets;
    traffic.bytes += packet.wire_length;
    traffic.payload_bytes += packet.payload_length;
    traffic.last_number = packet.number;
    traffic.last = packet.time;
  }

  void handle_segment(std::uint32_t number, Entry& entry, Direction direction,
                      const Packet& packet) {
    Connection& connection = *entry.connection;
    const auto side = static_cast<std::size_t>(direction);
    const std::uint8_t flags = packet.tcp_flags;
    // Only the ports were captured, or it is malformed: its place in the stream is not known.
    if (flags == 0 && packet.payload.empty()) return;
    TcpStream& stream = connection.streams[side];
    PieceSink sink(*this, entry.flow, direction);
    std::uint32_t sequence = packet.sequence;
    if ((flags & tcp_flag::kSyn) != 0) stream.begin(++sequence, sink);
    // What a RST carries is a reason at most (RFC 9293, 3.5.3), not data.
    if ((flags & tcp_flag::kReset) == 0)
      stream.add(sequence, packet.payload, packet.payload_length, packet, sink);
    if ((flags & tcp_flag::kFin) != 0) connection.ended[side] = true;
    const bool closed =
        (flags & tcp_flag::kReset) != 0 || (connection.ended[0] && connection.ended[1]);
    if (closed && !connection.closed) {
      connection.closed = true;
      recency_.move(number, FlowRecency::List::kClosed);
    }
    take_totals();
  }

  void take_totals() {
    counters_.stream_gaps = totals_.gaps;
    counters_.retransmitted_differently = totals_.different;
  }

  void end(std::uint32_t number) {
    Entry& entry = *entries_[number];
    if (entry.connection) {
      for (const Direction direction : {Direction::kForward, Direction::kBackward}) {
        PieceSink sink(*this, entry.flow, direction);
        entry.connection->streams[static_cast<std::size_t>(direction)].flush(sink);
      }
      take_totals();
    }
    for (Inspector* inspector : inspectors_) inspector->handle_flow_end(entry.flow);
    entries_[number].reset();
    recency_.remove(number);
    index_.remove(number);
    if (last_ == number) last_ = FlowIndex::kNone;
  }

  std::vector<Inspector*> inspectors_;
  FlowIndex index_;
  FlowRecency recency_;
  TcpStream::Totals totals_;
  std::vector<std::unique_ptr<Entry>> entries_;  // by the index's numbers; null where free
  // The last packet's flow: most often the next one's, too.
  std::uint32_t last_ = FlowIndex::kNone;
  FlowSockets last_sockets_;
  Counters counters_;
  bool finished_ = false;
};

FlowTable::FlowTable(std::vector<Inspector*> inspectors)
    : implementation_(std::make_unique<Implementation>(std::move(inspectors))) {}
FlowTable::~FlowTable() = default;

void FlowTable::handle_packet(const Packet& packet) { implementation_->handle_packet(packet); }
void FlowTable::handle_decrypted(Flow& flow, Direction direction, const StreamPiece& piece) {
  implementation_->handle_decrypted(flow, direction, piece);
}
void FlowTable::finish() { implementation_->finish(); }
const FlowTable::Counters& FlowTable::counters() const { return implementation_->counters(); }

}  // namespace alcove::audit
