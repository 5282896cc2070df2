#include "control/responder.h"

#include "base/check.h"
#include "control/json.h"

namespace alcove::control {

void Responder::ok(const google::protobuf::Message& message, int status) {
  send(write_body(message, binary_, status));
}

void Responder::fail(const ApiError& error,
                     std::vector<std::pair<std::string, std::string>> headers) {
  base::HttpResponse response = write_body(to_proto(error), binary_, http_status(error));
  for (auto& header : headers) response.headers.push_back(std::move(header));
  if (error.retry_after_seconds != 0)
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_seconds));
  if (error.code == base::ErrorCode::kUnauthenticated)
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  send(std::move(response));
}

void Responder::send(base::HttpResponse response) {
  CHECK(respond_);
  metrics_->count_response(response.status);
  base::HttpRespond respond = std::exchange(respond_, nullptr);
  respond(std::move(response));
}

}  // namespace alcove::control
