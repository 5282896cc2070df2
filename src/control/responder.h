#pragma once
// The answer to one request, exactly once. Move-only; one thread.

#include <google/protobuf/message.h>

#include <string>
#include <utility>
#include <vector>

#include "base/http.h"
#include "control/api_error.h"
#include "control/metrics.h"

namespace alcove::control {

class Responder {
 public:
  // binary: as application/protobuf. metrics outlives it.
  Responder(base::HttpRespond respond, bool binary, Metrics& metrics)
      : respond_(std::move(respond)), binary_(binary), metrics_(&metrics) {}

  void ok(const google::protobuf::Message& message, int status = 200);
  // A body that is the same for many: made once with this, and answered as often as needed.
  bool binary() const { return binary_; }
  void answer(base::HttpResponse response) { send(std::move(response)); }
  // headers: beside those that belong to the error.
  void fail(const ApiError& error, std::vector<std::pair<std::string, std::string>> headers = {});

 private:
  void send(base::HttpResponse response);

  base::HttpRespond respond_;
  bool binary_;
  Metrics* metrics_;
};

// A request that matched a route.
struct Request {
  base::HttpRequest http;
  // What stands in the place of each {} of the route.
  std::vector<std::string> parameters;
  Responder responder;
};

}  // namespace alcove::control
