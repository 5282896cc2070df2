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

// Codes of our own where there was no answer.
constexpr std::string_view kNotAllowed = "not_allowed";
constexpr std::string_view kUnavailable = "unavailable";

}  // namespace

ExitStatus exit_status_of(const ApiError& error) {
  const bool denied = error.http_status == 0 && error.code == kNotAllowed;
  return denied ? ExitStatus::kNotAllowed : exit_status_of(error.http_status);
}

const std::string& message_for(const ApiError& error, bool french) {
  const std::string& text = text_for(error.text_en, error.text_fr, french);
  return text.empty() ? error.message : text;
}

const std::string& text_for(const std::string& english, const std::string& french_text,
                            bool french) {
  const std::string& preferred = french ? french_text : english;
  return preferred.empty() ? (french ? english : french_text) : preferred;
}

std::optional<ApiError> error_of(const base::Result<HttpAnswer>& answer) {
  if (!answer) {
    const bool denied = answer.error().code == base::ErrorCode::kPermissionDenied;
    return ApiError{0, std::string(denied ? kNotAllowed : kUnavailable), "", answer.error().message,
                    0};
  }
  const bool success = answer->status >= 200 && answer->status < 300;
  const bool protobuf = answer->content_type == kProtobufType;
  if (success && protobuf) return std::nullopt;
  if (success) return ApiError{0, "internal", "", not_alcove(answer->status), 0};
  v1::ErrorResponse error;
  if (!protobuf || !error.ParseFromString(answer->body))
    return ApiError{answer->status, "internal", "", not_alcove(answer->status), 0};
  return ApiError{
      answer->status,  error.code(),   error.reason(), error.message(), error.retry_after_seconds(),
      error.text_en(), error.text_fr()};
}

}  // namespace alcove::client
