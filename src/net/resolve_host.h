#pragma once
// What a name is an address of, asked of the system. Blocks, for as long as its resolver's limits:
// at start and when the configuration is read again, not while people wait.

#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace alcove::net {

// Every address of the name, each once, at most 64. kNotFound when it has none, kUnavailable when
// nobody could be asked.
base::Result<std::vector<base::IpAddress>> resolve_host(const std::string& name);

// This machine's own name, in lower case; empty when it has none.
std::string host_name();

}  // namespace alcove::net
