#pragma once
// Whole files and descriptors. Errors name the file and the system's reason.

#include <string>

#include "base/result.h"
#include "net/file_descriptor.h"

namespace alcove::app {

// kNotFound when it is not there, kUnavailable when it cannot be read, kInvalidArgument when it is
// longer than at_most.
base::Result<std::string> read_file(const std::string& path, std::size_t at_most);

// For reading; "-" is standard input.
base::Result<net::FileDescriptor> open_for_reading(const std::string& path);

// The name without folders.
std::string base_name(const std::string& path);

// A report's file: opened while the process may still write there, written at the end. What was in
// it stays until then.
class OutputFile {
 public:
  // A file made by root for somebody (sudo) is given to that person.
  static base::Result<OutputFile> open(const std::string& path);
  base::Result<void> write(std::string_view content);

 private:
  OutputFile(std::string path, net::FileDescriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}
  std::string path_;
  net::FileDescriptor descriptor_;
};

}  // namespace alcove::app
