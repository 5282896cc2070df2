#include "control/sockets.h"

#include <optional>
#include <utility>

#include "control/framing.h"

namespace alcove::control {
namespace {

using base::ErrorCode;

constexpr base::Duration kHelloTime = base::seconds(5);
// A client's messages are small, but for what is written into a room's log.
constexpr std::size_t kMaxClientMessage = 4096;
constexpr std::size_t kMaxLargeMessage = 1 << 20;
// What was on its way when a member left the stage is answered, not taken for an attack.
constexpr base::Duration kShrinkAfter = base::seconds(10);

ApiError bad_message(std::string message) {
  return {.code = ErrorCode::kInvalidArgument,
          .reason = "socket.bad_message",
          .message = std::move(message)};
}

}  // namespace

class Sockets::Socket final : public base::WebSocketHandler, public MemberSocket {
 public:
  Socket(Sockets& owner, base::WebSocketPeer& peer) : owner_(&owner), peer_(peer) {
    owner_->open_.insert(this);
    ++owner_->waiting_;
    hello_timer_ = owner_->context_.timers.schedule(owner_->context_.now + kHelloTime, [this] {
      goodbye({.code = ErrorCode::kUnauthenticated,
               .reason = "socket.no_hello",
               .message = "No hello came within 5 seconds."});
    });
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() override { leave_owner(); }

  void on_message(base::Bytes bytes) override {
    if (owner_ == nullptr || closing_) return;
    Context& context = owner_->context_;
    v1::ClientMessage message;
    if (bytes.size() > (large_ ? kMaxLargeMessage : kMaxClientMessage) ||
        !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      return refuse(bad_message("This is not a ClientMessage, or it is too long."));
    const std::optional<House::Place> place =
        join_id_ ? owner_->house_.find_by_join(*join_id_) : std::nullopt;
    // Entries have a limit of their own, answers come as often as the server asks.
    const bool is_answer = place && owner_->house_.is_answer(*place, message.keys());
    if (!message.keys().has_append() && !is_answer)
      if (const auto error = context.check_limit(Limit::kMessage, messages_)) return refuse(*error);
    if (message.has_hello()) return hello(message.hello().join_token());
    if (!place) return refuse(bad_message("The first message must be hello."));
    if (message.has_ping()) {
      v1::ServerMessage pong;
      pong.mutable_pong()->set_nonce(message.ping().nonce());
      return send(frame_message(pong));
    }
    if (message.has_resync()) return owner_->house_.send_welcome(*place);
    if (message.has_keys()) {
      if (const auto error = owner_->house_.handle_keys(*place, message.keys())) refuse(*error);
      return;
    }
    refuse(bad_message("The message is empty or of a kind that this server does not know."));
  }

  void on_closed() override {
    closing_ = true;
    leave_owner();
  }

  void send(base::Buffer message) override {
    if (!closing_) peer_.send(std::move(message));
  }

  void send_shared(base::Buffer begin, std::shared_ptr<const base::Buffer> end) override {
    if (!closing_) peer_.send_shared(std::move(begin), std::move(end));
  }

  void close() override {
    if (std::exchange(closing_, true)) return;
    peer_.close();
  }

  void allow_large(bool allowed) override {
    if (owner_ == nullptr || closing_) return;
    Timers& timers = owner_->context_.timers;
    if (allowed) {
      timers.cancel(shrink_timer_);
      set_large(true);
    } else if (large_ && shrink_timer_ == 0) {
      shrink_timer_ = timers.schedule(owner_->context_.now + kShrinkAfter, [this] {
        shrink_timer_ = 0;
        set_large(false);
      });
    }
  }

  void goodbye(const ApiError& error) {
    v1::ServerMessage message;
    *message.mutable_goodbye()->mutable_reason() = to_proto(error);
    send(frame_message(message));
    close();
  }

  void orphan() { owner_ = nullptr; }
  bool waiting() const { return hello_timer_ != 0; }

 private:
  void set_large(bool allowed) {
    if (large_ == allowed || closing_) return;
    large_ = allowed;
    peer_.allow_large(allowed);
  }

  void hello(const std::string& token) {
    if (join_id_) return refuse(bad_message("hello came twice."));
    const std::optional<House::Place> place = owner_->house_.find_by_token(token);
    if (!place)
      return refuse({.code = ErrorCode::kUnauthenticated,
                     .reason = "join.invalid",
                     .message = "This join is over, or its token is wrong: join again."});
    stop_waiting();
    join_id_ = place->membership->join_id;
    owner_->house_.attach_socket(*place, *this);
  }

  void refuse(const ApiError& error) {
    owner_->context_.metrics.count_bad_message();
    if (join_id_) owner_->house_.detach_socket(*join_id_, *this);
    goodbye(error);
  }

  void stop_waiting() {
    if (hello_timer_ == 0) return;
    owner_->context_.timers.cancel(hello_timer_);
    --owner_->waiting_;
  }

  void leave_owner() {
    if (owner_ == nullptr) return;
    stop_waiting();
    owner_->context_.timers.cancel(shrink_timer_);
    if (join_id_) owner_->house_.detach_socket(*join_id_, *this);
    owner_->open_.erase(this);
    owner_ = nullptr;
  }

  Sockets* owner_;
  base::WebSocketPeer& peer_;
  std::optional<base::JoinId> join_id_;
  Timers::Id hello_timer_ = 0;
  Timers::Id shrink_timer_ = 0;
  Bucket messages_;
  bool closing_ = false;
  bool large_ = false;
};

Sockets::~Sockets() {
  for (Socket* socket : open_) socket->orphan();
}

std::unique_ptr<base::WebSocketHandler> Sockets::accept(base::WebSocketPeer& peer,
                                                        const base::IpAddress& remote) {
  if (context_.shut_down || waiting_ >= kMaxWaiting) return nullptr;
  if (context_.check_limit(Limit::kSocket, limit_key(remote))) return nullptr;
  return std::make_unique<Socket>(*this, peer);
}

void Sockets::shut_down() {
  const std::set<Socket*> open = open_;
  for (Socket* socket : open)
    if (socket->waiting())
      socket->goodbye({.code = ErrorCode::kUnavailable,
                       .reason = "server.shut_down",
                       .message = "The server is shutting down."});
}

}  // namespace alcove::control
