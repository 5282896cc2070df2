#pragma once
// Standard output and standard error, which may be full, closed, or a pipe without a reader.

#include <string_view>

namespace alcove::app {

// A descriptor that is not open would become that of the first file opened. Reading it then ends at
// once, writing it fails.
void hold_standard_descriptors();

// What cannot be written is lost: there is nobody to tell.
void write_stderr(std::string_view text);

// Errors are kept for finish_stdout.
void write_stdout(std::string_view text);

// False: something of what was written since the beginning did not arrive.
bool finish_stdout();

}  // namespace alcove::app
