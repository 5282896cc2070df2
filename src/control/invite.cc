#include "control/invite.h"

#include "crypto/hash.h"

namespace alcove::control {

std::string make_invite_code(base::RandomSource& random) {
  // Crockford's alphabet: no I, L, O, U.
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  constexpr int kCharacters = 20;
  std::string code;
  for (int i = 0; i < kCharacters; ++i) {
    if (i != 0 && i % 5 == 0) code.push_back('-');
    code.push_back(kAlphabet[random.below(static_cast<std::uint32_t>(kAlphabet.size()))]);
  }
  return code;
}

store::Hash hash_invite_code(std::string_view code) {
  std::string plain;
  for (const char c : code) {
    if (c == ' ' || c == '-') continue;
    plain.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return crypto::sha256(base::as_bytes(plain));
}

}  // namespace alcove::control
