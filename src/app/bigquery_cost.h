// What a migration from or into BigQuery costs: jobs, calls, bytes billed, money. Arithmetic only: asks nobody and reads nothing. Safe from any thread.
//
// The bill of a query (on-demand): for every table it references the bytes of the referenced columns, rounded up to whole MB and at least 10 MB, and at least
// 10 MB for the query. Loads, reading by tabledata.list and calls that are no jobs are free.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "migrate/copy/plan.h"
#include "migrate/cost.h"

namespace reeve::app {

struct BigQueryPrices {
  std::string_view name;                // for people
  std::string_view source, date;        // where it stands, and when it was read
  int64_t micro_usd_per_tib = 0;
  uint64_t table_bytes_min = 0, query_bytes_min = 0;
};
// Google's list for on-demand queries. The first TiB of each month is free there; it is not taken off here, since others may have used it.
[[nodiscard]] const BigQueryPrices& OnDemandPrices();

// What is to be moved.
struct CostQuestion {
  bool from_bigquery = false, into_bigquery = false;
  uint64_t tenants = 0;
  uint64_t datasets = 0;                                      // of the project, tenants' and others
  std::map<std::string, std::vector<uint64_t>> table_bytes;   // of the legacy tables that are read, by kind
  uint64_t key_rows = 0, credential_rows = 0;                 // legacy
  uint64_t central_rows = 0;
};

[[nodiscard]] migrate::CostEstimate EstimateBigQueryCost(const CostQuestion& question, const BigQueryPrices& prices);

// The same of a plan, by the on-demand list; nullopt where neither side is BigQuery.
[[nodiscard]] std::optional<migrate::CostEstimate> EstimatePlan(const migrate::PlanReport& plan, bool from_bigquery, bool into_bigquery);

}  // namespace reeve::app
