#pragma once
// The built web app, read into memory once: what is served is what was there at the start, a
// request never touches the disk, and a path is looked up as a whole, so that there is nothing to
// traverse.

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/http_rules.h"

namespace alcove::net {

struct StaticRequest {
  std::string_view method;
  std::string_view path;
  std::string_view accept_encoding;
  std::string_view if_none_match;
};

struct StaticResponse {
  int status = 200;
  HeaderList headers;
  std::string_view body;           // of the StaticFiles, or a literal; empty for HEAD and 304
  std::size_t content_length = 0;  // of the body that GET would have
};

// Immutable once loaded; any thread.
class StaticFiles {
 public:
  // Reads a directory: regular files only, links are not followed. NAME.br and NAME.gz beside NAME
  // are its precompressed forms. index.html is required. Errors: not readable, or over a bound.
  static base::Result<StaticFiles> load(const std::filesystem::path& directory);

  // Files under /assets/ are named by their content and cached for good; everything else is asked
  // for again with its ETag. The app's own routes (/, /r/…, /login…) answer with index.html.
  StaticResponse respond(const StaticRequest& request) const;

  std::size_t file_count() const { return files_.size(); }
  // Each file's path and its bytes as served without a content encoding, by path; valid as long as
  // this.
  std::vector<std::pair<std::string_view, std::string_view>> contents() const;

 private:
  struct Body {
    std::string bytes;
    std::string etag;
  };
  struct File {
    std::string_view content_type;
    Body identity;
    Body gzip;
    Body brotli;
    bool immutable = false;
  };
  const File* find(std::string_view path) const;

  std::unordered_map<std::string, File> files_;
};

}  // namespace alcove::net
