#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>

#include "audit/report_words.h"
#include "base/text.h"
#include "fetch.h"
#include "files.h"
#include "given.h"
#include "kept_file.h"
#include "policy/transparency_log.h"
#include "prepare.h"
#include "privileges.h"
#include "server_commands.h"

namespace alcove::app {

using audit::pick;
using base::Result;
using policy::TransparencyLog;

namespace {

constexpr std::uint64_t kMaxEntries = 1'000'000;
constexpr int kEntriesPerPage = 256;  // what a server gives at once
constexpr int kMaxShortPages = 16;    // it may grow meanwhile
constexpr std::size_t kNewest = 50;
constexpr std::size_t kMaxHeadFile = 4096;
constexpr std::string_view kHeadName = "alcove-log-head 1";

// What --since keeps: five lines of "name value" under a first line.
struct KnownHead {
  std::string server;
  std::uint64_t size = 0;
  std::string hash;  // hexadecimal
};

std::string write_head(const KnownHead& head) {
  return fmt::format("{}\nserver {}\nsize {}\nhash {}\n", kHeadName, head.server, head.size,
                     head.hash);
}

// nullopt in a Result: there is no file yet.
Result<std::optional<KnownHead>> read_head(const std::string& path) {
  const auto content = read_file(path, kMaxHeadFile);
  if (!content && content.error().code == base::ErrorCode::kNotFound) return std::nullopt;
  if (!content) return std::unexpected(content.error());
  const auto fail = [&] {
    return base::fail(base::ErrorCode::kInvalidArgument, path + " is not a head kept by --since");
  };
  KnownHead head;
  std::string_view rest = *content;
  const auto take_line = [&](std::string_view name) -> std::optional<std::string_view> {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos || !rest.substr(0, end).starts_with(name))
      return std::nullopt;
    const std::string_view value = rest.substr(name.size(), end - name.size());
    rest.remove_prefix(end + 1);
    return value;
  };
  if (!take_line(kHeadName)) return fail();
  const auto server = take_line("server ");
  const auto size = server ? take_line("size ") : std::nullopt;
  const auto hash = size ? take_line("hash ") : std::nullopt;
  if (!hash || !base::from_hex(*hash) || hash->size() != 64) return fail();
  const auto [end, error] = std::from_chars(size->data(), size->data() + size->size(), head.size);
  if (error != std::errc() || end != size->data() + size->size()) return fail();
  head.server = *server;
  head.hash = *hash;
  return head;
}

class LogReader {
 public:
  LogReader(const Options& options, const std::string& authorities, const net::Url& url)
      : options_(options),
        url_(url),
        fetcher_(authorities, base::seconds(options.deadline_seconds)) {}

  // Reads and checks everything. An error: could not be fetched. False: does not hold, and was
  // said.
  Result<bool> read(const std::optional<KnownHead>& known) {
    const Result<bool> result = read_pages(known);
    print_newest();
    if (result && !*result) say(fault_);
    return result;
  }
  const TransparencyLog::Head& head() const { return log_.head(); }
  Fetcher& fetcher() { return fetcher_; }

  bool wrong(const std::string& why) const {
    say(words_for(why));
    return false;
  }

 private:
  Result<bool> read_pages(const std::optional<KnownHead>& known) {
    int short_pages = 0;
    for (;;) {
      const std::uint64_t from = log_.head().size;
      const auto body = fetcher_.get(url_, fmt::format("{}?from={}", kLogPath, from), kProtobuf);
      if (!body) return std::unexpected(body.error());
      v1::TransparencyPage page;
      if (!page.ParseFromString(*body))
        return base::fail(base::ErrorCode::kInvalidArgument, "what came is not a page of a log");
      for (const auto& entry : page.entries())
        if (!take(entry, known)) return false;
      if (log_.head().size >= page.size() || page.entries().empty()) {
        if (log_.head().size == page.size()) return true;
        return does_not_hold(fmt::format("it says that it has {} entries, and gives {}",
                                         page.size(), log_.head().size));
      }
      if (log_.head().size > kMaxEntries)
        return does_not_hold("it has more entries than are read here");
      // One entry a page would make a million requests of it.
      if (page.entries_size() < kEntriesPerPage && ++short_pages > kMaxShortPages)
        return does_not_hold("its pages are not full");
    }
  }
  std::string words_for(const std::string& why) const {
    return fmt::format("AUD-108: {} {}.",
                       pick(language(), "the log does not hold:", "le journal ne tient pas :"),
                       why);
  }
  // Said after the entries before it.
  bool does_not_hold(const std::string& why) {
    fault_ = words_for(why);
    return false;
  }

  struct Lines {
    std::string entry, change;  // of the key, else empty
  };
  static void print_lines(const Lines& lines) {
    say(lines.entry);
    if (!lines.change.empty()) say(lines.change);
  }
  void keep(Lines lines) {
    if (options_.verbose) return print_lines(lines);
    newest_.push_back(std::move(lines));
    if (newest_.size() <= kNewest) return;
    newest_.pop_front();
    ++left_out_;
  }
  void print_newest() {
    if (left_out_ > 0)
      say(fmt::format("{} {}", left_out_,
                      pick(language(), "earlier entries are not shown (--verbose shows them).",
                           "entrées antérieures ne sont pas montrées (--verbose les montre).")));
    if (key_changes_ > 0)
      say(fmt::format("{} {}", pick(language(), "Changes of the key:", "Changements de clé :"),
                      key_changes_));
    for (const Lines& lines : newest_) print_lines(lines);
  }

