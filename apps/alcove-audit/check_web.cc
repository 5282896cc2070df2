#include <fmt/format.h>

#include <algorithm>

#include "audit/report_words.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "fetch.h"
#include "given.h"
#include "prepare.h"
#include "privileges.h"
#include "server_commands.h"

namespace alcove::app {

using audit::pick;

namespace {

constexpr std::string_view kIndex = "/index.html";
constexpr std::size_t kMaxFile = 64 << 20;
constexpr std::size_t kMaxPage = 1 << 20;

bool is_same(std::string_view name, std::string_view other) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(name, other, {}, lower, lower);
}

// Of a server in trouble, or one that wants less haste: says nothing about the file.
bool is_passing(int status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

// Every value of src="…" and href="…": what a browser would load or open from the page.
std::vector<std::string> references_in(std::string_view html) {
  std::vector<std::string> found;
  for (const std::string_view attribute : {"src=\"", "href=\""}) {
    for (std::size_t at = html.find(attribute); at != std::string_view::npos;
         at = html.find(attribute, at + 1)) {
      const std::size_t begin = at + attribute.size();
      const std::size_t end = html.find('"', begin);
      if (end == std::string_view::npos) break;
      found.emplace_back(html.substr(begin, end - begin));
    }
  }
  return found;
}

class WebCheck {
 public:
  WebCheck(audit::Language language, const std::string& authorities, const net::Url& url,
           base::Duration allowed)
      : language_(language), url_(url), fetcher_(authorities, allowed) {}

  // Counts what differs and what could not be compared.
  void check(const v1::Manifest& manifest) {
    const v1::WebFile* index = nullptr;
    for (const v1::WebFile& file : manifest.web_files()) {
      if (file.path() == kIndex) index = &file;
      compare(file, file.path(), manifest);
    }
    if (index == nullptr) {
      return differs(kIndex,
                     pick(language_, "is not in the manifest", "n'est pas dans le manifeste"));
    }
    // The app's own routes are the same page.
    for (const std::string& path : {std::string("/"), std::string("/r/alcove-audit")})
      compare(*index, path, manifest);
  }
  int different() const { return different_; }
  int not_compared() const { return not_compared_; }

 private:
  void compare(const v1::WebFile& file, const std::string& path, const v1::Manifest& manifest) {
    // Signed, but a path all the same: nothing that leads elsewhere.
    if (!path.starts_with('/') || path.starts_with("//"))
      return differs(path, pick(language_, "is not a path", "n'est pas un chemin"));
    if (file.size() > kMaxFile)
      return skip(path, pick(language_, "cannot be compared: too large",
                             "ne peut être comparé : trop grand"));
    // What is longer than was signed is not that; a page of an error has its room.
    const auto answer =
        fetcher_.fetch(url_, path, "*/*", std::max<std::size_t>(file.size(), kMaxPage));
    if (!answer) {
      const bool answered = answer.error().code == base::ErrorCode::kPermissionDenied ||
                            answer.error().code == base::ErrorCode::kResourceExhausted;
      return answered ? differs(path, answer.error().message) : skip(path, answer.error().message);
    }
    if (answer->status != 200) {
      const std::string status = fmt::format("HTTP {}", answer->status);
      return is_passing(answer->status) ? skip(path, status) : differs(path, status);
    }
    const std::string& body = answer->body;
    const crypto::Sha256Digest hash = crypto::sha256(base::as_bytes(body));
    if (!std::ranges::equal(hash, base::as_bytes(file.sha256())))
      return differs(path, fmt::format("{} {}",
                                       pick(language_, "IS NOT WHAT WAS SIGNED: SHA-256",
                                            "N'EST PAS CE QUI A ÉTÉ SIGNÉ : SHA-256"),
                                       base::to_hex(hash)));
    say(fmt::format("ok  {}", path));
    if (file.path() != kIndex) return;
    check_references(body, manifest);
    check_headers(path, answer->headers);
  }

  // What the hash does not hold, and makes another page of it all the same.
  void check_headers(const std::string& path, const net::Headers& headers) {
    bool has_policy = false;
    for (const auto& [name, value] : headers) {
      if (is_same(name, "Content-Security-Policy") && !value.empty()) has_policy = true;
      for (const std::string_view unwanted : {"Refresh", "Link"})
        if (is_same(name, unwanted))
          differs(path,
                  fmt::format("{} {}: {}",
                              pick(language_, "comes with the header", "vient avec l'en-tête"),
                              unwanted, value));
    }
    if (!has_policy)
      differs(path, pick(language_, "comes without Content-Security-Policy",
                         "vient sans Content-Security-Policy"));
  }

  void check_references(const std::string& html, const v1::Manifest& manifest) {
    for (std::string reference : references_in(html)) {
      if (reference.starts_with('#') || reference.starts_with("data:")) continue;
      if (reference.starts_with("./")) reference.erase(0, 1);
      const bool listed = std::ranges::any_of(
          manifest.web_files(), [&](const v1::WebFile& file) { return file.path() == reference; });
      if (!listed && reference != "/")
        differs(reference, pick(language_, "is used by the page and not in the manifest",
                                "sert à la page et n'est pas dans le manifeste"));
    }
  }

  void differs(std::string_view path, std::string_view why) {
    say(fmt::format("!!  {}: {}", path, why));
    ++different_;
  }
  void skip(std::string_view path, std::string_view why) {
    say(fmt::format("??  {}: {}", path, why));
    ++not_compared_;
  }

  audit::Language language_;
  const net::Url& url_;
  Fetcher fetcher_;
  int different_ = 0, not_compared_ = 0;
};

}  // namespace

int check_web(const Options& options) {
  const audit::Language language = options.outputs.language;
  const auto url = parse_url(options.target);
  if (!url) return give_up(url.error().message);
  limit_resources();
  GivenFiles files = options.given;
  if (auto known = read_authorities(files); !known) return give_up(known.error().message);
  if (auto dropped = become_ordinary(options); !dropped) return give_up(dropped.error().message);
  auto read = read_manifest_of(options.target, files.manifest_key, files.authorities);
  if (!read) return give_up(read.error().message);
  if (!read->manifest) {
    say(fmt::format("AUD-108: {}", read->fault));
    return kFindings;
  }
  WebCheck check(language, files.authorities, *url, base::seconds(options.deadline_seconds));
  check.check(read->manifest->manifest);
  const auto count = static_cast<std::uint64_t>(read->manifest->manifest.web_files_size());
  if (check.different() == 0 && check.not_compared() > 0)
    return give_up(
        fmt::format("{} of the files could not be compared: try again", check.not_compared()));
  say(check.different() == 0
          ? fmt::format("{}: {}",
                        audit::counted(count, pick(language, "file", "fichier"),
                                       pick(language, "files", "fichiers"), language),
                        pick(language, "all as signed. Served to this machine, this time.",
                             "tous tels que signés. Servis à cette machine, cette fois-ci."))
          : audit::counted(static_cast<std::uint64_t>(check.different()),
                           pick(language, "finding", "constat"),
                           pick(language, "findings", "constats"), language));
  return check.different() == 0 ? kClean : kFindings;
}

}  // namespace alcove::app
