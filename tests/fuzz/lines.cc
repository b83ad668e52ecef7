#include <cstring>

#include "legacy/export/gzip_source.h"
#include "legacy/export/line_splitter.h"
#include "legacy/export/raw_reader.h"
#include "migrate/witness/lines.h"
#include "tests/fakes/no_files.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {
namespace {

class Bytes final : public ByteReader {
 public:
  Bytes(std::string_view bytes, size_t step) : left_(bytes), step_(step) {}
  Result<size_t> Read(char* buffer, size_t size) override {
    const size_t count = std::min({size, step_, left_.size()});
    std::memcpy(buffer, left_.data(), count);
    left_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view left_;
  const size_t step_;
};

// One file in memory, whatever the path.
class OneFile final : public testing::NoFiles {
 public:
  OneFile(std::string_view bytes, size_t step) : bytes_(bytes), step_(step) {}
  Result<std::string> Read(const std::string&, uint64_t) override { return std::string(bytes_); }
  Result<std::unique_ptr<ByteReader>> Open(const std::string&) override { return std::make_unique<Bytes>(bytes_, step_); }
  bool Exists(const std::string&) override { return true; }

 private:
  const std::string_view bytes_;
  const size_t step_;
};

struct Outcome {
  bool readable = false;
  std::vector<std::string> lines;
};

Outcome CopierPath(std::string_view file, bool gzip, size_t step) {
  static const auto pool = std::make_shared<legacy::BlockPool>();
  std::unique_ptr<ByteReader> source = std::make_unique<Bytes>(file, step);
  if (gzip) {
    auto opened = legacy::OpenGzip(std::move(source), "f");
    if (!opened) return {};
    source = std::move(*opened);
  }
  const auto reader = legacy::MakeLineSplitter(std::move(source), pool);
  Outcome outcome;
  for (legacy::Line line;;) {
    const Result<bool> more = reader->Next(&line);
    if (!more) return outcome;
    if (!*more) break;
    unsigned padding = 0;
    if (!line.too_large)
      for (size_t i = 0; i < legacy::kLinePadding; ++i) padding += static_cast<unsigned char>(line.text.data()[line.text.size() + i]);
    [[maybe_unused]] const volatile unsigned readable = padding;
    if (line.too_large) outcome.lines.emplace_back("too large");
    else if (line.text.find_first_not_of(" \t\r") != std::string_view::npos) outcome.lines.emplace_back(line.text);
  }
  outcome.readable = true;
  return outcome;
}

Outcome VerifierPath(std::string_view file, bool gzip, size_t step) {
  OneFile files(file, step);
  const auto raw = legacy::OpenRawFile(files, "f", gzip);
  if (!raw) return {};
  static migrate::witness::Lines lines;
  lines.Start(raw->get());
  Outcome outcome;
  for (;;) {
    std::string_view line;
    bool too_large = false;
    const Result<bool> more = lines.Next(&line, &too_large);
    if (!more) return outcome;
    if (!*more) break;
    outcome.lines.emplace_back(too_large ? "too large" : line);
  }
  outcome.readable = true;
  return outcome;
}

// The file that the input describes: as it is; or text to be compressed by us and then cut, changed or continued.
std::string FileOf(std::string_view input, unsigned how) {
  if (how % 8 < 4) return std::string(input);
  const unsigned where = TakeByte(&input) * 256 + TakeByte(&input);
  std::string file = legacy::GzipCompress(input);
  if (how % 8 == 5) file.resize(where % (file.size() + 1));
  if (how % 8 == 6) file[where % file.size()] = static_cast<char>(file[where % file.size()] ^ (1 << (where % 8)));
  if (how % 8 == 7) file += where % 2 == 0 ? legacy::GzipCompress(input.substr(input.size() / 2)) : std::string(input.substr(0, where % 32));
  return file;
}

}  // namespace

// First byte: plain or compressed and how disturbed; second: bytes per read.
void FuzzLines(std::string_view input) {
  const unsigned how = TakeByte(&input);
  const size_t step = 1 + size_t{TakeByte(&input)} * 17;
  const bool gzip = how % 2 == 1 || how % 8 >= 4;
  const std::string file = FileOf(input, how);
  const Outcome ours = CopierPath(file, gzip, step);
  const Outcome theirs = VerifierPath(file, gzip, step);
  Promise(ours.readable == theirs.readable, "both refuse the same files");
  if (!ours.readable) return;
  Promise(ours.lines == theirs.lines, "both find the same lines");
  Promise(how % 8 != 4 || ours.readable, "what we compress can be read");
}

}  // namespace reeve::fuzz
