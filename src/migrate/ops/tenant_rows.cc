#include "migrate/ops/tenant_rows.h"

#include <set>

namespace reeve::migrate::ops {

TenantRows::TenantRows(std::string tenant) : tenant_(std::move(tenant)) {
  for (const Table* table : Tables()) batches_.emplace_back(*table);
}

const std::vector<const Table*>& TenantRows::Tables() {
  static const std::vector<const Table*> tables = [] {
    std::vector<const Table*> list;
    for (const Table& table : catalog::CentralTables()) list.push_back(&table);
    for (const Table* own : {&catalog::ReeveUsageRuns(), &catalog::ReeveRuns(), &catalog::ReeveRunTotals()}) list.push_back(own);
    return list;
  }();
  return tables;
}

RowBatch& TenantRows::Of(const Table& table) {
  for (RowBatch& batch : batches_)
    if (&batch.table() == &table) return batch;
  REEVE_ASSERT(false);
  return batches_.front();
}

const RowBatch& TenantRows::Of(const Table& table) const { return const_cast<TenantRows*>(this)->Of(table); }

std::vector<std::string> TenantRows::CustomerIds() const {
  std::set<std::string> ids;
  const RowBatch& customers = Of(catalog::Customers());
  for (size_t i = 0; i < customers.size(); ++i) ids.emplace(TextAt(customers.table(), customers.Row(i), "customer_id"));
  return {ids.begin(), ids.end()};
}

std::vector<std::string> TenantRows::MissingCustomers() const {
  const std::vector<std::string> known = CustomerIds();
  std::set<std::string> missing;
  for (const RowBatch& batch : batches_) {
    if (batch.table().references_customer.empty()) continue;
    for (size_t i = 0; i < batch.size(); ++i) {
      std::string id(TextAt(batch.table(), batch.Row(i), "customer_id"));
      if (!std::binary_search(known.begin(), known.end(), id)) missing.insert(std::move(id));
    }
  }
  return {missing.begin(), missing.end()};
}

Result<TenantRows> ReadTenantRows(store::CentralReader& reader, const std::string& tenant) {
  TenantRows rows(tenant);
  for (RowBatch& batch : rows.batches())
    if (batch.table().owner_column == "tenant_id") REEVE_TRY(reader.Read(batch.table(), {tenant, {}}, &batch));
  const std::vector<std::string> missing = rows.MissingCustomers();
  for (const std::string& id : missing) {
    RowBatch other(catalog::Customers());
    const std::string_view column = "customer_id";
    const Cell value = Cell::Text(id);
    REEVE_TRY(reader.Find(catalog::Customers(), {&column, 1}, {&value, 1}, &other));
    if (!other.empty())
      return Fail(Code::kRefused, "rows of {} name customer {}, which is another tenant's: mend them first", tenant, id);
  }
  std::vector<std::string> ids = rows.CustomerIds();
  ids.insert(ids.end(), missing.begin(), missing.end());
  for (const std::string& id : ids)
    REEVE_TRY(reader.Read(catalog::Subscriptions(), {tenant, id}, &rows.Of(catalog::Subscriptions())));
  return rows;
}

}  // namespace reeve::migrate::ops
