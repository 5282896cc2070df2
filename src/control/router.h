#pragma once
// Which handler answers which method and path. One thread.

#include <functional>
#include <string_view>
#include <vector>

#include "control/context.h"
#include "control/responder.h"

namespace alcove::control {

class Router {
 public:
  using Handler = std::function<void(Request)>;

  explicit Router(Context& context) : context_(context) {}

  // pattern: "/v1/rooms/{}/join"; each {} matches one segment. Both are text from the source code.
  void add(std::string_view method, std::string_view pattern, Handler handler);
  // Limits by address, finds the handler, or answers 404 and 405.
  void route(base::HttpRequest request, base::HttpRespond respond);

 private:
  struct Route {
    std::string_view method;
    std::vector<std::string_view> segments;
    Handler handler;
  };

  Context& context_;
  std::vector<Route> routes_;
};

}  // namespace alcove::control
