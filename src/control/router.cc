#include "control/router.h"

#include <optional>
#include <string>
#include <utility>

#include "control/json.h"

namespace alcove::control {
namespace {

constexpr std::size_t kMaxPath = 512;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const std::size_t slash = path.find('/', 1);
    segments.push_back(path.substr(1, slash == std::string_view::npos ? slash : slash - 1));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  }
  return segments;
}

std::optional<std::vector<std::string>> match(const std::vector<std::string_view>& pattern,
                                              const std::vector<std::string_view>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::vector<std::string> parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == "{}")
      parameters.emplace_back(path[i]);
    else if (pattern[i] != path[i])
      return std::nullopt;
  }
  return parameters;
}

}  // namespace

void Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  routes_.push_back({method, split(pattern), std::move(handler)});
}

void Router::route(base::HttpRequest request, base::HttpRespond respond) {
  Responder responder(std::move(respond), wants_binary(request.accept), context_.metrics);
  if (context_.shut_down)
    return responder.fail({.code = base::ErrorCode::kUnavailable,
                           .reason = "server.shut_down",
                           .message = "The server is shutting down."});
  if (const auto error = context_.check_limit(Limit::kRequest, limit_key(request.remote)))
    return responder.fail(*error);
  // What the server promises is for everybody, auditors above all.
  if (!request.path.starts_with("/.well-known/"))
    if (const auto error = context_.check_offer(request.remote)) return responder.fail(*error);
  const std::string path = request.path.size() <= kMaxPath ? request.path : std::string();
  const std::vector<std::string_view> segments =
      path.starts_with('/') ? split(path) : std::vector<std::string_view>();
  std::string methods;  // of this path, for Allow (RFC 9110, section 15.5.6)
  for (const Route& route : routes_) {
    auto parameters = match(route.segments, segments);
    if (!parameters) continue;
    if (route.method != request.method) {
      methods += (methods.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    return route.handler({std::move(request), *std::move(parameters), std::move(responder)});
  }
  if (methods.empty())
    return responder.fail({.code = base::ErrorCode::kNotFound,
                           .reason = "path.unknown",
                           .message = "There is no such path."});
  responder.fail({.code = base::ErrorCode::kInvalidArgument,
                  .reason = "method.unknown",
                  .message = "This path does not have this method.",
                  .status = 405},
                 {{"Allow", methods}});
}

}  // namespace alcove::control
