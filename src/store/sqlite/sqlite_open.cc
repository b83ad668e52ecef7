#include "store/sqlite/sqlite_open.h"

#include "store/sqlite/commit_log.h"
#include "store/sqlite/commit_tables.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_schema.h"
#include "store/sqlite/sqlite_writer.h"

namespace reeve::store {

namespace {

// Nobody else writes; waiting is for readers that recover the log after a crash.
constexpr int kBusyMs = 5'000;
constexpr uint64_t kPageBytes = 4096;

constexpr std::string_view kReaderSettings =
    "PRAGMA wal_autocheckpoint=0; PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
    "PRAGMA cache_size=-8192";

// The log moves into the file when it has 16384 pages (64 MiB): a bulk load changes the same index pages again and again.
constexpr std::string_view kWriterSettings =
    "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
    "PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=16384; PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY";

Result<> Configure(sqlite::Database& database, SqliteLimits limits) {
  REEVE_TRY(database.Execute(std::string(kWriterSettings)));
  if (limits.file_bytes_max > 0) {
    REEVE_TRY(database.Execute(fmt::format("PRAGMA max_page_count={}", limits.file_bytes_max / kPageBytes)));
  }
  return SqliteWriter::Register(database);
}

}  // namespace

Result<LockedDatabase> OpenForWriting(Files& files, const std::string& path, OpenMode mode, const std::string& holder,
                                      SqliteLimits limits) {
  // Before the lock: a mistyped path leaves no lock file behind.
  if (mode == OpenMode::kExisting && !files.Exists(path)) return MissingStore(path);
  LockedDatabase opened;
  REEVE_ASSIGN(opened.lock, files.Lock(path + ".lock", holder));
  // SQLite would make it readable for everybody; what holds hashes and ciphertexts is its owner's alone. Its log files follow its bits.
  if (mode == OpenMode::kCreate && !files.Exists(path)) REEVE_TRY(files.OpenAppend(path, 0600));
  const auto open_mode = mode == OpenMode::kCreate ? sqlite::Mode::kCreate : sqlite::Mode::kReadWrite;
  REEVE_ASSIGN(opened.database, sqlite::Database::Open(path, open_mode, kBusyMs));
  sqlite::Database& database = *opened.database;
  REEVE_ASSIGN(const StoreState state, InspectStore(database));
  if (state == StoreState::kEmpty && mode == OpenMode::kExisting) return MissingStore(path);
  REEVE_ASSIGN(const std::string journal, database.QueryText("PRAGMA journal_mode=WAL"));
  if (journal != "wal") {
    return FailWithHint(Code::kFailed, fmt::format("{}: the file system does not support SQLite's log (journal mode {})", path, journal),
                        "put the store on a local disk");
  }
  REEVE_TRY(Configure(database, limits));
  if (state == StoreState::kEmpty) REEVE_TRY(ApplySqliteSchema(database));
  REEVE_TRY(ReplayCommits(files, database));
  return opened;
}

Result<> CheckpointStore(sqlite::Database& database) {
  REEVE_TRY(database.Execute("PRAGMA busy_timeout=0"));
  auto done = database.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  REEVE_TRY(database.Execute(fmt::format("PRAGMA busy_timeout={}", kBusyMs)));
  return done;
}

Result<std::unique_ptr<sqlite::Database>> OpenForReading(const std::string& path) {
  auto opened = sqlite::Database::Open(path, sqlite::Mode::kReadOnly, kBusyMs);
  if (!opened && opened.error().code == Code::kNotFound) return MissingStore(path);
  if (!opened) return Unexpected(std::move(opened).error());
  std::unique_ptr<sqlite::Database> database = std::move(*opened);
  database->KeepLogOnClose();
  REEVE_ASSIGN(const StoreState state, InspectStore(*database));
  if (state == StoreState::kEmpty) return MissingStore(path);
  REEVE_TRY(database->Execute(std::string(kReaderSettings)));
  return database;
}

Result<> BringInCommits(Files& files, const std::string& path, const std::string& holder) {
  if (!HasCommitLog(files, path)) return {};
  const auto opened = OpenForWriting(files, path, OpenMode::kExisting, holder, {});
  if (opened || opened.error().code == Code::kLocked) return {};
  return Unexpected(Error(opened.error()));
}

Result<std::unique_ptr<CentralReader>> OpenSqliteReader(const std::string& path) {
  REEVE_ASSIGN(std::unique_ptr<sqlite::Database> database, OpenForReading(path));
  // The first read inside the transaction fixes what this reader sees.
  REEVE_TRY(database->Execute("BEGIN; SELECT count(*) FROM reeve_meta"));
  return MakeReader(std::move(database));
}

}  // namespace reeve::store
