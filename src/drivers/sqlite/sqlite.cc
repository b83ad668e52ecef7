#include "drivers/sqlite/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <climits>

namespace reeve::sqlite {
namespace {

int OpenFlags(Mode mode) {
  switch (mode) {
    case Mode::kReadOnly: return SQLITE_OPEN_READONLY;
    case Mode::kReadWrite: return SQLITE_OPEN_READWRITE;
    case Mode::kCreate: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return 0;
}

// What a result code means for an operator.
struct Meaning {
  Code code;
  std::string_view what;
  std::string_view hint;
};

Meaning Explain(int primary) {
  switch (primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::kLocked, "another connection is writing", "wait for the other run to end, then repeat"};
    case SQLITE_FULL:
      return {Code::kFailed, "the disk or the database is full", "make room on the file system, then repeat; nothing was half written"};
    case SQLITE_IOERR:
      return {Code::kFailed, "the system could not read or write the file", "check the disk and its space, then repeat"};
    case SQLITE_CORRUPT:
      return {Code::kCorrupt, "the database is damaged", "keep the file and its -wal, restore a copy, or migrate into a new store"};
    case SQLITE_NOTADB: return {Code::kCorrupt, "the file is no SQLite database", "check the path"};
    case SQLITE_CANTOPEN:
      return {Code::kFailed, "the file cannot be opened", "check that its directory exists and may be read and written"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {Code::kFailed, "the file may not be written", "check the permissions of the file and its directory"};
    case SQLITE_NOMEM: return {Code::kFailed, "out of memory", "free memory, then repeat"};
    default: return {Code::kFailed, "", ""};
  }
}

Unexpected MakeError(const std::string& path, int extended, const char* message) {
  const Meaning meaning = Explain(extended & 0xFF);
  const bool known = !meaning.what.empty();
  return FailWithHint(meaning.code,
                      fmt::format("{}: {}{}{}{}", path, meaning.what, known ? " (" : "", message, known ? ")" : ""),
                      std::string(meaning.hint));
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)), statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    sqlite3_finalize(statement_);
    database_ = std::exchange(other.database_, nullptr);
    statement_ = std::exchange(other.statement_, nullptr);
  }
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

// Binding fails for a wrong parameter number or a running statement, which are bugs, and for texts over the limit,
// which callers have refused long before.
void Statement::CheckBound(int result) { REEVE_ASSERT(result == SQLITE_OK); }

void Statement::BindNull(int parameter) { CheckBound(sqlite3_bind_null(statement_, parameter)); }

void Statement::BindInt(int parameter, int64_t value) { CheckBound(sqlite3_bind_int64(statement_, parameter, value)); }

void Statement::BindText(int parameter, std::string_view text) {
  CheckBound(sqlite3_bind_text64(statement_, parameter, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::BindBlob(int parameter, std::string_view bytes) {
  CheckBound(sqlite3_bind_blob64(statement_, parameter, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC));
}

Result<bool> Statement::Step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return database_->LastError();
}

Result<> Statement::Run() {
  while (true) {
    auto row = Step();
    if (row && *row) continue;
    Reset();
    if (!row) return Unexpected(std::move(row).error());
    return {};
  }
}

void Statement::Reset() { sqlite3_reset(statement_); }

bool Statement::IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

bool RowValues::IsNull(int column) const { return sqlite3_value_type(values_[column]) == SQLITE_NULL; }

int64_t RowValues::Int(int column) const { return sqlite3_value_int64(values_[column]); }

std::optional<int64_t> RowValues::MaybeInt(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Int(column);
}

std::string_view RowValues::Text(int column) const { return Database::ArgumentText(values_[column]); }

std::string_view Statement::Blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, Mode mode, int busy_ms) {
  // SQLite would count every allocation under one lock, for statistics nobody reads. Refused, harmlessly, if it is in use already.
  static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)uncounted;
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, OpenFlags(mode) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (result != SQLITE_OK) {
    const bool absent = handle != nullptr && sqlite3_system_errno(handle) == ENOENT;
    if (absent && (result & 0xFF) == SQLITE_CANTOPEN) {
      sqlite3_close(handle);
      return FailWithHint(Code::kNotFound, path + ": no such file, or its directory is missing", "check the path");
    }
    auto error = MakeError(path, result, handle == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(handle));
    sqlite3_close(handle);
    return error;
  }
  sqlite3_busy_timeout(handle, busy_ms);
  std::unique_ptr<Database> database(new Database(path, handle));
  REEVE_TRY(database->RegisterVisits());
  return database;
}

// An aggregate: the engine hands it row after row and returns to its caller once.
Result<> Database::RegisterVisits() {
  const auto step = [](sqlite3_context* context, int, sqlite3_value** values) {
    Visit* const visit = static_cast<Database*>(sqlite3_user_data(context))->visit_;
    if (visit != nullptr && !visit->failure) {
      if (Result<> done = visit->row(RowValues(values)); !done) visit->failure = std::move(done).error();
    }
    if (visit == nullptr || visit->failure) sqlite3_result_error(context, "the visit ended", -1);
  };
  const auto finish = [](sqlite3_context*) {};
  if (sqlite3_create_function_v2(handle_, "visit_row", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, this, nullptr, step, finish, nullptr) != SQLITE_OK) return LastError();
  return {};
}

Result<> Database::VisitRows(Statement& statement, const VisitRow& row) {
  REEVE_ASSERT(statement.database_ == this && visit_ == nullptr);
  Visit visit{row, std::nullopt};
  visit_ = &visit;
  Result<> ran = statement.Run();
  visit_ = nullptr;
  if (visit.failure) return Unexpected(std::move(*visit.failure));
  return ran;
}

Database::~Database() {
  // Fails only if a statement is still open.
  REEVE_ASSERT(sqlite3_close(handle_) == SQLITE_OK);
}

Result<> Database::Execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return LastError();
  return {};
}

