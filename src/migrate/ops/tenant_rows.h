// Everything the central dataset holds of one tenant, however many customers it is spread over, and
// how that becomes one customer.
//
// The merging rule of duplicates: the survivor is the customer with the tenant's own deterministic
// id, else the oldest, else the smallest id. Every child of the others moves to it; where two
// children are one (the same key hash, credential id, month), they merge so that a refusal wins,
// the larger count stands and nothing is summed. Used for stores and for imports. Values; not safe
// for concurrent use of one object.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrate/ops/row_tools.h"

namespace reeve::migrate::ops {

class TenantRows {
 public:
  explicit TenantRows(std::string tenant);
  [[nodiscard]] const std::string& tenant() const { return tenant_; }
  // The rows of one of Tables().
  [[nodiscard]] RowBatch& Of(const Table& table);
  [[nodiscard]] const RowBatch& Of(const Table& table) const;
  [[nodiscard]] std::vector<RowBatch>& batches() { return batches_; }
  // The seven tables, reeve_usage_runs and the ledger's two.
  [[nodiscard]] static const std::vector<const Table*>& Tables();
  // The ids in customers, sorted, each once.
  [[nodiscard]] std::vector<std::string> CustomerIds() const;
  // Customers that rows name (audit events apart) and `customers` does not have, sorted.
  [[nodiscard]] std::vector<std::string> MissingCustomers() const;

 private:
  std::string tenant_;
  std::vector<RowBatch> batches_;
};

// Reads all of it: subscriptions through every customer that a row of the tenant names. kRefused if
// one of these is another tenant's.
[[nodiscard]] Result<TenantRows> ReadTenantRows(store::CentralReader& reader, const std::string& tenant);

struct MergedTenant {
  TenantRows rows;                    // as they shall be: one customer and everything on it
  std::string survivor;
  std::vector<std::string> retired;   // ids that lose their children; with a row in customers or without
  std::vector<std::string> lines;     // one per retired id, for people
};

// REQUIRES: `before` has at least one customer.
[[nodiscard]] Result<MergedTenant> MergeTenant(const TenantRows& before, Micros now);

}  // namespace reeve::migrate::ops
