#pragma once
// Small files, read and written as a whole. Errors name the file and the system's reason. Any
// thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace alcove::client {

// kNotFound when it is not there, kUnavailable when it cannot be read, kInvalidArgument when it is
// longer than at_most.
base::Result<std::string> read_whole_file(const std::string& path, std::size_t at_most);

enum class IfThere : std::uint8_t { kReplace, kKeep };

// Complete on the disk or not at all, also after a crash; readable by its owner alone. With kKeep
// what is there already, or was made meanwhile, stays: kAlreadyExists. kInvalidArgument when path
// is something other than a file, kUnavailable when the disk refuses.
base::Result<void> write_whole_file(const std::string& path, std::string_view content,
                                    IfThere if_there);

}  // namespace alcove::client
