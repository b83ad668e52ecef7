#include "env/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace reeve {
namespace {

constexpr size_t kFillBytes = 1u << 20;

// The failed system call as an error; says what an operator can do about the common ones.
Unexpected SystemError(const std::string& path, std::string_view doing) {
  const int error = errno;
  std::string hint;
  if (error == ENOSPC || error == EDQUOT) hint = "free some space on that file system and run the same command again";
  if (error == EACCES || error == EPERM) hint = "check the permissions of the path and of its parent directories";
  if (error == EMFILE || error == ENFILE) hint = "raise the limit of open files (ulimit -n)";
  const Code code = error == ENOENT ? Code::kNotFound : Code::kFailed;
  return FailWithHint(code, fmt::format("{}: {}: {}", path, doing, std::strerror(error)), hint);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Result<> WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(path, "cannot write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<> SyncDirectory(const std::string& path) {
  const Descriptor dir(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.get() < 0) return SystemError(path, "cannot open the directory");
  if (fsync(dir.get()) != 0) return SystemError(path, "cannot sync the directory");
  return {};
}

Result<> SyncData(int fd, const std::string& path) {
  if (fdatasync(fd) != 0) return SystemError(path, "cannot sync");
  return {};
}

class SystemAppendFile final : public AppendFile {
 public:
  SystemAppendFile(Descriptor fd, std::string path, uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}
  Result<> Append(std::string_view bytes) override {
    REEVE_TRY(WriteAll(fd_.get(), bytes, path_));
    size_ += bytes.size();
    return {};
  }
  Result<> Sync() override { return SyncData(fd_.get(), path_); }
  Result<> Truncate(uint64_t size) override {
    if (ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return SystemError(path_, "cannot truncate");
    size_ = size;
    return Sync();
  }
  uint64_t Size() const override { return size_; }

 private:
  const Descriptor fd_;
  const std::string path_;
  uint64_t size_;
};

class SystemFixedFile final : public FixedFile {
 public:
  SystemFixedFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<> WriteAt(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return SystemError(path_, "cannot write");
      offset += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }
  Result<> Sync() override { return SyncData(fd_.get(), path_); }

 private:
  const Descriptor fd_;
  const std::string path_;
};

class SystemByteReader final : public ByteReader {
 public:
  SystemByteReader(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<size_t> Read(char* buffer, size_t size) override {
    for (;;) {
      const ssize_t count = read(fd_.get(), buffer, size);
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EINTR) return SystemError(path_, "cannot read");
    }
  }

 private:
  const Descriptor fd_;
  const std::string path_;
};

class SystemRandomReader final : public RandomReader {
 public:
  SystemRandomReader(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<> ReadAt(uint64_t offset, char* buffer, size_t size) override {
    while (size > 0) {
      const ssize_t count = pread(fd_.get(), buffer, size, static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return SystemError(path_, "cannot read");
      if (count == 0) return Fail(Code::kCorrupt, "{}: ends before offset {}", path_, offset);
      offset += static_cast<uint64_t>(count);
      buffer += count;
      size -= static_cast<size_t>(count);
    }
    return {};
  }

 private:
  const Descriptor fd_;
  const std::string path_;
};

class SystemFileLock final : public FileLock {
 public:
  explicit SystemFileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  const Descriptor fd_;
};

class SystemFiles final : public Files {
 public:
  Result<std::string> Read(const std::string& path, uint64_t limit) override {
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return SystemError(path, "cannot open");
    std::string content;
    char buffer[64 * 1024];
    for (;;) {
      const ssize_t count = read(fd.get(), buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return SystemError(path, "cannot read");
      if (count == 0) return content;
      content.append(buffer, static_cast<size_t>(count));
      if (content.size() > limit) return Fail(Code::kRefused, "{}: larger than {} bytes", path, limit);
    }
  }

  Result<std::unique_ptr<ByteReader>> Open(const std::string& path) override {
    Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return SystemError(path, "cannot open");
    return std::make_unique<SystemByteReader>(std::move(fd), path);
  }

  Result<std::unique_ptr<RandomReader>> OpenRandom(const std::string& path) override {
    Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return SystemError(path, "cannot open");
    return std::make_unique<SystemRandomReader>(std::move(fd), path);
  }

  Result<> WriteAtomic(const std::string& path, std::string_view content, int mode) override {
    const std::string temporary = path + ".tmp";
    {
      const Descriptor fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
      if (fd.get() < 0) return SystemError(temporary, "cannot create");
      Result<> written = WriteAll(fd.get(), content, temporary);
      if (written && fsync(fd.get()) != 0) written = SystemError(temporary, "cannot sync");
      if (!written) {
        unlink(temporary.c_str());
        return written;
      }
    }
    if (rename(temporary.c_str(), path.c_str()) != 0) return SystemError(path, "cannot replace");
    return SyncDirectory(ParentOf(path));
  }

  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path, int mode) override {
    const bool fresh = !Exists(path);
    Descriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, mode));
    if (fd.get() < 0) return SystemError(path, "cannot open for writing");
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) return SystemError(path, "cannot stat");
    if (fresh) REEVE_TRY(SyncDirectory(ParentOf(path)));
    return std::make_unique<SystemAppendFile>(std::move(fd), path, static_cast<uint64_t>(info.st_size));
  }

  Result<std::unique_ptr<AppendFile>> Create(const std::string& path, int mode) override {
    Descriptor fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, mode));
    if (fd.get() < 0) return SystemError(path, "cannot create");
    return std::make_unique<SystemAppendFile>(std::move(fd), path, 0);
  }

