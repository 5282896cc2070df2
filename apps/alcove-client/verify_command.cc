#include "verify_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "client/api.h"
#include "client/verify.h"
#include "client/verify_input.h"
#include "client/whole_file.h"
#include "egress.h"
#include "net/event_loop.h"
#include "net/http_client.h"

namespace alcove::app {

using base::Result;

namespace {

constexpr int kVerified = 0;
constexpr int kNotVerified = 1;
constexpr int kUnusable = 2;
constexpr std::size_t kMaxLogFile = std::size_t{128} << 20;

int give_up(const std::string& message) {
  fmt::print(stderr, "alcove-client: {}\n", message);
  return kUnusable;
}

int print(const Options& options, const client::VerifyReport& report) {
  for (const client::MemberEvent& event : client::to_events(report))
    fmt::print(stdout, "{}\n", options.json ? client::to_json(event) : event.text);
  return report.verified() ? kVerified : kNotVerified;
}

// One request, on a loop of its own.
Result<client::HttpAnswer> get(const Options& options, std::string target) {
  const client::ServerAddress& server = options.verify->link->server;
  // Without a manifest in force: this server is the only destination.
  const auto egress = Egress::open(options.egress, server);
  if (!egress) return std::unexpected(egress.error());
  net::EventLoop loop;
  net::HttpClient http(loop, (*egress)->tls(), &(*egress)->guard());
  net::ClientRequest request;
  request.url.secure = server.secure;
  request.url.host = server.host;
  request.url.port = server.port;
  request.url.target = std::move(target);
  request.headers.emplace_back("Accept", client::kProtobufType);
  Result<client::HttpAnswer> answer = std::unexpected(base::Error{});
  http.request(std::move(request), [&](Result<net::ClientResponse> response) {
    if (response) {
      answer = client::HttpAnswer{response->status, std::move(response->content_type),
                                  std::move(response->body)};
    } else {
      answer = std::unexpected(response.error());
    }
    loop.stop();
  });
  loop.run();
  return answer;
}

int verify_link(const Options& options) {
  const client::RoomLink& link = *options.verify->link;
  const auto chain =
      client::parse_log_answer(link.server, get(options, "/v1/rooms/" + link.room.text() + "/log"));
  if (!chain) return give_up(chain.error().message);
  std::optional<roomlog::Hash> fingerprint;
  if (options.member.fragment) fingerprint = options.member.fragment->fingerprint;
  return print(options, client::verify_chain(*chain, link.room, fingerprint));
}

int verify_file(const Options& options) {
  const std::string& path = options.verify->log_file;
  const Result<std::string> content = client::read_whole_file(path, kMaxLogFile);
  if (!content) return give_up(content.error().message);
  const auto log = client::parse_log_export(path, *content);
  if (!log) return give_up(log.error().message);
  return print(options, client::verify_export(*log));
}

}  // namespace

int verify(const Options& options) {
  return options.verify->link ? verify_link(options) : verify_file(options);
}

}  // namespace alcove::app
