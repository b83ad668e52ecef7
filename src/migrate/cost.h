// What a migration costs where the engine bills: plain data, for the plan's report. How it is worked out is the business of whoever knows the engine (app/).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reeve::migrate {

struct CostStep {
  std::string step;
  uint64_t jobs = 0;
  uint64_t api_calls = 0;      // all HTTP requests, those of the jobs included
  uint64_t bytes_billed = 0;
  int64_t micro_usd = 0;       // millionths of a dollar
  int64_t seconds = 0;         // one job after the other
};

struct CostEstimate {
  std::vector<CostStep> steps;
  CostStep total;
  CostStep per_thousand_tenants;
  CostStep row_at_a_time;      // the same migration one job per row, as the scripts that reeve replaces do it
  std::string prices;          // which price list, of when
  std::vector<std::string> assumptions;
};

// What went over the wire so far.
struct WireUse {
  std::string engine;          // "BigQuery"
  uint64_t jobs = 0, api_calls = 0, retries = 0;
  uint64_t bytes_billed = 0, bytes_sent = 0, bytes_received = 0;
};

}  // namespace reeve::migrate
