#pragma once
// One accepted WebSocket. Included by http_session.cc only, because of Beast; the loop's thread.

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <list>
#include <memory>

#include "net/http_shared.h"
#include "net/stream.h"

namespace alcove::net {

class WebSocketSession final : public base::WebSocketPeer,
                               public HttpSessionBase,
                               public std::enable_shared_from_this<WebSocketSession> {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  WebSocketSession(std::shared_ptr<HttpShared> shared, Stream stream)
      : shared_(std::move(shared)), socket_(std::move(stream)) {
    shared_->sessions.insert(this);
  }
  ~WebSocketSession() override { shared_->sessions.erase(this); }
  WebSocketSession(const WebSocketSession&) = delete;
  WebSocketSession& operator=(const WebSocketSession&) = delete;

  // False: the API does not want it, and the stream is free for an answer.
  bool ask(const base::IpAddress& remote) {
    handler_ = shared_->services.acceptor->accept(*this, remote);
    return handler_ != nullptr;
  }
  Stream& stream() { return socket_.next_layer(); }

  // The handshake. False: the session is over.
  boost::asio::awaitable<bool> open(const Request& request) {
    set_limits(shared_->options.header_within);
    boost::system::error_code error;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
    co_await socket_.async_accept(request, token);
    if (error) {
      finish();
      co_return false;
    }
    ++shared_->counters.websockets_accepted;
    ++shared_->counters.websockets_open;
    open_ = true;
    set_limits(kCloseWithin);
    write_next();
    co_return true;
  }

  // From the handshake to the end; the caller holds the session.
  boost::asio::awaitable<void> run() {
    co_await read_all();
    open_ = false;
    --shared_->counters.websockets_open;
    finish();
  }

  void send(base::Buffer message) override { push({std::move(message), nullptr}); }

  void send_shared(base::Buffer begin, std::shared_ptr<const base::Buffer> end) override {
    push({std::move(begin), std::move(end)});
  }
  void allow_large(bool allowed) override {
    large_ = allowed;
    socket_.read_message_max(allowed ? shared_->options.max_large_websocket_message
                                     : shared_->options.max_websocket_message);
  }

  void close() override {
    closing_ = true;
    write_next();
  }

  void abort() override {
    stream().abort();
    end();
  }

 private:
  struct Message {
    base::Buffer begin;
    std::shared_ptr<const base::Buffer> end;  // shared with other sessions, or null

    std::size_t size() const { return begin.size() + (end ? end->size() : 0); }
    std::array<boost::asio::const_buffer, 2> buffers() const {
      return {boost::asio::buffer(begin),
              end ? boost::asio::buffer(*end) : boost::asio::const_buffer()};
    }
  };
  // Thousands of sessions wait for a message at any time, each with a chunk; a message that is
  // longer has the rest in a buffer of its own while it comes.
  static constexpr std::size_t kChunk = 256;
  static constexpr std::size_t kLongChunk = 16'384;
  // For the handshake and, later, for the close: a peer that broke the protocol gets no longer.
  static constexpr std::chrono::seconds kCloseWithin{2};

  void push(Message message) {
    if (closing_ || dropped_) return;
    if (queued_bytes_ + message.size() > max_queue()) {
      // The read in run() fails for it, and ends the session outside this call.
      dropped_ = true;
      ++shared_->counters.websockets_dropped;
      stream().abort();
      return;
    }
    queued_bytes_ += message.size();
    queue_.push_back(std::move(message));
    write_next();
  }

  std::size_t max_queue() const {
    return large_ ? shared_->options.max_large_websocket_queue
                  : shared_->options.max_websocket_queue;
  }

  void set_limits(std::chrono::microseconds handshake_within) {
    using WebSocketBase = boost::beast::websocket::stream_base;
    socket_.read_message_max(shared_->options.max_websocket_message);
    socket_.binary(true);
    socket_.auto_fragment(false);
    WebSocketBase::timeout timeout{};
    timeout.handshake_timeout = handshake_within;
    // Beast pings after half of it.
    timeout.idle_timeout = 2 * shared_->options.ping_every;
    timeout.keep_alive_pings = true;
    socket_.set_option(timeout);
  }

  boost::asio::awaitable<void> read_all() {
    std::array<std::uint8_t, kChunk> chunk;
    base::Buffer longer;  // what came before, where a message does not fit
    boost::system::error_code error;
    for (;;) {
      auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
      const std::size_t before = longer.size();
      if (before != 0) longer.resize(before + kLongChunk);
      const auto space = before == 0 ? boost::asio::buffer(chunk)
                                     : boost::asio::buffer(longer.data() + before, kLongChunk);
      const std::size_t size = co_await socket_.async_read_some(space, token);
      if (error || handler_ == nullptr) co_return;
      if (before != 0) longer.resize(before + size);
      if (socket_.got_text()) {
        boost::beast::websocket::close_reason reason(
            boost::beast::websocket::close_code::unknown_data);
        co_await socket_.async_close(reason, token);
        co_return;
      }
      const base::Bytes part = base::Bytes(chunk).first(before == 0 ? size : 0);
      if (!socket_.is_message_done()) {
        longer.insert(longer.end(), part.begin(), part.end());
        continue;
      }
      handler_->on_message(before == 0 ? part : base::Bytes(longer));
      longer = base::Buffer();
    }
  }

  void write_next() {
    if (!open_ || writing_ || dropped_) return;
    if (queue_.empty()) {
      if (closing_) write_close();
      return;
    }
    writing_ = true;
    socket_.async_write(queue_.front().buffers(),
                        [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                          self->writing_ = false;
                          if (error) return;  // the read fails, too
                          self->queued_bytes_ -= self->queue_.front().size();
                          self->queue_.pop_front();
                          self->write_next();
                        });
  }

  void write_close() {
    writing_ = true;
    const boost::beast::websocket::close_reason reason(boost::beast::websocket::close_code::normal);
    socket_.async_close(reason, [self = shared_from_this()](boost::system::error_code) {});
  }

  void finish() {
    stream().abort();
    end();
  }

  void end() {
    if (auto handler = std::move(handler_)) handler->on_closed();
    handler_ = nullptr;
  }

  std::shared_ptr<HttpShared> shared_;
  // Without permessage-deflate: sizes are padded so that they say nothing (design, section 5).
  boost::beast::websocket::stream<Stream, false> socket_;
  std::unique_ptr<base::WebSocketHandler> handler_;
  std::list<Message> queue_;
  std::size_t queued_bytes_ = 0;
  bool open_ = false;
  bool writing_ = false;
  bool closing_ = false;
  bool dropped_ = false;
  bool large_ = false;
};

}  // namespace alcove::net
