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
  // What is known of reeve_meta since; null: nothing.
  [[nodiscard]] const bigquery::TableInfo* KnownMeta() const;
  // Makes what is missing; what was made is told to `copies`. kRefused, and nothing made, if a table exists with other columns.
  [[nodiscard]] Result<> Apply(TableCopies& copies);
  [[nodiscard]] Result<std::vector<Drift>> Check();
  // Makes the staging table `name` if it is not there. REQUIRES: the lock is held
  [[nodiscard]] Result<> EnsureStaging(const std::string& name);
  // The staging tables that hold rows: for nobody, if no merge is at work.
  [[nodiscard]] Result<std::vector<Stray>> Staged();
  // Takes a staging table away; a merge that needs it makes it again. REQUIRES: the lock is held
  [[nodiscard]] Result<> DropStaging(const std::string& name);
  // What there is, by name.
  [[nodiscard]] const std::set<std::string, std::less<>>& names() const { return names_; }

 private:
  // nullptr: there is none.
  [[nodiscard]] Result<const bigquery::TableInfo*> Find(const catalog::Table& table);

  bigquery::Client& client_;
  const DatasetName dataset_;
  std::set<std::string, std::less<>> names_;
  std::map<const catalog::Table*, bigquery::TableInfo> known_;
};

}  // namespace reeve::store
