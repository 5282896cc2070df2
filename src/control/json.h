#pragma once
// Bodies of requests and answers: JSON by protobuf's canonical mapping, or binary. Any thread.

#include <google/protobuf/message.h>

#include <expected>
#include <string>
#include <string_view>

#include "base/http.h"
#include "control/api_error.h"

namespace alcove::control {

inline constexpr std::size_t kMaxBody = 65'536;

// Fills message from the body. Errors: 413 too large, 415 neither JSON nor protobuf, 400 malformed,
// not UTF-8 or with an unknown field.
std::expected<void, ApiError> parse_body(const base::HttpRequest& request,
                                         google::protobuf::Message& message);

// Whether the client's Accept header asks for application/protobuf.
bool wants_binary(std::string_view accept);

// Body and content type.
base::HttpResponse write_body(const google::protobuf::Message& message, bool binary, int status);

}  // namespace alcove::control
