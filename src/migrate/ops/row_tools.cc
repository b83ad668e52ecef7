#include "migrate/ops/row_tools.h"

#include "catalog/ndjson.h"
#include "crypto/sha256.h"

namespace reeve::migrate::ops {

std::span<Cell> CopyRow(Row row, RowBatch* out) {
  const std::span<Cell> copy = out->AddRow();
  for (size_t i = 0; i < row.size(); ++i) {
    copy[i] = row[i];
    if (!row[i].is_null && !catalog::IsNumeric(out->table().columns[i].type)) copy[i] = out->Own(row[i].text);
  }
  return copy;
}

std::string LineOf(const Table& table, Row row) {
  std::string line;
  catalog::AppendRow(table, row, &line);
  return line;
}

std::string KeyOf(const Table& table, Row row) {
  std::string key;
  for (const std::string_view column : table.StoredKey()) {
    const Cell& cell = At(table, row, column);
    fmt::format_to(std::back_inserter(key), "{}:{}:", cell.num, cell.text.size());
    key.append(cell.text);
  }
  return key;
}

uint64_t Hash64(std::string_view text) {
  const std::string digest = crypto::Sha256Of(text);
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(digest[static_cast<size_t>(i)]);
  return value;
}

std::string Counted(uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string ShortHash(std::string_view hash) { return std::string(hash.substr(0, 12)) + "…"; }

Result<RowBatch> ReadTenantRow(store::CentralReader& reader, std::string_view tenant) {
  RowBatch row(catalog::ReeveTenants());
  REEVE_TRY(reader.Read(catalog::ReeveTenants(), store::Owner{std::string(tenant), {}}, &row));
  return row;
}

}  // namespace reeve::migrate::ops
