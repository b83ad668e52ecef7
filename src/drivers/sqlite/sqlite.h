// SQLite without its sharp edges: connections, statements and savepoints that close themselves, errors as Result.
//
// Knows no tables. Not for sharing: a Database and its Statements belong to one thread at a time; open one per thread.
// Errors name the file and say what an operator can do: kNotFound (no file), kLocked (busy), kCorrupt (damaged or no
// database), kFailed (full medium, I/O, anything else). A broken constraint is kFailed too; LastWasConstraint() tells it apart.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_context;
struct sqlite3_value;

namespace reeve::sqlite {

enum class Mode {
  kReadOnly,   // the file must exist
  kReadWrite,  // the file must exist
  kCreate,     // made if absent
};

class Database;

// A compiled statement. Reset after an error or when its rows are no longer wanted; Bind keeps no copy: texts must live
// until the next Reset or Bind of the same parameter.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Parameters count from 1.
  void BindNull(int parameter);
  void BindInt(int parameter, int64_t value);
  void BindText(int parameter, std::string_view text);
  void BindBlob(int parameter, std::string_view bytes);

  // True if there is a row, false when done.
  [[nodiscard]] Result<bool> Step();
  // Steps to the end, ignoring rows, and resets, whatever happens.
  [[nodiscard]] Result<> Run();
  void Reset();

  // Columns count from 0; texts are valid until the next Step or Reset.
  [[nodiscard]] bool IsNull(int column) const;
  [[nodiscard]] int64_t Int(int column) const;
  [[nodiscard]] std::string_view Text(int column) const;
  [[nodiscard]] std::string_view Blob(int column) const;
  [[nodiscard]] explicit operator bool() const { return statement_ != nullptr; }

 private:
  friend class Database;
  Statement(Database* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  void CheckBound(int result);

  Database* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

// The values of one row during a visit (Database::VisitRows).
class RowValues {
 public:
  explicit RowValues(sqlite3_value** values) : values_(values) {}
  // Counted from 0; texts are valid until the visit returns.
  [[nodiscard]] bool IsNull(int column) const;
  [[nodiscard]] int64_t Int(int column) const;
  [[nodiscard]] std::optional<int64_t> MaybeInt(int column) const;  // nullopt for NULL
  [[nodiscard]] std::string_view Text(int column) const;

 private:
  sqlite3_value** values_;
};

class Database {
 public:
  // Opens `path`. `busy_ms`: how long a statement waits for another connection's lock before it fails with kLocked.
  [[nodiscard]] static Result<std::unique_ptr<Database>> Open(const std::string& path, Mode mode, int busy_ms);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  // REQUIRES: every Statement is gone
  ~Database();

  [[nodiscard]] const std::string& path() const { return path_; }
  // Runs statements separated by semicolons, ignoring rows.
  [[nodiscard]] Result<> Execute(const std::string& sql);
  [[nodiscard]] Result<Statement> Prepare(std::string_view sql);
  // The first column of the first row.
  [[nodiscard]] Result<int64_t> QueryInt(std::string_view sql);
  [[nodiscard]] Result<std::string> QueryText(std::string_view sql);
  // For tables of very many rows, of which a Step() each takes twice as long. `statement` is "SELECT visit_row(a, b) FROM …": `visit` is called with a and b of
  // each row, in the order in which the engine comes to them, from inside the engine: it uses nothing of this connection. Stops at its first error,
  // and returns it. The statement is reset.
  using VisitRow = std::function<Result<>(const RowValues&)>;
  [[nodiscard]] Result<> VisitRows(Statement& statement, const VisitRow& visit);
  // Rows changed since the connection was opened.
  [[nodiscard]] int64_t TotalChanges() const;
  // Rows changed by the last statement.
  [[nodiscard]] int64_t Changes() const;
  // Row id of the last row that was inserted into a table that has them.
  [[nodiscard]] int64_t LastRow() const;
  // True outside transactions; an error can end one.
  [[nodiscard]] bool InAutocommit() const;
  // True if the last error was a broken constraint or an error raised by a function of ours.
  [[nodiscard]] bool LastWasConstraint() const;
  // True if the last error was that the file is no SQLite database.
  [[nodiscard]] bool LastWasNoDatabase() const;
  // What SQLite said about the last error, e.g. "UNIQUE constraint failed: t.a".
  [[nodiscard]] std::string LastMessage() const;
  // Closing this connection does not move the log into the file.
  void KeepLogOnClose();
  // From now on this connection moves no log into the file by itself, and LogPages() knows how long the log is.
  void CountLog();
  // Pages in the log after the last commit of this connection; 0 before one. REQUIRES: CountLog() was called
  [[nodiscard]] int64_t LogPages() const { return log_pages_; }

  // Registers a function of `arguments` values. It answers with Sqlite's result calls in `call`.
  using Function = void (*)(sqlite3_context*, int, sqlite3_value**);
  [[nodiscard]] Result<> Register(const char* name, int arguments, Function call);
  // Ends a call of a registered function with an error that counts as a broken constraint.
  static void RaiseConstraint(sqlite3_context* context, std::string_view message);
  // The argument as text.
  static std::string_view ArgumentText(sqlite3_value* value);

  // The error of the last failed call on this connection, explained.
  [[nodiscard]] Unexpected LastError() const;

 private:
  Database(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}
  [[nodiscard]] Result<> RegisterVisits();

  std::string path_;
  sqlite3* handle_;
  int64_t log_pages_ = 0;
  struct Visit {
    const VisitRow& row;
    std::optional<Error> failure;
  };
  Visit* visit_ = nullptr;  // of the call of VisitRows under way
};

// A transaction or, with a name, a savepoint within one; rolled back unless committed.
class Transaction {
 public:
  // BEGIN IMMEDIATE: takes the right to write at once.
  [[nodiscard]] static Result<Transaction> Begin(Database& database);
  [[nodiscard]] static Result<Transaction> Savepoint(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)), savepoint_(other.savepoint_) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() { Rollback(); }
  // On error everything is rolled back.
  [[nodiscard]] Result<> Commit();
  void Rollback();

 private:
  Transaction(Database* database, bool savepoint) : database_(database), savepoint_(savepoint) {}
  Database* database_;
  bool savepoint_;
};

}  // namespace reeve::sqlite
