#include "client/verify_input.h"

#include <fmt/format.h>

#include <utility>

namespace alcove::client {

using base::ErrorCode;
using base::Result;

namespace {

constexpr int kNotFound = 404;

std::string explain(const ServerAddress& server, const Result<HttpAnswer>& answer,
                    const ApiError& error) {
  if (!answer)
    return fmt::format(
        "No answer from {}: {}. Check the link's host and port, and that the server runs.",
        server.origin(), error.message);
  // Whoever hosts something else there sends no error in protobuf.
  const bool of_alcove = answer->content_type == kProtobufType;
  if (of_alcove && answer->status == kNotFound)
    return fmt::format(
        "{} knows no such room: {} The log of a room that has ended is gone from the server; "
        "one that a member exported is checked with verify --log FILE.",
        server.origin(), error.message);
  return error.message;
}

}  // namespace

Result<RoomLink> parse_verify_link(std::string_view text) {
  if (text.empty())
    return base::fail(ErrorCode::kInvalidArgument,
                      "verify needs the link of a room, or --log FILE for an exported log.");
  Result<RoomLink> link = parse_room_link(text);
  if (link || text.find("://") != std::string_view::npos) return link;
  return base::fail(ErrorCode::kInvalidArgument,
                    link.error().message + " An exported log is checked with verify --log FILE.");
}

Result<v1::LogChain> parse_log_answer(const ServerAddress& server,
                                      const Result<HttpAnswer>& answer) {
  auto chain = parse_answer<v1::LogChain>(answer);
  if (!chain) return base::fail(ErrorCode::kUnavailable, explain(server, answer, chain.error()));
  return std::move(*chain);
}

Result<v1::LogExport> parse_log_export(const std::string& path, std::string_view content) {
  constexpr std::string_view kHow =
      "In a room the command export-log FILE writes one, and alcove-client join --export-log FILE "
      "at the end of the visit.";
  if (content.empty())
    return base::fail(ErrorCode::kInvalidArgument, fmt::format("{} is empty. {}", path, kHow));
  v1::LogExport log;
  if (!log.ParseFromArray(content.data(), static_cast<int>(content.size())) || !log.has_genesis())
    return base::fail(
        ErrorCode::kInvalidArgument,
        fmt::format("{} is not an exported log, or not all of one: export it again. {}", path,
                    kHow));
  return log;
}

}  // namespace alcove::client
