// Compares expected and found central rows, and fills the proofs of a verdict. No I/O; for one thread at a time.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "catalog/rows.h"
#include "migrate/witness/expected.h"
#include "migrate/witness/runs.h"
#include "migrate/witness/verdict.h"

namespace reeve::migrate::witness {

// Counts a difference and lists it if there is room.
void Report(Verdict* verdict, DifferenceKind kind, std::string_view table, std::string row, std::string column);

// Compares all rows of one table by value. `join` is the column by which rows belong together, `bookkeeping` are left out.
void CompareTable(const catalog::RowBatch& expected, const catalog::RowBatch& found, std::string_view join,
                  std::span<const std::string_view> bookkeeping, Verdict* verdict);

// The SHA-256 of rows as verdict.h writes them down, as hex.
[[nodiscard]] std::string DigestRows(const catalog::RowBatch& rows, std::span<const std::string_view> bookkeeping);

// How a row is named in reports.
[[nodiscard]] std::string RowName(std::string_view join, const catalog::Cell& cell);

// What central may hold beyond legacy.
struct Leave {
  bool unread = false;         // not all rows of the kind could be read: one that is not among them may be as it was
  bool merged_before = false;  // see TenantFacts
};

// Takes into `expected` what central may hold: keys revoked in central, inactive ones that are gone from legacy, and what `leave` grants.
// Counts it in Verdict::declared.
void AdmitDeclaredKeys(const Identity& who, const Leave& leave, const catalog::RowBatch& found, catalog::RowBatch* expected,
                       Verdict* verdict);
// The same for credentials.
void AdmitDeclaredCredentials(const Identity& who, const Leave& leave, const catalog::RowBatch& found,
                              catalog::RowBatch* expected, Verdict* verdict);

// Compares every decision about every key on either side; see KeyProof.
void CompareDecisions(const catalog::RowBatch& expected, const catalog::RowBatch& found, Micros as_of, Verdict* verdict);

// Unites the stored sets of runs (rows of reeve_usage_runs) with the legacy runs in `runs`, fills UsageProof, and returns what each month
// of the union comes to.
[[nodiscard]] std::map<Month, MonthUsage> UniteUsage(const catalog::RowBatch& stored, const MonthWindow& window,
                                                     Micros as_of, Micros abandoned_after, RunTable* runs,
                                                     Verdict* verdict);

}  // namespace reeve::migrate::witness
