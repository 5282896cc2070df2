#pragma once
// What `alcove-client verify` is given, before it is checked: a link, a server's answer, a file.
// The messages say what to do about what cannot be used. Pure; any thread.

#include <string>
#include <string_view>

#include "alcove/v1/keys.pb.h"
#include "base/result.h"
#include "client/api.h"
#include "client/link.h"

namespace alcove::client {

// The room's link as typed; empty: none was.
base::Result<RoomLink> parse_verify_link(std::string_view text);

// The answer of GET /v1/rooms/{id}/log from this server.
base::Result<v1::LogChain> parse_log_answer(const ServerAddress& server,
                                            const base::Result<HttpAnswer>& answer);

// path: for the message.
base::Result<v1::LogExport> parse_log_export(const std::string& path, std::string_view content);

}  // namespace alcove::client
