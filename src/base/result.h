#pragma once
// Expected failures of requests. Parsers of packets have their own small error types. Any thread.

#include <expected>
#include <string>
#include <utility>

namespace alcove::base {

// The names are those of google.rpc.Code, and reach clients through one table in src/control.
enum class ErrorCode {
  kInvalidArgument,
  kUnauthenticated,
  kPermissionDenied,
  kNotFound,
  kAlreadyExists,
  kFailedPrecondition,
  kResourceExhausted,  // a rate limit or a full queue: try later
  kUnavailable,
  kInternal,
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  // Says what to do; may be shown to a user, never logged.
  std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

}  // namespace alcove::base
