#include "store/bigquery/merge_script.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/encoding.h"
#include "base/error.h"
#include "base/time_text.h"
#include "catalog/ndjson.h"
#include "store/bigquery/exact_cells.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::Table;
using catalog::Type;

namespace {

bool InKey(const Table& table, const Column& column) {
  return std::find(table.merge_key.begin(), table.merge_key.end(), column.name) != table.merge_key.end();
}

// The staged text of a column as a value of its type.
std::string Converted(const Column& column) {
  const std::string text = fmt::format("s.{}", column.name);
  switch (column.type) {
    case Type::kString: return text;
    case Type::kInt64: return fmt::format("CAST({} AS INT64)", text);
    case Type::kBool: return fmt::format("CAST({} AS BOOL)", text);
    case Type::kTimestamp: return fmt::format("TIMESTAMP_MICROS(CAST({} AS INT64))", text);
    case Type::kDate: return fmt::format("CAST({} AS DATE)", text);
    case Type::kNumeric: return fmt::format("CAST({} AS NUMERIC)", text);
    case Type::kBytes: return fmt::format("FROM_BASE64({})", text);
    case Type::kJson: return fmt::format("PARSE_JSON({})", text);
    case Type::kStrings: return fmt::format("JSON_VALUE_ARRAY(PARSE_JSON({}))", text);
  }
  return {};
}

std::string Names(const Table& table) {
  std::string names;
  for (const Column& column : table.columns) names.append(names.empty() ? "" : ", ").append(column.name);
  return names;
}

std::string Values(const Table& table) {
  std::string values;
  for (const Column& column : table.columns) values.append(values.empty() ? "" : ", ").append(Converted(column));
  return values;
}

// "s.reeve_table = 'customers' AND t.tenant_id = s.tenant_id"; `target` qualifies the dataset's columns.
std::string SameRow(const Table& table, std::string_view target) {
  std::string text = fmt::format("s.reeve_table = '{}'", table.name);
  for (std::string_view name : table.merge_key)
    text.append(fmt::format(" AND {}{} = {}", target, name, Converted(table.columns[table.Index(name)])));
  return text;
}

std::string Merge(const Table& table, const DatasetName& dataset, const std::string& staging) {
  std::string set;
  for (const Column& column : table.columns) {
    if (InKey(table, column)) continue;
    set.append(set.empty() ? "" : ", ").append(fmt::format("{} = {}", column.name, Converted(column)));
  }
  std::string text = fmt::format("MERGE {} t USING {} s ON {}\n", dataset.Table(table.name).Quoted(), staging, SameRow(table, "t."));
  text.append("WHEN MATCHED AND s.reeve_op = 'delete' THEN DELETE\n");
  if (!set.empty()) text.append(fmt::format("WHEN MATCHED AND s.reeve_op = 'put' THEN UPDATE SET {}\n", set));
  text.append(fmt::format("WHEN NOT MATCHED AND s.reeve_table = '{}' AND s.reeve_op = 'put' THEN INSERT ({}) VALUES ({});\n", table.name, Names(table),
                          Values(table)));
  return text;
}

std::string DeleteAndInsert(const Table& table, const DatasetName& dataset, const std::string& staging) {
  const std::string target = dataset.Table(table.name).Quoted();
  return fmt::format(
      "DELETE FROM {0} t WHERE EXISTS (SELECT 1 FROM {1} s WHERE {2});\n"
      "INSERT INTO {0} ({3}) SELECT {4} FROM {1} s WHERE s.reeve_table = '{5}' AND s.reeve_op = 'put';\n",
      target, staging, SameRow(table, "t."), Names(table), Values(table), table.name);
}

// ---- what a line of NDJSON says

void AppendMember(std::string_view name, std::string_view text, std::string* out) {
  if (out->back() != '{') out->push_back(',');
  out->append("\"").append(name).append("\":");
  AppendJsonString(text, out);
}

void AppendCell(const Column& column, const Cell& cell, std::string* out) {
  switch (column.type) {
    case Type::kString: return AppendMember(column.name, cell.text, out);
    case Type::kInt64:
    case Type::kTimestamp: return AppendMember(column.name, std::to_string(cell.num), out);
    case Type::kBool: return AppendMember(column.name, cell.num != 0 ? "true" : "false", out);
    case Type::kDate: return AppendMember(column.name, FormatDate(static_cast<Days>(cell.num)), out);
    case Type::kNumeric: return AppendMember(column.name, catalog::FormatNumeric(cell.num, column.scale), out);
    case Type::kBytes: return AppendMember(column.name, Base64Encode(cell.text), out);
    case Type::kJson:
    case Type::kStrings: return AppendMember(column.name, *FormOf(column, cell), out);
  }
}

// ---- rules that BigQuery does not enforce

struct Rule {
  std::vector<std::string_view> columns;
  std::string_view where;
};

std::vector<Rule> RulesOf(const Table& table) {
  std::vector<Rule> rules;
  const auto add = [&](const std::vector<std::string_view>& columns, std::string_view where) {
    const bool known = std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.columns == columns && rule.where == where; });
    if (!known) rules.push_back({columns, where});
  };
  add(table.StoredKey(), "");
  add(table.merge_key, "");
  for (const catalog::Unique& unique : table.unique) add(unique.columns, unique.where);
  // An id that names its row to people is unique overall, whatever its engine's key is.
  if (table.key.size() == 1) add(table.key, "");
  return rules;
}

