#include "client/api.h"

#include <fmt/format.h>

namespace alcove::client {

namespace {

std::string not_alcove(int status) {
  // A proxy in front of the server answers so while the server is down or busy.
  if (status == 429 || status >= 500)
    return fmt::format("The server cannot answer now (HTTP status {}): try again later.", status);
  return fmt::format(
      "What answers there is not an Alcove server (HTTP status {}): check the host and the port.",
      status);
}

}  // namespace

std::optional<ApiError> error_of(const base::Result<HttpAnswer>& answer) {
  if (!answer) return ApiError{0, "unavailable", "", answer.error().message, 0};
  const bool success = answer->status >= 200 && answer->status < 300;
  const bool protobuf = answer->content_type == kProtobufType;
  if (success && protobuf) return std::nullopt;
  if (success) return ApiError{0, "internal", "", not_alcove(answer->status), 0};
  v1::ErrorResponse error;
  if (!protobuf || !error.ParseFromString(answer->body))
    return ApiError{answer->status, "internal", "", not_alcove(answer->status), 0};
  return ApiError{answer->status, error.code(), error.reason(), error.message(),
                  error.retry_after_seconds()};
}

}  // namespace alcove::client
