#include "control/api_error.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace alcove::control {
namespace {

using base::ErrorCode;

struct CodeRow {
  ErrorCode code;
  int status;
  std::string_view name;
};

constexpr std::array kCodes = {
    CodeRow{ErrorCode::kInvalidArgument, 400, "invalid_argument"},
    CodeRow{ErrorCode::kUnauthenticated, 401, "unauthenticated"},
    CodeRow{ErrorCode::kPermissionDenied, 403, "permission_denied"},
    CodeRow{ErrorCode::kNotFound, 404, "not_found"},
    CodeRow{ErrorCode::kAlreadyExists, 409, "already_exists"},
    CodeRow{ErrorCode::kFailedPrecondition, 409, "failed_precondition"},
    CodeRow{ErrorCode::kResourceExhausted, 429, "resource_exhausted"},
    CodeRow{ErrorCode::kUnavailable, 503, "unavailable"},
    CodeRow{ErrorCode::kInternal, 500, "internal"},
};

const CodeRow& row_of(ErrorCode code) {
  for (const CodeRow& row : kCodes)
    if (row.code == code) return row;
  base::check_failed("every code has a row", __FILE__, __LINE__);
}

}  // namespace

ApiError to_api_error(const base::Error& error) {
  // What went wrong inside is for the operator's log, not for the client.
  if (error.code == ErrorCode::kInternal)
    return {.code = error.code,
            .reason = "server.error",
            .message = "The server failed. Try again later."};
  if (error.code == ErrorCode::kUnavailable)
    return {.code = error.code,
            .reason = "server.busy",
            .message = "The server is busy. Try again later."};
  return {.code = error.code, .reason = {}, .message = error.message};
}

ApiError to_api_error(rooms::Refusal refusal) {
  const rooms::RefusalText& text = rooms::describe(refusal);
  return {.code = text.code, .reason = text.reason, .message = std::string(text.message)};
}

ApiError invalid_argument(std::string message) {
  return {.code = ErrorCode::kInvalidArgument, .reason = {}, .message = std::move(message)};
}

std::string_view code_name(ErrorCode code) { return row_of(code).name; }

int http_status(const ApiError& error) {
  return error.status != 0 ? error.status : row_of(error.code).status;
}

v1::ErrorResponse to_proto(const ApiError& error) {
  v1::ErrorResponse response;
  response.set_code(std::string(code_name(error.code)));
  response.set_message(error.message);
  response.set_reason(std::string(error.reason));
  response.set_retry_after_seconds(error.retry_after_seconds);
  response.set_text_en(error.text_en);
  response.set_text_fr(error.text_fr);
  return response;
}

}  // namespace alcove::control
