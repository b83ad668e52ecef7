// NoFiles: a file system where nothing can be done; FewFiles: one that can be read and has what a test puts there. For code that needs no more.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "env/files.h"

namespace reeve::testing {

class NoFiles : public Files {
 public:
  Result<std::string> Read(const std::string& path, uint64_t) override { return No(path); }
  Result<std::unique_ptr<ByteReader>> Open(const std::string& path) override { return No(path); }
  Result<std::unique_ptr<RandomReader>> OpenRandom(const std::string& path) override { return No(path); }
  Result<> WriteAtomic(const std::string& path, std::string_view, int) override { return No(path); }
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path, int) override { return No(path); }
  Result<std::vector<DirEntry>> List(const std::string& path) override { return No(path); }
  bool Exists(const std::string&) override { return false; }
  Result<> MakeDirs(const std::string& path) override { return No(path); }
  Result<> Remove(const std::string& path) override { return No(path); }
  Result<> Rename(const std::string& path, const std::string&) override { return No(path); }
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view) override { return No(path); }

 private:
  static Unexpected No(const std::string& path) { return Fail(Code::kFailed, "{}: nothing can be done with files here", path); }
};

// A path that is not there is kNotFound, one that is larger than it may be kRefused.
class FewFiles final : public NoFiles {
 public:
  std::map<std::string, std::string> content;
  Result<std::string> Read(const std::string& path, uint64_t limit) override {
    const auto found = content.find(path);
    if (found == content.end()) return Fail(Code::kNotFound, "{}: no such file", path);
    if (found->second.size() > limit) return Fail(Code::kRefused, "{}: too large", path);
    return found->second;
  }
  bool Exists(const std::string& path) override { return content.count(path) != 0; }
};

}  // namespace reeve::testing
