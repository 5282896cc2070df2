// RFC 5769, and what becomes of its messages when they are damaged.

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "vectors.h"
#include "wire/stun.h"

namespace alcove::wire {
namespace {

const base::Bytes kPassword = base::as_bytes("VOkJxbRl1RmTxUk/WvJxBt");
constexpr TransactionId kTransaction = {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
                                        0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};
constexpr const char* kRequest = "stun/rfc5769_2_1_request.hex";
constexpr const char* kResponseV4 = "stun/rfc5769_2_2_response_v4.hex";
constexpr const char* kResponseV6 = "stun/rfc5769_2_3_response_v6.hex";

TEST(StunVectors, Request) {
  const base::Buffer bytes = read_hex(kRequest);
  const auto message = parse_stun(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, StunClass::kRequest);
  EXPECT_EQ(message->method, kStunBinding);
  EXPECT_EQ(message->transaction, kTransaction);
  EXPECT_EQ(message->software, "STUN test client");
  EXPECT_EQ(message->username, "evtj:h6vY");
  EXPECT_EQ(message->priority, 0x6e0001ffU);
  EXPECT_EQ(message->ice_controlled, 0x932ff9b151263b36U);
  EXPECT_FALSE(message->ice_controlling);
  EXPECT_FALSE(message->use_candidate);
  EXPECT_TRUE(message->not_understood.empty());
  EXPECT_TRUE(message->has_fingerprint);
  EXPECT_TRUE(check_integrity(*message, kPassword, crypto::hmac_sha1));
  EXPECT_FALSE(check_integrity(*message, kPassword.first(21), crypto::hmac_sha1));
}

void expect_response(const char* name, const char* address) {
  const base::Buffer bytes = read_hex(name);
  const auto message = parse_stun(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, StunClass::kSuccess);
  EXPECT_EQ(message->method, kStunBinding);
  EXPECT_EQ(message->transaction, kTransaction);
  EXPECT_EQ(message->software, "test vector");
  ASSERT_TRUE(message->xor_mapped_address);
  EXPECT_EQ(message->xor_mapped_address->text(), address);
  EXPECT_TRUE(message->has_fingerprint);
  EXPECT_TRUE(check_integrity(*message, kPassword, crypto::hmac_sha1));
}

TEST(StunVectors, ResponseV4) { expect_response(kResponseV4, "192.0.2.1:32853"); }

TEST(StunVectors, ResponseV6) {
  expect_response(kResponseV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

class StunDamage : public testing::TestWithParam<const char*> {};

TEST_P(StunDamage, TruncatedAnywhereIsRefused) {
  const base::Buffer bytes = read_hex(GetParam());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of its own, so that a sanitizer sees a read behind it.
    const base::Buffer part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(parse_stun(part).error(), ParseError::kTruncated) << size;
  }
}

TEST_P(StunDamage, TruncatedWithAFittingLengthHasNoValidIntegrity) {
  const base::Buffer bytes = read_hex(GetParam());
  for (std::size_t size = kStunHeaderSize; size < bytes.size(); size += 4) {
    base::Buffer part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    part[2] = 0;
    part[3] = static_cast<std::uint8_t>(size - kStunHeaderSize);
    const auto message = parse_stun(part);
    // Without FINGERPRINT alone the message is still whole: that is the only cut that is accepted.
    const bool is_whole = size == bytes.size() - 8;
    const bool is_authentic = message && check_integrity(*message, kPassword, crypto::hmac_sha1);
    EXPECT_EQ(is_authentic, is_whole) << size;
  }
}

TEST_P(StunDamage, AnyFlippedBitIsRefused) {
  const base::Buffer bytes = read_hex(GetParam());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    base::Buffer damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto message = parse_stun(damaged);
    if (!message) continue;
    // Only damage that makes FINGERPRINT disappear passes the parser: its own type, or a length
    // that swallows it. Integrity then fails, unless what it covers is untouched.
    EXPECT_FALSE(message->has_fingerprint) << bit;
    if (bit / 8 >= bytes.size() - 8) continue;
    EXPECT_FALSE(check_integrity(*message, kPassword, crypto::hmac_sha1)) << bit;
  }
}

TEST_P(StunDamage, AppendedBytesAreRefused) {
  base::Buffer bytes = read_hex(GetParam());
  bytes.push_back(0);
  EXPECT_EQ(parse_stun(bytes).error(), ParseError::kBadLength);
}

INSTANTIATE_TEST_SUITE_P(Rfc5769, StunDamage, testing::Values(kRequest, kResponseV4, kResponseV6),
                         [](const auto& test) {
                           return std::string(1, static_cast<char>('a' + test.index));
                         });

}  // namespace
}  // namespace alcove::wire
