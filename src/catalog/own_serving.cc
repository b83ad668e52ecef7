// The ledger: what the gate has granted and refused. Its rows are written by store/serving_store.h alone; merges happen when an export is imported.
#include "catalog/own_serving.h"

namespace reeve::catalog {
namespace {

constexpr bool kRequired = true;

// A fact of the request or of the grant; it never changes.
Column Fact(std::string_view name, Type type, std::string_view doc, bool required = kRequired) {
  return {.name = name, .type = type, .required = required, .merge = Merge::kIdentity, .doc = doc};
}

// What only grows while a run goes on.
Column Growing(std::string_view name, Type type, std::string_view doc, bool required = kRequired) {
  return {.name = name, .type = type, .required = required, .merge = Merge::kMax, .doc = doc};
}

}  // namespace

// An open run is one without ended_at: these few have an index of their own, in order of their fence.
Table MakeRuns() {
  return {
      .name = "reeve_runs",
      .doc = "The ledger: one row per run that was asked for here, granted or refused; a tenant's run id is asked for once and for all.",
      .columns = {
          Fact("tenant_id", Type::kString, "The tenant whose run it is."),
          Fact("run_id", Type::kString, "The caller's name of the run."),
          Fact("usage_month", Type::kDate, "First day of the UTC month in which it was asked for: where it counts."),
          Growing("state", Type::kInt64, "1 reserved, 2 completed, 3 cancelled, 4 expired, 5 refused."),
          Fact("pipeline_id", Type::kString, "What was to be run; empty if the caller did not say."),
          Fact("api_key_id", Type::kString, "With which key."),
          Fact("refusal", Type::kInt64, "Why it was refused: the outcome's number; NULL if it was granted.", false),
          {.name = "ttl_ms", .type = Type::kInt64, .required = kRequired, .doc = "How long the lease lives without a heartbeat."},
          Fact("fence", Type::kInt64, "Number of the grant; a later grant has a larger one. 0 if it was refused."),
          Fact("reserved_at", Type::kTimestamp, "When it was granted or refused (ledger time)."),
          Growing("expires_at", Type::kTimestamp, "When the lease ends without a heartbeat (ledger time); NULL if it was refused.", false),
          Growing("ended_at", Type::kTimestamp, "When it ended (ledger time), for a refused run at once; NULL while it is open.", false),
          Growing("compute_ms", Type::kInt64, "Compute time that its end reported."),
          Fact("request_digest", Type::kBytes, "Digest of what was asked: the same id with another request is a conflict."),
          {.name = "outcome", .doc = "What its end reported: succeeded, failed; NULL if nothing."},
          {.name = "reply", .doc = "The numbers of the decision, so that asking again is answered alike."},
      },
      .key = {"tenant_id", "run_id"},
      .merge_key = {"tenant_id", "run_id"},
      .owner_column = "tenant_id",
      .unique = {{"reeve_runs_open", {"fence"}, "ended_at IS NULL"}},
      .partition_by = "usage_month",
      .cluster_by = {"tenant_id", "run_id"},
      .own = true,
      .by_arrival = true,
  };
}

Table MakeRunTotals() {
  return {
      .name = "reeve_run_totals",
      .doc = "What customer_usage cannot hold of a month in which the ledger counts: exact compute time, and what came from legacy. A tenant with a row here "
             "has been served.",
      .columns = {
          Fact("tenant_id", Type::kString, "The tenant."),
          Fact("usage_month", Type::kDate, "First day of the UTC month."),
          {.name = "compute_ms", .type = Type::kInt64, .required = kRequired,
           .doc = "Compute time of the ledger's runs of the month."},
          {.name = "legacy_runs", .type = Type::kInt64, .required = kRequired,
           .doc = "Runs that came from legacy, when the ledger began to count the month."},
          {.name = "legacy_running", .type = Type::kInt64, .required = kRequired,
           .doc = "Those of them that were still open."},
          {.name = "legacy_compute_ms", .type = Type::kInt64, .required = kRequired,
           .doc = "Their compute time."},
      },
      .key = {"tenant_id", "usage_month"},
      .merge_key = {"tenant_id", "usage_month"},
      .owner_column = "tenant_id",
      .own = true,
  };
}

}  // namespace reeve::catalog
