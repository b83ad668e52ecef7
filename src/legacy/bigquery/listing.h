// Listing: finds the datasets, tables and columns of a project, by as few calls as the engine allows.
//
// Per location it asks, in this order, and goes on to the next where the engine cannot do it:
//   1. the INFORMATION_SCHEMA of the region: one job for the names and columns of all its tables, one for their sizes;
//   2. the INFORMATION_SCHEMA of each dataset, hundreds of datasets in one job (where 1 is missing but may be granted, 3 is cheaper: a job bills 10 MB per dataset);
//   3. tables.list of each dataset and tables.get of each table that could matter, many at the same time; free, but 5 calls a tenant.
// Only tables whose names occur in an estate (catalog/legacy.h) get their columns. Complete, or an error. Safe from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drivers/bigquery/client.h"
#include "legacy/bigquery/estate_catalog.h"

namespace reeve::legacy {

// Datasets whose INFORMATION_SCHEMA is read in one job.
inline constexpr size_t kDatasetsAtOnce = 200;
// Datasets that are looked at in one location by calls of their own after a job of step 2 failed for naming them; more, and the rest is read so too.
inline constexpr int kDatasetsSetAsideMax = 8;

struct ListingSettings {
  std::string project;
  std::string location;          // only datasets there; empty: all
  std::string run;               // makes the names of jobs this run's own
  int calls_at_once = 16;
};

// Everything. kNotFound if the project shows no dataset.
[[nodiscard]] Result<std::unique_ptr<EstateCatalog>> ListEstate(bigquery::Client& client, const ListingSettings& settings);

// The datasets of these names by step 3, for a catalog that has them already or lacks them. One that is gone is left out.
[[nodiscard]] Result<> RelistDatasets(bigquery::Client& client, const ListingSettings& settings, const std::vector<std::string>& names,
                                      EstateCatalog* catalog);

// One table's columns for a catalog.
[[nodiscard]] ColumnSet ColumnsOf(const bigquery::Schema& schema);

// A table of no columns cannot be made everywhere; this one stands for it. No row has it.
inline constexpr std::string_view kNoColumn = "reeve_no_columns_yet";

}  // namespace reeve::legacy
