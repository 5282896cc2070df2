#include "client/ogg_opus_writer.h"

#include <ogg/ogg.h>

#include <algorithm>
#include <string_view>

namespace alcove::client {

using base::Bytes;
using base::ErrorCode;
using base::Result;

namespace {

constexpr int kFramesPerPage = 50;

void append(base::Buffer& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

void append_little_endian(base::Buffer& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// RFC 7845, section 5.1, mapping family 0.
base::Buffer identification_header(std::uint32_t pre_skip) {
  base::Buffer out;
  append(out, "OpusHead");
  out.push_back(1);  // version
  out.push_back(1);  // channels
  append_little_endian(out, pre_skip, 2);
  append_little_endian(out, kSampleRate, 4);
  append_little_endian(out, 0, 2);  // gain
  out.push_back(0);                 // mapping family
  return out;
}

// RFC 7845, section 5.2: a vendor and no comment.
base::Buffer comment_header() {
  constexpr std::string_view kVendor = "alcove-client";
  base::Buffer out;
  append(out, "OpusTags");
  append_little_endian(out, kVendor.size(), 4);
  append(out, kVendor);
  append_little_endian(out, 0, 4);
  return out;
}

}  // namespace

struct OggOpusWriter::Stream {
  explicit Stream(std::uint32_t serial) {
    CHECK(ogg_stream_init(&state, static_cast<int>(serial)) == 0);
  }
  ~Stream() { ogg_stream_clear(&state); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ogg_stream_state state{};
};

OggOpusWriter::OggOpusWriter(std::string path, std::uint32_t serial)
    : path_(std::move(path)),
      file_(path_, std::ios::binary | std::ios::trunc),
      stream_(std::make_unique<Stream>(serial)),
      pre_skip_(encoder_.lookahead()) {}

Result<std::unique_ptr<AudioSink>> OggOpusWriter::create(const std::string& path,
                                                         std::uint32_t serial) {
  std::unique_ptr<OggOpusWriter> writer(new OggOpusWriter(path, serial));
  if (!writer->file_) return base::fail(ErrorCode::kUnavailable, path + " cannot be created.");
  // Each of the two headers has pages of its own (RFC 7845, section 3).
  writer->write_packet(identification_header(static_cast<std::uint32_t>(writer->pre_skip_)), 0,
                       true, false);
  writer->write_pages(true);
  writer->write_packet(comment_header(), 0, false, false);
  writer->write_pages(true);
  if (Result<void> written = writer->result(); !written) return std::unexpected(written.error());
  return writer;
}

OggOpusWriter::~OggOpusWriter() { [[maybe_unused]] const Result<void> nobody_is_told = finish(); }

Result<void> OggOpusWriter::write(std::span<const std::int16_t> samples) {
  if (finished_) return base::fail(ErrorCode::kUnavailable, path_ + " is closed.");
  written_ += static_cast<std::int64_t>(samples.size());
  while (!samples.empty()) {
    if (frame_size_ == frame_.size()) write_frame(false);
    const std::size_t count = std::min(samples.size(), frame_.size() - frame_size_);
    std::copy_n(samples.begin(), count, frame_.begin() + static_cast<std::ptrdiff_t>(frame_size_));
    frame_size_ += count;
    samples = samples.subspan(count);
  }
  return result();
}

void OggOpusWriter::write_frame(bool last) {
  std::fill(frame_.begin() + static_cast<std::ptrdiff_t>(frame_size_), frame_.end(),
            std::int16_t{0});
  frame_size_ = 0;
  encoded_ += static_cast<std::int64_t>(frame_.size());
  // The granule position counts samples with the pre-skip; on the last page, only those to be
  // played.
  const std::int64_t granule = last ? pre_skip_ + written_ : encoded_;
  write_packet(encoder_.encode(frame_), granule, false, last);
  if (++frames_in_page_ < kFramesPerPage && !last) return;
  frames_in_page_ = 0;
  write_pages(true);
}

void OggOpusWriter::write_packet(Bytes packet, std::int64_t granule, bool first, bool last) {
  ogg_packet out{};
  out.packet = const_cast<unsigned char*>(packet.data());  // libogg copies and does not write
  out.bytes = static_cast<long>(packet.size());
  out.b_o_s = first ? 1 : 0;
  out.e_o_s = last ? 1 : 0;
  out.granulepos = granule;
  out.packetno = packets_++;
  CHECK(ogg_stream_packetin(&stream_->state, &out) == 0);
  write_pages(false);
}

void OggOpusWriter::write_pages(bool flush) {
  ogg_page page{};
  while ((flush ? ogg_stream_flush(&stream_->state, &page)
                : ogg_stream_pageout(&stream_->state, &page)) != 0) {
    file_.write(reinterpret_cast<const char*>(page.header), page.header_len);
    file_.write(reinterpret_cast<const char*>(page.body), page.body_len);
  }
  if (flush) file_.flush();
}

Result<void> OggOpusWriter::finish() {
  if (finished_) return {};
  finished_ = true;
  while (encoded_ + static_cast<std::int64_t>(frame_.size()) < pre_skip_ + written_)
    write_frame(false);
  write_frame(true);
  const Result<void> written = result();
  file_.close();
  return written;
}

Result<void> OggOpusWriter::result() const {
  if (file_) return {};
  return base::fail(ErrorCode::kUnavailable, path_ + " cannot be written: is the disk full?");
}

}  // namespace alcove::client
