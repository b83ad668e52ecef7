// The statements of ServingStore::Commit, prepared once. It neither begins nor ends transactions. Not safe for concurrent use.
#pragma once

#include <span>
#include <string>
#include <unordered_map>

#include "store/serving_rows.h"
#include "store/sqlite/sqlite_writer.h"

namespace reeve::store {

class ServingStatements {
 public:
  // REQUIRES: `database` outlives this
  explicit ServingStatements(sqlite::Database& database) : database_(&database), tables_(database), writer_(database) {}
  [[nodiscard]] Result<> Prepare();

  // Everything in transactions that follow one another but the marks. On error some of it may be written: roll back.
  [[nodiscard]] Result<> Write(std::span<const ServingWrites> commits);
  // The marks that differ.
  [[nodiscard]] Result<> WriteMarks(const ServingMarks& before, const ServingMarks& after);
  [[nodiscard]] Result<> PutMark(std::string_view name, std::string_view value);

 private:
  [[nodiscard]] Result<> PutRuns(std::span<const ServingWrites> commits);
  [[nodiscard]] Result<> PutUsages(std::span<const ServingWrites> commits);
  [[nodiscard]] Result<> PutEvents(std::span<const ServingWrites> commits);
  [[nodiscard]] Result<> PutRun(const RunRow& run);
  // A month of customer_usage that was written before.
  struct KnownMonth {
    int64_t row = 0;             // its row id
    int64_t compute_ms = 0;      // as in reeve_run_totals
    int64_t legacy_compute_ms = 0;
  };
  [[nodiscard]] Result<> PutUsage(const UsageRow& usage, Micros now);
  // The month's first row of the ledger's life here; makes its rows where they are missing.
  [[nodiscard]] Result<KnownMonth> Begin(const UsageRow& usage, std::string_view month, Micros now);
  [[nodiscard]] Result<LegacyPart> ReadLegacyPart(const UsageRow& usage, std::string_view month);
  [[nodiscard]] Result<> Touch(std::span<const ServingWrites> commits);
  [[nodiscard]] Result<> Revoke(const KeyRevocation& revocation);
  [[nodiscard]] Result<> Change(const CustomerChange& change, Micros now);

  sqlite::Database* database_;
  SqliteTables tables_;
  SqliteWriter writer_;  // for what is rare
  std::unordered_map<std::string, KnownMonth> months_;  // by tenant and month; nobody else changes the rows meanwhile
  sqlite::Statement put_run_, add_usage_, set_usage_, find_totals_, add_totals_, set_totals_, find_usage_, find_set_, touch_, set_status_, find_customer_,
      set_quotas_, put_mark_;
};

}  // namespace reeve::store
