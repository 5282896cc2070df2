// Writes a MaxMind DB file, format 2.0: https://maxmind.github.io/MaxMind-DB/

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <unordered_map>

#include "policy/geo_merge.h"
#include "policy/mmdb_decoder.h"

namespace alcove::policy {
namespace {

// A record of a node while the tree is built: nothing, another node, or data.
struct Record {
  enum class Kind : std::uint8_t { kNothing, kNode, kData };
  Kind kind = Kind::kNothing;
  std::uint32_t index = 0;
  bool operator==(const Record&) const = default;
};
using Node = std::array<Record, 2>;

class Tree {
 public:
  explicit Tree(std::span<const AddressRange> ranges) {
    nodes_.emplace_back();
    const Record left = build(ranges, {}, 1);
    const Record right = build(ranges, AddressKey().with_bit(0), 1);
    nodes_[0] = {left, right};
  }

  std::span<const Node> nodes() const { return nodes_; }

  // What the block leads to.
  Record find(const AddressKey& block, unsigned prefix) const {
    Record record{Record::Kind::kNode, 0};
    for (unsigned bit = 0; bit < prefix && record.kind == Record::Kind::kNode; ++bit)
      record = nodes_[record.index][block.bit(bit)];
    return record;
  }

  // Makes the block lead to target, whatever was there.
  void set(const AddressKey& block, unsigned prefix, const Record& target) {
    std::uint32_t node = 0;
    for (unsigned bit = 0; bit + 1 < prefix; ++bit) {
      const Record below = nodes_[node][block.bit(bit)];
      if (below.kind == Record::Kind::kNode) {
        node = below.index;
        continue;
      }
      const auto added = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back({below, below});
      nodes_[node][block.bit(bit)] = {Record::Kind::kNode, added};
      node = added;
    }
    nodes_[node][block.bit(prefix - 1)] = target;
  }

 private:
  // The record of a block. ranges: sorted, not overlapping. Never deeper than 128.
  Record build(std::span<const AddressRange> ranges, const AddressKey& block, unsigned prefix) {
    const AddressKey last = block.last_of_block(prefix);
    const auto begin = std::ranges::lower_bound(ranges, block, {}, &AddressRange::last);
    const auto end = std::ranges::upper_bound(begin, ranges.end(), last, {}, &AddressRange::first);
    if (begin == end) return {};
    if (begin->first <= block && last <= begin->last) return {Record::Kind::kData, begin->value};
    const std::span<const AddressRange> inside(begin, end);
    const auto index = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
    const Record left = build(inside, block, prefix + 1);
    const Record right = build(inside, block.with_bit(prefix), prefix + 1);
    if (left == right && left.kind != Record::Kind::kNode) {
      nodes_.pop_back();  // two halves of the same: no node is below
      return left;
    }
    nodes_[index] = {left, right};
    return {Record::Kind::kNode, index};
  }

  std::vector<Node> nodes_;
};

class DataWriter {
 public:
  const base::Buffer& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

