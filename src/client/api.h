#pragma once
// Requests to the API and their answers, as values: binary protobuf both ways. One thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alcove/v1/common.pb.h"
#include "base/bytes.h"
#include "base/result.h"
#include "client/outcome.h"

namespace alcove::client {

inline constexpr std::string_view kProtobufType = "application/protobuf";

// To be sent to the server of the member's link, with Content-Type and Accept kProtobufType.
struct HttpCall {
  std::uint64_t id = 0;  // names the answer
  std::string method = "POST";
  std::string target;         // "/v1/…"
  std::string authorization;  // value of the header; empty: none
  std::string join_token;     // header Alcove-Join; empty: none
  std::string body;
  // Not by a connection that is already open: it may lead through a network that is gone.
  bool fresh_connection = false;
};

struct HttpAnswer {
  int status = 0;
  std::string content_type;  // lower case, without parameters
  std::string body;
};

struct ApiError {
  int http_status = 0;  // 0: there was no usable answer
  std::string code;     // of v1.ErrorResponse
  std::string reason;
  std::string message;  // for people
  std::uint32_t retry_after_seconds = 0;
  // The operator's, where the service is not offered to the person.
  std::string text_en = {};
  std::string text_fr = {};
};

// The operator's words in the person's language, where there are some (HTTP status 451), or
// message.
const std::string& message_for(const ApiError& error, bool french);

// The preferred one of two texts, or the other where it is empty.
const std::string& text_for(const std::string& english, const std::string& french_text,
                            bool french);

// As exit_status_of(int); kNotAllowed where the way to the server was not allowed, or it
// redirected.
ExitStatus exit_status_of(const ApiError& error);

template <typename Message>
using ApiResult = std::expected<Message, ApiError>;

// nullopt when the answer is a success in protobuf.
std::optional<ApiError> error_of(const base::Result<HttpAnswer>& answer);

template <typename Message>
ApiResult<Message> parse_answer(const base::Result<HttpAnswer>& answer) {
  if (std::optional<ApiError> error = error_of(answer)) return std::unexpected(std::move(*error));
  Message message;
  if (!message.ParseFromString(answer->body))
    return std::unexpected(ApiError{0, "internal", "", "The server's answer cannot be read.", 0});
  return message;
}

// A ClientMessage or ServerMessage is filled with zeros in its field 15 to a multiple of this.
inline constexpr std::size_t kMessageGrain = 256;

// The message with its padding field set so that it serializes to a multiple of kMessageGrain.
template <typename Message>
base::Buffer serialize_padded(Message message) {
  message.clear_padding();
  // A field of n bytes takes n + 2 bytes up to 127, then n + 3. A gap of 1, 2 or 130 bytes cannot
  // be filled; the next grain then can.
  const std::size_t size = message.ByteSizeLong();
  const std::size_t total = (size + kMessageGrain - 1) / kMessageGrain * kMessageGrain;
  for (std::size_t goal = total; message.ByteSizeLong() % kMessageGrain != 0;
       goal += kMessageGrain) {
    for (std::size_t overhead = 2; overhead <= 3 && message.ByteSizeLong() != goal; ++overhead) {
      if (goal > size + overhead) message.set_padding(std::string(goal - size - overhead, '\0'));
    }
  }
  base::Buffer out(message.ByteSizeLong());
  CHECK(message.SerializeToArray(out.data(), static_cast<int>(out.size())));
  return out;
}

}  // namespace alcove::client
