// What the adapters of ServingStore share: names of the marks, and the values of rows that follow from others. Nothing here knows an engine.
// Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/serving_store.h"

namespace reeve::store {

// Rows of reeve_meta, each a number as decimal text but the last. Persisted: frozen.
inline constexpr std::string_view kLedgerTimeMark = "ledger_time";
inline constexpr std::string_view kFenceMark = "fence";
inline constexpr std::string_view kAuditSeqMark = "ledger_audit_seq";
inline constexpr std::string_view kAuditHeadMark = "ledger_audit_head";

// The number in a mark's text; nullopt if it is none.
[[nodiscard]] std::optional<int64_t> ParseMark(std::string_view text);
// `before` with what `writes` moves on; a mark never goes back.
[[nodiscard]] ServingMarks MarksAfter(const ServingMarks& before, const ServingWrites& writes);

// The first month whose usage Load hands over.
[[nodiscard]] Days FirstServedMonth(Days from_month, const ServingMarks& marks);

// usage_id of a month (docs/mapping.md §7).
[[nodiscard]] std::string UsageIdOf(std::string_view tenant_id, Days month);

// When the run ended as the ledger keeps it: 0 while it is reserved; a refused run, and one that does not say when it ended, ended when it was asked for.
[[nodiscard]] Micros EndOf(const RunRow& run);

// What a month held before the ledger began to count it (reeve_run_totals).
struct LegacyPart {
  int64_t runs = 0, running = 0, compute_ms = 0;
};
// `counted`: that month's row of customer_usage. Its compute time is exact if `set`, the month's row of reeve_usage_runs, says so, else from the hundredths of
// an hour. A damaged set says nothing (doctor reports it).
[[nodiscard]] LegacyPart LegacyPartOf(int64_t runs, int64_t running, int64_t compute_hundredths, std::optional<std::string_view> set, Days month);

}  // namespace reeve::store
