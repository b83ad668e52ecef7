// Writes a central dataset as files that BigQuery loads and `reeve` imports. Streaming: memory is
// one buffer, whatever the size.
#include "catalog/ndjson.h"
#include "crypto/sha256.h"
#include "base/encoding.h"
#include "env/interrupt.h"
#include "migrate/ops/central_manifest.h"
#include "migrate/ops/ops.h"
#include "migrate/ops/row_tools.h"

namespace reeve::migrate {
namespace {

using namespace ops;

constexpr size_t kBufferBytes = 1024 * 1024;
constexpr uint64_t kRowsPerTick = 1000;
constexpr int kOwnerOnly = 0600;  // key hashes and sealed secrets

Result<> CheckEmpty(Files& files, const std::string& dir) {
  if (dir.empty()) return Fail(Code::kUsage, "name a directory to export to");
  if (!files.Exists(dir)) return {};
  REEVE_ASSIGN(const std::vector<DirEntry> entries, files.List(dir));
  if (entries.empty()) return {};
  const bool whole = files.Exists(dir + "/" + std::string(kManifestName));
  return FailWithHint(Code::kRefused, fmt::format("{} is not empty", dir),
                      whole ? "name a new directory: an export never overwrites one"
                            : "if an export was interrupted here, remove what it left; or name a new directory");
}

// One file, its digest and its counts.
class TableFile {
 public:
  TableFile(const Table& table, std::unique_ptr<AppendFile> file) : table_(table), file_(std::move(file)) { item_.table = table.name; }

  Result<> Add(Row row) {
    catalog::AppendRow(table_, row, &buffer_);
    ++item_.rows;
    return buffer_.size() >= kBufferBytes ? Flush() : Result<>();
  }
  Result<ExportReport::Item> Finish() {
    REEVE_TRY(Flush());
    REEVE_TRY(file_->Sync());
    item_.sha256 = HexEncode(digest_.Finish());
    return item_;
  }

 private:
  Result<> Flush() {
    digest_.Update(buffer_);
    item_.bytes += buffer_.size();
    Result<> written = file_->Append(buffer_);
    buffer_.clear();
    return written;
  }

  const Table& table_;
  const std::unique_ptr<AppendFile> file_;
  crypto::Sha256 digest_;
  std::string buffer_;
  ExportReport::Item item_;
};

Result<ExportReport::Item> ExportTable(store::CentralReader& reader, Files& files, const std::string& dir, const Table& table,
                                       obs::Progress& progress) {
  REEVE_ASSIGN(std::unique_ptr<AppendFile> file, files.OpenAppend(fmt::format("{}/{}.json", dir, table.name), kOwnerOnly));
  TableFile out(table, std::move(file));
  uint64_t ticked = 0, rows = 0;
  REEVE_TRY(reader.Scan(table, [&](Row row) -> Result<> {
    REEVE_TRY(out.Add(row));
    if (++rows % kRowsPerTick != 0) return {};
    progress.Add(rows - ticked, rows - ticked, 0);
    ticked = rows;
    return Interrupted() ? Fail(Code::kInterrupted, "stopped: {} holds an unfinished export", dir) : Result<>();
  }));
  progress.Add(rows - ticked, rows - ticked, 0);
  return out.Finish();
}

}  // namespace

Result<ExportReport> ExportCentral(store::CentralReader& reader, Files& files, const std::string& dir, obs::Progress& progress,
                                   Micros now) {
  REEVE_TRY(CheckEmpty(files, dir));
  REEVE_TRY(files.MakeDirs(dir));
  uint64_t total = 0;
  for (const Table* table : ExportedTables()) {
    REEVE_ASSIGN(const uint64_t rows, reader.Count(*table));
    total += rows;
  }
  progress.Begin("export", total, "rows");
  CentralManifest manifest{REEVE_VERSION, now, {}};
  for (const Table* table : ExportedTables()) {
    REEVE_ASSIGN(ExportReport::Item item, ExportTable(reader, files, dir, *table, progress));
    manifest.tables.push_back(std::move(item));
  }
  // Last: a directory without it is no export.
  REEVE_TRY(files.WriteAtomic(dir + "/" + std::string(kManifestName), WriteManifest(manifest), kOwnerOnly));
  progress.End();
  return ExportReport{std::move(manifest.tables)};
}

}  // namespace reeve::migrate
