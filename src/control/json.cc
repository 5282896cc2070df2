#include "control/json.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "base/text.h"

namespace alcove::control {
namespace {

constexpr std::string_view kBinaryType = "application/protobuf";
constexpr std::string_view kJsonType = "application/json";

// The parser quotes the input: keep it short, and one line of plain characters.
std::string readable(std::string_view text) {
  constexpr std::size_t kMaxLength = 200;
  std::string plain(text.substr(0, kMaxLength));
  std::ranges::replace_if(plain, [](char c) { return c < 0x20 || c > 0x7e; }, ' ');
  return plain;
}

}  // namespace

std::expected<void, ApiError> parse_body(const base::HttpRequest& request,
                                         google::protobuf::Message& message) {
  if (request.body.size() > kMaxBody) {
    ApiError error = invalid_argument("The body is larger than 64 KiB.");
    error.status = 413;
    return std::unexpected(error);
  }
  if (request.content_type == kBinaryType) {
    if (message.ParseFromString(request.body)) return {};
    return std::unexpected(invalid_argument("The body is not this request's protobuf message."));
  }
  if (request.content_type != kJsonType && !request.content_type.empty()) {
    ApiError error =
        invalid_argument("Content-Type must be application/json or application/protobuf.");
    error.status = 415;
    return std::unexpected(error);
  }
  if (!base::is_utf8(request.body))
    return std::unexpected(invalid_argument("The body is not UTF-8."));
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  const auto status = google::protobuf::util::JsonStringToMessage(request.body, &message, options);
  if (status.ok()) return {};
  return std::unexpected(invalid_argument(
      "The body is not this request's JSON: " +
      readable(std::string_view(status.message().data(), status.message().size()))));
}

bool wants_binary(std::string_view accept) {
  return accept.find(kBinaryType) != std::string_view::npos;
}

base::HttpResponse write_body(const google::protobuf::Message& message, bool binary, int status) {
  base::HttpResponse response;
  response.status = status;
  if (binary) {
    response.content_type = kBinaryType;
    response.body = message.SerializeAsString();
  } else {
    // Cannot fail: every string was checked to be UTF-8 when it came in.
    (void)google::protobuf::util::MessageToJsonString(message, &response.body);
  }
  // Answers have tokens and names: nothing on the way may keep them.
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace alcove::control
