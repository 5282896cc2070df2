#pragma once
// The command line of alcove-audit (docs/audit.md).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/report.h"

namespace alcove::app {

// What a reviewer knows, for all commands that judge.
struct GivenFiles {
  std::string policy;                  // policy.toml; empty: the manifest's
  std::string manifest;                // a file, or the URL of a server
  std::string manifest_key;            // hash in hexadecimal; empty: any key
  std::vector<std::string> databases;  // empty: where the installation has one
  std::string identifiers;             // one a line
  std::string keys;                    // NSS key log
  std::string authorities;             // file with PEM, in place of the system's
};

struct Outputs {
  std::string html, json, sarif;  // files; json may be "-"
  audit::Language language = audit::Language::kEnglish;
  bool quiet = false;
  bool progress = false;  // also where standard error is no terminal
};

enum class Command : std::uint8_t { kFiles, kWatch, kManifest, kLog, kWeb };

struct Options {
  Command command = Command::kFiles;
  std::vector<std::string> captures;  // "-" for standard input
  std::string interface;
  std::string filter;
  GivenFiles given;
  Outputs outputs;
  bool keep_privileges = false;
  std::string target;               // of manifest, log and web: a URL, or a file
  std::string since_file;           // of log
  bool resolve = false;             // of manifest
  bool verbose = false;             // of log
  unsigned deadline_seconds = 600;  // of log and web
};

struct ParsedOptions {
  // nullopt: the program ends with exit_status (help, or a mistake that was explained).
  std::optional<Options> options;
  int exit_status = 0;
};
// Writes help to standard output and mistakes to standard error.
ParsedOptions parse_options(int count, char** arguments);

// Exit statuses.
inline constexpr int kClean = 0;
inline constexpr int kFindings = 1;
inline constexpr int kUnusable = 2;

// "alcove-audit: message" on standard error; kUnusable.
int give_up(const std::string& message);

}  // namespace alcove::app
