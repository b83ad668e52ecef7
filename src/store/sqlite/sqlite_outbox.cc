#include "store/sqlite/sqlite_outbox.h"

#include <algorithm>
#include <set>

#include "base/time_text.h"
#include "store/sqlite/outbox_cursor.h"
#include "store/sqlite/outbox_schema.h"
#include "store/sqlite/sqlite_open.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_schema.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::RowBatch;
using catalog::Table;

namespace {

constexpr int64_t kPrunedAtOnce = 20'000;

std::string LockPath(const std::string& path) { return CursorPath(path) + ".lock"; }

// Ends the transaction of one reading, whatever happens: a reader that stays keeps the log from being emptied.
class Instant {
 public:
  explicit Instant(sqlite::Database& database) : database_(database) {}
  ~Instant() { (void)database_.Execute("COMMIT"); }
  Instant(const Instant&) = delete;
  Instant& operator=(const Instant&) = delete;

 private:
  sqlite::Database& database_;
};

class SqliteOutbox final : public Outbox {
 public:
  SqliteOutbox(Files& files, std::string path, std::string holder, std::unique_ptr<FileLock> lock, std::unique_ptr<sqlite::Database> database, OutboxCursor cursor)
      : files_(files), path_(std::move(path)), holder_(std::move(holder)), lock_(std::move(lock)), database_(std::move(database)), tables_(*database_),
        cursor_(std::move(cursor)) {}

  Result<OutboxBatch> Read(size_t marks_max) override {
    REEVE_TRY(database_->Execute("BEGIN"));
    const Instant instant(*database_);
    REEVE_ASSIGN(const OutboxState state, InspectOutbox(*database_));
    if (!state.on || state.epoch != cursor_.epoch)
      return FailWithHint(Code::kFailed, fmt::format("{}: its outbox was made anew or removed meanwhile", path_), "start the mirror again");
    OutboxBatch batch;
    for (const Table& table : catalog::CentralTables()) {
      batch.rows.emplace_back(table);
      batch.keys.emplace_back(table);
    }
    batch.last = cursor_.done;
    REEVE_TRY(ReadMarks(marks_max, &batch));
    REEVE_TRY(AddCustomers(&batch));
    REEVE_TRY(AddRows(&batch));
    REEVE_ASSIGN(const int64_t waiting, database_->QueryInt(fmt::format("SELECT count(*) FROM reeve_outbox WHERE seq > {}", batch.last)));
    batch.waiting = static_cast<uint64_t>(waiting);
    std::erase_if(batch.rows, [](const RowBatch& rows) { return rows.empty(); });
    return batch;
  }

  Result<> Done(int64_t last) override {
    REEVE_ASSERT(last >= cursor_.done);
    if (last == cursor_.done) return {};
    OutboxCursor next = cursor_;
    next.done = last;
    REEVE_TRY(WriteCursor(files_, path_, next));
    cursor_ = std::move(next);
    return {};
  }

  bool IsFresh() const override { return cursor_.done == 0; }
  Result<std::unique_ptr<CentralReader>> OpenReader() override { return OpenSqliteReader(path_); }

  Result<> Tidy() override {
    auto opened = OpenForWriting(files_, path_, OpenMode::kExisting, holder_, {});
    if (!opened && opened.error().code == Code::kLocked) return {};
    if (!opened) return Unexpected(std::move(opened).error());
    while (true) {
      REEVE_ASSIGN(const int64_t removed, PruneOutbox(*opened->database, cursor_.done, kPrunedAtOnce));
      if (removed < kPrunedAtOnce) return CheckpointStore(*opened->database);
    }
  }

 private:
  // Appends a mark; its key's texts are kept by the batch.
  Result<> AddMark(const Table& table, std::string_view key1, std::string_view key2, OutboxBatch* batch) {
    const auto at = std::find_if(batch->keys.begin(), batch->keys.end(), [&](const RowBatch& keys) { return &keys.table() == &table; });
    OutboxMark mark{&table, {}, false};
    const std::string_view texts[] = {key1, key2};
    for (size_t i = 0; i < table.StoredKey().size(); ++i) {
      const Column& column = table.columns[static_cast<size_t>(table.Index(table.StoredKey()[i]))];
      if (column.type != catalog::Type::kDate) {
        mark.key.push_back(at->Own(texts[i]));
        continue;
      }
      const std::optional<Days> day = ParseDate(texts[i]);
      if (!day) return Fail(Code::kCorrupt, "{}: reeve_outbox holds a key of {} that is no date", path_, table.name);
      mark.key.push_back(Cell::Int(*day));
    }
    batch->marks.push_back(std::move(mark));
    return {};
  }

  Result<> ReadMarks(size_t marks_max, OutboxBatch* batch) {
    REEVE_ASSIGN(sqlite::Statement read, database_->Prepare("SELECT seq, table_name, key1, key2 FROM reeve_outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2"));
    read.BindInt(1, cursor_.done);
    read.BindInt(2, static_cast<int64_t>(marks_max));
    while (true) {
      REEVE_ASSIGN(const bool row, read.Step());
      if (!row) return {};
      const Table* table = catalog::FindTable(read.Text(1));
      if (table == nullptr || table->own) return Fail(Code::kCorrupt, "{}: reeve_outbox names the table {}", path_, read.Text(1));
      REEVE_TRY(AddMark(*table, read.Text(2), read.Text(3), batch));
      batch->last = read.Int(0);
    }
  }

