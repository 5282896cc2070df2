#include "fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace alcove::app {

using base::ErrorCode;
using base::Result;

Result<net::ClientResponse> Fetcher::fetch(const net::Url& server, const std::string& target,
                                           const std::string& accept, std::size_t max_body) {
  const base::Duration left = end_ - net::monotonic_now();
  if (left <= base::Duration::zero())
    return base::fail(ErrorCode::kUnavailable, "the time for all of it is over (--deadline)");
  net::ClientRequest request;
  request.timeout = std::min(request.timeout, left);
  request.max_body = max_body;
  request.url = server.with_target(target);
  request.headers.emplace_back("Accept", accept);
  Result<net::ClientResponse> answer = std::unexpected(base::Error{});
  http_.request(std::move(request), [&](Result<net::ClientResponse> response) {
    answer = std::move(response);
    loop_.stop();
  });
  loop_.run();
  if (!answer)
    return base::fail(answer.error().code,
                      fmt::format("{}{}: {}", server.authority(), target, answer.error().message));
  return answer;
}

Result<std::string> Fetcher::get(const net::Url& server, const std::string& target,
                                 const std::string& accept) {
  auto answer = fetch(server, target, accept);
  if (!answer) return std::unexpected(answer.error());
  const std::string where = server.authority() + target;
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
