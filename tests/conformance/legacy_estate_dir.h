// A directory of its own for one test, and short ways to fill and read an estate. For tests only; one thread.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "legacy/estate.h"

namespace reeve::testing {

// Removed with its contents when the test ends.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "reeve-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] std::string path(std::string_view below = "") const {
    return below.empty() ? path_ : path_ + "/" + std::string(below);
  }
  void Write(std::string_view below, std::string_view content) const {
    const std::filesystem::path file = path(below);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
  }
  [[nodiscard]] std::string Read(std::string_view below) const {
    std::ifstream in(path(below), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] bool Has(std::string_view below) const { return std::filesystem::exists(path(below)); }

 private:
  std::string path_;
};

// `text` as one gzip member, by zlib's own file writer.
inline std::string Gzip(std::string_view text) {
  const TempDir dir;
  const gzFile file = gzopen(dir.path("x").c_str(), "wb");
  EXPECT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  gzclose(file);
  return dir.Read("x");
}

// All lines of a part, by the copier's path; too large ones as "<too large>".
inline Result<std::vector<std::string>> LinesOf(legacy::LegacyEstate& estate, const legacy::LegacyTable& table, size_t part) {
  REEVE_ASSIGN(const auto reader, estate.OpenLines(table, part));
  std::vector<std::string> lines;
  legacy::Line line;
  for (;;) {
    REEVE_ASSIGN(const bool more, reader->Next(&line));
    if (!more) return lines;
    lines.push_back(line.too_large ? "<too large>" : std::string(line.text));
    EXPECT_EQ(line.number, lines.size());
    for (size_t i = 0; !line.too_large && i < legacy::kLinePadding; ++i) {
      [[maybe_unused]] const volatile char readable = line.text.data()[line.text.size() + i];  // the sanitizer objects
    }
  }
}

// All bytes of a part, by the verifier's path.
inline Result<std::string> BytesOf(legacy::LegacyEstate& estate, const legacy::LegacyTable& table, size_t part,
                                   size_t step = 4096) {
  REEVE_ASSIGN(const auto reader, estate.OpenRaw(table, part));
  std::string bytes;
  std::string buffer(step, '\0');
  for (;;) {
    REEVE_ASSIGN(const size_t count, reader->Read(buffer.data(), buffer.size()));
    if (count == 0) return bytes;
    bytes.append(buffer, 0, count);
  }
}

// The table, or nullptr.
inline const legacy::LegacyTable* FindTable(const std::vector<legacy::Dataset>& datasets, std::string_view dataset,
                                            std::string_view table) {
  for (const legacy::Dataset& candidate : datasets)
    for (const legacy::LegacyTable& found : candidate.tables)
      if (candidate.name == dataset && found.name == table) return &found;
  return nullptr;
}

}  // namespace reeve::testing
