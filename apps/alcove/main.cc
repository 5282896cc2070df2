// The server program: what the command line asks for, and the configuration for it.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>

#include "alcove/config.h"
#include "alcove/invite_command.h"
#include "alcove/manifest_command.h"
#include "alcove/policy_command.h"
#include "alcove/serve.h"
#include "crypto/random.h"
#include "net/clock.h"

namespace alcove::app {
namespace {

constexpr int kUsageError = 2;

struct Arguments {
  std::string config_file;
  std::vector<std::string> listen;
  std::vector<std::string> settings;
  std::int64_t invite_uses = 1;
  std::string invite_expires = "7d";
};

base::Result<void> apply_file(Config& config, const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return base::fail(base::ErrorCode::kNotFound, "cannot read " + path);
  return apply_toml(config, text, path);
}

std::vector<std::pair<std::string, std::string>> environment() {
  std::vector<std::pair<std::string, std::string>> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      result.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

base::Result<void> apply_flags(Config& config, const Arguments& arguments) {
  if (!arguments.listen.empty()) {
    const auto applied =
        apply_setting(config, "http.listen", fmt::format("{}", fmt::join(arguments.listen, ",")));
    if (!applied) return base::fail(applied.error().code, "--listen: " + applied.error().message);
  }
  for (const std::string& setting : arguments.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos)
      return base::fail(base::ErrorCode::kInvalidArgument, "--set needs KEY=VALUE");
    const auto applied =
        apply_setting(config, setting.substr(0, equals), setting.substr(equals + 1));
    if (!applied) return base::fail(applied.error().code, "--set: " + applied.error().message);
  }
  return {};
}

base::Result<Config> load_config(const Arguments& arguments) {
  Config config;
  std::string file = arguments.config_file;
  if (const char* named = std::getenv("ALCOVE_CONFIG"); file.empty() && named != nullptr)
    file = named;
  base::Result<void> step;
  if (!file.empty()) step = apply_file(config, file);
  if (step) step = apply_environment(config, environment());
  if (step) step = apply_flags(config, arguments);
  if (step) step = check(config);
  if (!step) return std::unexpected(step.error());
  return config;
}

void add_config_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--config", arguments.config_file, "TOML file (docs/configuration.md)")
      ->option_text("FILE");
  command.add_option("--set", arguments.settings, "Sets any key of the configuration")
      ->option_text("KEY=VALUE ...")
      ->allow_extra_args(false);
}

int create_invite(const Config& config, const Arguments& arguments) {
  const auto seconds = parse_duration_seconds(arguments.invite_expires);
  if (!seconds) {
    fmt::print(stderr, "alcove: --expires needs a duration such as 12h or 7d\n");
    return kUsageError;
  }
  return create_invite(config, arguments.invite_uses, *seconds);
}

CLI::App* add_serve_command(CLI::App& program, Arguments& arguments) {
  CLI::App* command = program.add_subcommand("serve", "Runs the server");
  add_config_options(*command, arguments);
  command->add_option("--listen", arguments.listen, "Address of the page and the API (http.listen)")
      ->option_text("ADDRESS:PORT ...")
      ->allow_extra_args(false);
  return command;
}

int run(int count, char** values) {
  CLI::App program("Alcove: drop-in audio that only the people in the room can hear.", "alcove");
  program.set_version_flag("--version", "alcove " ALCOVE_VERSION);
  program.require_subcommand(1);
  Arguments arguments;

  CLI::App* serve_command = add_serve_command(program, arguments);

  CLI::App* invite = program.add_subcommand("invite", "Invite codes for registration");
  invite->require_subcommand(1);
  CLI::App* create = invite->add_subcommand("create", "Makes a code and prints it");
  add_config_options(*create, arguments);
  create->add_option("--uses", arguments.invite_uses, "How many accounts it makes")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000}))
      ->capture_default_str();
  create->add_option("--expires", arguments.invite_expires, "How long it is valid: 12h, 7d, 4w")
      ->capture_default_str();

  CLI::App* manifest = program.add_subcommand("manifest", "What the server promises");
  manifest->require_subcommand(1);
  CLI::App* show = manifest->add_subcommand("show", "Prints the manifest as last signed");
  CLI::App* rotate = manifest->add_subcommand(
      "rotate-key", "Makes a new key, named by the old one; while the server does not run");
  for (CLI::App* command : {show, rotate}) add_config_options(*command, arguments);

  PolicyCommand policy(program, [&](CLI::App& command) { add_config_options(command, arguments); });

  CLI::App* configuration = program.add_subcommand("config", "The configuration");
  configuration->require_subcommand(1);
  CLI::App* check_command =
      configuration->add_subcommand("check", "Says what is wrong with it, and exits with 2 then");
  add_config_options(*check_command, arguments);

  try {
    program.parse(count, values);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : kUsageError;
  }
  if (const auto status = policy.run_without_config()) return *status;
  const base::Result<Config> config = load_config(arguments);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().message);
    return kUsageError;
  }
  if (*serve_command) return serve(*config);
  if (*create) return create_invite(*config, arguments);
  if (const auto status = policy.run(*config)) return *status;
  if (*show) return show_manifest(*config);
  if (*rotate) {
    crypto::SystemRandom random;
    return rotate_manifest_key(*config, random, net::wall_now().time_since_epoch().count());
  }
  fmt::print("The configuration is fine.\n");
  return 0;
}

}  // namespace
}  // namespace alcove::app

int main(int count, char** values) {
  try {
    return alcove::app::run(count, values);
  } catch (const std::exception& error) {
    fmt::print(stderr, "alcove: {}\n", error.what());
    return 1;
  }
}
