#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/text.h"
#include "client/duration_text.h"
#include "client/identity_file.h"
#include "client/verify_input.h"

namespace alcove::app {

using base::ErrorCode;
using base::Result;

namespace {

constexpr int kUsage = static_cast<int>(client::ExitStatus::kUsage);
constexpr int kVerifyUnusable = 2;
constexpr std::size_t kMaxName = 40;
constexpr std::size_t kMaxTitle = 80;
constexpr std::size_t kMaxPassword = 4096;

struct Texts {
  std::string link;
  std::string server;
  std::string kind = "open";
  std::string stay;
  std::string password_file;
  std::string log_file;
  bool udp_only = false;
  bool tcp_only = false;
  client::LoadTexts load;
  LoadHostOptions load_host;
  std::string html_file;
};

void add_egress(CLI::App& command, EgressOptions& egress) {
  command.add_option("--policy", egress.policy_file,
                     "Your own policy (docs/policy.md): nothing goes to what it denies");
  command.add_option("--geo-database", egress.geo_databases,
                     "Database of countries and owners for --policy (.mmdb); may be repeated");
  command.add_option("--ca-file", egress.authorities_file,
                     "PEM file with the authorities to trust in place of the system's");
}

void add_new_key(CLI::App& command, EgressOptions& egress) {
  command.add_flag("--accept-new-manifest-key", egress.accept_new_manifest_key,
                   "Go on although the server's manifest has another key than before");
}

void add_common(CLI::App& command, Options& options, Texts& texts) {
  client::MemberOptions& member = options.member;
  command.add_option("--speak", options.speak,
                     "Speak this file (WAV, FLAC, Ogg Opus), - for raw s16le 48 kHz mono from "
                     "standard input, or tone for a test tone");
  command.add_flag("--loop", member.media.loop, "Begin the file again when it ends");
  command.add_option("--record", options.record,
                     "Record what is heard: OUT.wav, OUT.ogg or OUT.opus");
  command.add_option("--for", texts.stay, "Leave so long after joining: 30s, 5m, 1h");
  command.add_flag("--json", options.json, "Print one event a line as JSON");
  command.add_flag("--raise-hand", member.raise_hand, "Raise a hand after joining");
  command.add_flag("--accept", member.accept_invitations, "Accept invitations to the stage");
  command.add_flag("--invite-all", member.invite_all,
                   "As a moderator, invite everybody who raises a hand");
  auto* udp = command.add_flag("--udp-only", texts.udp_only, "Never use TCP for sound");
  command.add_flag("--tcp-only", texts.tcp_only, "Never use UDP for sound")->excludes(udp);
  command.add_option("--identity", options.identity_file,
                     "File with your identity key on this device, made if it is not there");
  command.add_option("--export-log", member.export_log,
                     "Write the room's log there at the end, for verify --log");
  command.add_option("--key-log", options.key_log_file,
                     "For audits: write this visit's keys there, one a line. Keep it to yourself");
  command.add_option("--relay-view", options.relay_view_file,
                     "For audits: write each payload received as it left SRTP, as a relay has it");
  command.add_option("--password-file", texts.password_file,
                     "File whose first line is the password");
  add_egress(command, options.egress);
  add_new_key(command, options.egress);
  command.add_option("--tls-key-log", options.egress.tls_key_log_file,
                     "For audits: add the secrets of this visit's TLS and DTLS sessions to this "
                     "file (NSS key log format). Keep it to yourself");
  command.add_flag("--send-anyway", member.send_anyway)->group("");  // for tests, not in the help
}

void add_load(CLI::App& app, Options& options, Texts& texts) {
  CLI::App* load =
      app.add_subcommand("load", "Many listeners in a room, for measuring a server (docs/load.md)");
  load->add_option(
          "LINK", texts.load.link,
          "http(s)://host[:port]/r/…#…; with --username the server, where a room is started")
      ->required();
  load->add_option("--members", texts.load.members, "How many members")->capture_default_str();
  load->add_option("--rate", texts.load.rate, "Joins a second")->capture_default_str();
  load->add_option("--seconds", texts.load.seconds, "How long to measure when all have come")
      ->capture_default_str();
  load->add_option("--profile", texts.load.profile,
                   "steady: all come and stay. flash: --already listen when the others come. "
                   "churn: members leave and others come all the time")
      ->capture_default_str();
  load->add_option("--already", texts.load.already, "Of a flash: how many listen before it");
  load->add_option("--sample", texts.load.sample, "Members that decrypt every frame")
      ->capture_default_str();
  LoadHostOptions& host = texts.load_host;
  auto* username = load->add_option("--username", host.username,
                                    "Start a room with this account, which speaks and lets in");
  load->add_option("--password-file", host.password_file,
                   "File whose first line is the account's password")
      ->needs(username);
  load->add_option("--title", host.title, "Of that room")->needs(username);
  load->add_option("--speak", host.speak, "What the account speaks: a file, or tone")
      ->needs(username)
      ->capture_default_str();
  load->add_flag("--json", options.json, "Print the figures as JSON");
  load->add_option("--html", texts.html_file, "Write a report with plots there");
  add_egress(*load, options.egress);
  add_new_key(*load, options.egress);
}

void add_commands(CLI::App& app, Options& options, Texts& texts) {
  client::MemberOptions& member = options.member;
  CLI::App* join = app.add_subcommand("join", "Join a room by its link");
  join->add_option("LINK", texts.link, "http(s)://host[:port]/r/…")->required();
  join->add_option("--name", member.name, "Your name, as a guest");
  join->add_option("--username", member.username, "Your account, in place of a guest's name");
  add_common(*join, options, texts);
  CLI::App* start = app.add_subcommand("start", "Start a room, print its link, and join it");
  start->add_option("SERVER", texts.server, "https://host[:port]")->required();
  start->add_option("--title", member.title, "The room's title")->required();
  start->add_option("--kind", texts.kind, "open, social or closed")
      ->check(CLI::IsMember({"open", "social", "closed"}));
  start->add_option("--username", member.username, "Your account")->required();
  start->add_option("--name", member.name, "Not used: an account has its own name")->group("");
  add_common(*start, options, texts);
  CLI::App* verify = app.add_subcommand(
      "verify", "Check a room's log from outside, or an exported one without a network");
  auto* link = verify->add_option("LINK", texts.link, "http(s)://host[:port]/r/…#…");
  verify->add_option("--log", texts.log_file, "A log that a member exported")->excludes(link);
  verify->add_flag("--json", options.json, "Print the report as JSON, an event a line");
  add_egress(*verify, options.egress);
  add_load(app, options, texts);
  app.require_subcommand(1);
}

Result<std::string> read_password(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line) || line.size() > kMaxPassword)
    return base::fail(ErrorCode::kInvalidArgument, path + " cannot be read, or holds no password.");
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::string trimmed(std::string text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  text.erase(0, std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

bool is_text_of(const std::string& text, std::size_t longest) {
  return base::is_utf8(text) && !text.empty() && base::count_code_points(text) <= longest;
}

Result<void> complete_account(Options& options, const Texts& texts) {
  client::MemberOptions& member = options.member;
  if (member.username.empty()) {
    // As the server does: the name in the certificate must be the session's.
    member.name = trimmed(std::move(member.name));
    if (!is_text_of(member.name, kMaxName))
      return base::fail(ErrorCode::kInvalidArgument, "--name is needed: 1 to 40 characters.");
    if (texts.password_file.empty()) return {};
    return base::fail(ErrorCode::kInvalidArgument, "--password-file needs --username.");
  }
  if (texts.password_file.empty())
    return base::fail(ErrorCode::kInvalidArgument, "--username needs --password-file.");
  Result<std::string> password = read_password(texts.password_file);
  if (!password) return std::unexpected(password.error());
  member.password = std::move(*password);
  return {};
}

Result<void> complete_fragment(const client::RoomLink& link, client::MemberOptions& member) {
  if (link.fragment.empty()) return {};
  const auto fragment = roomlog::parse_link_fragment(link.fragment);
  if (!fragment)
    return base::fail(
        ErrorCode::kInvalidArgument,
        "What follows # in the link is not complete, and it proves the room: copy the "
        "whole link again.");
  member.fragment = *fragment;
  return {};
}

Result<void> complete_verify(Options& options, const Texts& texts) {
  Verify verify;
  verify.log_file = texts.log_file;
  if (texts.log_file.empty()) {
    Result<client::RoomLink> link = client::parse_verify_link(texts.link);
    if (!link) return std::unexpected(link.error());
    // The same check as for a join; the fragment is read again where it is used.
    if (Result<void> fragment = complete_fragment(*link, options.member); !fragment)
      return fragment;
    options.member.server = link->server;
    verify.link = std::move(*link);
  }
  options.verify = std::move(verify);
  return {};
}

Result<void> complete_load(Options& options, const Texts& texts) {
  LoadCommand command;
  command.egress = options.egress;
  command.html_file = texts.html_file;
  command.json = options.json;
  if (texts.load_host.username.empty()) {
    Result<client::LoadOptions> load = client::make_load_options(texts.load);
    if (!load) return std::unexpected(load.error());
    command.options = *std::move(load);
  } else {
    const Result<client::LoadPlan> plan = client::make_load_plan(texts.load);
    if (!plan) return std::unexpected(plan.error());
    if (texts.load_host.password_file.empty())
      return base::fail(ErrorCode::kInvalidArgument, "--username needs --password-file.");
    command.options.plan = *plan;
    command.host = texts.load_host;
    command.host.server = texts.load.link;
    command.host.egress = options.egress;
  }
  command.options.french = options.member.french;
  options.load = std::move(command);
  return {};
}

Result<void> complete(Options& options, const Texts& texts, bool starts) {
  client::MemberOptions& member = options.member;
  if (starts) {
    Result<client::ServerAddress> server = client::parse_server_address(texts.server);
    if (!server) return std::unexpected(server.error());
    member.server = std::move(*server);
    if (!is_text_of(member.title, kMaxTitle))
      return base::fail(ErrorCode::kInvalidArgument, "--title has 1 to 80 characters.");
    member.kind = texts.kind == "closed"   ? v1::ROOM_KIND_CLOSED
                  : texts.kind == "social" ? v1::ROOM_KIND_SOCIAL
                                           : v1::ROOM_KIND_OPEN;
  } else {
    Result<client::RoomLink> link = client::parse_room_link(texts.link);
    if (!link) return std::unexpected(link.error());
    if (Result<void> fragment = complete_fragment(*link, member); !fragment) return fragment;
    member.server = std::move(link->server);
    member.room = link->room;
  }
  if (Result<void> account = complete_account(options, texts); !account) return account;
  member.media.use_udp = !texts.tcp_only;
  member.media.use_tcp = !texts.udp_only;
  if (texts.stay.empty()) return {};
  const std::optional<base::Duration> stay = client::parse_duration(texts.stay);
  if (!stay)
    return base::fail(ErrorCode::kInvalidArgument,
                      "--for takes a duration, such as 30s, 5m or 1h.");
  member.stay = *stay;
  return {};
}

// The first of these that is set says the language (POSIX, section 8.2).
bool is_french() {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != 0) return std::string_view(value).starts_with("fr");
  }
  return false;
}

}  // namespace

