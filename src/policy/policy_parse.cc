// policy.toml (docs/policy.md) into a Policy.

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "policy/country_names.h"
#include "policy/policy.h"

namespace alcove::policy {
namespace {

constexpr std::size_t kMaxFile = 256 << 10;
constexpr std::size_t kMaxProblems = 20;
constexpr std::size_t kMaxShown = 80;
constexpr std::size_t kMaxOwnerName = 256;
constexpr std::size_t kMaxOfferText = 2000;

constexpr std::string_view kMemberStates[] = {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES",
                                              "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
                                              "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"};

// Text of the file in a message: short, and without what moves a terminal's cursor.
std::string shown(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kMaxShown))
    result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return result;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_in_any_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

// " (Germany is DE)" for a country that is written out.
std::string country_hint(std::string_view text) {
  for (const CountryName& name : country_names())
    if (equal_in_any_case(text, name.name_en) || equal_in_any_case(text, name.name_fr))
      return fmt::format(" ({} is {})", name.name_en, name.code);
  if (equal_in_any_case(text, "UK")) return " (the United Kingdom is GB)";
  return "";
}

std::optional<std::uint32_t> parse_asn(std::string_view text) {
  if (text.size() > 2 && equal_in_any_case(text.substr(0, 2), "as")) text.remove_prefix(2);
  std::uint32_t asn = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), asn);
  if (error != std::errc() || end != text.data() + text.size() || asn == 0) return std::nullopt;
  return asn;
}

// Reads one table of the file after another into a Policy, and collects what is wrong.
class Parser {
 public:
  explicit Parser(Policy& policy) : policy_(policy) {}

  void read(const toml::table& root);
  base::Result<void> result() const {
    if (problems_.empty()) return {};
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("{}", fmt::join(problems_, "\n")));
  }

 private:
  using Handler = void (Parser::*)(std::string_view key, const toml::node& node);
  struct Entry {
    std::string_view key;
    Handler handler;
  };

  void add(const toml::node& node, std::string text) {
    add(node.source().begin.line, std::move(text));
  }
  void add(std::size_t line, std::string text) {
    if (problems_.size() < kMaxProblems)
      problems_.push_back(fmt::format("line {}: {}", line, text));
  }
  void read_table(std::string_view section, const toml::table& table,
                  std::span<const Entry> entries);

  // Calls function with every element of a list of texts; a single text is a list of one.
  template <typename Function>
  void each_text(std::string_view key, const toml::node& node, std::string_view what,
                 Function function);
  std::optional<Country> country(std::string_view key, const toml::node& node,
                                 std::string_view text);
  void countries(std::string_view key, const toml::node& node, std::set<Country>& into);
  void networks(std::string_view key, const toml::node& node, std::vector<Network>& into);
  void treatment(std::string_view key, const toml::node& node, Policy::Treatment& into);
  void offer_text(std::string_view key, const toml::node& node, std::string& into);

  void location(std::string_view, const toml::node& node);
  void location_allow(std::string_view key, const toml::node& node) {
    countries(key, node, policy_.allowed_countries);
  }
  void location_deny(std::string_view key, const toml::node& node) {
    countries(key, node, policy_.denied_countries);
  }
  void owner(std::string_view, const toml::node& node);
  void owner_allow(std::string_view key, const toml::node& node) {
    countries(key, node, policy_.allowed_owner_countries);
  }
  void owner_deny(std::string_view key, const toml::node& node) {
    countries(key, node, policy_.denied_owner_countries);
  }
  void owner_deny_asn(std::string_view key, const toml::node& node);
  void owner_deny_name(std::string_view key, const toml::node& node);
  void owner_country_of(std::string_view key, const toml::node& node);
  void addresses(std::string_view, const toml::node& node);
  void addresses_allow(std::string_view key, const toml::node& node) {
    networks(key, node, policy_.allowed_networks);
  }
  void addresses_deny(std::string_view key, const toml::node& node) {
    networks(key, node, policy_.denied_networks);
  }
  void offer(std::string_view, const toml::node& node);
  void offer_deny(std::string_view key, const toml::node& node) {
    countries(key, node, policy_.offer.denied);
  }
  void offer_warn(std::string_view key, const toml::node& node) {
    countries(key, node, policy_.offer.warned);
  }
  void offer_text_en(std::string_view key, const toml::node& node) {
    offer_text(key, node, policy_.offer.text_en);
  }
  void offer_text_fr(std::string_view key, const toml::node& node) {
    offer_text(key, node, policy_.offer.text_fr);
  }
  void unknown(std::string_view key, const toml::node& node) {
    treatment(key, node, policy_.unknown);
  }
  void anycast(std::string_view key, const toml::node& node) {
    treatment(key, node, policy_.anycast);
    policy_.anycast_is_written = true;
  }
  void private_addresses(std::string_view key, const toml::node& node) {
    treatment(key, node, policy_.private_addresses);
  }

  // A section, or a complaint that it is none.
  void section(std::string_view key, const toml::node& node, std::span<const Entry> entries) {
    if (node.is_table()) return read_table(key, *node.as_table(), entries);
    add(node, fmt::format("{} is a section: [{}]", key, key));
  }
  // A country that both lists name would make one of them a lie.
  void check_overlap(std::string_view allow, const std::set<Country>& allowed,
                     std::string_view deny, const std::set<Country>& denied);

  Policy& policy_;
  std::vector<std::string> problems_;
};

