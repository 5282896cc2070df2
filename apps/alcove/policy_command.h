#pragma once
// `alcove policy check`, `alcove policy show` and `alcove policy convert`: their options, and what
// they do.

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "alcove/config.h"
#include "alcove/policy_convert.h"

namespace alcove::app {

class PolicyCommand {
 public:
  // add_config_options gives a command the options that name a configuration.
  PolicyCommand(CLI::App& program, const std::function<void(CLI::App&)>& add_config_options);
  PolicyCommand(const PolicyCommand&) = delete;
  PolicyCommand& operator=(const PolicyCommand&) = delete;

  // The exit status of a command that needs no configuration; nullopt: it was not asked for.
  std::optional<int> run_without_config() const;
  // The same of one that does.
  std::optional<int> run(const Config& config) const;

 private:
  int check(const Config& config) const;
  int show(const Config& config) const;

  CLI::App* convert_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* show_ = nullptr;
  PolicyConvert tables_;
  std::vector<std::string> addresses_;
  std::vector<std::string> databases_;
  std::string policy_file_;
  std::string language_ = "en";
  bool all_ = false;
  bool resolve_ = false;
  bool json_ = false;
};

}  // namespace alcove::app
