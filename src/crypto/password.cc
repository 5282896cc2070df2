#include "crypto/password.h"

#include <argon2.h>

#include <array>
#include <charconv>
#include <optional>

namespace alcove::crypto {
namespace {

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kHashSize = 32;
constexpr std::size_t kMaxEncoded = 256;
// A hash comes from our own store, but a damaged one must not take the machine's memory.
constexpr std::uint32_t kMaxMemoryKib = 1 << 20;
constexpr std::uint32_t kMaxIterations = 64;
constexpr std::uint32_t kMaxParallelism = 16;

bool within_limits(const PasswordCost& cost) {
  return cost.parallelism >= 1 && cost.parallelism <= kMaxParallelism && cost.iterations >= 1 &&
         cost.iterations <= kMaxIterations && cost.memory_kib >= 8 * cost.parallelism &&
         cost.memory_kib <= kMaxMemoryKib;
}

// Takes label and the number after it off the front of text.
std::optional<std::uint32_t> take_number(std::string_view& text, std::string_view label) {
  if (!text.starts_with(label)) return std::nullopt;
  text.remove_prefix(label.size());
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<PasswordCost> parse_cost(std::string_view encoded) {
  if (encoded.size() > kMaxEncoded || encoded.find('\0') != std::string_view::npos)
    return std::nullopt;
  const std::optional<std::uint32_t> version = take_number(encoded, "$argon2id$v=");
  const std::optional<std::uint32_t> memory = take_number(encoded, "$m=");
  const std::optional<std::uint32_t> iterations = take_number(encoded, ",t=");
  const std::optional<std::uint32_t> parallelism = take_number(encoded, ",p=");
  if (version != ARGON2_VERSION_13 || !memory || !iterations || !parallelism ||
      !encoded.starts_with('$'))
    return std::nullopt;
  const PasswordCost cost{*memory, *iterations, *parallelism};
  if (!within_limits(cost)) return std::nullopt;
  return cost;
}

}  // namespace

std::string hash_password(std::string_view password, base::RandomSource& random,
                          PasswordCost cost) {
  CHECK(within_limits(cost));
  const std::array<std::uint8_t, kSaltSize> salt = random.bytes<kSaltSize>();
  std::array<char, kMaxEncoded> encoded{};
  CHECK(argon2id_hash_encoded(cost.iterations, cost.memory_kib, cost.parallelism, password.data(),
                              password.size(), salt.data(), salt.size(), kHashSize, encoded.data(),
                              encoded.size()) == ARGON2_OK);
  return encoded.data();
}

bool verify_password(std::string_view encoded, std::string_view password) {
  if (!parse_cost(encoded)) return false;
  return argon2id_verify(std::string(encoded).c_str(), password.data(), password.size()) ==
         ARGON2_OK;
}

bool needs_rehash(std::string_view encoded, PasswordCost cost) {
  const std::optional<PasswordCost> used = parse_cost(encoded);
  return !used || used->memory_kib != cost.memory_kib || used->iterations != cost.iterations ||
         used->parallelism != cost.parallelism;
}

}  // namespace alcove::crypto