void Parser::read(const toml::table& root) {
  static constexpr Entry kTop[] = {
      {"location", &Parser::location},        {"owner", &Parser::owner},
      {"addresses", &Parser::addresses},      {"offer", &Parser::offer},
      {"unknown", &Parser::unknown},          {"anycast", &Parser::anycast},
      {"private", &Parser::private_addresses}};
  read_table("", root, kTop);
  check_overlap("location.allow", policy_.allowed_countries, "location.deny",
                policy_.denied_countries);
  check_overlap("owner.allow", policy_.allowed_owner_countries, "owner.deny",
                policy_.denied_owner_countries);
  check_overlap("offer.warn", policy_.offer.warned, "offer.deny", policy_.offer.denied);
}

void Parser::read_table(std::string_view section, const toml::table& table,
                        std::span<const Entry> entries) {
  for (const auto& [name, node] : table) {
    const std::string key =
        section.empty() ? std::string(name.str()) : fmt::format("{}.{}", section, name.str());
    const auto entry = std::ranges::find(entries, name.str(), &Entry::key);
    if (entry != entries.end()) {
      (this->*entry->handler)(key, node);
      continue;
    }
    std::vector<std::string_view> allowed;
    for (const Entry& one : entries) allowed.push_back(one.key);
    add(name.source().begin.line,
        fmt::format("there is no key \"{}\"; {} has {}", shown(key),
                    section.empty() ? "the file" : section, fmt::join(allowed, ", ")));
  }
}

void Parser::location(std::string_view key, const toml::node& node) {
  static constexpr Entry kEntries[] = {{"allow", &Parser::location_allow},
                                       {"deny", &Parser::location_deny}};
  section(key, node, kEntries);
}

void Parser::owner(std::string_view key, const toml::node& node) {
  static constexpr Entry kEntries[] = {{"allow", &Parser::owner_allow},
                                       {"deny", &Parser::owner_deny},
                                       {"deny_asn", &Parser::owner_deny_asn},
                                       {"deny_name", &Parser::owner_deny_name},
                                       {"country_of", &Parser::owner_country_of}};
  section(key, node, kEntries);
}

void Parser::addresses(std::string_view key, const toml::node& node) {
  static constexpr Entry kEntries[] = {{"allow", &Parser::addresses_allow},
                                       {"deny", &Parser::addresses_deny}};
  section(key, node, kEntries);
}

void Parser::offer(std::string_view key, const toml::node& node) {
  static constexpr Entry kEntries[] = {{"deny", &Parser::offer_deny},
                                       {"warn", &Parser::offer_warn},
                                       {"text_en", &Parser::offer_text_en},
                                       {"text_fr", &Parser::offer_text_fr}};
  section(key, node, kEntries);
}

template <typename Function>
void Parser::each_text(std::string_view key, const toml::node& node, std::string_view what,
                       Function function) {
  if (const auto text = node.value_exact<std::string>()) return function(node, *text);
  const toml::array* list = node.as_array();
  if (list == nullptr) return add(node, fmt::format("{} must be a list of {}", key, what));
  for (const toml::node& element : *list) {
    if (const auto text = element.value_exact<std::string>())
      function(element, *text);
    else
      add(element, fmt::format("{} must be a list of {}", key, what));
  }
}

std::optional<Country> Parser::country(std::string_view key, const toml::node& node,
                                       std::string_view text) {
  const std::optional<Country> result = Country::parse(text);
  if (!result)
    add(node, fmt::format("{}: \"{}\" is not a country{}; write the two letters of ISO 3166, such "
                          "as \"DE\"",
                          key, shown(text), country_hint(text)));
  return result;
}

void Parser::countries(std::string_view key, const toml::node& node, std::set<Country>& into) {
  each_text(key, node, "countries, such as [\"DE\", \"FR\"]",
            [&](const toml::node& where, std::string_view text) {
              const std::optional<Country> one = country(key, where, text);
              if (!one) return;
              into.insert(*one);
              if (one->code() != "EU") return;
              for (const std::string_view state : kMemberStates)
                into.insert(*Country::parse(state));
            });
}

