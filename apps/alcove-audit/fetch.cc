#include "fetch.h"

#include <fmt/format.h>

#include <utility>

namespace alcove::app {

using base::ErrorCode;
using base::Result;

Result<std::string> Fetcher::get(const net::Url& server, const std::string& target,
                                 const std::string& accept) {
  net::ClientRequest request;
  request.url = server.with_target(target);
  request.headers.emplace_back("Accept", accept);
  Result<net::ClientResponse> answer = std::unexpected(base::Error{});
  http_.request(std::move(request), [&](Result<net::ClientResponse> response) {
    answer = std::move(response);
    loop_.stop();
  });
  loop_.run();
  const std::string where = fmt::format("{}{}", server.authority(), target);
  if (!answer) return base::fail(answer.error().code, where + ": " + answer.error().message);
  if (answer->status != 200)
    return base::fail(answer->status == 404 ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                      fmt::format("{}: HTTP status {}", where, answer->status));
  return std::move(answer->body);
}

Result<net::Url> parse_url(const std::string& text) {
  auto url = net::Url::parse(text);
  if (!url || !is_url(text))
    return base::fail(ErrorCode::kInvalidArgument,
                      fmt::format("\"{}\" is not an http or https URL", text));
  return *std::move(url);
}

}  // namespace alcove::app
