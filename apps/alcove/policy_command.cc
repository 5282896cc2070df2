#include "alcove/policy_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "alcove/candidates.h"
#include "alcove/policy_report.h"
#include "net/resolve_host.h"
#include "net/udp_endpoint.h"
#include "policy/describe.h"

namespace alcove::app {
namespace {

constexpr int kDenied = 1;
constexpr int kUnusable = 2;

// What is to be judged: an address, or a name whose addresses are.
struct Subject {
  std::string what;
  std::string host;
};

// The host of "198.51.100.7", "198.51.100.7:443", "[2001:db8::1]", "[2001:db8::1]:443",
// "a.example".
std::string host_of(const std::string& text) {
  if (base::IpAddress::parse(text)) return text;
  if (const auto address = parse_socket_address(text)) return address->ip.text();
  if (text.size() > 2 && text.starts_with('[') && text.ends_with(']'))
    return text.substr(1, text.size() - 2);
  return text;
}

std::vector<base::IpAddress> expand(const base::IpAddress& address,
                                    const std::vector<base::IpAddress>& interfaces) {
  if (!address.is_unspecified()) return {address};
  std::vector<base::IpAddress> result;
  for (const base::IpAddress& one : interfaces)
    if (one.is_v4() == address.is_v4()) result.push_back(one);
  return result;
}

void add_public_hosts(std::vector<Subject>& subjects, const Config& config) {
  for (const PublicHost& host : config.http.public_hosts) {
    for (const base::IpAddress& address : host.addresses)
      subjects.push_back({fmt::format("house {} {}", host.host, address.text()), address.text()});
    if (host.addresses.empty()) subjects.push_back({"house " + host.host, host.host});
  }
}

// Every endpoint that this configuration would tell people of, or take people's addresses from.
std::vector<Subject> all_subjects(const Config& config) {
  const std::vector<base::IpAddress> interfaces = net::interface_addresses();
  std::vector<Subject> subjects;
  for (const relay::Candidate& candidate : make_candidates(config, interfaces, config.media.listen,
                                                           config.media.port, config.http.listen))
    subjects.push_back(
        {fmt::format("relay {} {}",
                     candidate.protocol == base::TransportProtocol::kUdp ? "udp" : "tcp",
                     candidate.address.text()),
         candidate.address.ip.text()});
  for (const base::SocketAddress& listen : config.http.listen)
    for (const base::IpAddress& address : expand(listen.ip, interfaces))
      subjects.push_back(
          {"http " + base::SocketAddress{address, listen.port}.text(), address.text()});
  add_public_hosts(subjects, config);
  for (const base::IpAddress& proxy : config.http.trusted_proxies)
    subjects.push_back({"trusted proxy " + proxy.text(), proxy.text()});
  return subjects;
}

base::Result<policy::Policy> read_policy(const std::string& path) {
  if (path.empty()) return policy::Policy();
  std::ifstream stream(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return base::fail(base::ErrorCode::kNotFound, "cannot read the policy " + path);
  auto policy = policy::parse_policy(text);
  if (!policy) return base::fail(policy.error().code, path + ": " + policy.error().message);
  return policy;
}

void judge(PolicyReport& report, const Subject& subject, bool resolve, const policy::Policy& policy,
           const policy::GeoDatabase& database) {
  const auto add = [&](const base::IpAddress& address) {
    report.judged.push_back(
        {subject.what, subject.host, policy::decide(policy, database, address)});
  };
  if (const auto address = base::IpAddress::parse(subject.host)) return add(*address);
  if (!resolve) {
    report.not_judged.push_back(subject.what + ": not an address; --resolve looks a name up");
    return;
  }
  const auto addresses = net::resolve_host(subject.host);
  if (!addresses) {
    report.not_judged.push_back(subject.what + ": " + addresses.error().message);
    return;
  }
  for (const base::IpAddress& address : *addresses) add(address);
}

void add_choices(CLI::App& command, std::string& policy_file, std::string& language) {
  command.add_option("--policy", policy_file, "Another policy than policy.file")
      ->option_text("FILE");
  command.add_option("--language", language, "en or fr")
      ->check(CLI::IsMember({"en", "fr"}))
      ->capture_default_str();
}

}  // namespace

PolicyCommand::PolicyCommand(CLI::App& program,
                             const std::function<void(CLI::App&)>& add_config_options) {
  CLI::App* policy = program.add_subcommand("policy", "Where packets may go (docs/policy.md)");
  policy->require_subcommand(1);

  check_ = policy->add_subcommand("check",
                                  "Says which addresses are allowed, and why; exits with "
                                  "1 when one is denied");
  add_config_options(*check_);
  check_->add_option("addresses", addresses_, "Addresses, or names with --resolve")
      ->option_text("ADDRESS ...");
  check_->add_flag("--all", all_, "Every endpoint that the configuration would offer");
  add_choices(*check_, policy_file_, language_);
  check_->add_option("--database", databases_, "Other databases than policy.databases")
      ->option_text("FILE ...")
      ->allow_extra_args(false);
  check_->add_flag("--resolve", resolve_, "Looks names up, and judges each of their addresses");
  check_->add_flag("--json", json_, "For programs");

  show_ = policy->add_subcommand("show", "Says in words what the policy is");
  add_config_options(*show_);
  add_choices(*show_, policy_file_, language_);

  convert_ = policy->add_subcommand("convert", "Makes a database of tables (CSV)");
  convert_
      ->add_option("--tables", tables_.tables,
                   "The node_modules of deploy/geo, or a folder "
                   "with the same files")
      ->option_text("FOLDER");
  const auto add_files = [&](const char* name, std::vector<std::string>& files, const char* what) {
    convert_->add_option(name, files, what)->option_text("FILE ...")->allow_extra_args(false);
  };
  add_files("--location", tables_.locations, "Rows of first address, last address, country");
  add_files("--network", tables_.networks, "Rows of first address, last address, number, name");
  add_files("--registration", tables_.registrations,
            "Rows of first address, last address, country in which the block is registered");
  add_files("--anycast", tables_.anycast, "Rows of a network, such as 198.51.100.0/24");
  convert_->add_option("--date", tables_.date, "When the tables were made: 2026-06-17")
      ->option_text("DAY");
  convert_->add_option("--output", tables_.output, "The database")->option_text("FILE")->required();
}

std::optional<int> PolicyCommand::run_without_config() const {
  if (convert_->parsed()) return convert_tables(tables_);
  return std::nullopt;
}

std::optional<int> PolicyCommand::run(const Config& config) const {
  if (check_->parsed()) return check(config);
  if (show_->parsed()) return show(config);
  return std::nullopt;
}

int PolicyCommand::check(const Config& config) const {
  if (addresses_.empty() && !all_) {
    fmt::print(stderr, "alcove: policy check needs an address, or --all\n");
    return kUnusable;
  }
  const std::string file = policy_file_.empty() ? config.policy.file : policy_file_;
  const base::Result<policy::Policy> policy = read_policy(file);
  const auto database =
      policy::GeoDatabase::open(databases_.empty() ? config.policy.databases : databases_);
  if (!policy || !database) {
    fmt::print(stderr, "alcove: {}\n", policy ? database.error().message : policy.error().message);
    return kUnusable;
  }
  if (policy->needs_database() && (*database)->is_empty())
    fmt::print(stderr, "alcove: the policy needs a database: policy.databases or --database\n");
  std::vector<Subject> subjects;
  for (const std::string& text : addresses_) subjects.push_back({text, host_of(text)});
  if (all_)
    for (Subject& subject : all_subjects(config)) subjects.push_back(std::move(subject));
  PolicyReport report{
      .policy_file = file, .judged = {}, .not_judged = {}, .database = (*database)->id()};
  for (const Subject& subject : subjects) judge(report, subject, resolve_, *policy, **database);
  const Language language = language_ == "fr" ? Language::kFrench : Language::kEnglish;
  fmt::print("{}", json_ ? to_json(report, language) : to_text(report, language));
  if (report.denied() > 0) return kDenied;
  return report.not_judged.empty() ? 0 : kUnusable;
}

int PolicyCommand::show(const Config& config) const {
  const base::Result<policy::Policy> policy =
      read_policy(policy_file_.empty() ? config.policy.file : policy_file_);
  if (!policy) {
    fmt::print(stderr, "alcove: {}\n", policy.error().message);
    return kUnusable;
  }
  for (const std::string& sentence :
       language_ == "fr" ? policy::describe_fr(*policy) : policy::describe_en(*policy))
    fmt::print("{}\n", sentence);
  return 0;
}

}  // namespace alcove::app