void Parser::networks(std::string_view key, const toml::node& node, std::vector<Network>& into) {
  each_text(key, node, "networks, such as [\"198.51.100.0/24\"]",
            [&](const toml::node& where, std::string_view text) {
              if (const auto network = parse_network(text)) return into.push_back(*network);
              add(where, fmt::format("{}: \"{}\" is not a network such as 198.51.100.0/24 or "
                                     "2001:db8::/32, with zeros behind the prefix",
                                     key, shown(text)));
            });
}

void Parser::treatment(std::string_view key, const toml::node& node, Policy::Treatment& into) {
  const auto text = node.value_exact<std::string>();
  if (text == "allow")
    into = Policy::Treatment::kAllow;
  else if (text == "deny")
    into = Policy::Treatment::kDeny;
  else
    add(node, fmt::format("{} must be \"allow\" or \"deny\"", key));
}

void Parser::offer_text(std::string_view key, const toml::node& node, std::string& into) {
  const auto text = node.value_exact<std::string>();
  const bool fits =
      text && text->size() <= kMaxOfferText && std::ranges::none_of(*text, [](unsigned char c) {
        return (c < 0x20 && c != '\n') || c == 0x7f;
      });
  if (fits)
    into = *text;
  else
    add(node, fmt::format("{} must be a text of at most {} bytes", key, kMaxOfferText));
}

void Parser::owner_deny_asn(std::string_view key, const toml::node& node) {
  const auto one = [&](const toml::node& element) {
    std::optional<std::uint32_t> asn;
    if (const auto text = element.value_exact<std::string>()) asn = parse_asn(*text);
    if (const auto number = element.value_exact<std::int64_t>();
        number && *number > 0 && *number <= 0xffff'ffff)
      asn = static_cast<std::uint32_t>(*number);
    if (asn)
      policy_.denied_asns.insert(*asn);
    else
      add(element, fmt::format("{} must be a list of network numbers, such as [64500]", key));
  };
  if (!node.is_array()) return one(node);
  for (const toml::node& element : *node.as_array()) one(element);
}

void Parser::owner_deny_name(std::string_view key, const toml::node& node) {
  each_text(key, node, "parts of names", [&](const toml::node& where, const std::string& text) {
    const bool blank = text.find_first_not_of(" \t\r\n") == std::string::npos;
    if (blank || text.size() > kMaxOwnerName)
      return add(where, fmt::format("{}: a part of a name has 1 to {} bytes and not only spaces",
                                    key, kMaxOwnerName));
    policy_.denied_owner_names.push_back(text);
  });
}

void Parser::owner_country_of(std::string_view key, const toml::node& node) {
  if (!node.is_table())
    return add(node, fmt::format("{} must be a table, such as {{ \"64500\" = \"DE\" }}", key));
  for (const auto& [name, value] : *node.as_table()) {
    const auto asn = parse_asn(name.str());
    if (!asn) {
      add(name.source().begin.line,
          fmt::format("{}: \"{}\" is not a network number", key, shown(name.str())));
      continue;
    }
    const auto text = value.value_exact<std::string>();
    if (!text)
      add(value, fmt::format("{}.{} must be a country, such as \"DE\"", key, *asn));
    else if (const auto owner_country = country(fmt::format("{}.{}", key, *asn), value, *text))
      policy_.owner_country_of[*asn] = *owner_country;
  }
}

void Parser::check_overlap(std::string_view allow, const std::set<Country>& allowed,
                           std::string_view deny, const std::set<Country>& denied) {
  for (const Country& one : allowed)
    if (denied.contains(one) && problems_.size() < kMaxProblems)
      problems_.push_back(fmt::format("{} and {} both name {}", allow, deny, one.code()));
}

}  // namespace

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = base::IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned bits = address->is_v4() ? 32 : 128;
  Network network{.address = *address, .prefix = bits};
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), network.prefix);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    // ::ffff:198.51.100.0/120 is 198.51.100.0/24.
    if (address->is_v4() && text.contains(':')) {
      if (network.prefix < 96) return std::nullopt;
      network.prefix -= 96;
    }
  }
  if (network.prefix > bits) return std::nullopt;
  const base::Bytes bytes = address->bytes();
  for (unsigned bit = network.prefix; bit < bits; ++bit)
    if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  return network;
}

base::Result<Policy> parse_policy(std::string_view toml) {
  if (toml.size() > kMaxFile)
    return base::fail(base::ErrorCode::kInvalidArgument, "the policy is longer than 256 KiB");
  toml::table root;
  try {
    root = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    return base::fail(
        base::ErrorCode::kInvalidArgument,
        fmt::format("line {}: {}", error.source().begin.line, shown(error.description())));
  }
  Policy policy;
  Parser parser(policy);
  parser.read(root);
  if (const auto result = parser.result(); !result) return std::unexpected(result.error());
  policy.text = toml;
  return policy;
}

}  // namespace alcove::policy
