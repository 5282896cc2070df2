#include "net/static_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "base/bytes.h"

namespace alcove::net {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 4000;
constexpr std::uintmax_t kMaxFileBytes = 16 << 20;
constexpr std::uintmax_t kMaxTotalBytes = 128 << 20;
constexpr std::string_view kIndex = "/index.html";

std::string_view content_type_of(std::string_view path) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".jpg", "image/jpeg"},
      {".webp", "image/webp"},
      {".woff2", "font/woff2"},
      {".wasm", "application/wasm"},
      {".opus", "audio/ogg"},
      {".ogg", "audio/ogg"},
      {".wav", "audio/wav"},
      {".mp3", "audio/mpeg"},
      {".txt", "text/plain; charset=utf-8"}};
  for (const auto& [ending, type] : kTypes)
    if (path.ends_with(ending)) return type;
  return "application/octet-stream";
}

// Names content for caches; nobody is kept from making two files with one tag, and nobody gains by
// it.
std::string etag_of(std::string_view bytes, std::string_view suffix) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : bytes) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
  return fmt::format("\"{:016x}-{:x}{}\"", hash, bytes.size(), suffix);
}

base::Result<std::string> read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return base::fail(base::ErrorCode::kUnavailable, "cannot read " + path.string());
  return bytes;
}

bool is_app_route(std::string_view path) {
  if (path == "/") return true;
  for (const std::string_view route :
       {"/r", "/login", "/register", "/settings", "/account", "/start", "/about"}) {
    if (!path.starts_with(route)) continue;
    const std::string_view rest = path.substr(route.size());
    if (rest.empty() || rest.front() == '/') return true;
  }
  return false;
}

StaticResponse error_response(int status, std::string_view body) {
  StaticResponse response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = body;
  response.content_length = body.size();
  return response;
}

constexpr std::string_view kNotFound = R"({"code":"not_found","message":"There is nothing here."})";
constexpr std::string_view kBadMethod =
    R"({"code":"invalid_argument","message":"Only GET and HEAD here."})";

}  // namespace

base::Result<StaticFiles> StaticFiles::load(const fs::path& directory) {
  StaticFiles result;
  std::error_code error;
  std::uintmax_t total = 0;
  std::vector<std::pair<std::string, std::string>> compressed;
  fs::recursive_directory_iterator walk(directory, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (walk->is_symlink() || !walk->is_regular_file()) continue;
    const std::uintmax_t size = walk->file_size(error);
    total += size;
    if (size > kMaxFileBytes || total > kMaxTotalBytes || result.files_.size() >= kMaxFiles)
      return base::fail(base::ErrorCode::kResourceExhausted,
                        "the web app in " + directory.string() + " is too large");
    base::Result<std::string> bytes = read_file(walk->path());
    if (!bytes) return std::unexpected(bytes.error());
    std::string path = "/" + walk->path().lexically_relative(directory).generic_string();
    if (path.ends_with(".br") || path.ends_with(".gz")) {
      compressed.emplace_back(std::move(path), std::move(*bytes));
      continue;
    }
    File& file = result.files_[path];
    file.content_type = content_type_of(path);
    file.immutable = path.starts_with("/assets/");
    file.identity = {std::move(*bytes), {}};
    file.identity.etag = etag_of(file.identity.bytes, "");
  }
  if (error || !result.files_.contains(std::string(kIndex)))
    return base::fail(base::ErrorCode::kNotFound,
                      "no web app in " + directory.string() + " (index.html is not there)");
  for (auto& [path, bytes] : compressed) {
    const auto original = result.files_.find(path.substr(0, path.size() - 3));
    if (original == result.files_.end()) continue;
    Body& body = path.ends_with(".br") ? original->second.brotli : original->second.gzip;
    body.etag = etag_of(original->second.identity.bytes, path.ends_with(".br") ? "-br" : "-gz");
    body.bytes = std::move(bytes);
  }
  return result;
}

std::vector<std::pair<std::string_view, std::string_view>> StaticFiles::contents() const {
  std::vector<std::pair<std::string_view, std::string_view>> result;
  result.reserve(files_.size());
  for (const auto& [path, file] : files_) result.emplace_back(path, file.identity.bytes);
  std::ranges::sort(result);
  return result;
}

const StaticFiles::File* StaticFiles::find(std::string_view path) const {
  const auto found = files_.find(std::string(is_app_route(path) ? kIndex : path));
  return found == files_.end() ? nullptr : &found->second;
}

StaticResponse StaticFiles::respond(const StaticRequest& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    StaticResponse response = error_response(405, kBadMethod);
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  const File* file = find(request.path);
  // Somebody who mistyped an address gets a page that says so; a program that asks for a file, an
  // error.
  const bool lost = file == nullptr && request.path.find('.') == std::string_view::npos;
  if (lost) file = find(kIndex);
  if (file == nullptr) return error_response(404, kNotFound);
  const Body* body = &file->identity;
  std::string_view coding;
  if (!file->brotli.bytes.empty() && accepts(request.accept_encoding, Encoding::kBrotli)) {
    body = &file->brotli;
    coding = "br";
  } else if (!file->gzip.bytes.empty() && accepts(request.accept_encoding, Encoding::kGzip)) {
    body = &file->gzip;
    coding = "gzip";
  }
  StaticResponse response;
  response.headers.emplace_back("Content-Type", std::string(file->content_type));
  if (!coding.empty()) response.headers.emplace_back("Content-Encoding", std::string(coding));
  response.headers.emplace_back("Vary", "Accept-Encoding");
  response.headers.emplace_back("ETag", body->etag);
  response.headers.emplace_back(
      "Cache-Control", file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  // On every file, not on documents alone: a worker has the policy that its own script came with.
  add_document_security_headers(response.headers);
  response.content_length = body->bytes.size();
  if (lost) response.status = 404;
  if (!lost && matches_etag(request.if_none_match, body->etag)) {
    response.status = 304;
  } else if (request.method == "GET") {
    response.body = body->bytes;
  }
  return response;
}

}  // namespace alcove::net
