// Options that several commands share, as lists that the command table joins. Constant data.
#pragma once

#include <initializer_list>
#include <vector>

#include "cli/command.h"

namespace reeve::cli {

[[nodiscard]] Option FromOption(bool required);
[[nodiscard]] Option StoreOption(std::string_view name, std::string_view alias);  // --to, --store
[[nodiscard]] Option DryRunOption();
[[nodiscard]] Option DetailsOption(std::string_view help);
// Which tenants: --tenants, --only.
[[nodiscard]] std::vector<Option> TenantOptions();
// The same and --limit.
[[nodiscard]] std::vector<Option> SelectionOptions();
// How rows are read and counted: --plans … --workers.
[[nodiscard]] std::vector<Option> MappingOptions();

// Where BigQuery's jobs run and what stays on this machine: --bigquery-location … --state-dir.
[[nodiscard]] std::vector<Option> BigQueryOptions();

// serve, gateway config: kept apart from the table for its size.
[[nodiscard]] std::vector<Command> ServingCommands();

[[nodiscard]] std::vector<Option> Join(std::initializer_list<std::vector<Option>> lists);

}  // namespace reeve::cli
