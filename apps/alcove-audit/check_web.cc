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
  WebCheck(audit::Language language, const std::string& authorities, const net::Url& url)
      : language_(language), url_(url), fetcher_(authorities) {}

  // Returns the number of faults.
  base::Result<int> check(const v1::Manifest& manifest) {
    int faults = 0;
    const v1::WebFile* index = nullptr;
    for (const v1::WebFile& file : manifest.web_files()) {
      if (file.path() == kIndex) index = &file;
      faults += compare(file, file.path(), manifest);
    }
    if (index == nullptr) {
      say(fmt::format("{} {}", kIndex,
                      pick(language_, "is not in the manifest", "n'est pas dans le manifeste")));
      return faults + 1;
    }
    // The app's own routes are the same page.
    for (const std::string& path : {std::string("/"), std::string("/r/alcove-audit")})
      faults += compare(*index, path, manifest);
    return faults;
  }

 private:
  int compare(const v1::WebFile& file, const std::string& path, const v1::Manifest& manifest) {
    // Signed, but a path all the same: nothing that leads elsewhere.
    if (!path.starts_with('/') || path.starts_with("//"))
      return fault(path, pick(language_, "is not a path", "n'est pas un chemin"));
    const auto body = fetcher_.get(url_, path);
    if (!body) return fault(path, body.error().message);
    const crypto::Sha256Digest hash = crypto::sha256(base::as_bytes(*body));
    if (!std::ranges::equal(hash, base::as_bytes(file.sha256())))
      return fault(path, fmt::format("{} {}",
                                     pick(language_, "IS NOT WHAT WAS SIGNED: SHA-256",
                                          "N'EST PAS CE QUI A ÉTÉ SIGNÉ : SHA-256"),
                                     base::to_hex(hash)));
    say(fmt::format("ok  {}", path));
    return file.path() == kIndex ? check_references(*body, manifest) : 0;
  }

  int check_references(const std::string& html, const v1::Manifest& manifest) {
    int faults = 0;
    for (std::string reference : references_in(html)) {
      if (reference.starts_with('#') || reference.starts_with("data:")) continue;
      if (reference.starts_with("./")) reference.erase(0, 1);
      const bool listed = std::ranges::any_of(
          manifest.web_files(), [&](const v1::WebFile& file) { return file.path() == reference; });
      if (!listed && reference != "/")
        faults += fault(reference, pick(language_, "is used by the page and not in the manifest",
                                        "sert à la page et n'est pas dans le manifeste"));
    }
    return faults;
  }

  static int fault(const std::string& path, std::string_view why) {
    say(fmt::format("!!  {}: {}", path, why));
    return 1;
  }

  audit::Language language_;
  const net::Url& url_;
  Fetcher fetcher_;
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
  WebCheck check(language, files.authorities, *url);
  const auto faults = check.check(read->manifest->manifest);
  if (!faults) return give_up(faults.error().message);
  const auto count = static_cast<std::uint64_t>(read->manifest->manifest.web_files_size());
  say(*faults == 0
          ? fmt::format("{}: {}",
                        audit::counted(count, pick(language, "file", "fichier"),
                                       pick(language, "files", "fichiers"), language),
                        pick(language, "all as signed. Served to this machine, this time.",
                             "tous tels que signés. Servis à cette machine, cette fois-ci."))
          : audit::counted(static_cast<std::uint64_t>(*faults),
                           pick(language, "finding", "constat"),
                           pick(language, "findings", "constats"), language));
  return *faults == 0 ? kClean : kFindings;
}

}  // namespace alcove::app