  void write_map(std::uint32_t entries) { write_control(MmdbType::kMap, entries); }
  void write_array(std::uint32_t entries) { write_control(MmdbType::kArray, entries); }
  void write_boolean(bool value) { write_control(MmdbType::kBoolean, value ? 1 : 0); }
  void write_number(MmdbType type, std::uint64_t value) {
    std::uint32_t length = 0;
    while (length < 8 && value >> (8 * length) != 0) ++length;
    write_control(type, length);
    write_integer(value, length);
  }
  void write_text(std::string_view text) {
    write_control(MmdbType::kString, static_cast<std::uint32_t>(text.size()));
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  // The text, or a pointer to where it was written before.
  void write_shared_text(std::string_view text) {
    if (const auto found = texts_.find(text); found != texts_.end())
      return write_pointer(found->second);
    texts_.emplace(text, size());
    write_text(text);
  }
  void write_pointer(std::size_t target) {
    constexpr std::size_t kBase[] = {0, 2048, 526336};
    constexpr std::size_t kEnd[] = {2048, 526336, std::size_t{1} << 27};
    constexpr unsigned kPointer = 1U << 5;
    for (unsigned length = 1; length <= 3; ++length)
      if (target < kEnd[length - 1]) {
        const std::size_t value = target - kBase[length - 1];
        write_integer(kPointer | (length - 1) << 3 | value >> (8 * length), 1);
        return write_integer(value, length);
      }
    write_integer(kPointer | 3 << 3, 1);
    write_integer(target, 4);
  }

 private:
  void write_integer(std::uint64_t value, unsigned length) {
    for (unsigned i = length; i-- > 0;)
      bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void write_control(MmdbType type, std::uint32_t size) {
    const auto number = static_cast<unsigned>(type);
    unsigned length = 0;
    std::uint32_t more = 0;
    unsigned low = size;
    if (size >= 65821) {
      length = 3, low = 31, more = size - 65821;
    } else if (size >= 285) {
      length = 2, low = 30, more = size - 285;
    } else if (size >= 29) {
      length = 1, low = 29, more = size - 29;
    }
    if (number <= 7) {
      write_integer(number << 5 | low, 1);
    } else {
      write_integer(low, 1);
      write_integer(number - 7, 1);
    }
    write_integer(more, length);
  }

  base::Buffer bytes_;
  std::map<std::string, std::size_t, std::less<>> texts_;
};

class RecordWriter {
 public:
  // Where the record begins in the data.
  std::uint32_t write(const GeoRecord& record) {
    const auto offset = static_cast<std::uint32_t>(data_.size());
    const std::uint32_t entries = (record.country.known() ? 1 : 0) + (record.asn != 0 ? 1 : 0) +
                                  (record.owner.empty() ? 0 : 1) +
                                  (record.owner_country.known() ? 1 : 0) + (record.anycast ? 1 : 0);
    data_.write_map(entries);
    if (record.country.known()) {
      data_.write_shared_text("country");
      write_country(record.country);
    }
    if (record.asn != 0) {
      data_.write_shared_text("autonomous_system_number");
      data_.write_number(MmdbType::kUint32, record.asn);
    }
    if (!record.owner.empty()) {
      data_.write_shared_text("autonomous_system_organization");
      data_.write_shared_text(record.owner);
    }
    if (record.owner_country.known()) {
      data_.write_shared_text("owner_country");
      data_.write_text(record.owner_country.code());
    }
    if (record.anycast) {
      data_.write_shared_text("is_anycast");
      data_.write_boolean(true);
    }
    return offset;
  }
  const base::Buffer& bytes() const { return data_.bytes(); }

 private:
  void write_country(const Country& country) {
    if (const auto found = countries_.find(country); found != countries_.end())
      return data_.write_pointer(found->second);
    countries_.emplace(country, data_.size());
    data_.write_map(1);
    data_.write_shared_text("iso_code");
    data_.write_text(country.code());
  }

  DataWriter data_;
  std::map<Country, std::size_t> countries_;
};

void write_node(base::Buffer& out, unsigned record_size, std::uint64_t left, std::uint64_t right) {
  const auto put = [&](std::uint64_t value, unsigned length) {
    for (unsigned i = length; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  if (record_size == 28) {
    put(left, 3);
    put(left >> 24 << 4 | right >> 24, 1);
    put(right, 3);
  } else {
    put(left, record_size / 8);
    put(right, record_size / 8);
  }
}

base::Buffer write_metadata(std::size_t nodes, unsigned record_size,
                            const MmdbDescription& description) {
  DataWriter data;
  data.write_map(9);
  data.write_text("binary_format_major_version");
  data.write_number(MmdbType::kUint16, 2);
  data.write_text("binary_format_minor_version");
  data.write_number(MmdbType::kUint16, 0);
  data.write_text("build_epoch");
  // MaxMind's library opens no file that was built at 0.
  const std::int64_t epoch = std::max<std::int64_t>(description.build_epoch, 1);
  data.write_number(MmdbType::kUint64, static_cast<std::uint64_t>(epoch));
  data.write_text("database_type");
  data.write_text("Alcove-Country-ASN");
  data.write_text("description");
  data.write_map(1);
  data.write_text("en");
  data.write_text(description.text);
  data.write_text("ip_version");
  data.write_number(MmdbType::kUint16, 6);
  data.write_text("languages");
  data.write_array(0);
  data.write_text("node_count");
  data.write_number(MmdbType::kUint32, nodes);
  data.write_text("record_size");
  data.write_number(MmdbType::kUint16, record_size);
  return data.bytes();
}

void add_aliases(Tree& tree) {
  const Record ipv4 = tree.find({}, 96);
  tree.set({0, 0xffff'0000'0000}, 96, ipv4);
  tree.set({0x0064'ff9b'0000'0000, 0}, 96, ipv4);
  tree.set({0x2001'0000'0000'0000, 0}, 32, ipv4);
  tree.set({0x2002'0000'0000'0000, 0}, 16, ipv4);
}

}  // namespace

base::Result<base::Buffer> write_mmdb(const MergedTables& tables,
                                      const MmdbDescription& description) {
  constexpr std::string_view kMarker = "\xab\xcd\xefMaxMind.com";
  constexpr std::size_t kSeparator = 16;
  Tree tree(tables.ranges);
  add_aliases(tree);
  RecordWriter records;
  std::vector<std::uint32_t> offsets;
  offsets.reserve(tables.records.size());
  for (const GeoRecord& record : tables.records) offsets.push_back(records.write(record));

  const std::span<const Node> nodes = tree.nodes();
  const std::uint64_t greatest = nodes.size() + kSeparator + records.bytes().size();
  const unsigned record_size = greatest < 1U << 24 ? 24 : greatest < 1U << 28 ? 28 : 32;
  if (greatest > UINT32_MAX)
    return base::fail(base::ErrorCode::kInvalidArgument, "the tables are too large for one file");
  const auto number = [&](const Record& record) -> std::uint64_t {
    if (record.kind == Record::Kind::kNode) return record.index;
    if (record.kind == Record::Kind::kNothing) return nodes.size();
    return nodes.size() + kSeparator + offsets[record.index];
  };
  base::Buffer out;
  out.reserve(nodes.size() * (record_size / 4) + records.bytes().size() + 4096);
  for (const Node& node : nodes) write_node(out, record_size, number(node[0]), number(node[1]));
  out.resize(out.size() + kSeparator);
  out.insert(out.end(), records.bytes().begin(), records.bytes().end());
  out.insert(out.end(), kMarker.begin(), kMarker.end());
  const base::Buffer metadata = write_metadata(nodes.size(), record_size, description);
  out.insert(out.end(), metadata.begin(), metadata.end());
  return out;
}

}  // namespace alcove::policy
