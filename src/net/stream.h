#pragma once
// One type for a plain and a TLS connection, so that Beast is compiled for one stream only. For the
// .cc files of src/net; the loop's thread.

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/role.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "base/time.h"

namespace alcove::net {

class Stream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using executor_type =
      Socket::executor_type;  // NOLINT(readability-identifier-naming): Asio's name

  explicit Stream(Socket socket) : plain_(std::make_unique<Socket>(std::move(socket))) {}
  // From now on TLS; the context is kept for as long as the stream.
  void use_tls(std::shared_ptr<boost::asio::ssl::context> context) {
    context_ = std::move(context);
    tls_ = std::make_unique<boost::asio::ssl::stream<Socket>>(std::move(*plain_), *context_);
    plain_.reset();
  }
  bool secure() const { return tls_ != nullptr; }
  boost::asio::ssl::stream<Socket>& tls() { return *tls_; }
  Socket& socket() { return tls_ ? tls_->next_layer() : *plain_; }
  executor_type get_executor() { return socket().get_executor(); }

  // Ends everything at once; pending operations fail. No TLS close_notify: every message says its
  // length.
  void abort() {
    boost::system::error_code ignored;
    socket().close(ignored);
  }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& into) {
          if (tls_)
            tls_->async_read_some(into, std::move(handler));
          else
            plain_->async_read_some(into, std::move(handler));
        },
        token, buffers);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          if (tls_)
            tls_->async_write_some(from, std::move(handler));
          else
            plain_->async_write_some(from, std::move(handler));
        },
        token, buffers);
  }

 private:
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::unique_ptr<Socket> plain_;
  std::unique_ptr<boost::asio::ssl::stream<Socket>> tls_;
};

// What Beast's WebSocket calls at the end of a connection.
inline void beast_close_socket(Stream& stream) { stream.abort(); }

inline void teardown(boost::beast::role_type, Stream& stream, boost::system::error_code& error) {
  stream.socket().shutdown(Stream::Socket::shutdown_send, error);
}

template <typename Handler>
void async_teardown(boost::beast::role_type, Stream& stream, Handler&& handler) {
  boost::system::error_code error;
  stream.socket().shutdown(Stream::Socket::shutdown_send, error);
  boost::asio::post(stream.get_executor(),
                    [done = std::forward<Handler>(handler), error]() mutable { done(error); });
}

// Aborts something when its deadline passes. Moving the deadline on is cheap: the timer that runs
// is left to run, and looks again when it ends.
class Watchdog : public std::enable_shared_from_this<Watchdog> {
 public:
  template <typename Executor>
  Watchdog(const Executor& executor, std::function<void()> on_expired)
      : timer_(executor), on_expired_(std::move(on_expired)) {}

  void expires_after(base::Duration duration) {
    deadline_ = std::chrono::steady_clock::now() + duration;
    armed_ = true;
    if (!waiting_ || deadline_ < timer_.expiry()) wait();
  }
  // Nothing expires until expires_after().
  void pause() { armed_ = false; }
  // For good.
  void stop() {
    armed_ = false;
    on_expired_ = nullptr;
    timer_.cancel();
  }

 private:
  void wait() {
    timer_.expires_at(deadline_);
    waiting_ = true;
    timer_.async_wait([self = shared_from_this(), turn = ++turn_](boost::system::error_code) {
      if (turn != self->turn_) return;
      self->waiting_ = false;
      if (!self->armed_ || !self->on_expired_) return;
      if (std::chrono::steady_clock::now() < self->deadline_) return self->wait();
      self->armed_ = false;
      self->on_expired_();
    });
  }

  boost::asio::steady_timer timer_;
  std::function<void()> on_expired_;
  std::chrono::steady_clock::time_point deadline_;
  std::uint64_t turn_ = 0;
  bool armed_ = false;
  bool waiting_ = false;
};

}  // namespace alcove::net
