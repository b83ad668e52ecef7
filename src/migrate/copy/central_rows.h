// From legacy rows of one tenant to its central rows (docs/mapping.md §3–§7): merging, naming, counting. Pure; safe from any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/rows.h"
#include "domain/plan.h"
#include "domain/run_set.h"
#include "migrate/copy/legacy_rows.h"

namespace reeve::migrate::copy {

// Where a row stood: for dead letters.
struct RowOrigin {
  std::string dataset, table, part;
  uint64_t line = 0;
};

struct DeadLetter {
  RowOrigin origin;
  std::string row_key;
  std::string reason;
  std::string detail;
};

struct Finding {
  std::string code;
  std::string subject;
  std::string detail;
  auto operator<=>(const Finding&) const = default;
};

template <typename Row>
struct Placed {
  Row row;
  RowOrigin origin;
};

// What the mapping needs to know beside the rows.
struct MappingContext {
  std::string tenant;
  std::string customer_id;
  std::string dataset_id;
  Micros as_of = 0;
  int usage_months = 13;
  Micros abandoned_after = 24 * kHour;
  const domain::PlanBook* plans = nullptr;
};

// What was found on the way.
struct MappingNotes {
  std::vector<DeadLetter> dead_letters;
  std::vector<Finding> findings;
};

// Appends the tenant's keys, one per hash, to `out` (customer_api_keys). Returns the earliest created_at of the rows.
std::optional<Micros> MapKeys(const MappingContext& context, std::vector<Placed<KeyRow>> rows, catalog::RowBatch* out, MappingNotes* notes);
// Appends the tenant's credentials, one per id, to `out`. Rows whose is_active is absent count as active. Returns the earliest created_at of
// the rows that are not in conflict.
std::optional<Micros> MapCredentials(const MappingContext& context, std::vector<Placed<CredentialRow>> rows,
                                     catalog::RowBatch* out, MappingNotes* notes);

struct UsageSummary {
  uint64_t out_of_window = 0;     // runs
  uint64_t runs = 0;              // distinct, in the window
  int64_t runs_this_month = 0;
};
// Appends customer_usage and reeve_usage_runs rows for every month of the window that has runs, and for the month of as_of.
UsageSummary MapUsage(const MappingContext& context, const domain::RunSet& runs, catalog::RowBatch* usage,
                      catalog::RowBatch* stored, MappingNotes* notes);

struct CustomerFacts {
  std::vector<RecordRow> records;
  std::optional<Micros> earliest_evidence;     // of keys, credentials and runs
  std::optional<int64_t> runs_this_month;      // ours, to compare; absent: unknown
};
// Appends the customer and its subscription. Returns the plan's name.
std::string MapCustomer(const MappingContext& context, const CustomerFacts& facts, catalog::RowBatch* customers,
                        catalog::RowBatch* subscriptions, MappingNotes* notes);

}  // namespace reeve::migrate::copy
