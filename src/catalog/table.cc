#include "catalog/table.h"

#include "base/error.h"

namespace reeve::catalog {

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kString: return "STRING";
    case Type::kInt64: return "INT64";
    case Type::kBool: return "BOOL";
    case Type::kTimestamp: return "TIMESTAMP";
    case Type::kDate: return "DATE";
    case Type::kNumeric: return "NUMERIC";
    case Type::kBytes: return "BYTES";
    case Type::kJson: return "JSON";
    case Type::kStrings: return "ARRAY<STRING>";
  }
  return {};
}

int Table::Find(std::string_view column) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return static_cast<int>(i);
  }
  return -1;
}

int Table::Index(std::string_view column) const {
  const int index = Find(column);
  REEVE_ASSERT(index >= 0);
  return index;
}

const Table* FindTable(std::string_view name) {
  for (const auto& tables : {CentralTables(), OwnTables()}) {
    for (const Table& table : tables) {
      if (table.name == name) return &table;
    }
  }
  return nullptr;
}

}  // namespace reeve::catalog