Result<Statement> Database::Prepare(std::string_view sql) {
  REEVE_ASSERT(sql.size() < INT_MAX);
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return LastError();
  }
  return Statement(this, statement);
}

Result<int64_t> Database::QueryInt(std::string_view sql) {
  REEVE_ASSIGN(Statement statement, Prepare(sql));
  REEVE_ASSIGN(const bool row, statement.Step());
  if (!row) return Fail(Code::kFailed, "{}: no answer to {}", path_, sql);
  return statement.Int(0);
}

Result<std::string> Database::QueryText(std::string_view sql) {
  REEVE_ASSIGN(Statement statement, Prepare(sql));
  REEVE_ASSIGN(const bool row, statement.Step());
  if (!row) return Fail(Code::kFailed, "{}: no answer to {}", path_, sql);
  return std::string(statement.Text(0));
}

int64_t Database::TotalChanges() const { return sqlite3_total_changes64(handle_); }

int64_t Database::Changes() const { return sqlite3_changes64(handle_); }

int64_t Database::LastRow() const { return sqlite3_last_insert_rowid(handle_); }

bool Database::InAutocommit() const { return sqlite3_get_autocommit(handle_) != 0; }

bool Database::LastWasConstraint() const { return (sqlite3_errcode(handle_) & 0xFF) == SQLITE_CONSTRAINT; }

bool Database::LastWasNoDatabase() const { return (sqlite3_errcode(handle_) & 0xFF) == SQLITE_NOTADB; }

std::string Database::LastMessage() const { return sqlite3_errmsg(handle_); }

void Database::KeepLogOnClose() { sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

void Database::CountLog() {
  const auto note = [](void* pages, sqlite3*, const char*, int count) {
    *static_cast<int64_t*>(pages) = count;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_, note, &log_pages_);  // takes the place of the automatic checkpoint
}

Result<> Database::Register(const char* name, int arguments, Function call) {
  const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  if (sqlite3_create_function_v2(handle_, name, arguments, flags, nullptr, call, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return LastError();
  }
  return {};
}

void Database::RaiseConstraint(sqlite3_context* context, std::string_view message) {
  sqlite3_result_error(context, message.data(), static_cast<int>(message.size()));
  sqlite3_result_error_code(context, SQLITE_CONSTRAINT_FUNCTION);
}

std::string_view Database::ArgumentText(sqlite3_value* value) {
  const unsigned char* text = sqlite3_value_text(value);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(sqlite3_value_bytes(value))};
}

Unexpected Database::LastError() const {
  return MakeError(path_, sqlite3_extended_errcode(handle_), sqlite3_errmsg(handle_));
}

Result<Transaction> Transaction::Begin(Database& database) {
  REEVE_TRY(database.Execute("BEGIN IMMEDIATE"));
  return Transaction(&database, false);
}

Result<Transaction> Transaction::Savepoint(Database& database) {
  REEVE_TRY(database.Execute("SAVEPOINT reeve"));
  return Transaction(&database, true);
}

Result<> Transaction::Commit() {
  auto done = database_->Execute(savepoint_ ? "RELEASE reeve" : "COMMIT");
  if (!done) {
    Rollback();
    return done;
  }
  database_ = nullptr;
  return {};
}

void Transaction::Rollback() {
  if (database_ == nullptr) return;
  // An error such as a full disk may have ended the transaction already.
  if (!database_->InAutocommit()) {
    (void)database_->Execute(savepoint_ ? "ROLLBACK TO reeve; RELEASE reeve" : "ROLLBACK");
  }
  database_ = nullptr;
}

}  // namespace reeve::sqlite