  // The customers of the marked rows whose own mark comes later.
  Result<> AddCustomers(OutboxBatch* batch) {
    const std::string names = "SELECT key1 FROM reeve_outbox WHERE table_name = 'customers' AND seq > ?1 AND key1 = ?2";
    REEVE_ASSIGN(sqlite::Statement find, database_->Prepare(names));
    std::set<std::string> asked;
    const size_t count = batch->marks.size();
    for (size_t i = 0; i < count; ++i) {
      const OutboxMark& mark = batch->marks[i];
      if (mark.table->references_customer.empty()) continue;
      REEVE_ASSIGN(const std::string customer, CustomerOf(mark));
      if (customer.empty() || !asked.insert(customer).second) continue;
      find.BindInt(1, batch->last);
      find.BindText(2, customer);
      REEVE_ASSIGN(const bool marked, find.Step());
      find.Reset();
      if (marked) REEVE_TRY(AddMark(catalog::Customers(), customer, "", batch));
    }
    return {};
  }

  // Of the marked row as it is; empty if there is none.
  Result<std::string> CustomerOf(const OutboxMark& mark) {
    RowBatch found(*mark.table);
    REEVE_TRY(tables_.Find(*mark.table, mark.table->StoredKey(), mark.key, &found));
    if (found.empty()) return std::string();
    return std::string(found.Row(0)[static_cast<size_t>(mark.table->Index(mark.table->references_customer))].text);
  }

  Result<> AddRows(OutboxBatch* batch) {
    for (OutboxMark& mark : batch->marks) {
      const auto rows = std::find_if(batch->rows.begin(), batch->rows.end(), [&](const RowBatch& one) { return &one.table() == mark.table; });
      const size_t before = rows->size();
      REEVE_TRY(tables_.Find(*mark.table, mark.table->StoredKey(), mark.key, &*rows));
      mark.present = rows->size() > before;
    }
    return {};
  }

  Files& files_;
  const std::string path_, holder_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<sqlite::Database> database_;
  SqliteTables tables_;  // its statements go before the connection
  OutboxCursor cursor_;
};

// What a person can do who cannot have the store now.
constexpr std::string_view kHeld =
    "an outbox is made once: stop the server, run `reeve mirror --once`, start it again; from then on mirror and server work side by side";

}  // namespace

Result<std::unique_ptr<Outbox>> OpenSqliteOutbox(Files& files, const std::string& path, const std::string& target, const std::string& holder, OutboxStart start) {
  if (!files.Exists(path)) return MissingStore(path);
  REEVE_ASSIGN(std::unique_ptr<FileLock> lock, files.Lock(LockPath(path), holder));
  OutboxCursor cursor;
  if (start == OutboxStart::kGoOn) {
    REEVE_ASSIGN(const auto stored, ReadCursor(files, path));
    if (stored) cursor = *stored;
    if (stored && stored->target != target)
      return FailWithHint(Code::kRefused, fmt::format("{} is mirrored to {}, not to {}", path, stored->target, target),
                          "with --restart every row is marked anew and goes to the new one");
  }
  OutboxState state;
  {
    REEVE_ASSIGN(const auto database, OpenForReading(path));
    REEVE_ASSIGN(state, InspectOutbox(*database));
  }
  if (!state.on || start == OutboxStart::kRestart) {
    auto opened = OpenForWriting(files, path, OpenMode::kExisting, holder, {});
    if (!opened && opened.error().code == Code::kLocked) return FailWithHint(Code::kLocked, opened.error().message, std::string(kHeld));
    if (!opened) return Unexpected(std::move(opened).error());
    REEVE_TRY(MakeOutbox(*opened->database));
    REEVE_ASSIGN(state, InspectOutbox(*opened->database));
    REEVE_TRY(CheckpointStore(*opened->database));
  }
  if (cursor.epoch != state.epoch || cursor.target != target) cursor = {target, state.epoch, 0};
  REEVE_TRY(WriteCursor(files, path, cursor));
  REEVE_ASSIGN(auto database, OpenForReading(path));
  return std::make_unique<SqliteOutbox>(files, path, holder, std::move(lock), std::move(database), std::move(cursor));
}

Result<OutboxPeek> PeekSqliteOutbox(Files& files, const std::string& path) {
  REEVE_ASSIGN(const auto database, OpenForReading(path));
  REEVE_ASSIGN(const OutboxState state, InspectOutbox(*database));
  REEVE_ASSIGN(const auto cursor, ReadCursor(files, path));
  OutboxPeek peek;
  peek.on = state.on;
  if (cursor) peek.target = cursor->target;
  int64_t rows = 0;
  if (state.on) {
    const int64_t done = cursor && cursor->epoch == state.epoch ? cursor->done : 0;
    REEVE_ASSIGN(rows, database->QueryInt(fmt::format("SELECT count(*) FROM reeve_outbox WHERE seq > {}", done)));
  } else {
    for (const Table& table : catalog::CentralTables()) {
      REEVE_ASSIGN(const int64_t count, database->QueryInt(fmt::format("SELECT count(*) FROM {}", table.name)));
      rows += count;
    }
  }
  peek.waiting = static_cast<uint64_t>(rows);
  return peek;
}

Result<> RemoveSqliteOutbox(Files& files, const std::string& path, const std::string& holder) {
  if (!files.Exists(path)) return MissingStore(path);
  REEVE_ASSIGN(const std::unique_ptr<FileLock> lock, files.Lock(LockPath(path), holder));
  {
    REEVE_ASSIGN(const LockedDatabase opened, OpenForWriting(files, path, OpenMode::kExisting, holder, {}));
    REEVE_TRY(DropOutbox(*opened.database));
  }
  return files.Remove(CursorPath(path));
}

}  // namespace reeve::store
