#include "wire/stun.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "crypto/hash.h"
#include "vectors.h"

namespace alcove::wire {
namespace {

const base::Bytes kPassword = base::as_bytes("0123456789012345678901");
constexpr TransactionId kTransaction = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

// A message with the given attributes in hexadecimal behind a right header.
base::Buffer with_attributes(const std::string& digits) {
  const base::Buffer attributes = from_digits(digits);
  base::Buffer bytes = from_digits("0001 0000 2112a442 0102030405060708090a0b0c");
  bytes[2] = static_cast<std::uint8_t>(attributes.size() >> 8);
  bytes[3] = static_cast<std::uint8_t>(attributes.size());
  bytes.insert(bytes.end(), attributes.begin(), attributes.end());
  return bytes;
}

TEST(Stun, RequestRoundTrip) {
  std::array<std::uint8_t, 256> buffer{};
  StunWriter writer(buffer);
  writer.begin(StunClass::kRequest, kStunBinding, kTransaction);
  writer.add_username("relay:client");
  writer.add_priority(0x7effffff);
  writer.add_ice_controlling(0x0123456789abcdef);
  writer.add_use_candidate();
  writer.add_integrity(kPassword, crypto::hmac_sha1);
  writer.add_fingerprint();
  const base::Bytes bytes = writer.finish();
  ASSERT_FALSE(bytes.empty());
  const auto message = parse_stun(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, StunClass::kRequest);
  EXPECT_EQ(message->username, "relay:client");
  EXPECT_EQ(message->priority, 0x7effffffU);
  EXPECT_EQ(message->ice_controlling, 0x0123456789abcdefU);
  EXPECT_TRUE(message->use_candidate);
  EXPECT_TRUE(message->has_fingerprint);
  EXPECT_TRUE(check_integrity(*message, kPassword, crypto::hmac_sha1));
  EXPECT_FALSE(check_integrity(*message, base::as_bytes("other"), crypto::hmac_sha1));
}

TEST(Stun, ErrorRoundTrip) {
  std::array<std::uint8_t, 256> buffer{};
  StunWriter writer(buffer);
  writer.begin(StunClass::kError, kStunBinding, kTransaction);
  writer.add_error_code(420, "Unknown Attribute");
  const std::array<std::uint16_t, 3> types = {0x0015, 0x0014, 0x7abc};
  writer.add_unknown_attributes(types);
  writer.add_software("");
  const auto message = parse_stun(writer.finish());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, StunClass::kError);
  ASSERT_TRUE(message->error);
  EXPECT_EQ(message->error->code, 420);
  EXPECT_EQ(message->error->reason, "Unknown Attribute");
  EXPECT_TRUE(std::ranges::equal(message->unknown_attributes, types));
  EXPECT_EQ(message->software, "");
  EXPECT_FALSE(message->has_fingerprint);
  EXPECT_EQ(message->integrity_offset, 0U);
  EXPECT_FALSE(check_integrity(*message, kPassword, crypto::hmac_sha1));
}

TEST(Stun, EveryClassAndMethod) {
  for (std::uint16_t method = 0; method <= 0xfff; method += 0x2f) {
    for (const StunClass message_class :
         {StunClass::kRequest, StunClass::kIndication, StunClass::kSuccess, StunClass::kError}) {
      std::array<std::uint8_t, 20> buffer{};
      StunWriter writer(buffer);
      writer.begin(message_class, method, kTransaction);
      const auto message = parse_stun(writer.finish());
      ASSERT_TRUE(message);
      EXPECT_EQ(message->message_class, message_class);
      EXPECT_EQ(message->method, method);
    }
  }
}

TEST(Stun, AddressesOfBothFamilies) {
  for (const char* text : {"198.51.100.7", "2001:db8::1", "::1", "0.0.0.0", "255.255.255.255"}) {
    const base::SocketAddress address{base::IpAddress::parse(text).value(), 65535};
    std::array<std::uint8_t, 100> buffer{};
    StunWriter writer(buffer);
    writer.begin(StunClass::kSuccess, kStunBinding, kTransaction);
    writer.add_mapped_address(address);
    writer.add_xor_mapped_address(address);
    const auto message = parse_stun(writer.finish());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->mapped_address, address);
    EXPECT_EQ(message->xor_mapped_address, address);
  }
}

TEST(Stun, AnySmallerBufferGivesNothing) {
  std::array<std::uint8_t, 200> buffer{};
  const auto write = [&](std::size_t space) {
    StunWriter writer(base::MutableBytes(buffer).first(space));
    writer.begin(StunClass::kRequest, kStunBinding, kTransaction);
    writer.add_username("abcd:efgh");
    writer.add_integrity(kPassword, crypto::hmac_sha1);
    writer.add_fingerprint();
    return writer.finish().size();
  };
  const std::size_t size = write(buffer.size());
  ASSERT_GT(size, 0U);
  for (std::size_t space = 0; space < size; ++space) EXPECT_EQ(write(space), 0U) << space;
  EXPECT_EQ(write(size), size);
}

TEST(Stun, UnknownRequiredAttributesAreListedAndBounded) {
  const base::Buffer bytes = with_attributes("0015 0001 41000000  c001 0000  0024 0004 00000001");
  const auto message = parse_stun(bytes);
  ASSERT_TRUE(message);
  ASSERT_EQ(message->not_understood.size(), 1U);
  EXPECT_EQ(message->not_understood[0], 0x0015);
  EXPECT_EQ(message->priority, 1U);

  std::string many;
  for (int i = 0; i < 100; ++i) many += "00150000";
  const base::Buffer flood = with_attributes(many);
  const auto flooded = parse_stun(flood);
  ASSERT_TRUE(flooded);
  EXPECT_EQ(flooded->not_understood.size(), kMaxUnknownAttributes);
}

