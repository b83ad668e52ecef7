// An estate in BigQuery: one dataset per tenant, all datasets of a project in all locations.
//
// Works in sets: tables are read hundreds at a time into a spool on disk and handed out one by one (table_fetcher.h), so jobs grow with the size of the estate
// divided by hundreds. Rows of one listing are those of one instant, where the engine can read the past; else as they are when they are read. The copier's
// and the verifier's reading share no job and no code that makes rows into text (row_text.h). A listing holds as long as anything was read from it, so that
// one object sees one state of the estate; what it wrote itself (Replace) is listed and read as it is then.
//
// Safe from any thread, as the port says; Replace and DeclareSchema from one at a time.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "drivers/bigquery/client.h"
#include "env/clock.h"
#include "env/entropy.h"
#include "env/files.h"
#include "legacy/estate.h"

namespace reeve::legacy {

inline constexpr uint64_t kSpoolBytesDefault = uint64_t{4} << 30;
// A listing nothing was read from yet is used again for so long.
inline constexpr Micros kListingKept = 10 * 60 * kSecond;

struct BigQueryEstateOptions {
  std::string project = {};
  std::string location = {};          // only datasets there; empty: all
  std::string new_location = {};      // where restore makes datasets that are absent; empty: the server's default
  bool one_instant = true;            // false: rows as they are when they are read, also where the engine can do better
  std::string spool_dir = {};         // exists; must have room for the rows of some thousand tables
  uint64_t spool_bytes_max = kSpoolBytesDefault;
};

// "PROJECT[?location=L][&instant=off]", the part of a URL after "bigquery:". kUsage says what is wrong.
[[nodiscard]] Result<BigQueryEstateOptions> ParseBigQueryEstate(std::string_view text);

// `files`, `clock` and `entropy` outlive it. Nothing is sent before List.
[[nodiscard]] std::unique_ptr<LegacyEstate> OpenBigQueryEstate(BigQueryEstateOptions options, std::shared_ptr<bigquery::Client> client, Files& files,
                                                               Clock& clock, Entropy& entropy);

}  // namespace reeve::legacy
