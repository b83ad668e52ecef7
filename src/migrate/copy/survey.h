// Survey: what is known of an estate before any tenant is copied: the map, the rows of shared carriers, the hashes that stand in two
// tenants. Plan and migrate start with it. Made by one thread (with workers), then read only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "migrate/copy/hash_index.h"
#include "migrate/copy/shared_rows.h"
#include "migrate/copy/tenant_reader.h"
#include "migrate/engine.h"

namespace reeve::migrate::copy {

struct Survey {
  EstateMap map;
  std::unique_ptr<SharedRows> shared;
  HashIndex hashes;
  Micros as_of = 0;
  std::vector<uint32_t> chosen;     // tenants of `map` that --only and --limit leave
  TenantReader::Settings reader_settings;
  double list_seconds = 0, scan_seconds = 0;

  // Hex hashes of one tenant's collisions in one text: part of its source digest.
  [[nodiscard]] std::string CollisionsText(uint32_t tenant) const;
};

// Sees the listing before it becomes the map, which takes it apart: the memory of a large estate has room for one.
using WithListing = std::function<Result<>(const std::vector<legacy::Dataset>& listing)>;

// Listing and choice only: for previews and checks of the options.
[[nodiscard]] Result<std::unique_ptr<Survey>> ListEstate(const Engine& engine, const Options& options, Micros as_of,
                                                         const WithListing& with_listing = {});
// All of it. Reads every key table once.
[[nodiscard]] Result<std::unique_ptr<Survey>> SurveyEstate(const Engine& engine, const Options& options, Micros as_of,
                                                          const WithListing& with_listing = {});

// Runs `work(worker, item)` for items 0…count−1 on `workers` threads (0: one per processor). Stops handing out items when `work` returns false.
void ForEach(size_t count, int workers, const std::function<bool(int worker, size_t item)>& work);
[[nodiscard]] int WorkerCount(int workers);

// Checks options against each other: plans that are named exist, limits are in range.
[[nodiscard]] Result<> CheckOptions(const Options& options);

}  // namespace reeve::migrate::copy
