// The tables of one dataset: which are there, how they differ from the catalog, making what is missing. One thread at a time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "drivers/bigquery/client.h"
#include "store/bigquery/dataset_tables.h"
#include "store/bigquery/table_copies.h"

namespace reeve::store {

class DatasetSchema {
 public:
  // `client` outlives this.
  DatasetSchema(bigquery::Client& client, DatasetName dataset) : client_(client), dataset_(std::move(dataset)) {}

  // Looks which tables there are.
  [[nodiscard]] Result<> List();
  // True if the dataset is a central one of ours. kRefused if a newer reeve made it. REQUIRES: List() went well
  [[nodiscard]] Result<bool> IsOurs();
  // Makes what is missing; what was made is told to `copies`. kRefused, and nothing made, if a table exists with other columns.
  [[nodiscard]] Result<> Apply(TableCopies& copies);
  [[nodiscard]] Result<std::vector<Drift>> Check();
  // Staging tables, of whichever run.
  [[nodiscard]] std::vector<std::string> StagingTables() const;

 private:
  // nullptr: there is none.
  [[nodiscard]] Result<const bigquery::TableInfo*> Find(const catalog::Table& table);

  bigquery::Client& client_;
  const DatasetName dataset_;
  std::set<std::string, std::less<>> names_;
  std::map<const catalog::Table*, bigquery::TableInfo> known_;
};

}  // namespace reeve::store