  Result<std::unique_ptr<FixedFile>> OpenFixed(const std::string& path, uint64_t size, int mode) override {
    Descriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode));
    if (fd.get() < 0) return SystemError(path, "cannot open for writing");
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) return SystemError(path, "cannot stat");
    if (static_cast<uint64_t>(info.st_size) != size) {
      if (ftruncate(fd.get(), 0) != 0) return SystemError(path, "cannot truncate");
      const std::string zeros(kFillBytes, '\0');
      for (uint64_t at = 0; at < size; at += zeros.size()) {
        REEVE_TRY(WriteAll(fd.get(), std::string_view(zeros).substr(0, std::min<uint64_t>(zeros.size(), size - at)), path));
      }
      if (fsync(fd.get()) != 0) return SystemError(path, "cannot sync");
      REEVE_TRY(SyncDirectory(ParentOf(path)));
    }
    return std::make_unique<SystemFixedFile>(std::move(fd), path);
  }

  Result<> SyncAll(const std::string& path) override {
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return SystemError(path, "cannot open");
    if (syncfs(fd.get()) != 0) return SystemError(path, "cannot sync its file system");
    return {};
  }

  Result<std::vector<DirEntry>> List(const std::string& path) override {
    DIR* dir = opendir(path.c_str());
    if (dir == nullptr) return SystemError(path, "cannot list");
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(dir, closedir);
    std::vector<DirEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(dir);
      if (entry == nullptr) break;
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat info {};
      if (fstatat(dirfd(dir), entry->d_name, &info, 0) != 0) return SystemError(path + "/" + name, "cannot stat");
      entries.push_back({name, S_ISDIR(info.st_mode), static_cast<uint64_t>(info.st_size)});
    }
    if (errno != 0) return SystemError(path, "cannot list to the end");
    std::sort(entries.begin(), entries.end(),
              [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
    return entries;
  }

  bool Exists(const std::string& path) override { return access(path.c_str(), F_OK) == 0; }

  Result<int> Mode(const std::string& path) override {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return SystemError(path, "cannot stat");
    return static_cast<int>(info.st_mode & 07777);
  }

  Result<> MakeDirs(const std::string& path) override {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string part = path.substr(0, slash);
      if (mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) return SystemError(part, "cannot make the directory");
      if (slash == std::string::npos) return {};
    }
  }

  Result<> Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return SystemError(path, "cannot remove");
    return {};
  }

  Result<> Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return SystemError(from, "cannot rename");
    return SyncDirectory(ParentOf(to));
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view holder) override {
    Descriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (fd.get() < 0) return SystemError(path, "cannot open the lock file");
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return SystemError(path, "cannot lock");
      const Result<std::string> other = Read(path, 4096);
      return FailWithHint(Code::kLocked,
                          fmt::format("{} is held by another run: {}", path,
                                      other && !other->empty() ? *other : "(unknown holder)"),
                          "wait for it to end, or stop that process and run the same command again");
    }
    if (ftruncate(fd.get(), 0) != 0) return SystemError(path, "cannot write the lock file");
    REEVE_TRY(WriteAll(fd.get(), holder, path));
    return std::make_unique<SystemFileLock>(std::move(fd));
  }
};

}  // namespace

std::unique_ptr<Files> MakeSystemFiles() { return std::make_unique<SystemFiles>(); }

}  // namespace reeve
