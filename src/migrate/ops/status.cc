// Where every tenant stands. The store says what is there, the journal what was decided; where they
// differ the later step is unfinished, and the reason says so.
#include <algorithm>

#include "migrate/journal.h"
#include "migrate/ops/ops.h"
#include "migrate/ops/row_tools.h"

namespace reeve::migrate {
namespace {

using namespace ops;

std::string NextAction(std::string_view phase, const TenantStatus& status) {
  if (!status.reason.empty() && status.reason != "imported") return "mend the cause, then 'reeve migrate' again";
  const std::optional<Phase> parsed = ParsePhase(phase);
  if (!parsed) return "the phase is unknown to this reeve: use the one that wrote it";
  switch (*parsed) {
    case Phase::kLegacy:
    case Phase::kPlanned:
    case Phase::kBackedUp: return "reeve migrate";
    case Phase::kCopied:
    case Phase::kArmed: return status.quarantined > 0 ? "look at the dead letters, then reeve verify" : "reeve verify";
    case Phase::kVerified: return status.quarantined > 0 ? "accept or mend the dead letters" : "nothing: proven equal";
    case Phase::kShadow: return "watch the mismatches, then reeve phase set central";
    case Phase::kCentral: return "reeve phase set final";
    case Phase::kFinal: return "nothing: done";
  }
  return {};
}

TenantStatus FromRow(Row row) {
  const Table& table = catalog::ReeveTenants();
  TenantStatus status;
  status.tenant = TextAt(table, row, "tenant_id");
  status.customer_id = TextAt(table, row, "customer_id");
  status.phase = TextAt(table, row, "phase");
  status.reason = TextAt(table, row, "reason");
  status.attempt = NumAt(table, row, "attempt");
  status.as_of = NumAt(table, row, "as_of");
  status.updated_at = NumAt(table, row, "updated_at");
  status.quarantined = NumAt(table, row, "quarantined");
  status.findings = NumAt(table, row, "findings");
  status.counts = TextAt(table, row, "counts");
  return status;
}

Result<> CountBy(store::CentralReader& reader, const Table& table, std::string_view column, std::map<std::string, uint64_t>* counts) {
  const auto index = static_cast<size_t>(table.Index(column));
  return reader.Scan(table, [&](Row row) -> Result<> {
    ++(*counts)[std::string(row[index].text)];
    return {};
  });
}

std::string JournalHealth(const Result<JournalState>& journal, uint64_t torn_bytes, bool exists) {
  if (!journal) return journal.error().message;
  if (!exists) return "missing";
  std::string text = "ok, " + Counted(journal->records, "record");
  if (journal->run_open) text += "; a run did not end: the next one resumes it";
  if (torn_bytes > 0) text += fmt::format("; the last line is cut off ({} bytes), the trace of a crash", torn_bytes);
  return text;
}

// What the journal adds to a tenant that the store knows.
void Compare(const TenantState& decided, TenantStatus* status) {
  if (status->reason.empty() && !decided.failure.empty()) status->reason = decided.failure;
  if (!status->reason.empty()) return;
  const std::optional<Phase> stored = ParsePhase(status->phase);
  if (stored && *stored != decided.phase && decided.attempt >= status->attempt)
    status->reason = fmt::format("the journal says {}, the store {}: the last step did not end", PhaseName(decided.phase), status->phase);
}

// Tenants of which the store knows nothing: they failed before anything was written.
TenantStatus FromJournal(const std::string& tenant, const TenantState& decided) {
  TenantStatus status;
  status.tenant = tenant;
  status.phase = PhaseName(decided.phase);
  status.attempt = decided.attempt;
  status.as_of = decided.as_of;
  status.reason = !decided.failure.empty() ? decided.failure : "in the journal, but not in this store";
  status.next_action = NextAction(status.phase, status);
  return status;
}

}  // namespace

Result<StatusReport> ReadStatus(store::CentralReader& reader, Files& files, const std::string& state_path) {
  StatusReport report;
  report.store = state_path;
  const std::string journal_path = state_path + ".journal";
  uint64_t torn_bytes = 0;
  Result<JournalState> journal = ReadJournal(files, journal_path, &torn_bytes);
  report.journal = JournalHealth(journal, torn_bytes, files.Exists(journal_path));
  std::map<std::string, TenantState, std::less<>> decided;
  if (journal) decided = std::move(journal->tenants);
  REEVE_TRY(reader.Scan(catalog::ReeveTenants(), [&](Row row) -> Result<> {
    TenantStatus status = FromRow(row);
    if (const auto found = decided.find(status.tenant); found != decided.end()) {
      Compare(found->second, &status);
      decided.erase(found);
    }
    status.next_action = NextAction(status.phase, status);
    ++report.by_phase[status.phase];
    report.tenants.push_back(std::move(status));
    return {};
  }));
  for (const auto& [tenant, state] : decided) {
    if (state.phase == Phase::kLegacy && state.failure.empty()) continue;
    report.tenants.push_back(FromJournal(tenant, state));
    ++report.by_phase[report.tenants.back().phase];
  }
  std::sort(report.tenants.begin(), report.tenants.end(), [](const auto& a, const auto& b) { return a.tenant < b.tenant; });
  REEVE_TRY(CountBy(reader, catalog::ReeveDeadLetters(), "reason", &report.dead_letters));
  REEVE_TRY(CountBy(reader, catalog::ReeveFindings(), "code", &report.findings));
  return report;
}

}  // namespace reeve::migrate
