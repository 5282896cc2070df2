#include "e2ee/sframe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "base/random.h"
#include "base/text.h"

namespace alcove::e2ee {
namespace {

using base::Buffer;
using base::Bytes;

Buffer hex(std::string text) {
  std::erase(text, ' ');
  return base::from_hex(text).value();
}

struct HeaderCase {
  std::uint64_t key_id = 0;
  std::uint64_t counter = 0;
  Buffer encoded;
};

std::vector<HeaderCase> published_headers() {
  std::ifstream in(std::string(ALCOVE_VECTORS) + "/sframe/rfc9605_headers.txt");
  EXPECT_TRUE(in.good());
  std::vector<HeaderCase> cases;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    HeaderCase c;
    std::string encoded;
    words >> std::hex >> c.key_id >> c.counter >> encoded;
    c.encoded = hex(encoded);
    cases.push_back(c);
  }
  return cases;
}

std::map<std::string, Buffer> published_suite() {
  std::ifstream in(std::string(ALCOVE_VECTORS) + "/sframe/rfc9605_suite4.txt");
  EXPECT_TRUE(in.good());
  std::map<std::string, Buffer> values;
  for (std::string line; std::getline(in, line);) {
    const std::size_t equals = line.find(" = ");
    if (line.starts_with('#') || equals == std::string::npos) continue;
    values[line.substr(0, equals)] = hex(line.substr(equals + 3));
  }
  return values;
}

std::uint64_t number(const Buffer& bytes) { return base::ByteReader(bytes).read_u64().value(); }

TEST(SFrameHeader, WritesAndParsesThePublishedOnes) {
  const std::vector<HeaderCase> cases = published_headers();
  ASSERT_EQ(cases.size(), 289U);
  for (const HeaderCase& c : cases) {
    Buffer out(32);
    base::ByteWriter writer(out);
    write_sframe_header(c.key_id, c.counter, writer);
    ASSERT_TRUE(writer.ok());
    EXPECT_EQ(base::to_buffer(writer.written()), c.encoded);
    EXPECT_EQ(sframe_header_size(c.key_id, c.counter), c.encoded.size());

    Buffer longer = c.encoded;
    longer.push_back(0xee);
    const auto header = parse_sframe_header(longer);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->key_id, c.key_id);
    EXPECT_EQ(header->counter, c.counter);
    EXPECT_EQ(header->size, c.encoded.size());
    for (std::size_t size = 0; size < c.encoded.size(); ++size)
      EXPECT_FALSE(parse_sframe_header(Bytes(c.encoded).first(size)));
  }
}

TEST(SFrameHeader, RefusesLongerEncodingsThanNeeded) {
  for (const char* text :
       {"80 07", "08 07", "80 00", "88 08 07", "90 00 08", "09 00 ff", "f0 00 ffffffffffffff",
        "0f 00 ffffffffffffff", "ff 0123456789abcdef 00"})
    EXPECT_FALSE(parse_sframe_header(hex(text))) << text;
  EXPECT_TRUE(parse_sframe_header(hex("80 08")));
  EXPECT_TRUE(parse_sframe_header(hex("09 01 00")));
}

// What parses writes again as the same bytes.
TEST(SFrameHeader, HasOneEncoding) {
  base::SeededRandom random(1);
  int parsed = 0;
  for (int i = 0; i < 20000; ++i) {
    Buffer bytes(random.below(20));
    random.fill(bytes);
    const auto header = parse_sframe_header(bytes);
    if (!header) continue;
    ++parsed;
    ASSERT_LE(header->size, bytes.size());
    Buffer out(header->size);
    base::ByteWriter writer(out);
    write_sframe_header(header->key_id, header->counter, writer);
    EXPECT_TRUE(writer.ok());
    EXPECT_TRUE(std::equal(out.begin(), out.end(), bytes.begin()));
  }
  EXPECT_GT(parsed, 1000);
}

TEST(SFrameKey, SealsAndOpensThePublishedFrame) {
  std::map<std::string, Buffer> values = published_suite();
  SFrameBaseKey base_key{};
  ASSERT_EQ(values["base_key"].size(), base_key.size());
  std::ranges::copy(values["base_key"], base_key.begin());
  SFrameKey key(base_key, number(values["kid"]));
  EXPECT_EQ(key.key_id(), 0x123U);
  const Buffer& metadata = values["metadata"];
  const Buffer& expected = values["ct"];

  Buffer out(200);
  const auto size = key.seal(number(values["ctr"]), metadata, values["pt"], out);
  ASSERT_EQ(size, expected.size());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), out.begin()));

  const auto header = parse_sframe_header(expected);
  ASSERT_TRUE(header);
  const auto opened = key.open(*header, metadata, expected, out);
  ASSERT_EQ(opened, values["pt"].size());
  EXPECT_TRUE(std::equal(values["pt"].begin(), values["pt"].end(), out.begin()));
  EXPECT_FALSE(key.open(*header, {}, expected, out));
}

TEST(SFrameKey, RefusesWhatWasChanged) {
  const SFrameBaseKey base_key{1, 2, 3};
  SFrameKey key(base_key, 0x71);
  Buffer frame(100);
  const Buffer plaintext(40, 9);
  frame.resize(key.seal(300, {}, plaintext, frame).value());
  ASSERT_EQ(frame.size(), 1U + 1 + 2 + 40 + 16);
  Buffer out(100);
  ASSERT_TRUE(key.open(*parse_sframe_header(frame), {}, frame, out));
  for (std::size_t at = 0; at < frame.size(); ++at) {
    Buffer changed = frame;
    changed[at] ^= 1;
    const auto header = parse_sframe_header(changed);
    EXPECT_FALSE(header && key.open(*header, {}, changed, out)) << at;
  }
  const auto header = *parse_sframe_header(frame);
  for (std::size_t size = header.size; size < frame.size(); ++size)
    EXPECT_FALSE(key.open(header, {}, Bytes(frame).first(size), out)) << size;
  SFrameKey other_id(base_key, 0x72);
  EXPECT_FALSE(other_id.open(header, {}, frame, out));
}

TEST(SFrameKey, WritesOnlyWhatFits) {
  SFrameKey key(SFrameBaseKey{}, 0x71);
  Buffer out(40);
  const std::size_t size = 1 + 1 + 10 + 16;
  EXPECT_FALSE(key.seal(0, {}, Buffer(10), base::MutableBytes(out).first(size - 1)));
  EXPECT_FALSE(key.seal(0, {}, Buffer(10), {}));
  EXPECT_EQ(key.seal(0, {}, Buffer(10), base::MutableBytes(out).first(size)), size);
  const auto header = *parse_sframe_header(out);
  Buffer small(9);
  EXPECT_FALSE(key.open(header, {}, Bytes(out).first(size), small));
}

}  // namespace
}  // namespace alcove::e2ee
