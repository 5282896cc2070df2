#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "audit/report_words.h"
#include "console.h"

namespace alcove::app {

namespace {

void add_authorities(CLI::App& app, Options& options) {
  app.add_option("--ca-file", options.given.authorities,
                 "PEM file with the authorities to trust in place of the system's");
}

void add_given(CLI::App& app, Options& options) {
  GivenFiles& given = options.given;
  app.add_option("--policy", given.policy, "policy.toml to judge by (default: the manifest's own)");
  app.add_option("--manifest-key", given.manifest_key,
                 "SHA-256 of the key that must have signed the manifest, in hexadecimal");
  app.add_option("--geo-database", given.databases,
                 "Country and network database (.mmdb); several may be given")
      ->expected(1)
      ->take_all();
  add_authorities(app, options);
}

void add_keep_privileges(CLI::App& app, Options& options) {
  app.add_flag("--keep-privileges", options.keep_privileges,
               "Stay root after everything is opened (default: become an ordinary user)");
}

void add_files(CLI::App& app, Options& options, std::string& language) {
  app.add_option("CAPTURE", options.captures,
                 "pcap or pcapng files, audited as one in this order; - for standard input");
  app.add_option("--watch", options.interface, "Audit this network interface live");
  app.add_option("--filter", options.filter,
                 "With --watch: only this address (or an expression of libpcap)");
  add_given(app, options);
  GivenFiles& given = options.given;
  app.add_option("--manifest", given.manifest, "Signed manifest: a file, or the URL of the server");
  app.add_option("--identifiers", given.identifiers,
                 "File of what must not be readable: user ids, room ids, names; one a line");
  app.add_option("--keys", given.keys, "Keys of TLS and DTLS (NSS key log format)");
  Outputs& outputs = options.outputs;
  app.add_option("--html", outputs.html, "Write the report as one HTML file with pictures");
  app.add_option("--json", outputs.json, "Write it as JSON; - for standard output");
  app.add_option("--sarif", outputs.sarif, "Write it as SARIF 2.1.0");
  app.add_option("--language", language, "en or fr")->check(CLI::IsMember({"en", "fr"}));
  app.add_flag("--quiet", outputs.quiet, "No report on standard output, no progress");
  app.add_flag("--progress", outputs.progress,
               "Tell the progress every few seconds although standard error is no terminal");
  add_keep_privileges(app, options);
}

CLI::App* add_command(CLI::App& app, const char* name, const char* description, Options& options) {
  CLI::App* command = app.add_subcommand(name, description);
  command->add_option("TARGET", options.target, "https://host, or a file")->required();
  return command;
}

ParsedOptions refuse(const std::string& message) { return {std::nullopt, give_up(message)}; }

ParsedOptions finish(CLI::App& app, Options options, const std::string& language) {
  options.outputs.language =
      language == "fr" ? audit::Language::kFrench : audit::Language::kEnglish;
  if (app.got_subcommand("manifest")) {
    options.command = Command::kManifest;
  } else if (app.got_subcommand("log")) {
    options.command = Command::kLog;
  } else if (app.got_subcommand("web")) {
    options.command = Command::kWeb;
  } else if (!options.interface.empty()) {
    options.command = Command::kWatch;
    if (!options.captures.empty()) return refuse("--watch and a capture exclude each other");
  } else if (options.captures.empty()) {
    return refuse("name a capture, or --watch INTERFACE; see --help");
  }
  if (!options.filter.empty() && options.command != Command::kWatch)
    return refuse("--filter belongs to --watch");
  return {std::move(options), 0};
}

}  // namespace

int give_up(const std::string& message) {
  write_stderr(fmt::format("alcove-audit: {}\n", audit::clean_text(message)));
  return kUnusable;
}

ParsedOptions parse_options(int count, char** arguments) {
  CLI::App app("Checks by packet captures what an audio app lets out (docs/audit-guide.md)",
               "alcove-audit");
  app.set_version_flag("--version", "alcove-audit " ALCOVE_VERSION);
  app.footer("Exit status: 0 nothing found, 1 findings, 2 the input cannot be used.");
  Options options;
  std::string language = "en";
  add_files(app, options, language);
  CLI::App* manifest =
      add_command(app, "manifest", "Verify a server's manifest and say what it promises", options);
  add_given(*manifest, options);
  manifest->add_flag("--resolve", options.resolve,
                     "Ask the system where its names lead, and compare");
  CLI::App* log = add_command(app, "log", "Verify a server's log of changes", options);
  log->add_option("--since", options.since_file,
                  "File with the head seen last time: compared with, then written anew");
  add_authorities(*log, options);
  CLI::App* web =
      add_command(app, "web", "Compare the web app that is served with the manifest", options);
  add_authorities(*web, options);
  web->add_option("--manifest-key", options.given.manifest_key,
                  "SHA-256 of the key that must have signed the manifest, in hexadecimal");
  log->add_flag("--verbose", options.verbose, "Print all entries, not the newest alone");
  for (CLI::App* command : {log, web})
    command->add_option("--deadline", options.deadline_seconds, "Seconds that all of it may take")
        ->check(CLI::Range(1, 86400));
  for (CLI::App* command : {manifest, log, web}) {
    command->add_option("--language", language, "en or fr")->check(CLI::IsMember({"en", "fr"}));
    add_keep_privileges(*command, options);
  }
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return {std::nullopt, status == 0 ? kClean : kUnusable};
  }
  return finish(app, std::move(options), language);
}

}  // namespace alcove::app
