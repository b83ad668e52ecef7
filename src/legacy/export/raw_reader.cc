#include "legacy/export/raw_reader.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace reeve::legacy {
namespace {

class PlainFile final : public RawReader {
 public:
  explicit PlainFile(std::unique_ptr<ByteReader> file) : file_(std::move(file)) {}
  Result<size_t> Read(char* buffer, size_t size) override { return file_->Read(buffer, size); }

 private:
  const std::unique_ptr<ByteReader> file_;
};

// Reads the gzip framing (RFC 1952) itself and lets zlib do bare deflate only.
class GzipFile final : public RawReader {
 public:
  GzipFile(std::unique_ptr<ByteReader> file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  ~GzipFile() override {
    if (inflating_) inflateEnd(&deflated_);
  }
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;

  Result<size_t> Read(char* buffer, size_t size) override {
    for (;;) {
      if (!inflating_) {
        REEVE_ASSIGN(const bool member, StartMember());
        if (!member) return size_t{0};
      }
      if (deflated_.avail_in == 0) REEVE_TRY(Need("compressed data"));
      deflated_.next_out = reinterpret_cast<Bytef*>(buffer);
      deflated_.avail_out = static_cast<uInt>(std::min<size_t>(size, 1U << 30));
      const uInt room = deflated_.avail_out;
      const int code = inflate(&deflated_, Z_SYNC_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return Bad("valid deflate data");
      const size_t made = room - deflated_.avail_out;
      crc_ = static_cast<uint32_t>(crc32(crc_, reinterpret_cast<const Bytef*>(buffer), static_cast<uInt>(made)));
      length_ += static_cast<uint32_t>(made);
      if (code == Z_STREAM_END) REEVE_TRY(EndMember());
      if (made > 0) return made;
    }
  }

 private:
  Unexpected Bad(std::string_view expected) const {
    return Fail(Code::kFailed, "{}: not a whole gzip file: expected {} near byte {} (member {})", path_, expected,
                offset_ - deflated_.avail_in, members_ + 1);
  }

  // False at the end of the file.
  Result<bool> Refill() {
    REEVE_ASSIGN(const size_t count, file_->Read(reinterpret_cast<char*>(input_.data()), input_.size()));
    deflated_.next_in = input_.data();
    deflated_.avail_in = static_cast<uInt>(count);
    offset_ += count;
    return count > 0;
  }

  Result<> Need(std::string_view what) {
    REEVE_ASSIGN(const bool more, Refill());
    if (!more) return Bad(what);
    return {};
  }

  Result<uint8_t> Byte(std::string_view what) {
    if (deflated_.avail_in == 0) REEVE_TRY(Need(what));
    const uint8_t byte = *deflated_.next_in++;
    --deflated_.avail_in;
    crc_ = static_cast<uint32_t>(crc32(crc_, &byte, 1));
    return byte;
  }

  Result<uint32_t> LittleEndian(int bytes, std::string_view what) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      REEVE_ASSIGN(const uint8_t byte, Byte(what));
      value |= uint32_t{byte} << (8 * i);
    }
    return value;
  }

  Result<> SkipText(std::string_view what) {
    for (;;) {
      REEVE_ASSIGN(const uint8_t byte, Byte(what));
      if (byte == 0) return {};
    }
  }

  // Reads a member's header; false at the end of the file after at least one member.
  Result<bool> StartMember() {
    if (deflated_.avail_in == 0) {
      REEVE_ASSIGN(const bool more, Refill());
      if (!more && members_ > 0) return false;
      if (!more) return Bad("a gzip header");
    }
    crc_ = 0;
    REEVE_ASSIGN(const uint32_t magic, LittleEndian(3, "a gzip header"));
    if (magic != 0x088b1f) return Bad("a gzip header (1f 8b 08)");
    REEVE_ASSIGN(const uint8_t flags, Byte("a gzip header"));
    if ((flags & 0xE0) != 0) return Bad("a gzip header without reserved flags");
    for (int i = 0; i < 6; ++i) REEVE_TRY(Byte("a gzip header"));
    if ((flags & 4) != 0) {
      REEVE_ASSIGN(const uint32_t extra, LittleEndian(2, "a gzip header"));
      for (uint32_t i = 0; i < extra; ++i) REEVE_TRY(Byte("a gzip header"));
    }
    if ((flags & 8) != 0) REEVE_TRY(SkipText("a gzip file name"));
    if ((flags & 16) != 0) REEVE_TRY(SkipText("a gzip comment"));
    const uint32_t header_crc = crc_ & 0xFFFF;
    if ((flags & 2) != 0) {
      REEVE_ASSIGN(const uint32_t stated, LittleEndian(2, "a gzip header checksum"));
      if (stated != header_crc) return Bad("the checksum of the gzip header");
    }
    if (inflateInit2(&deflated_, -15) != Z_OK) return Fail(Code::kFailed, "{}: zlib does not start", path_);
    inflating_ = true;
    crc_ = 0;
    length_ = 0;
    return true;
  }

  Result<> EndMember() {
    inflateEnd(&deflated_);
    inflating_ = false;
    const uint32_t data_crc = crc_;
    REEVE_ASSIGN(const uint32_t crc, LittleEndian(4, "a gzip checksum"));
    REEVE_ASSIGN(const uint32_t length, LittleEndian(4, "a gzip length"));
    if (crc != data_crc) return Bad("the checksum of the data");
    if (length != length_) return Bad("the length of the data");
    ++members_;
    return {};
  }

  const std::unique_ptr<ByteReader> file_;
  const std::string path_;
  std::array<unsigned char, 64 * 1024> input_;
  z_stream deflated_{};
  bool inflating_ = false;
  uint32_t crc_ = 0;     // of the header while it is read, then of the data
  uint32_t length_ = 0;  // of the data
  uint64_t members_ = 0;
  uint64_t offset_ = 0;
};

}  // namespace

Result<std::unique_ptr<RawReader>> OpenRawFile(Files& files, const std::string& path, bool gzip) {
  REEVE_ASSIGN(std::unique_ptr<ByteReader> file, files.Open(path));
  if (gzip) return std::make_unique<GzipFile>(std::move(file), path);
  return std::make_unique<PlainFile>(std::move(file));
}

}  // namespace reeve::legacy