// A value as people may see it.
std::string Shown(const Column& column) {
  const std::string text = column.type == Type::kString ? std::string(column.name) : fmt::format("CAST({} AS STRING)", column.name);
  return column.secrecy == catalog::Secrecy::kVerifier ? fmt::format("SUBSTR({}, 1, 12)", text) : text;
}

std::string Twins(const Table& table, const Rule& rule, const DatasetName& dataset) {
  std::string names, shown;
  for (std::string_view name : rule.columns) {
    names.append(names.empty() ? "" : ", ").append(name);
    shown.append(shown.empty() ? "" : ", ', ', ").append(Shown(table.columns[table.Index(name)]));
  }
  const std::string where = rule.where.empty() ? "" : fmt::format(" WHERE {}", rule.where);
  return fmt::format("(SELECT CONCAT('{}: {} ', {}, ' occurs ', CAST(COUNT(*) AS STRING), ' times') AS finding FROM {}{} GROUP BY {} HAVING COUNT(*) > 1 LIMIT {})",
                     table.name, names, shown, dataset.Table(table.name).Quoted(), where, names, kIntegrityFindingsMax);
}

std::string Orphans(const Table& table, const DatasetName& dataset) {
  const bool has_tenant = table.Find("tenant_id") >= 0;
  const std::string tenant = has_tenant ? " AND c.tenant_id = t.tenant_id" : "";
  const Column& id = table.columns[table.Index(table.key.back())];
  return fmt::format(
      "(SELECT CONCAT('{0}: {1} ', t.{1}, ' names a customers row that does not exist') AS finding FROM {2} t LEFT JOIN {3} c ON c.customer_id = t.{4}{5} "
      "WHERE c.customer_id IS NULL LIMIT {6})",
      table.name, id.name, dataset.Table(table.name).Quoted(), dataset.Table(catalog::Customers().name).Quoted(), table.references_customer, tenant,
      kIntegrityFindingsMax);
}

}  // namespace

const bigquery::Schema& StagingSchema() {
  static const bigquery::Schema schema = [] {
    std::set<std::string> names;
    for (const Table* table : DatasetTables())
      for (const Column& column : table->columns) names.emplace(column.name);
    bigquery::Schema fields;
    for (const char* name : {"reeve_batch", "reeve_table", "reeve_op", "reeve_tenant", "reeve_attempt"}) {
      REEVE_ASSERT(!names.contains(name));
      fields.emplace_back().name = name;
    }
    for (const std::string& name : names) fields.emplace_back().name = name;
    return fields;
  }();
  return schema;
}

