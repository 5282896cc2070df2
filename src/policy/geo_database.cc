#include "policy/geo_database.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "policy/mmdb_reader.h"

namespace alcove::policy {
namespace {

constexpr std::uintmax_t kMaxFile = 1U << 30;
constexpr std::size_t kMaxFiles = 16;

std::string date_of(std::uint64_t epoch) {
  constexpr std::uint64_t kYear10000 = 253'402'300'800;
  if (epoch == 0 || epoch >= kYear10000) return "";
  const std::chrono::sys_days day{std::chrono::days(epoch / 86'400)};
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

base::Result<base::Buffer> read_file(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error)
    return base::fail(base::ErrorCode::kNotFound, fmt::format("cannot read the database {}", path));
  if (size > kMaxFile)
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("the database {} is larger than 1 GiB", path));
  base::Buffer bytes(size);
  std::ifstream stream(path, std::ios::binary);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!stream || static_cast<std::uintmax_t>(stream.gcount()) != size)
    return base::fail(base::ErrorCode::kNotFound, fmt::format("cannot read the database {}", path));
  return bytes;
}

// The first that knows a part gives it. A network and its name belong together.
void merge(GeoRecord& record, GeoRecord&& further) {
  if (!record.country.known()) record.country = further.country;
  if (record.asn == 0) record.asn = further.asn;
  if (record.owner.empty() && (further.asn == 0 || further.asn == record.asn))
    record.owner = std::move(further.owner);
  if (!record.owner_country.known() && (further.asn == 0 || further.asn == record.asn))
    record.owner_country = further.owner_country;
  record.anycast = record.anycast || further.anycast;
}

}  // namespace

class GeoDatabase::Implementation {
 public:
  // Held in memory, not mapped: a file that is replaced in place would end the process.
  struct File {
    std::string name;
    base::Buffer bytes;
  };

  base::Result<void> add(File file) {
    files_.push_back(std::move(file));
    const File& kept = files_.back();
    const auto reader = MmdbReader::parse(kept.bytes);
    if (!reader)
      return base::fail(base::ErrorCode::kInvalidArgument,
                        fmt::format("cannot use the database {}: {}", kept.name, reader.error()));
    readers_.push_back(*reader);
    return {};
  }

  void finish() {
    std::uint64_t epoch = 0;
    base::Buffer hashes;
    for (const File& file : files_) {
      if (!id_.name.empty()) id_.name += ", ";
      id_.name += std::filesystem::path(file.name).filename().string();
      id_.sha256 = crypto::sha256(file.bytes);
      hashes.insert(hashes.end(), id_.sha256.begin(), id_.sha256.end());
    }
    for (const MmdbReader& reader : readers_)
      epoch = std::max(epoch, reader.metadata().build_epoch);
    if (files_.size() > 1) id_.sha256 = crypto::sha256(hashes);
    id_.date = date_of(epoch);
  }

  const Id& id() const { return id_; }
  bool is_empty() const { return readers_.empty(); }
  GeoRecord find(const base::IpAddress& address) const {
    GeoRecord record;
    for (const MmdbReader& reader : readers_) merge(record, reader.find(address));
    return record;
  }

 private:
  std::vector<File> files_;  // a moved vector keeps its bytes in place: readers point into them
  std::vector<MmdbReader> readers_;
  Id id_;
};

GeoDatabase::GeoDatabase(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
GeoDatabase::~GeoDatabase() = default;

base::Result<std::unique_ptr<GeoDatabase>> GeoDatabase::open(
    const std::vector<std::string>& paths) {
  if (paths.size() > kMaxFiles)
    return base::fail(base::ErrorCode::kInvalidArgument, "more than 16 databases");
  auto implementation = std::make_unique<Implementation>();
  for (const std::string& path : paths) {
    base::Result<base::Buffer> bytes = read_file(path);
    if (!bytes) return std::unexpected(bytes.error());
    const auto added = implementation->add({path, std::move(*bytes)});
    if (!added) return std::unexpected(added.error());
  }
  implementation->finish();
  return std::unique_ptr<GeoDatabase>(new GeoDatabase(std::move(implementation)));
}

base::Result<std::unique_ptr<GeoDatabase>> GeoDatabase::parse(std::string name, base::Buffer file) {
  auto implementation = std::make_unique<Implementation>();
  const auto added = implementation->add({std::move(name), std::move(file)});
  if (!added) return std::unexpected(added.error());
  implementation->finish();
  return std::unique_ptr<GeoDatabase>(new GeoDatabase(std::move(implementation)));
}

std::unique_ptr<GeoDatabase> GeoDatabase::empty() {
  return std::unique_ptr<GeoDatabase>(new GeoDatabase(std::make_unique<Implementation>()));
}

const GeoDatabase::Id& GeoDatabase::id() const { return implementation_->id(); }
bool GeoDatabase::is_empty() const { return implementation_->is_empty(); }
GeoRecord GeoDatabase::find(const base::IpAddress& address) const {
  return implementation_->find(address);
}

}  // namespace alcove::policy
