// What every migration command works with, and the options they share. Plain data; the ports it names are owned elsewhere and outlive it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time_text.h"
#include "domain/plan.h"
#include "env/clock.h"
#include "env/files.h"
#include "legacy/estate.h"
#include "obs/progress.h"
#include "store/central_sink.h"

namespace reeve::migrate {

struct Engine {
  legacy::LegacyEstate* estate = nullptr;  // null where a command needs none
  store::CentralSink* sink = nullptr;      // null where a command only reads
  Files* files = nullptr;
  Clock* clock = nullptr;
  obs::Progress* progress = nullptr;
  std::string state_path;                  // "reeve.db": the journal is state_path + ".journal", the dead-letter file + ".deadletter.jsonl"
};

struct Options {
  std::vector<std::string> only;            // these tenants; empty: all
  uint64_t limit = 0;                       // at most so many tenants; 0: all
  std::vector<std::string> declared;        // names that are tenants whatever they look like
  domain::PlanBook plans = domain::BuiltInPlans();
  std::optional<Micros> as_of;              // default: the journal's, else now
  int usage_months = 13;                    // 1..120
  Micros abandoned_after = 24 * kHour;
  bool api_key_column_holds_hash = false;
  int workers = 0;                          // 0: one per processor
  bool verify = true;                       // migrate: prove each tenant after copying
};

}  // namespace reeve::migrate
