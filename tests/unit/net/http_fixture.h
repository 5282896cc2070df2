#pragma once
// A server on a loopback port chosen by the system, its loop on a thread of its own, and an API
// that does what the path says.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "net/clock.h"
#include "net/http_server.h"
#include "raw_client.h"
#include "temporary_directory.h"

namespace alcove::net {

class EchoApi final : public base::HttpHandler, public base::WebSocketAcceptor {
 public:
  void handle_request(base::HttpRequest request, base::HttpRespond respond) override {
    ++requests;
    if (request.path == "/v1/never") return void(kept.emplace(std::move(respond)));
    base::HttpResponse response;
    if (request.path == "/v1/large")
      response.body.assign(8 << 20, 'x');
    else
      response.body = request.method + " " + request.path + "?" + request.query + " " +
                      request.content_type + " " + request.authorization + " " +
                      request.join_token + " " + request.remote.text() + " " +
                      request.if_none_match + request.body;
    response.headers.emplace_back("Retry-After", "1");
    respond(std::move(response));
  }
  std::optional<base::HttpResponse> refuse(const base::IpAddress& remote) override {
    if (!refuse_in_words) return std::nullopt;
    return base::HttpResponse{
        .status = 451, .body = "{\"from\":\"" + remote.text() + "\"}", .headers = {}};
  }
  std::unique_ptr<base::WebSocketHandler> accept(base::WebSocketPeer& peer,
                                                 const base::IpAddress&) override {
    if (refuse_websockets) return nullptr;
    class Handler final : public base::WebSocketHandler {
     public:
      Handler(EchoApi& api, base::WebSocketPeer& to) : api_(api), peer_(to) {}
      void on_message(base::Bytes message) override {
        const std::string_view text = base::as_text(message);
        if (text == "close") return peer_.close();
        if (text == "shared") {
          peer_.send_shared(base::to_buffer(base::as_bytes("begin ")), api_.shared_end);
          return peer_.send_shared({}, api_.shared_end);
        }
        if (text == "large" || text == "small") peer_.allow_large(text == "large");
        const int copies = text == "flood" ? 100 : 1;
        for (int i = 0; i < copies; ++i)
          peer_.send(copies == 1 ? base::to_buffer(message) : base::Buffer(64 * 1024));
      }
      void on_closed() override { ++api_.websockets_closed; }

     private:
      EchoApi& api_;
      base::WebSocketPeer& peer_;
    };
    ++websockets;
    return std::make_unique<Handler>(*this, peer);
  }

  std::atomic<int> requests = 0;
  std::atomic<int> websockets = 0;
  std::atomic<int> websockets_closed = 0;
  const std::shared_ptr<const base::Buffer> shared_end =
      std::make_shared<const base::Buffer>(base::to_buffer(base::as_bytes("the same end")));
  std::atomic<bool> refuse_websockets = false;
  std::atomic<bool> refuse_in_words = false;
  std::optional<base::HttpRespond> kept;
};

class HttpFixture : public testing::Test {
 protected:
  void open(HttpServerOptions options = {}) {
    directory_.write("index.html", "<p>hello</p>");
    directory_.write("assets/app.js", std::string(300'000, 'j'));
    auto files = StaticFiles::load(directory_.path());
    ASSERT_TRUE(files);
    files_ = std::move(*files);
    options.listen = {{base::IpAddress::v4({127, 0, 0, 1}), 0}};
    auto server = HttpServer::open(
        loop_, options,
        {.handler = api_, .acceptor = &api_, .files = &*files_, .adopt_media = [this](int fd) {
           adopted_.store(fd);
         }});
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  void run() {
    thread_ = std::thread([this] { loop_.run(); });
  }
  void open_and_run(HttpServerOptions options = {}) {
    open(std::move(options));
    run();
  }
  void TearDown() override {
    if (thread_.joinable()) {
      loop_.stop();
      thread_.join();
    }
    server_.reset();
    FileDescriptor(adopted_.load()).reset();
  }
  base::SocketAddress address() const { return server_->addresses().front(); }
  std::string ask(std::string_view request) const {
    const RawClient client(address());
    EXPECT_TRUE(client.send(request));
    return client.receive_answer();
  }
  // Read on the loop's thread.
  HttpCounters counters() {
    std::atomic<bool> done = false;
    HttpCounters result;
    loop_.post([&] {
      result = server_->counters();
      done = true;
    });
    while (!done) std::this_thread::yield();
    return result;
  }
  template <typename Condition>
  static bool eventually(Condition&& condition) {
    const base::Instant end = monotonic_now() + base::seconds(10);
    while (!condition()) {
      if (monotonic_now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  TemporaryDirectory directory_;
  EventLoop loop_;
  EchoApi api_;
  std::optional<StaticFiles> files_;
  std::unique_ptr<HttpServer> server_;
  std::atomic<int> adopted_ = -1;
  std::thread thread_;
};

}  // namespace alcove::net
