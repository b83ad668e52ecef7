// TableWriter: puts rows in place of those of a table in BigQuery: one load into a staging table, one script that swaps all or nothing. One call at a time.
//
// A crash leaves a staging table `reeve_stage_…` beside the table, which expires by itself within a day; listings pass over it.
#pragma once

#include <string>
#include <string_view>

#include "drivers/bigquery/client.h"
#include "env/clock.h"
#include "env/entropy.h"

namespace reeve::legacy {

inline constexpr std::string_view kStagingPrefix = "reeve_stage_";
inline constexpr Micros kStagingExpires = 24 * kHour;

class TableWriter {
 public:
  struct Settings {
    std::string project;
    std::string location;  // where a dataset is made that is absent; empty: the server's default
    std::string run;       // makes the names of jobs this run's own
  };
  // All outlive it.
  TableWriter(bigquery::Client& client, Clock& clock, Settings settings) : client_(client), clock_(clock), settings_(std::move(settings)) {}

  // Replaces the rows. Dataset and table are made if absent, the table with the columns that the rows have; columns that only the rows have are added to a
  // table that is there. `known_change`: when the table was changed last, as far as the caller who made `lines` of it knows; 0: it does not.
  // kRefused, and nothing is changed: the table changed since (`known_change`); it has rows in the streaming buffer, which no statement can delete yet.
  [[nodiscard]] Result<> Replace(const std::string& dataset, const std::string& table, std::string_view lines, Micros known_change);
  // Makes the table with the columns of a `bq show --schema` text, unless it is there.
  [[nodiscard]] Result<> Declare(const std::string& dataset, const std::string& table, std::string_view json);

 private:
  [[nodiscard]] Result<bigquery::TableInfo> FindOrMake(const bigquery::TableId& id, std::string_view lines);
  [[nodiscard]] Result<bigquery::TableInfo> Make(const bigquery::TableId& id, bigquery::Schema schema);
  [[nodiscard]] Result<bigquery::TableInfo> AddColumns(bigquery::TableInfo table, const bigquery::Schema& of_rows);
  [[nodiscard]] Result<> CheckChangeable(const bigquery::TableInfo& table, Micros known_change) const;
  [[nodiscard]] Result<> Stage(const bigquery::TableInfo& table, const bigquery::TableId& staging, std::string_view lines);
  [[nodiscard]] Result<> Run(const bigquery::TableInfo& table, const std::string& script);
  [[nodiscard]] std::string NewId(std::string_view prefix, const bigquery::TableId& table);

  bigquery::Client& client_;
  Clock& clock_;
  const Settings settings_;
  uint64_t jobs_ = 0;
};

}  // namespace reeve::legacy