ParsedOptions parse_options(int count, char** arguments) {
  CLI::App app("Alcove's client without a window: listens, speaks and moderates in a room.",
               "alcove-client");
  app.footer(
      "Exit status: 0 well; 1 usage; 2 refused; 3 no connection; 4 no sound; 5 removed, or the "
      "room ended; 6 the server's manifest has another key; 7 the server led to where its manifest "
      "or your policy does not allow. Of verify: 0 verified; 1 not; 2 unusable or unreachable.");
  Options options;
  Texts texts;
  add_commands(app, options, texts);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    const bool verifies = app.got_subcommand("verify");
    return {std::nullopt, app.exit(error) == 0 ? 0 : verifies ? kVerifyUnusable : kUsage};
  }
  options.member.french = is_french();
  options.egress.data_directory =
      client::data_directory(std::getenv("XDG_DATA_HOME"), std::getenv("HOME"));
  const Result<void> completed = app.got_subcommand("verify") ? complete_verify(options, texts)
                                 : app.got_subcommand("load")
                                     ? complete_load(options, texts)
                                     : complete(options, texts, app.got_subcommand("start"));
  if (!completed) {
    fmt::print(stderr, "alcove-client: {}\n", completed.error().message);
    return {std::nullopt, app.got_subcommand("verify") ? kVerifyUnusable : kUsage};
  }
  return {std::move(options), 0};
}

}  // namespace alcove::app
