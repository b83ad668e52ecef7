#include "legacy/export/gzip_source.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace reeve::legacy {
namespace {

constexpr size_t kInputBytes = 128 * 1024;
constexpr int kGzipWindow = 15 + 16;  // largest window, gzip header and trailer
constexpr size_t kStepMax = std::numeric_limits<uInt>::max() / 2;

class GzipSource final : public ByteReader {
 public:
  GzipSource(std::unique_ptr<ByteReader> compressed, std::string path)
      : compressed_(std::move(compressed)), path_(std::move(path)), input_(new unsigned char[kInputBytes]) {}
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  Result<> Init() {
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK) return Fail(Code::kFailed, "{}: zlib does not start", path_);
    ready_ = true;
    return {};
  }

  Result<size_t> Read(char* buffer, size_t size) override {
    const uInt room = static_cast<uInt>(std::min(size, kStepMax));
    stream_.next_out = reinterpret_cast<Bytef*>(buffer);
    stream_.avail_out = room;
    while (stream_.avail_out == room) {
      REEVE_ASSIGN(const bool more, HaveInput());
      if (!more) return size_t{0};
      REEVE_TRY(Inflate());
    }
    return size_t{room - stream_.avail_out};
  }

 private:
  // True if there is input to inflate, false at a proper end.
  Result<bool> HaveInput() {
    if (stream_.avail_in == 0) {
      REEVE_ASSIGN(const size_t count, compressed_->Read(reinterpret_cast<char*>(input_.get()), kInputBytes));
      stream_.next_in = input_.get();
      stream_.avail_in = static_cast<uInt>(count);
      compressed_bytes_ += count;
      if (count == 0 && compressed_bytes_ == 0)
        return FailWithHint(Code::kFailed, fmt::format("{}: empty file; expected a gzip header (1f 8b)", path_),
                            "export the table again; even no rows make a .gz of 20 bytes");
      if (count == 0 && inside_)
        return FailWithHint(Code::kFailed,
                            fmt::format("{}: truncated gzip: the file ends after {} bytes inside member {}; expected the "
                                        "rest of its data and its checksum",
                                        path_, compressed_bytes_, members_ + 1),
                            "copy or export the file again");
      if (count == 0) return false;
    }
    if (!inside_) {
      inflateReset(&stream_);
      inside_ = true;
    }
    return true;
  }

  Result<> Inflate() {
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      inside_ = false;
      ++members_;
      return {};
    }
    if (code == Z_OK || code == Z_BUF_ERROR) return {};
    const uint64_t offset = compressed_bytes_ - stream_.avail_in;
    const char* reason = stream_.msg != nullptr ? stream_.msg : "not a gzip member";
    return FailWithHint(Code::kFailed,
                        fmt::format("{}: damaged gzip near byte {}: {}; expected {}", path_, offset, reason,
                                    members_ == 0 ? "one or more gzip members" : "another gzip member or the end of the file"),
                        "copy or export the file again; a file that is not compressed must not be named .gz");
  }

  const std::unique_ptr<ByteReader> compressed_;
  const std::string path_;
  const std::unique_ptr<unsigned char[]> input_;
  z_stream stream_{};
  bool ready_ = false;
  bool inside_ = false;  // a member has begun and not ended
  uint64_t members_ = 0;
  uint64_t compressed_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<ByteReader>> OpenGzip(std::unique_ptr<ByteReader> compressed, std::string path) {
  auto source = std::make_unique<GzipSource>(std::move(compressed), std::move(path));
  REEVE_TRY(source->Init());
  return source;
}

std::string GzipCompress(std::string_view text) {
  z_stream stream{};
  REEVE_ASSERT(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out;
  std::unique_ptr<unsigned char[]> block(new unsigned char[kInputBytes]);
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    if (stream.avail_in == 0) {
      const std::string_view step = text.substr(0, kStepMax);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(step.data()));
      stream.avail_in = static_cast<uInt>(step.size());
      text.remove_prefix(step.size());
    }
    stream.next_out = block.get();
    stream.avail_out = kInputBytes;
    code = deflate(&stream, text.empty() ? Z_FINISH : Z_NO_FLUSH);
    REEVE_ASSERT(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR);
    out.append(reinterpret_cast<char*>(block.get()), kInputBytes - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

}  // namespace reeve::legacy
