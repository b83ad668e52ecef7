#include "legacy/sqlite/sqlite_estate.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "legacy/sqlite/columns.h"
#include "legacy/sqlite/row_reader.h"
#include "legacy/sqlite/row_writer.h"

namespace reeve::legacy {
namespace {

constexpr int kBusyMs = 10'000;

std::string StoredTable(std::string_view dataset, std::string_view table) { return fmt::format("{}.{}", dataset, table); }

class SqliteEstate final : public LegacyEstate {
 public:
  explicit SqliteEstate(std::string path) : path_(std::move(path)) {}

  std::string Url() const override { return "sqlite:" + path_; }

  Result<std::vector<Dataset>> List() override {
    REEVE_ASSIGN(const auto database, sqlite::Database::Open(path_, sqlite::Mode::kReadOnly, kBusyMs));
    REEVE_ASSIGN(const std::vector<std::string> names, TableNames(*database));
    std::map<std::string, Dataset> datasets;
    for (const std::string& name : names) {
      const size_t dot = name.find('.');
      if (dot == 0 || dot == std::string::npos) continue;
      Dataset& dataset = datasets[name.substr(0, dot)];
      dataset.name = name.substr(0, dot);
      REEVE_ASSIGN(LegacyTable table, MakeTable(*database, dataset.name, name.substr(dot + 1)));
      dataset.tables.push_back(std::move(table));
    }
    std::vector<Dataset> sorted;
    for (auto& [name, dataset] : datasets) sorted.push_back(std::move(dataset));
    if (!sorted.empty()) return sorted;
    return FailWithHint(Code::kNotFound, fmt::format("{} holds no table named dataset.table", path_),
                        "an estate in SQLite has tables like \"acme.x_meta_api_keys\"");
  }

  Result<std::unique_ptr<LineReader>> OpenLines(const LegacyTable& table, size_t part) override {
    REEVE_ASSERT(part < table.parts.size());
    return OpenRowLines(path_, StoredTable(table.dataset, table.name));
  }

  Result<std::unique_ptr<RawReader>> OpenRaw(const LegacyTable& table, size_t part) override {
    REEVE_ASSERT(part < table.parts.size());
    return OpenRowBytes(path_, StoredTable(table.dataset, table.name));
  }

  Result<> Replace(const std::string& dataset, const std::string& table, std::string_view lines) override {
    REEVE_TRY(CheckNames(dataset, table));
    return ReplaceRows(path_, StoredTable(dataset, table), lines);
  }

  Result<std::string> SchemaText(const LegacyTable& table) override {
    REEVE_ASSIGN(const auto database, sqlite::Database::Open(path_, sqlite::Mode::kReadOnly, kBusyMs));
    REEVE_ASSIGN(const std::vector<Column> columns, ReadColumns(*database, StoredTable(table.dataset, table.name)));
    std::string json = "[";
    for (const Column& column : columns) {
      const bool array = AsciiUpper(column.declared).find("ARRAY") != std::string::npos;
      json += json.size() > 1 ? ",\n {\"name\":" : "{\"name\":";
      AppendJsonString(column.name, &json);
      json += fmt::format(",\"type\":\"{}\",\"mode\":\"{}\"}}", array ? "STRING" : BigQueryTypeOf(column.type),
                          array ? "REPEATED" : "NULLABLE");
    }
    return json + "]\n";
  }

  Result<> DeclareSchema(const std::string& dataset, const std::string& table, std::string_view json) override {
    REEVE_TRY(CheckNames(dataset, table));
    return DeclareTable(path_, StoredTable(dataset, table), json);
  }

 private:
  static Result<> CheckNames(std::string_view dataset, std::string_view table) {
    const auto plain = [](std::string_view name) {
      return !name.empty() && name.size() <= 1024 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
      });
    };
    if (plain(dataset) && plain(table)) return {};
    return Fail(Code::kUsage, "cannot write table '{}' of dataset '{}': names are 1 to 1024 of A-Z a-z 0-9 _", table, dataset);
  }

  static Result<std::vector<std::string>> TableNames(sqlite::Database& database) {
    REEVE_ASSIGN(sqlite::Statement query,
                 database.Prepare("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name COLLATE BINARY"));
    std::vector<std::string> names;
    for (;;) {
      REEVE_ASSIGN(const bool more, query.Step());
      if (!more) return names;
      names.emplace_back(query.Text(0));
    }
  }

  static Result<LegacyTable> MakeTable(sqlite::Database& database, const std::string& dataset, const std::string& name) {
    LegacyTable table;
    table.dataset = dataset;
    table.name = name;
    const std::string stored = StoredTable(dataset, name);
    REEVE_ASSIGN(const std::vector<Column> columns, ReadColumns(database, stored));
    table.schema.emplace();
    std::string sizes = "0";
    for (const Column& column : columns) {
      table.schema->push_back(column.name);
      sizes += fmt::format(" + coalesce(length({}), 0)", QuoteName(column.name));
    }
    REEVE_ASSIGN(const int64_t bytes,
                 database.QueryInt(fmt::format("SELECT coalesce(sum({}), 0) FROM {}", sizes, QuoteName(stored))));
    table.bytes = static_cast<uint64_t>(bytes);
    table.parts.push_back({stored, table.bytes});
    return table;
  }

  const std::string path_;
};

}  // namespace

Result<std::unique_ptr<LegacyEstate>> OpenSqliteEstate(std::string path) {
  if (path.empty()) return Fail(Code::kUsage, "sqlite: needs a file, as in sqlite:FILE");
  return std::make_unique<SqliteEstate>(std::move(path));
}

}  // namespace reeve::legacy
