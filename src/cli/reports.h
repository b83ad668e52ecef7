// What the commands found out, for people and as JSON. Each pair prints one report; the shapes of the JSON are held by
// tests. Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json.h"
#include "cli/view.h"
#include "migrate/backup/backup.h"
#include "migrate/backup/restore.h"
#include "migrate/copy/migrate.h"
#include "migrate/copy/plan.h"
#include "migrate/cost.h"
#include "migrate/ops/ops.h"
#include "migrate/verify/verify.h"
#include "sample/sample.h"

namespace reeve::cli {

// The functions that take `out` add members to an object.
void PlanJson(const migrate::PlanReport& report, const std::optional<migrate::CostEstimate>& cost, bool details, Json* out);
[[nodiscard]] std::string PlanText(const migrate::PlanReport& report, const std::optional<migrate::CostEstimate>& cost, const View& view);

[[nodiscard]] Json CostJson(const migrate::CostEstimate& cost);
[[nodiscard]] std::string CostText(const migrate::CostEstimate& cost, const View& view);
// "$0.05", "$12.00", "less than one cent".
[[nodiscard]] std::string Dollars(int64_t micro_usd);
[[nodiscard]] Json WireJson(const migrate::WireUse& use);
// "BigQuery: 12 jobs, 48 calls, 120 MB billed".
[[nodiscard]] std::string WireText(const migrate::WireUse& use);

void PreviewJson(const migrate::MigratePreview& preview, Json* out);
// What will be done, for the question before it.
[[nodiscard]] std::string PreviewText(const migrate::MigratePreview& preview, std::string_view source, std::string_view target);
void MigrateJson(const migrate::MigrateReport& report, Json* out);
[[nodiscard]] std::string MigrateText(const migrate::MigrateReport& report, bool stats, const View& view);

void VerifyJson(const migrate::VerifyReport& report, Json* out);
[[nodiscard]] std::string VerifyText(const migrate::VerifyReport& report, std::string_view certificates_dir, const View& view);

void StatusJson(const migrate::StatusReport& report, Json* out);
[[nodiscard]] std::string StatusText(const migrate::StatusReport& report, const View& view);

void RollbackJson(const migrate::RollbackReport& report, bool dry_run, Json* out);
[[nodiscard]] std::string RollbackText(const migrate::RollbackReport& report, bool dry_run, const View& view);

void RepairJson(const migrate::RepairReport& report, Json* out);
[[nodiscard]] std::string RepairText(const migrate::RepairReport& report, std::string_view nothing, const View& view);

void ExplainJson(const migrate::ExplainReport& report, Json* out);
[[nodiscard]] std::string ExplainText(const migrate::ExplainReport& report, const View& view);

void DoctorJson(const std::vector<migrate::Check>& checks, Json* out);
[[nodiscard]] std::string DoctorText(const std::vector<migrate::Check>& checks, const View& view);

void DriftJson(const std::vector<store::Drift>& drift, Json* out);
[[nodiscard]] std::string DriftText(const std::vector<store::Drift>& drift, const View& view);

void ExportJson(const migrate::ExportReport& report, Json* out);
[[nodiscard]] std::string ExportText(const migrate::ExportReport& report, std::string_view dir, const View& view);

void ImportJson(const migrate::ImportReport& report, bool dry_run, Json* out);
[[nodiscard]] std::string ImportText(const migrate::ImportReport& report, bool dry_run, const View& view);

void BackupJson(const migrate::BackupReport& report, bool dry_run, Json* out);
[[nodiscard]] std::string BackupText(const migrate::BackupReport& report, std::string_view dir, bool dry_run, const View& view);

void RestoreJson(const migrate::RestoreReport& report, bool dry_run, Json* out);
[[nodiscard]] std::string RestoreText(const migrate::RestoreReport& report, bool dry_run, const View& view);

void SampleJson(const sample::SampleReport& report, Json* out);
[[nodiscard]] std::string SampleText(const sample::SampleReport& report, std::string_view dir, std::string_view expected, const View& view);

}  // namespace reeve::cli
