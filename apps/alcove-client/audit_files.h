#pragma once
// The files of --key-log and --relay-view: one record a line, readable by their owner alone. One
// thread.

#include <memory>
#include <string>

#include "base/result.h"
#include "base/tls_key_log.h"
#include "client/payload_log.h"
#include "e2ee/key_log.h"

namespace alcove::app {

// "<kind> <hex>", as it comes. kUnavailable when the file cannot be made.
base::Result<std::unique_ptr<e2ee::KeyLog>> open_key_log(const std::string& path);
// "<milliseconds> <slot> <hex>".
base::Result<std::unique_ptr<client::PayloadLog>> open_payload_log(const std::string& path);

// Lines of the NSS key log format, after those that are there.
base::Result<std::unique_ptr<base::TlsKeyLog>> open_tls_key_log(const std::string& path);

}  // namespace alcove::app
