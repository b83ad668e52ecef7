#include "legacy/sqlite/row_writer.h"

#include <boost/json.hpp>
#include <map>

#include "base/encoding.h"
#include "base/time_text.h"
#include "legacy/sqlite/columns.h"

namespace reeve::legacy {
namespace {

namespace json = boost::json;

constexpr int kBusyMs = 10'000;

std::string_view DeclarationFor(const json::value& value) {
  if (value.is_bool()) return "BOOLEAN";
  if (value.is_int64() || value.is_uint64()) return "INTEGER";
  if (value.is_double()) return "REAL";
  return value.is_string() ? "TEXT" : "JSON";
}

// Calls `visit(object)` for each line that is not blank.
template <typename Visit>
Result<> ForEachObject(std::string_view lines, const Visit& visit) {
  for (uint64_t number = 1; !lines.empty(); ++number) {
    const size_t newline = lines.find('\n');
    const std::string_view line = lines.substr(0, newline);
    lines.remove_prefix(newline == std::string_view::npos ? lines.size() : newline + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    boost::system::error_code error;
    const json::value value = json::parse(line, error);
    if (error || !value.is_object())
      return Fail(Code::kFailed, "row {} is no JSON object; a SQLite estate cannot hold it", number);
    REEVE_TRY(visit(value.get_object()));
  }
  return {};
}

// Binds a value so that reading gives the same text again where the column's type allows it.
void Bind(sqlite::Statement* insert, int parameter, ColumnType type, const json::value& value, std::string* memory) {
  if (value.is_null()) return insert->BindNull(parameter);
  if (value.is_bool() && type == ColumnType::kBool) return insert->BindInt(parameter, value.get_bool() ? 1 : 0);
  if (value.is_int64() && type != ColumnType::kTime) return insert->BindInt(parameter, value.get_int64());
  if (!value.is_string()) {
    *memory = json::serialize(value);
    return insert->BindText(parameter, *memory);
  }
  const std::string_view text = value.get_string();
  if (type == ColumnType::kTime) {
    const std::optional<Micros> time = ParseTime(text);
    if (time && FormatTime(*time) == text) return insert->BindInt(parameter, *time);
  }
  if (type == ColumnType::kBytes && Base64Decode(text, memory)) return insert->BindBlob(parameter, *memory);
  insert->BindText(parameter, text);  // SQLite makes an integer of digits in an INTEGER column
}

class Writer {
 public:
  Writer(sqlite::Database& database, std::string table) : database_(database), table_(std::move(table)) {}

  Result<> Replace(std::string_view lines) {
    REEVE_ASSIGN(columns_, ReadColumns(database_, table_));
    REEVE_TRY(AddColumns(lines));
    REEVE_TRY(database_.Execute("DELETE FROM " + QuoteName(table_)));
    return Insert(lines);
  }

 private:
  Result<> AddColumns(std::string_view lines) {
    const bool there = !columns_.empty();
    std::map<std::string, bool, std::less<>> known;
    for (const Column& column : columns_) known[column.name] = true;
    std::vector<Column> added;
    REEVE_TRY(ForEachObject(lines, [&](const json::object& row) -> Result<> {
      for (const auto& [name, value] : row) {
        if (value.is_null() || known.count(std::string_view(name)) != 0) continue;
        const std::string_view declared = DeclarationFor(value);
        known[std::string(name)] = true;
        added.push_back({std::string(name), std::string(declared), TypeOfDeclaration(declared)});
      }
      return {};
    }));
    if (!there && added.empty()) added.push_back({"tenant_id", "TEXT", ColumnType::kOther});  // a table needs a column
    if (!there) REEVE_TRY(database_.Execute(CreateSql(added)));
    for (const Column& column : added) {
      if (there)
        REEVE_TRY(database_.Execute(
            fmt::format("ALTER TABLE {} ADD COLUMN {} {}", QuoteName(table_), QuoteName(column.name), column.declared)));
      columns_.push_back(column);
    }
    return {};
  }

  std::string CreateSql(const std::vector<Column>& columns) const {
    std::string sql = "CREATE TABLE " + QuoteName(table_) + " (";
    for (const Column& column : columns)
      sql += fmt::format("{}{} {}", sql.ends_with('(') ? "" : ", ", QuoteName(column.name), column.declared);
    return sql + ")";
  }

  Result<> Insert(std::string_view lines) {
    std::string sql = "INSERT INTO " + QuoteName(table_) + " (";
    std::string values;
    for (const Column& column : columns_) {
      sql += (values.empty() ? "" : ", ") + QuoteName(column.name);
      values += values.empty() ? "?" : ", ?";
    }
    REEVE_ASSIGN(sqlite::Statement insert, database_.Prepare(sql + ") VALUES (" + values + ")"));
    return ForEachObject(lines, [&](const json::object& row) -> Result<> {
      std::vector<std::string> memory(columns_.size());
      for (size_t i = 0; i < columns_.size(); ++i) {
        const json::value* value = row.if_contains(columns_[i].name);
        const json::value null;
        Bind(&insert, static_cast<int>(i) + 1, columns_[i].type, value != nullptr ? *value : null, &memory[i]);
      }
      return insert.Run();
    });
  }

  sqlite::Database& database_;
  const std::string table_;
  std::vector<Column> columns_;
};

// SQLite's names do not tell case apart; ours do.
Result<> CheckCase(sqlite::Database& database, const std::string& path, const std::string& table) {
  REEVE_ASSIGN(sqlite::Statement query,
               database.Prepare("SELECT name FROM sqlite_master WHERE name = ?1 COLLATE NOCASE AND name <> ?1"));
  query.BindText(1, table);
  REEVE_ASSIGN(const bool other, query.Step());
  if (!other) return {};
  return Fail(Code::kFailed, "{}: cannot hold table '{}' beside '{}': SQLite takes names that differ only in case for one", path,
              table, query.Text(0));
}

}  // namespace

Result<> ReplaceRows(const std::string& path, const std::string& table, std::string_view lines) {
  REEVE_ASSIGN(const auto database, sqlite::Database::Open(path, sqlite::Mode::kCreate, kBusyMs));
  REEVE_TRY(CheckCase(*database, path, table));
  REEVE_ASSIGN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database));
  Result<> replaced = Writer(*database, table).Replace(lines);
  if (!replaced) return Unexpected(std::move(replaced).error().Within(fmt::format("{}: {}", path, table)));
  return transaction.Commit();
}

Result<> DeclareTable(const std::string& path, const std::string& table, std::string_view text) {
  boost::system::error_code error;
  const json::value root = json::parse(text, error);
  const json::value* fields = root.is_object() ? root.get_object().if_contains("fields") : &root;
  if (error || fields == nullptr || !fields->is_array()) return Fail(Code::kFailed, "{}: {}: no schema", path, table);
  std::string columns;
  for (const json::value& field : fields->get_array()) {
    if (!field.is_object()) return Fail(Code::kFailed, "{}: {}: no schema", path, table);
    const auto word = [&](std::string_view name) {
      const json::value* value = field.get_object().if_contains(name);
      return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    const std::string_view declared = DeclarationOf(word("type"), AsciiUpper(word("mode")) == "REPEATED");
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", QuoteName(word("name")), declared);
  }
  REEVE_ASSIGN(const auto database, sqlite::Database::Open(path, sqlite::Mode::kCreate, kBusyMs));
  REEVE_TRY(CheckCase(*database, path, table));
  return database->Execute(fmt::format("CREATE TABLE IF NOT EXISTS {} ({})", QuoteName(table), columns));
}

}  // namespace reeve::legacy
