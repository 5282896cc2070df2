#pragma once
// The person's identity key on this device, in a file that only its owner can read. Any thread.

#include <string>

#include "base/random.h"
#include "base/result.h"
#include "client/link.h"
#include "crypto/ed25519.h"

namespace alcove::client {

// $XDG_DATA_HOME/alcove or $HOME/.local/share/alcove, of the values of the two variables (null:
// not set); empty when neither is usable.
std::string data_directory(const char* data_home, const char* home);

// One identity for each account: two people at one computer are two, and two servers cannot tell
// that they know the same person.
std::string identity_path(const std::string& directory, const ServerAddress& server,
                          const std::string& username);

// The file's key. A file that is not there is made with its directories, mode 0600. A file that
// others can read, or that is not one of these, is refused: kFailedPrecondition, kInvalidArgument;
// kUnavailable when the disk refuses.
base::Result<crypto::Ed25519Seed> load_or_make_identity(const std::string& path,
                                                        base::RandomSource& random);

}  // namespace alcove::client
