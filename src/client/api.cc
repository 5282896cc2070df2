#include "client/api.h"

#include <fmt/format.h>

namespace alcove::client {

std::optional<ApiError> error_of(const base::Result<HttpAnswer>& answer) {
  if (!answer) return ApiError{0, "unavailable", "", answer.error().message, 0};
  const bool success = answer->status >= 200 && answer->status < 300;
  const bool protobuf = answer->content_type == kProtobufType;
  if (success && protobuf) return std::nullopt;
  if (success) return ApiError{0, "internal", "", "What answers there is not an Alcove server.", 0};
  v1::ErrorResponse error;
  if (!protobuf || !error.ParseFromString(answer->body))
    return ApiError{answer->status, "internal", "",
                    fmt::format("The server answered with HTTP status {}.", answer->status), 0};
  return ApiError{answer->status, error.code(), error.reason(), error.message(),
                  error.retry_after_seconds()};
}

}  // namespace alcove::client
