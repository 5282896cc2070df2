#pragma once
// The order in which a command comes by what it judges: with the rights that it was started with it
// opens files and interfaces; without them it talks to servers and reads what they sent.

#include "base/result.h"
#include "given.h"
#include "options.h"

namespace alcove::app {

// What the local files of --policy, --geo-database, --identifiers, --keys, --manifest
// and --ca-file hold. files.authorities becomes the text of the file; a manifest of a server is
// left for read_remote.
base::Result<Given> read_local(GivenFiles& files);

// Puts the text of --ca-file in place of its name.
base::Result<void> read_authorities(GivenFiles& files);

// Unless --keep-privileges. Says in words what it did, as drop_privileges.
base::Result<std::string> become_ordinary(const Options& options);

// Fetches the manifest where it is a server's.
base::Result<void> read_remote(const GivenFiles& files, Given& given);

}  // namespace alcove::app
