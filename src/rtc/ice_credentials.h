#pragma once
// ICE user name fragments and passwords (RFC 8445, section 5.3). Any thread.

#include <string_view>

#include "base/random.h"
#include "wire/sdp.h"

namespace alcove::rtc {

// New for each join and each restart: 48 random bits of ufrag after the given prefix (ice-chars, at
// most 8; a relay writes its shard there) and 144 random bits of password.
wire::IceCredentials make_ice_credentials(base::RandomSource& random,
                                          std::string_view ufrag_prefix = {});

// True when both are of ice-chars, with 4 to 256 characters of ufrag and 22 to 256 of password.
bool is_valid(const wire::IceCredentials& credentials);

}  // namespace alcove::rtc