  audit::Language language() const { return options_.outputs.language; }

  bool take(const v1::SignedTransparencyEntry& entry, const std::optional<KnownHead>& known) {
    const crypto::Ed25519PublicKey key_before = log_.head().key;
    const auto taken = log_.append(entry);
    if (!taken) return does_not_hold(taken.error().message);
    print(*taken, key_before);
    const TransparencyLog::Head& head = log_.head();
    if (known && known->size == head.size && known->hash != base::to_hex(head.hash))
      return does_not_hold(
          fmt::format("entry {} is not the one that was seen last time: the history was "
                      "written anew",
                      taken->n()));
    return true;
  }

  void print(const v1::TransparencyEntry& entry, const crypto::Ed25519PublicKey& key_before) {
    std::string_view kind = pick(language(), "unknown", "inconnu");
    switch (entry.kind()) {
      case v1::TransparencyEntry::KIND_KEY:
        kind = pick(language(), "key", "clé");
        break;
      case v1::TransparencyEntry::KIND_POLICY:
        kind = pick(language(), "policy", "politique");
        break;
      case v1::TransparencyEntry::KIND_MANIFEST:
        kind = pick(language(), "manifest", "manifeste");
        break;
      default:
        break;
    }
    std::string line =
        fmt::format("{:>5}  {}  {}: {}", entry.n(),
                    audit::time_text(audit::CaptureTime(std::chrono::milliseconds(
                        std::clamp<std::int64_t>(entry.at_ms(), 0, 9'000'000'000'000)))),
                    kind, entry.summary());
    std::string change;
    if (log_.head().key != key_before && entry.n() > 0) {
      ++key_changes_;
      change = fmt::format("       {} {}",
                           pick(language(), "THE KEY CHANGED; the new one's hash:",
                                "LA CLÉ A CHANGÉ ; empreinte de la nouvelle :"),
                           base::to_hex(policy::manifest_key_hash(log_.head().key)));
    }
    keep({std::move(line), std::move(change)});
  }

  const Options& options_;
  const net::Url& url_;
  Fetcher fetcher_;
  TransparencyLog log_;
  std::deque<Lines> newest_;
  std::uint64_t left_out_ = 0, key_changes_ = 0;
  std::string fault_;
};

// The manifest that is served must be the last one of the log.
Result<bool> compare_manifest(LogReader& log, const net::Url& url, audit::Language language) {
  const auto body = log.fetcher().get(url, kManifestPath, kProtobuf);
  if (!body) return std::unexpected(body.error());
  const auto manifest = policy::read_manifest(base::as_bytes(*body));
  if (!manifest) return log.wrong(manifest.error().message);
  if (manifest->key != log.head().key)
    return log.wrong("the manifest that is served is signed with a key that the log does not name");
  if (manifest->sha256 != log.head().manifest)
    return log.wrong("the manifest that is served is not the one of the log's last entries");
  say(std::string(pick(language, "The manifest that is served is the log's last one.",
                       "Le manifeste servi est le dernier du journal.")));
  return true;
}

Result<bool> check(LogReader& log, const net::Url& url, const std::optional<KnownHead>& known,
                   audit::Language language) {
  const Result<bool> read = log.read(known);
  if (!read || !*read) return read;
  if (known && log.head().size < known->size)
    return log.wrong(
        fmt::format("it had {} entries last time, and has {} now: entries were taken "
                    "away",
                    known->size, log.head().size));
  return compare_manifest(log, url, language);
}

}  // namespace

int check_log(const Options& options) {
  const audit::Language language = options.outputs.language;
  const auto url = parse_url(options.target);
  if (!url) return give_up(url.error().message);
  limit_resources();
  GivenFiles files = options.given;
  if (auto read = read_authorities(files); !read) return give_up(read.error().message);
  std::optional<KnownHead> known;
  if (!options.since_file.empty()) {
    auto read = read_head(options.since_file);
    if (!read) return give_up(read.error().message);
    known = *std::move(read);
  }
  const std::string server = url->authority();
  if (known && known->server != server)
    return give_up(
        fmt::format("{} is about {}, not about {}", options.since_file, known->server, server));
  std::optional<KeptFile> kept;
  if (!options.since_file.empty()) {
    auto opened = KeptFile::open(options.since_file);
    if (!opened) return give_up(opened.error().message);
    kept.emplace(*std::move(opened));
  }
  if (auto dropped = become_ordinary(options); !dropped) return give_up(dropped.error().message);
  LogReader log(options, files.authorities, *url);
  const Result<bool> result = check(log, *url, known, language);
  if (!result) return give_up(result.error().message);
  if (!*result) return kFindings;
  const KnownHead now{server, log.head().size, base::to_hex(log.head().hash)};
  say(fmt::format("{}, {} {}",
                  audit::counted(now.size, pick(language, "entry", "entrée"),
                                 pick(language, "entries", "entrées"), language),
                  pick(language, "the chain holds; head", "la chaîne tient ; tête"), now.hash));
  if (known)
    say(std::string(pick(language, "It goes on from what was seen last time.",
                         "Il prolonge ce qui a été vu la dernière fois.")));
  if (!kept) return kClean;
  const auto written = kept->replace(write_head(now));
  return written ? kClean : give_up(written.error().message);
}

}  // namespace alcove::app
