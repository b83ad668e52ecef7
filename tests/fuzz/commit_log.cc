#include "store/sqlite/commit_log.h"

#include <array>

#include "base/encoding.h"
#include "store/commit_record.h"
#include "tests/fakes/no_files.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {
namespace {

constexpr std::string_view kStore = "0123456789abcdef";
constexpr size_t kFiles = store::kCommitSegments;

// The files of a log in memory, by the number at the end of their names.
class LogFiles final : public testing::NoFiles {
 public:
  std::array<std::string, kFiles> bytes;

  Result<std::string> Read(const std::string& path, uint64_t) override { return bytes[static_cast<size_t>(path.back() - '0')]; }
  bool Exists(const std::string& path) override { return !bytes[static_cast<size_t>(path.back() - '0')].empty(); }
};

template <typename Number>
void Put(Number number, std::string* out) {
  out->append(reinterpret_cast<const char*>(&number), sizeof number);
}

// Records with good checksums, in the files that the input says, with what it wants between them: a checksum keeps everything else from getting far.
void Arrange(std::string_view input, LogFiles* files) {
  uint64_t number = 0;
  while (!input.empty()) {
    const unsigned char what = TakeByte(&input);
    std::string& file = files->bytes[what % kFiles];
    if (file.empty()) file = fmt::format("reeve-commits/1 {}\n", kStore);
    const size_t size = TakeByte(&input);
    const std::string_view piece = input.substr(0, size);
    input.remove_prefix(piece.size());
    if ((what & 0x80) != 0) {
      file += piece;
      continue;
    }
    number += (what & 0x40) != 0 ? what >> 2 & 7U : 1;
    std::string numbered;
    Put(number, &numbered);
    numbered += piece;
    Put(static_cast<uint32_t>(piece.size()), &file);
    Put(Crc32c(numbered), &file);
    file += numbered;
  }
}

// Numbers come in order and without a gap, or it is damage.
void ReadAll(LogFiles& files, uint64_t applied) {
  uint64_t last = applied;
  const auto read = store::ReadCommitLog(files, "log", kStore, applied, [&](uint64_t number, std::string_view record) -> Result<> {
    Promise(number == last + 1, "records are handed over in the order of their numbers");
    last = number;
    (void)store::ParseCommitRecord(record);
    return {};
  });
  Promise(read || read.error().code == Code::kCorrupt, "files that do not fit are damage");
}

}  // namespace

void FuzzCommitLog(std::string_view input) {
  const Running running(input);
  if (const auto writes = store::ParseCommitRecord(input)) {
    std::string again;
    store::AppendCommitRecord(*writes, &again);
    Promise(again == input, "a record that is read is written the same again");
  }
  LogFiles raw;
  raw.bytes[0] = input;
  ReadAll(raw, 0);
  LogFiles arranged;
  const uint64_t applied = TakeByte(&input) % 8U;
  Arrange(input, &arranged);
  ReadAll(arranged, applied);
}

}  // namespace reeve::fuzz
