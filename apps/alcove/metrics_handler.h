#pragma once
// Serves /metrics alone, on its own address. The loop's thread.

#include <functional>
#include <string>
#include <utility>

#include "base/http.h"

namespace alcove::app {

class MetricsHandler final : public base::HttpHandler {
 public:
  explicit MetricsHandler(std::function<std::string()> text) : text_(std::move(text)) {}
  void handle_request(base::HttpRequest request, base::HttpRespond respond) override {
    if (request.path != "/metrics" || request.method != "GET") {
      respond({.status = 404,
               .body = R"({"code":"not_found","message":"Only /metrics is here."})",
               .headers = {}});
      return;
    }
    respond({.status = 200,
             .content_type = "text/plain; version=0.0.4; charset=utf-8",
             .body = text_(),
             .headers = {}});
  }

 private:
  std::function<std::string()> text_;
};

}  // namespace alcove::app
