#include "tests/fakes/faulty_files.h"

#include <utility>

namespace reeve::testing {
namespace {

Unexpected Failed(const std::string& path, Fault fault) {
  return fault == Fault::kIo ? Fail(Code::kFailed, "{}: Input/output error (injected)", path)
                             : Fail(Code::kFailed, "{}: No space left on device (injected)", path);
}

}  // namespace

class FaultyFiles::Appender final : public AppendFile {
 public:
  Appender(FaultyFiles* owner, std::unique_ptr<AppendFile> base, std::string path)
      : owner_(owner), base_(std::move(base)), path_(std::move(path)) {}
  Result<> Append(std::string_view bytes) override {
    const Fault fault = owner_->Next(false);
    if (fault == Fault::kTorn) REEVE_TRY(base_->Append(bytes.substr(0, bytes.size() / 2)));
    if (fault != Fault::kNone) return Failed(path_, fault);
    return base_->Append(bytes);
  }
  Result<> Sync() override {
    if (const Fault fault = owner_->Next(false); fault != Fault::kNone) return Failed(path_, fault);
    return base_->Sync();
  }
  Result<> Truncate(uint64_t size) override {
    if (const Fault fault = owner_->Next(false); fault != Fault::kNone) return Failed(path_, fault);
    return base_->Truncate(size);
  }
  uint64_t Size() const override { return base_->Size(); }

 private:
  FaultyFiles* const owner_;
  const std::unique_ptr<AppendFile> base_;
  const std::string path_;
};

class FaultyFiles::Placer final : public FixedFile {
 public:
  Placer(FaultyFiles* owner, std::unique_ptr<FixedFile> base, std::string path) : owner_(owner), base_(std::move(base)), path_(std::move(path)) {}
  Result<> WriteAt(uint64_t offset, std::string_view bytes) override {
    const Fault fault = owner_->Next(false);
    if (fault == Fault::kTorn) REEVE_TRY(base_->WriteAt(offset, bytes.substr(0, bytes.size() / 2)));
    if (fault != Fault::kNone) return Failed(path_, fault);
    return base_->WriteAt(offset, bytes);
  }
  Result<> Sync() override {
    if (const Fault fault = owner_->Next(false); fault != Fault::kNone) return Failed(path_, fault);
    return base_->Sync();
  }

 private:
  FaultyFiles* const owner_;
  const std::unique_ptr<FixedFile> base_;
  const std::string path_;
};

class FaultyFiles::Reader final : public ByteReader {
 public:
  Reader(FaultyFiles* owner, std::unique_ptr<ByteReader> base, std::string path)
      : owner_(owner), base_(std::move(base)), path_(std::move(path)) {}
  Result<size_t> Read(char* buffer, size_t size) override {
    if (const Fault fault = owner_->Next(true); fault != Fault::kNone) return Failed(path_, fault);
    return base_->Read(buffer, size);
  }

 private:
  FaultyFiles* const owner_;
  const std::unique_ptr<ByteReader> base_;
  const std::string path_;
};

void FaultyFiles::FailAt(uint64_t n, Fault fault, bool once) {
  fail_at_ = calls_ + n;
  once_ = once;
  fault_ = fault;
}

Fault FaultyFiles::Next(bool is_read) {
  if (is_read && !reads_) return Fault::kNone;
  const uint64_t call = ++calls_;
  if (call < fail_at_ || (once_ && call != fail_at_)) return Fault::kNone;
  return fault_;
}

Result<std::string> FaultyFiles::Read(const std::string& path, uint64_t limit) {
  if (const Fault fault = Next(true); fault != Fault::kNone) return Failed(path, fault);
  return base_->Read(path, limit);
}

Result<std::unique_ptr<ByteReader>> FaultyFiles::Open(const std::string& path) {
  if (const Fault fault = Next(true); fault != Fault::kNone) return Failed(path, fault);
  REEVE_ASSIGN(auto reader, base_->Open(path));
  return std::unique_ptr<ByteReader>(new Reader(this, std::move(reader), path));
}

Result<std::unique_ptr<RandomReader>> FaultyFiles::OpenRandom(const std::string& path) {
  if (const Fault fault = Next(true); fault != Fault::kNone) return Failed(path, fault);
  return base_->OpenRandom(path);
}

Result<> FaultyFiles::WriteAtomic(const std::string& path, std::string_view content, int mode) {
  if (const Fault fault = Next(false); fault != Fault::kNone) return Failed(path, fault);
  return base_->WriteAtomic(path, content, mode);
}

Result<std::unique_ptr<AppendFile>> FaultyFiles::OpenAppend(const std::string& path, int mode) {
  if (const Fault fault = Next(false); fault != Fault::kNone) return Failed(path, fault);
  REEVE_ASSIGN(auto file, base_->OpenAppend(path, mode));
  return std::unique_ptr<AppendFile>(new Appender(this, std::move(file), path));
}

Result<std::unique_ptr<FixedFile>> FaultyFiles::OpenFixed(const std::string& path, uint64_t size, int mode) {
  if (const Fault fault = Next(false); fault != Fault::kNone) return Failed(path, fault);
  REEVE_ASSIGN(auto file, base_->OpenFixed(path, size, mode));
  return std::unique_ptr<FixedFile>(new Placer(this, std::move(file), path));
}

Result<std::vector<DirEntry>> FaultyFiles::List(const std::string& path) {
  if (const Fault fault = Next(true); fault != Fault::kNone) return Failed(path, fault);
  return base_->List(path);
}

Result<> FaultyFiles::MakeDirs(const std::string& path) {
  if (const Fault fault = Next(false); fault != Fault::kNone) return Failed(path, fault);
  return base_->MakeDirs(path);
}

Result<> FaultyFiles::SyncAll(const std::string& path) {
  if (const Fault fault = Next(false); fault != Fault::kNone) return Failed(path, fault);
  return base_->SyncAll(path);
}

Result<> FaultyFiles::Remove(const std::string& path) {
  if (const Fault fault = Next(false); fault != Fault::kNone) return Failed(path, fault);
  return base_->Remove(path);
}

Result<> FaultyFiles::Rename(const std::string& from, const std::string& to) {
  if (const Fault fault = Next(false); fault != Fault::kNone) return Failed(from, fault);
  return base_->Rename(from, to);
}

}  // namespace reeve::testing