void AppendStagedRow(const StagedRow& row, std::string_view batch, std::string* out) {
  out->push_back('{');
  AppendMember("reeve_batch", batch, out);
  AppendMember("reeve_table", row.table->name, out);
  AppendMember("reeve_op", row.put ? "put" : "delete", out);
  if (!row.tenant.empty()) {
    AppendMember("reeve_tenant", row.tenant, out);
    AppendMember("reeve_attempt", std::to_string(row.attempt), out);
  }
  for (size_t i = 0; i < row.cells.size(); ++i) {
    const Column& column = row.table->columns[i];
    if (!row.cells[i].is_null && (row.put || InKey(*row.table, column))) AppendCell(column, row.cells[i], out);
  }
  out->append("}\n");
}

std::string MergeScript(const DatasetName& dataset, const StagedBatch& batch, std::span<const ScriptTable> tables) {
  REEVE_ASSERT(bigquery::IsJobId(batch.id));
  const std::string stage = dataset.Table(batch.table).Quoted();
  std::string script = "BEGIN TRANSACTION;\n";
  // A text that is no number ends the script: of what may stand in a transaction, nothing else does so everywhere.
  script.append(fmt::format("SELECT CAST(IF(COUNT(*) = {0} AND COUNTIF(reeve_batch = '{1}') = {0}, '1', 'the staged rows are not those of this merge') AS INT64) "
                            "AS staged FROM {2};\n",
                            batch.rows, batch.id, stage));
  script.append(fmt::format("DELETE FROM {} s WHERE EXISTS (SELECT 1 FROM {} t WHERE t.tenant_id = s.reeve_tenant AND t.attempt > CAST(s.reeve_attempt AS INT64));\n",
                            stage, dataset.Table(catalog::ReeveTenants().name).Quoted()));
  for (const ScriptTable& one : tables)
    script.append(one.has_twins ? DeleteAndInsert(*one.table, dataset, stage) : Merge(*one.table, dataset, stage));
  return script.append(fmt::format("COMMIT TRANSACTION;\nTRUNCATE TABLE {};\n", stage));
}

std::string DescribeScript(const StagedBatch& batch, std::span<const ScriptTable> tables) {
  std::string text = fmt::format("{} {} {}", batch.id, batch.rows, batch.table);
  for (size_t i = 0; i < tables.size(); ++i)
    text.append(i == 0 ? " " : ",").append(tables[i].table->name).append(tables[i].has_twins ? "+" : "");
  return text;
}

std::optional<std::string> ScriptFromDescription(const DatasetName& dataset, std::string_view description) {
  const size_t first = description.find(' ');
  const size_t second = first == std::string_view::npos ? first : description.find(' ', first + 1);
  const size_t third = second == std::string_view::npos ? second : description.find(' ', second + 1);
  if (third == std::string_view::npos) return std::nullopt;
  StagedBatch batch{std::string(description.substr(0, first)), 0, std::string(description.substr(second + 1, third - second - 1))};
  const auto [end, error] = std::from_chars(description.data() + first + 1, description.data() + second, batch.rows);
  if (!bigquery::IsJobId(batch.id) || error != std::errc() || end != description.data() + second || !IsStagingTable(batch.table)) return std::nullopt;
  std::vector<ScriptTable> tables;
  for (std::string_view rest = description.substr(third); !rest.empty();) {
    rest.remove_prefix(1);
    std::string_view name = rest.substr(0, rest.find(','));
    rest.remove_prefix(name.size());
    const bool twins = name.ends_with('+');
    if (twins) name.remove_suffix(1);
    const auto known = std::ranges::find_if(DatasetTables(), [&](const Table* table) { return table->name == name; });
    if (known == DatasetTables().end()) return std::nullopt;
    tables.push_back({*known, twins});
  }
  return MergeScript(dataset, batch, tables);
}

std::string IntegrityQuery(const DatasetName& dataset) {
  std::string query;
  const auto add = [&](const std::string& part) { query.append(query.empty() ? "" : "\nUNION ALL\n").append(part); };
  for (const Table* table : DatasetTables()) {
    for (const Rule& rule : RulesOf(*table)) add(Twins(*table, rule, dataset));
    if (!table->references_customer.empty()) add(Orphans(*table, dataset));
  }
  return query;
}

}  // namespace reeve::store
