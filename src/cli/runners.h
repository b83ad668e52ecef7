// The commands, one function each; found by name through FindRunner (run.h). Each prints its result through the session.
#pragma once

#include "cli/session.h"

namespace reeve::cli {

[[nodiscard]] Result<int> RunSample(Session& session);
[[nodiscard]] Result<int> RunPlan(Session& session);
[[nodiscard]] Result<int> RunBackup(Session& session);
[[nodiscard]] Result<int> RunMigrate(Session& session);
[[nodiscard]] Result<int> RunStatus(Session& session);
[[nodiscard]] Result<int> RunVerify(Session& session);
[[nodiscard]] Result<int> RunRollback(Session& session);
[[nodiscard]] Result<int> RunRestore(Session& session);
[[nodiscard]] Result<int> RunDoctor(Session& session);
[[nodiscard]] Result<int> RunExplainKey(Session& session);
[[nodiscard]] Result<int> RunExplainFinding(Session& session);
[[nodiscard]] Result<int> RunRepairDuplicates(Session& session);
[[nodiscard]] Result<int> RunRepairUsage(Session& session);
[[nodiscard]] Result<int> RunExport(Session& session);
[[nodiscard]] Result<int> RunMirror(Session& session);
[[nodiscard]] Result<int> RunServe(Session& session);
[[nodiscard]] Result<int> RunGatewayConfig(Session& session);
[[nodiscard]] Result<int> RunSchemaPrint(Session& session);
[[nodiscard]] Result<int> RunSchemaApply(Session& session);
[[nodiscard]] Result<int> RunSchemaCheck(Session& session);
[[nodiscard]] Result<int> RunConfigShow(Session& session);
[[nodiscard]] Result<int> RunCompletion(Session& session);
[[nodiscard]] Result<int> RunMan(Session& session);
[[nodiscard]] Result<int> RunVersion(Session& session);
[[nodiscard]] Result<int> RunHelp(Session& session);
[[nodiscard]] Result<int> RunComplete(Session& session);
[[nodiscard]] Result<int> RunDocs(Session& session);

// ---- what several of them share (run_common.cc) ----

// The estate of --from or the setting; kUsage if there is none.
[[nodiscard]] Result<std::string> EstateUrl(const Session& session);
// What a command of a migration is told: tenants, plans, limits, from options and settings.
[[nodiscard]] Result<migrate::Options> MakeOptions(Session& session);
// Names in a --tenants file: one a line, # begins a comment. `name` for messages.
[[nodiscard]] Result<std::vector<std::string>> ParseTenants(std::string_view text, std::string_view name);
// An engine over these ports; `estate` and `sink` may be null.
[[nodiscard]] Result<migrate::Engine> MakeEngine(Session& session, legacy::LegacyEstate* estate, store::CentralSink* sink);
// "DIR" of DIR or export:DIR.
[[nodiscard]] std::string DirOf(std::string_view text);
// The URL of the central store.
[[nodiscard]] std::string StoreUrl(const Session& session);

}  // namespace reeve::cli
