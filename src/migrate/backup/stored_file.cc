#include "migrate/backup/stored_file.h"

#include <memory>

#include "base/encoding.h"
#include "crypto/sealed_file.h"

namespace reeve::migrate {
namespace {

constexpr int kFileMode = 0600;
constexpr size_t kReadBytes = 256 * 1024;

struct FileMeter {
  crypto::Sha256 hash;
  uint64_t size = 0;
};

// `digests` with those of the file; without a meter the file is the content.
Digests WithFile(Digests digests, FileMeter* file) {
  digests.file_bytes = file != nullptr ? file->size : digests.bytes;
  digests.file_sha256 = file != nullptr ? HexEncode(file->hash.Finish()) : digests.sha256;
  return digests;
}

// Digests what passes on its way into a file.
class MeteredFile final : public AppendFile {
 public:
  explicit MeteredFile(AppendFile& file) : file_(file) {}
  Result<> Append(std::string_view bytes) override {
    meter.hash.Update(bytes);
    meter.size += bytes.size();
    return file_.Append(bytes);
  }
  Result<> Sync() override { return file_.Sync(); }
  Result<> Truncate(uint64_t) override { return Fail(Code::kFailed, "a backup file only grows"); }
  uint64_t Size() const override { return meter.size; }

  FileMeter meter;

 private:
  AppendFile& file_;
};

// Digests what passes on its way out of a file.
class MeteredReader final : public ByteReader {
 public:
  MeteredReader(std::unique_ptr<ByteReader> file, FileMeter* meter) : file_(std::move(file)), meter_(meter) {}
  Result<size_t> Read(char* buffer, size_t size) override {
    REEVE_ASSIGN(const size_t count, file_->Read(buffer, size));
    meter_->hash.Update({buffer, count});
    meter_->size += count;
    return count;
  }

 private:
  const std::unique_ptr<ByteReader> file_;
  FileMeter* const meter_;
};

}  // namespace

void ContentMeter::Add(std::string_view piece) {
  hash_.Update(piece);
  bytes_ += piece.size();
  while (!piece.empty()) {
    const size_t newline = piece.find('\n');
    const std::string_view line = piece.substr(0, newline);
    if (!line_has_content_) line_has_content_ = line.find_first_not_of(" \t\r") != std::string_view::npos;
    if (newline == std::string_view::npos) return;
    if (line_has_content_) ++rows_;
    line_has_content_ = false;
    piece.remove_prefix(newline + 1);
  }
}

Digests ContentMeter::Finish() {
  Digests digests;
  digests.rows = rows_ + (line_has_content_ ? 1 : 0);
  digests.bytes = bytes_;
  digests.sha256 = HexEncode(hash_.Finish());
  return digests;
}

Result<Digests> StoredFile::Write(Entropy& entropy, const std::function<Result<>(const Sink&)>& produce) {
  REEVE_ASSIGN(const std::unique_ptr<AppendFile> file, files_.Create(path_, kFileMode));
  MeteredFile metered(*file);
  std::unique_ptr<crypto::SealingWriter> sealer;
  if (key_ != nullptr) sealer = crypto::MakeSealingWriter(*key_, name_, entropy, metered);
  ContentMeter content;
  REEVE_TRY(produce([&](std::string_view piece) -> Result<> {
    content.Add(piece);
    return sealer ? sealer->Write(piece) : file->Append(piece);
  }));
  if (sealer) REEVE_TRY(sealer->Finish());
  return WithFile(content.Finish(), sealer ? &metered.meter : nullptr);
}

Result<Digests> StoredFile::Read(const Sink& visit) {
  FileMeter meter;
  REEVE_ASSIGN(std::unique_ptr<ByteReader> reader, files_.Open(path_));
  if (key_ != nullptr) {
    reader = std::make_unique<MeteredReader>(std::move(reader), &meter);
    REEVE_ASSIGN(reader, crypto::OpenSealed(std::move(reader), path_, *key_, name_));
  }
  ContentMeter content;
  const std::unique_ptr<char[]> buffer(new char[kReadBytes]);
  for (;;) {
    REEVE_ASSIGN(const size_t count, reader->Read(buffer.get(), kReadBytes));
    if (count == 0) break;
    content.Add({buffer.get(), count});
    if (visit) REEVE_TRY(visit({buffer.get(), count}));
  }
  return WithFile(content.Finish(), key_ != nullptr ? &meter : nullptr);
}

Result<> StoredFile::Check(const Digests& expected, const Sink& visit) {
  Result<Digests> found = Read(visit);
  if (!found && found.error().code == Code::kNotFound) found.error().code = Code::kCorrupt;
  if (!found) return Unexpected(std::move(found).error());
  if (*found == expected) return {};
  return FailWithHint(
      Code::kCorrupt,
      fmt::format("{}: expected {} bytes with SHA-256 {}…, found {} bytes with SHA-256 {}…", path_, expected.file_bytes,
                  expected.file_sha256.substr(0, 16), found->file_bytes, found->file_sha256.substr(0, 16)),
      "the file was changed or damaged; use another copy of the backup");
}

}  // namespace reeve::migrate
