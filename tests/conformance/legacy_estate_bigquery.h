// Estates in BigQuery servers of a test's own, for the suite of the LegacyEstate port. For GoogleTest programs.
#pragma once

#include <memory>
#include <string>

#include "env/files.h"
#include "legacy/estate.h"

namespace reeve::testing {

enum class BigQueryServer : uint8_t { kFake, kEmulator };

// An estate in a server of its own, which holds nothing and ends with it; rows on their way are spooled in `directory`, which is made. nullptr, with
// `why`, where there is no such server here.
[[nodiscard]] std::unique_ptr<legacy::LegacyEstate> OpenBigQueryServer(BigQueryServer server, Files& files, const std::string& directory, std::string* why);

}  // namespace reeve::testing
