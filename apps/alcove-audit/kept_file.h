#pragma once
// A small file that is replaced as a whole at the end, in a folder where the process may not write
// any more by then.

#include <string>

#include "base/result.h"
#include "net/file_descriptor.h"

namespace alcove::app {

class KeptFile {
 public:
  // Makes a file beside path, and a process that waits to give it the name: it keeps the rights of
  // now, and reads one byte. Call it before any thread exists.
  static base::Result<KeptFile> open(const std::string& path);
  KeptFile(KeptFile&&) = default;
  // Without replace(): what was there stays.
  ~KeptFile();

  base::Result<void> replace(std::string_view content);

 private:
  KeptFile(std::string path, net::FileDescriptor file, net::FileDescriptor keeper, int process)
      : path_(std::move(path)),
        file_(std::move(file)),
        keeper_(std::move(keeper)),
        process_(process) {}
  bool end_keeper();

  std::string path_;
  net::FileDescriptor file_, keeper_;
  int process_;
};

}  // namespace alcove::app
