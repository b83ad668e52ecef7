#include "base/encoding.h"
#include "base/time_text.h"
#include "legacy/sqlite/row_reader.h"

namespace reeve::legacy {
namespace {

constexpr int kBusyMs = 10'000;
constexpr int kPerColumn = 3;  // storage class, value, whether it is JSON

std::string SelectSql(const std::string& table, const std::vector<Column>& columns) {
  std::string sql = "SELECT ";
  for (const Column& column : columns) {
    const std::string name = QuoteName(column.name);
    const std::string value = fmt::format("CASE typeof({0}) WHEN 'real' THEN printf('%!.17g', {0}) ELSE {0} END", name);
    const bool json = column.type == ColumnType::kJson;
    sql += fmt::format("{}typeof({}), {}, {}", sql.size() > 7 ? ", " : "", name, value, json ? "json_valid(" + name + ")" : "0");
  }
  return sql + " FROM " + QuoteName(table);
}

class RowLines final : public LineReader {
 public:
  RowLines(std::unique_ptr<sqlite::Database> database, std::vector<Column> columns, sqlite::Statement rows)
      : database_(std::move(database)), columns_(std::move(columns)), rows_(std::move(rows)) {}

  Result<bool> Next(Line* line) override {
    REEVE_ASSIGN(const bool more, rows_.Step());
    if (!more) return false;
    text_ = "{";
    for (size_t i = 0; i < columns_.size(); ++i) AppendField(static_cast<int>(i));
    text_ += '}';
    HandOut(&text_, ++number_, line);
    return true;
  }

 private:
  void AppendField(int index) {
    const Column& column = columns_[static_cast<size_t>(index)];
    const int at = index * kPerColumn;
    const std::string_view stored = rows_.Text(at);
    if (stored == "null") return;
    if (text_.size() > 1) text_ += ',';
    AppendJsonString(column.name, &text_);
    text_ += ':';
    if (stored == "integer") {
      AppendInteger(column.type, rows_.Int(at + 1));
    } else if (stored == "real") {
      AppendReal(rows_.Text(at + 1));
    } else if (stored == "blob") {
      AppendJsonString(Base64Encode(rows_.Blob(at + 1)), &text_);
    } else {
      AppendText(rows_.Text(at + 1), rows_.Int(at + 2) == 1);
    }
  }

  void AppendInteger(ColumnType type, int64_t value) {
    if (type == ColumnType::kBool && (value == 0 || value == 1)) {
      text_ += value == 1 ? "true" : "false";
    } else if (type == ColumnType::kTime && value >= kTimeMin && value <= kTimeMax) {
      text_ += '"' + FormatTime(value) + '"';
    } else if (type == ColumnType::kInt || type == ColumnType::kTime) {
      text_ += '"' + std::to_string(value) + '"';
    } else {
      text_ += std::to_string(value);
    }
  }

  void AppendReal(std::string_view digits) {
    const bool finite = digits.find_first_of("nN") == std::string_view::npos;  // Inf, -Inf
    text_ += finite ? std::string(digits) : '"' + std::string(digits) + '"';
  }

  void AppendText(std::string_view text, bool json) {
    if (!json || text.empty() || (text[0] != '[' && text[0] != '{')) {
      AppendJsonString(text, &text_);
      return;
    }
    for (const char c : text) text_ += c == '\n' || c == '\r' ? ' ' : c;  // valid JSON has them between values only
  }

  const std::unique_ptr<sqlite::Database> database_;
  const std::vector<Column> columns_;
  sqlite::Statement rows_;
  std::string text_;
  uint64_t number_ = 0;
};

}  // namespace

Result<std::unique_ptr<LineReader>> OpenRowLines(const std::string& path, const std::string& table) {
  REEVE_ASSIGN(auto database, sqlite::Database::Open(path, sqlite::Mode::kReadOnly, kBusyMs));
  REEVE_ASSIGN(std::vector<Column> columns, ReadColumns(*database, table));
  if (columns.empty()) return Fail(Code::kFailed, "{}: no table '{}'", path, table);
  REEVE_ASSIGN(sqlite::Statement rows, database->Prepare(SelectSql(table, columns)));
  return std::make_unique<RowLines>(std::move(database), std::move(columns), std::move(rows));
}

}  // namespace reeve::legacy
