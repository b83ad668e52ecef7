#include "migrate/copy/dead_letter_file.h"

#include "catalog/ndjson.h"

namespace reeve::migrate::copy {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;

}  // namespace

Result<> WriteDeadLetterFile(store::CentralReader& reader, Files& files, const std::string& path) {
  const std::string temporary = path + ".tmp";
  REEVE_TRY(files.Remove(temporary));
  REEVE_ASSIGN(const std::unique_ptr<AppendFile> file, files.OpenAppend(temporary, 0600));
  std::string buffer;
  REEVE_TRY(reader.Scan(catalog::ReeveDeadLetters(), [&](std::span<const catalog::Cell> row) -> Result<> {
    catalog::AppendRow(catalog::ReeveDeadLetters(), row, &buffer);
    if (buffer.size() < kBufferBytes) return {};
    REEVE_TRY(file->Append(buffer));
    buffer.clear();
    return {};
  }));
  REEVE_TRY(file->Append(buffer));
  if (file->Size() == 0) {
    REEVE_TRY(files.Remove(temporary));
    return files.Remove(path);
  }
  REEVE_TRY(file->Sync());
  return files.Rename(temporary, path);
}

}  // namespace reeve::migrate::copy
