#pragma once
// Failed requests on the wire: the one place where an error gets its HTTP status, code and reason.
// Any thread.

#include <string>
#include <string_view>

#include "alcove/v1/common.pb.h"
#include "base/result.h"
#include "rooms/refusal.h"

namespace alcove::control {

struct ApiError {
  base::ErrorCode code = base::ErrorCode::kInternal;
  // Stable, from the source code (docs/protocol/api.md lists them); empty where code says it all.
  std::string_view reason{};
  // English, for people.
  std::string message{};
  unsigned retry_after_seconds = 0;
  int status = 0;  // 0: the one that belongs to code
  // The operator's words, where the policy has some.
  std::string text_en{};
  std::string text_fr{};
};

ApiError to_api_error(const base::Error& error);
ApiError to_api_error(rooms::Refusal refusal);
// A field that is wrong; message names it.
ApiError invalid_argument(std::string message);

std::string_view code_name(base::ErrorCode code);
int http_status(const ApiError& error);
v1::ErrorResponse to_proto(const ApiError& error);

}  // namespace alcove::control
