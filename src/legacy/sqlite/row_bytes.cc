#include <algorithm>
#include <cstring>

#include "base/encoding.h"
#include "legacy/sqlite/row_reader.h"

namespace reeve::legacy {
namespace {

constexpr int kBusyMs = 10'000;

// An expression for the field `"name":value` of a column, NULL where it is to be left out. Blobs are left to the caller.
std::string FieldSql(const Column& column) {
  const std::string c = QuoteName(column.name);
  const std::string part = fmt::format("((({0} % 1000000) + 1000000) % 1000000)", c);
  const std::string second = fmt::format("strftime('%Y-%m-%d %H:%M:%S', ({} - {}) / 1000000, 'unixepoch')", c, part);
  std::string integer = fmt::format("CAST({} AS TEXT)", c);
  std::string text = fmt::format("json_quote({})", c);
  switch (column.type) {
    case ColumnType::kBool:
      integer = fmt::format("CASE {} WHEN 0 THEN 'false' WHEN 1 THEN 'true' ELSE {} END", c, integer);
      break;
    case ColumnType::kTime:
      integer = fmt::format("'\"' || coalesce({} || CASE {} WHEN 0 THEN '' ELSE printf('.%06d', {}) END || ' UTC', {}) || '\"'",
                            second, part, part, integer);
      break;
    case ColumnType::kInt:
      integer = fmt::format("'\"' || {} || '\"'", integer);
      break;
    case ColumnType::kJson:
      text = fmt::format("CASE WHEN json_valid({0}) AND substr({0}, 1, 1) IN ('[', '{{') THEN "
                         "replace(replace({0}, char(10), ' '), char(13), ' ') ELSE {1} END",
                         c, text);
      break;
    case ColumnType::kBytes:
    case ColumnType::kOther:
      break;
  }
  const std::string real = fmt::format("CASE WHEN abs({0}) <= 1.7976931348623157e308 THEN printf('%!.17g', {0}) "
                                       "ELSE '\"' || printf('%!.17g', {0}) || '\"' END",
                                       c);
  return fmt::format("CASE typeof({0}) WHEN 'integer' THEN {1} WHEN 'real' THEN {2} WHEN 'text' THEN {3} END", c, integer, real,
                     text);
}

class RowBytes final : public RawReader {
 public:
  RowBytes(std::unique_ptr<sqlite::Database> database, std::vector<Column> columns, sqlite::Statement rows)
      : database_(std::move(database)), columns_(std::move(columns)), rows_(std::move(rows)) {}

  Result<size_t> Read(char* buffer, size_t size) override {
    if (taken_ == row_.size()) {
      REEVE_ASSIGN(const bool more, rows_.Step());
      if (!more) return size_t{0};
      Render();
    }
    const size_t count = std::min(size, row_.size() - taken_);
    std::memcpy(buffer, row_.data() + taken_, count);
    taken_ += count;
    return count;
  }

 private:
  // Two columns each: the field's value as JSON, and the blob where it is one.
  void Render() {
    taken_ = 0;
    row_.clear();
    for (size_t i = 0; i < columns_.size(); ++i) {
      const int at = static_cast<int>(2 * i);
      const bool blob = !rows_.IsNull(at + 1);
      if (rows_.IsNull(at) && !blob) continue;
      row_ += row_.empty() ? "{" : ",";
      AppendJsonString(columns_[i].name, &row_);
      row_ += ':';
      row_ += blob ? '"' + Base64Encode(rows_.Blob(at + 1)) + '"' : std::string(rows_.Text(at));
    }
    row_ += row_.empty() ? "{}\n" : "}\n";
  }

  const std::unique_ptr<sqlite::Database> database_;
  const std::vector<Column> columns_;
  sqlite::Statement rows_;
  std::string row_;
  size_t taken_ = 0;
};

}  // namespace

Result<std::unique_ptr<RawReader>> OpenRowBytes(const std::string& path, const std::string& table) {
  REEVE_ASSIGN(auto database, sqlite::Database::Open(path, sqlite::Mode::kReadOnly, kBusyMs));
  REEVE_ASSIGN(std::vector<Column> columns, ReadColumns(*database, table));
  if (columns.empty()) return Fail(Code::kFailed, "{}: no table '{}'", path, table);
  std::string sql = "SELECT ";
  for (const Column& column : columns) {
    const std::string name = QuoteName(column.name);
    if (sql.size() > 7) sql += ", ";
    sql += FieldSql(column) + fmt::format(", CASE typeof({0}) WHEN 'blob' THEN {0} END", name);
  }
  REEVE_ASSIGN(sqlite::Statement rows, database->Prepare(sql + " FROM " + QuoteName(table)));
  return std::make_unique<RowBytes>(std::move(database), std::move(columns), std::move(rows));
}

}  // namespace reeve::legacy
