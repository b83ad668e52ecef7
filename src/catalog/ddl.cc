#include "catalog/ddl.h"

#include "base/error.h"
#include "catalog/ndjson.h"

namespace reeve::catalog {
namespace {

std::string Join(std::span<const std::string_view> names) {
  std::string joined;
  for (std::string_view name : names) {
    if (!joined.empty()) joined.append(", ");
    joined.append(name);
  }
  return joined;
}

std::string_view SqliteType(Type type) {
  switch (type) {
    case Type::kInt64:
    case Type::kBool:
    case Type::kTimestamp: return "INTEGER";
    case Type::kBytes: return "BLOB";
    case Type::kString:
    case Type::kDate:
    case Type::kNumeric:
    case Type::kJson:
    case Type::kStrings: return "TEXT";
  }
  return {};
}

// Texts compare by bytes everywhere, as in the other engines; `json` keeps the text that arrived, jsonb would not.
std::string PostgresType(const Column& column) {
  switch (column.type) {
    case Type::kString: return "text COLLATE \"C\"";
    case Type::kInt64: return "bigint";
    case Type::kBool: return "boolean";
    case Type::kTimestamp: return "timestamptz";
    case Type::kDate: return "date";
    case Type::kNumeric: return fmt::format("numeric({},{})", column.precision, column.scale);
    case Type::kBytes: return "bytea";
    case Type::kJson: return "json";
    case Type::kStrings: return "text[]";
  }
  return {};
}

std::string BigQueryType(const Column& column) {
  if (column.type != Type::kNumeric) return std::string(TypeName(column.type));
  return fmt::format("NUMERIC({},{})", column.precision, column.scale);
}

std::string SqliteColumn(const Column& column) {
  std::string text = fmt::format("{} {}", column.name, SqliteType(column.type));
  if (column.required) text.append(" NOT NULL");
  if (!column.default_value.empty()) {
    const bool decimal = column.type == Type::kNumeric;
    const auto scaled = decimal ? ParseNumeric(column.default_value, column.scale) : std::nullopt;
    text.append(" DEFAULT ").append(scaled ? "'" + FormatNumeric(*scaled, column.scale) + "'" : std::string(column.default_value));
  }
  if (column.type == Type::kBool) text.append(fmt::format(" CHECK ({} IN (0,1))", column.name));
  return text;
}

std::string PostgresColumn(const Column& column) {
  std::string text = fmt::format("{} {}", column.name, PostgresType(column));
  if (column.required) text.append(" NOT NULL");
  if (!column.default_value.empty()) text.append(" DEFAULT ").append(column.default_value);
  return text;
}

// BigQuery wants DEFAULT before NOT NULL, and knows no NOT NULL for arrays (a NULL array is stored as an empty one).
std::string BigQueryColumn(const Column& column) {
  std::string text = fmt::format("{} {}", column.name, BigQueryType(column));
  if (!column.default_value.empty()) text.append(" DEFAULT ").append(column.default_value);
  if (column.required && column.type != Type::kStrings) text.append(" NOT NULL");
  return text;
}

std::string ColumnLine(const Column& column, Engine engine) {
  switch (engine) {
    case Engine::kSqlite: return SqliteColumn(column);
    case Engine::kPostgres: return PostgresColumn(column);
    case Engine::kBigQuery: return BigQueryColumn(column);
  }
  return {};
}

std::string Qualified(std::string_view name, Engine engine, std::string_view dataset) {
  if (engine == Engine::kSqlite || dataset.empty()) return std::string(name);
  const bool quoted = engine == Engine::kBigQuery && dataset.find('-') != std::string_view::npos;
  return quoted ? fmt::format("`{}.{}`", dataset, name) : fmt::format("{}.{}", dataset, name);
}

// SQLite keeps our own tables in the order of their key, without a second index. Only where the key's columns come first: its integrity check
// (3.40) reports columns of other WITHOUT ROWID tables as NULL that are not.
bool LivesInItsKey(const Table& table) {
  if (!table.own || table.by_arrival) return false;
  for (size_t i = 0; i < table.key.size(); ++i)
    if (table.columns[i].name != table.key[i]) return false;
  return true;
}

std::string CreateTable(const Table& table, Engine engine, std::string_view dataset) {
  std::string text = fmt::format("CREATE TABLE IF NOT EXISTS {} (\n", Qualified(table.name, engine, dataset));
  std::string separator = "  ";
  for (const Column& column : table.columns) {
    text.append(separator).append(ColumnLine(column, engine));
    separator = ",\n  ";
  }
  if (engine != Engine::kBigQuery) {
    text.append(fmt::format(",\n  PRIMARY KEY ({})", Join(table.StoredKey())));
    if (!table.references_customer.empty()) {
      const std::string_view tenant = table.Find("tenant_id") >= 0 ? "tenant_id, " : "";
      text.append(fmt::format(",\n  FOREIGN KEY ({}{}) REFERENCES {} ({}customer_id)", tenant, table.references_customer,
                              Qualified(Customers().name, engine, dataset), tenant));
    }
  }
  text.append("\n)");
  if (engine == Engine::kSqlite) text.append(LivesInItsKey(table) ? " STRICT, WITHOUT ROWID" : " STRICT");
  if (engine == Engine::kBigQuery && !table.partition_by.empty()) {
    const bool date = table.columns[table.Index(table.partition_by)].type == Type::kDate;
    text.append(fmt::format("\nPARTITION BY {}{}{}", date ? "" : "DATE(", table.partition_by, date ? "" : ")"));
  }
  if (engine == Engine::kBigQuery && !table.cluster_by.empty()) {
    text.append("\nCLUSTER BY ").append(Join(table.cluster_by));
  }
  return text;
}

// Owners see their own rows only, even if a query forgets its tenant predicate.
std::vector<std::string> PostgresPolicies(const Table& table, std::string_view schema) {
  const std::string name = Qualified(table.name, Engine::kPostgres, schema);
  return {
      fmt::format("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", name),
      fmt::format("ALTER TABLE {} FORCE ROW LEVEL SECURITY", name),
      fmt::format("DROP POLICY IF EXISTS reeve_owner ON {}", name),
      fmt::format("CREATE POLICY reeve_owner ON {0}\n  USING ({1} = current_setting('reeve.{1}', true))", name,
                  table.owner_column),
  };
}

// One lookup: who may read what stands in reeve_analysts, not in the policies.
std::vector<std::string> BigQueryPolicies(const Table& table, std::string_view dataset) {
  return {fmt::format("CREATE OR REPLACE ROW ACCESS POLICY reeve_analysts ON {0}\n"
                      "  GRANT TO ('allAuthenticatedUsers')\n"
                      "  FILTER USING ({1} IN (SELECT {1} FROM {2} WHERE analyst = SESSION_USER()))",
                      Qualified(table.name, Engine::kBigQuery, dataset), table.owner_column,
                      Qualified("reeve_analysts", Engine::kBigQuery, dataset))};
}

std::string CreateAnalysts(std::string_view dataset) {
  return fmt::format("CREATE TABLE IF NOT EXISTS {} (\n  analyst STRING NOT NULL,\n  tenant_id STRING NOT NULL,\n"
                     "  customer_id STRING NOT NULL\n)\nCLUSTER BY analyst",
                     Qualified("reeve_analysts", Engine::kBigQuery, dataset));
}

void AppendPolicies(Engine engine, std::string_view dataset, std::vector<std::string>* statements) {
  if (engine == Engine::kSqlite) return;
  if (engine == Engine::kBigQuery) statements->push_back(CreateAnalysts(dataset));
  for (const Table& table : CentralTables()) {
    for (std::string& policy : engine == Engine::kPostgres ? PostgresPolicies(table, dataset) : BigQueryPolicies(table, dataset)) {
      statements->push_back(std::move(policy));
    }
  }
}

void AppendPlain(const Table& table, bool for_serving, std::vector<IndexDecl>* indexes) {
  for (const PlainIndex& index : table.indexes) {
    if (index.for_serving != for_serving) continue;
    std::string name = fmt::format("{}_by", table.name);
    for (std::string_view column : index.columns) name.append("_").append(column);
    indexes->push_back({std::move(name), index.columns, false, index.where});
  }
}

std::string CreateIndex(const Table& table, const IndexDecl& index, Engine engine, std::string_view dataset) {
  std::string text = fmt::format("CREATE {}INDEX IF NOT EXISTS {} ON {} ({})", index.unique ? "UNIQUE " : "", index.name,
                                 Qualified(table.name, engine, dataset), Join(index.columns));
  if (!index.where.empty()) text.append(" WHERE ").append(index.where);
  return text;
}

}  // namespace

std::optional<Engine> ParseEngine(std::string_view name) {
  if (name == "sqlite") return Engine::kSqlite;
  if (name == "postgres") return Engine::kPostgres;
  if (name == "bigquery") return Engine::kBigQuery;
  return std::nullopt;
}

std::vector<IndexDecl> Indexes(const Table& table) {
  std::vector<IndexDecl> indexes;
  for (const Unique& unique : table.unique) {
    indexes.push_back({std::string(unique.name), unique.columns, true, unique.where});
  }
  AppendPlain(table, false, &indexes);
  return indexes;
}

std::vector<IndexDecl> ServingIndexes(const Table& table) {
  std::vector<IndexDecl> indexes;
  AppendPlain(table, true, &indexes);
  return indexes;
}

std::vector<std::string> CreateStatements(const Table& table, Engine engine, std::string_view dataset) {
  std::vector<std::string> statements = {CreateTable(table, engine, dataset)};
  if (engine == Engine::kBigQuery) return statements;  // enforces nothing: verify and doctor report breaches
  for (const IndexDecl& index : Indexes(table)) statements.push_back(CreateIndex(table, index, engine, dataset));
  return statements;
}

std::vector<std::string> CreateServingIndexes(const Table& table, Engine engine, std::string_view dataset) {
  std::vector<std::string> statements;
  if (engine == Engine::kBigQuery) return statements;
  for (const IndexDecl& index : ServingIndexes(table)) statements.push_back(CreateIndex(table, index, engine, dataset));
  return statements;
}

std::string SchemaScript(Engine engine, std::string_view dataset, bool own, bool policies) {
  std::vector<std::string> statements;
  if (engine == Engine::kPostgres && !dataset.empty()) {
    statements.push_back(fmt::format("CREATE SCHEMA IF NOT EXISTS {}", dataset));
  }
  for (const auto& tables : {CentralTables(), own ? OwnTables() : std::span<const Table>()}) {
    for (const Table& table : tables) {
      for (std::string& statement : CreateStatements(table, engine, dataset)) statements.push_back(std::move(statement));
      for (std::string& statement : CreateServingIndexes(table, engine, dataset)) statements.push_back(std::move(statement));
    }
  }
  if (policies) AppendPolicies(engine, dataset, &statements);
  std::string script = "-- Generated from src/catalog by `reeve schema print`; not edited by hand.\n";
  for (const std::string& statement : statements) script.append("\n").append(statement).append(";\n");
  return script;
}

}  // namespace reeve::catalog
