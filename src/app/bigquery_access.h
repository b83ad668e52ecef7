// What doctor says of BigQuery: which credentials are used, what they may do, which staging tables dead runs left. Asks BigQuery, and changes nothing but what it is told to
// remove. One thread.
#pragma once

#include <string>
#include <vector>

#include "drivers/bigquery/client.h"
#include "migrate/ops/ops.h"
#include "store/bigquery/bigquery_sink.h"

namespace reeve::app {

// Stray staging tables of Replace in datasets of the project; `remove_strays` removes them.
[[nodiscard]] std::vector<migrate::Check> CheckEstateAccess(bigquery::Client& client, const std::string& project, const std::string& credentials,
                                                            bool remove_strays);
// `strays`: of the store, `removed` if they are gone by now.
[[nodiscard]] std::vector<migrate::Check> CheckStoreAccess(bigquery::Client& client, const std::string& project, const std::string& dataset,
                                                           const std::string& credentials, const std::vector<store::Stray>& strays, bool removed);

}  // namespace reeve::app