TEST(Stun, TheFirstOfTwoCounts) {
  const base::Buffer bytes = with_attributes("0024 0004 00000001  0024 0004 00000002");
  const auto message = parse_stun(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->priority, 1U);
}

TEST(Stun, WhatFollowsIntegrityIsIgnored) {
  std::array<std::uint8_t, 200> buffer{};
  StunWriter writer(buffer);
  writer.begin(StunClass::kRequest, kStunBinding, kTransaction);
  writer.add_username("a:b");
  writer.add_integrity(kPassword, crypto::hmac_sha1);
  writer.add_use_candidate();  // an attacker's addition
  writer.add_priority(7);
  const auto message = parse_stun(writer.finish());
  ASSERT_TRUE(message);
  EXPECT_TRUE(check_integrity(*message, kPassword, crypto::hmac_sha1));
  EXPECT_FALSE(message->use_candidate);
  EXPECT_FALSE(message->priority);
}

struct BadCase {
  const char* name;
  const char* attributes;
  ParseError error;
};

class StunBad : public testing::TestWithParam<BadCase> {};

TEST_P(StunBad, IsRefused) {
  const base::Buffer bytes = with_attributes(GetParam().attributes);
  const auto message = parse_stun(bytes);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error(), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, StunBad,
    testing::Values(
        BadCase{"ValueBehindTheEnd", "0006 0005 41424344", ParseError::kBadLength},
        BadCase{"HugeValue", "0006 ffff 41424344", ParseError::kBadLength},
        BadCase{"ShortPriority", "0024 0003 00000100", ParseError::kBadAttribute},
        BadCase{"LongPriority", "0024 0008 0000010000000100", ParseError::kBadAttribute},
        BadCase{"ShortTieBreaker", "802a 0004 00000001", ParseError::kBadAttribute},
        BadCase{"UseCandidateWithValue", "0025 0004 00000001", ParseError::kBadAttribute},
        BadCase{"ShortIntegrity", "0008 0010 00000000000000000000000000000000",
                ParseError::kBadAttribute},
        BadCase{"AddressFamily", "0020 0008 00030000 00000000", ParseError::kBadAttribute},
        BadCase{"AddressTooLong", "0020 000c 00010000 0000000000000000", ParseError::kBadAttribute},
        BadCase{"AddressTooShort", "0001 0003 00010000", ParseError::kBadAttribute},
        BadCase{"ErrorBelow300", "0009 0004 00000263", ParseError::kBadAttribute},
        BadCase{"ErrorNumber100", "0009 0004 00000464", ParseError::kBadAttribute},
        BadCase{"OddTypeList", "000a 0003 00140000", ParseError::kBadAttribute},
        BadCase{"WrongFingerprint", "8028 0004 00000000", ParseError::kBadFingerprint},
        BadCase{"LongFingerprint", "8028 0008 0000000000000000", ParseError::kBadFingerprint}),
    [](const auto& test) { return test.param.name; });

TEST(Stun, BadHeaders) {
  base::Buffer bytes = with_attributes("");
  const auto error_with = [&](std::size_t offset, std::uint8_t value) {
    base::Buffer damaged = bytes;
    damaged[offset] = value;
    return parse_stun(damaged).error();
  };
  EXPECT_EQ(error_with(0, 0x40), ParseError::kBadMagic);
  EXPECT_EQ(error_with(0, 0x80), ParseError::kBadMagic);
  EXPECT_EQ(error_with(4, 0x22), ParseError::kBadMagic);
  EXPECT_EQ(error_with(3, 2), ParseError::kBadLength);
  EXPECT_EQ(error_with(3, 4), ParseError::kTruncated);
  bytes.resize(kMaxStunMessage + 1);
  EXPECT_EQ(parse_stun(bytes).error(), ParseError::kTooLong);
}

TEST(Stun, FingerprintMustBeLast) {
  std::array<std::uint8_t, 200> buffer{};
  StunWriter writer(buffer);
  writer.begin(StunClass::kRequest, kStunBinding, kTransaction);
  writer.add_fingerprint();
  writer.add_priority(1);
  // The length has changed since, so the fingerprint is wrong in any case.
  EXPECT_EQ(parse_stun(writer.finish()).error(), ParseError::kBadFingerprint);
}

TEST(Stun, RandomBytesBehindARightHeader) {
  base::SeededRandom random(7);
  for (int round = 0; round < 20'000; ++round) {
    base::Buffer bytes(kStunHeaderSize + std::size_t{4} * random.below(20));
    random.fill(bytes);
    bytes[0] &= 0x3f;
    bytes[2] = 0;
    bytes[3] = static_cast<std::uint8_t>(bytes.size() - kStunHeaderSize);
    bytes[4] = 0x21;
    bytes[5] = 0x12;
    bytes[6] = 0xa4;
    bytes[7] = 0x42;
    const auto message = parse_stun(bytes);
    if (!message) continue;
    EXPECT_FALSE(check_integrity(*message, kPassword, crypto::hmac_sha1));
  }
}

}  // namespace
}  // namespace alcove::wire
