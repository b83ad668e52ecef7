// reeve's own tables, beside the seven and never mixed into them. Those of serving are in own_serving.cc.
#include "catalog/own_serving.h"

namespace reeve::catalog {
namespace {

constexpr bool kRequired = true;

Column Tenant(std::string_view doc) {
  return {.name = "tenant_id", .required = kRequired, .merge = Merge::kIdentity, .doc = doc};
}

Table MakeMeta() {
  return {
      .name = "reeve_meta",
      .doc = "Facts about the store itself.",
      .columns = {
          {.name = "key", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "The fact's name."},
          {.name = "value", .doc = "Its value."},
      },
      .key = {"key"},
      .merge_key = {"key"},
      .own = true,
  };
}

Table MakeTenants() {
  return {
      .name = "reeve_tenants",
      .doc = "Where each tenant stands between legacy and central. Its attempt is the fence: writes of an older attempt are refused.",
      .columns = {
          Tenant("The tenant."),
          {.name = "customer_id", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "The customer it is, or would become."},
          {.name = "dataset_id", .doc = "The legacy dataset that holds its data."},
          {.name = "phase", .required = kRequired,
           .doc = "legacy, copied, verified, … (docs/migration.md)."},
          {.name = "attempt", .type = Type::kInt64, .required = kRequired, .merge = Merge::kMax,
           .doc = "The newest attempt that wrote; never goes down."},
          {.name = "as_of", .type = Type::kTimestamp, .doc = "The instant of that attempt."},
          {.name = "source", .doc = "The estate it was read from."},
          {.name = "source_digest", .doc = "Digest of what was read."},
          {.name = "counts", .type = Type::kJson, .doc = "Rows per table, read and written."},
          {.name = "quarantined", .type = Type::kInt64, .doc = "Rows in reeve_dead_letters."},
          {.name = "findings", .type = Type::kInt64, .doc = "Rows in reeve_findings."},
          {.name = "reason", .doc = "Why it is stuck; NULL if it is not."},
          {.name = "updated_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kBookkeeping,
           .doc = "When the row last changed (bookkeeping)."},
      },
      .key = {"tenant_id"},
      .merge_key = {"tenant_id"},
      .owner_column = "tenant_id",
      .own = true,
  };
}

Table MakeUsageRuns() {
  return {
      .name = "reeve_usage_runs",
      .doc = "The set of runs behind a row of customer_usage, so that counting again and uniting are possible.",
      .columns = {
          Tenant("The tenant."),
          {.name = "usage_month", .type = Type::kDate, .required = kRequired, .merge = Merge::kIdentity,
           .doc = "First day of the UTC month in which the runs started."},
          {.name = "runs", .type = Type::kBytes, .required = kRequired,
           .doc = "The runs, packed (docs/formats/)."},
      },
      .key = {"tenant_id", "usage_month"},
      .merge_key = {"tenant_id", "usage_month"},
      .owner_column = "tenant_id",
      .own = true,
  };
}

Table MakeDeadLetters() {
  return {
      .name = "reeve_dead_letters",
      .doc = "Rows that could not be moved and why; never their secrets. Each attempt replaces a tenant's rows.",
      .columns = {
          Tenant("The tenant; empty for rows of shared tables that belong to none."),
          {.name = "dataset", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "Where the row was."},
          {.name = "table_name", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "In which table."},
          {.name = "part", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "In which file or shard; empty for the whole table."},
          {.name = "line", .type = Type::kInt64, .required = kRequired, .merge = Merge::kIdentity,
           .doc = "On which line; 0 for the whole part."},
          {.name = "row_key", .doc = "The row's id or shortened hash, where it could be read."},
          {.name = "reason", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "One word of docs/mapping.md."},
          {.name = "detail", .doc = "The field and what is wrong with it."},
      },
      .key = {"tenant_id", "dataset", "table_name", "part", "line", "reason"},
      .merge_key = {"tenant_id", "dataset", "table_name", "part", "line", "reason"},
      .owner_column = "tenant_id",
      .own = true,
      .replaced_per_tenant = true,
  };
}

Table MakeFindings() {
  return {
      .name = "reeve_findings",
      .doc = "What an operator should know about a tenant although its rows were moved. Each attempt replaces a tenant's rows.",
      .columns = {
          Tenant("The tenant; empty for what concerns the whole estate."),
          {.name = "code", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "One word of docs/mapping.md."},
          {.name = "subject", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "The row it is about; empty for the tenant."},
          {.name = "detail", .doc = "In words."},
      },
      .key = {"tenant_id", "code", "subject"},
      .merge_key = {"tenant_id", "code", "subject"},
      .owner_column = "tenant_id",
      .own = true,
      .replaced_per_tenant = true,
  };
}

// A certificate is written once and never changed.
Table MakeCertificates() {
  return {
      .name = "reeve_certificates",
      .doc = "Proofs that a tenant was found equal on both sides.",
      .columns = {
          Tenant("The tenant."),
          {.name = "attempt", .type = Type::kInt64, .required = kRequired, .merge = Merge::kIdentity,
           .doc = "The attempt that was verified."},
          {.name = "verified_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kIdentity,
           .doc = "When."},
          {.name = "certificate", .type = Type::kJson, .required = kRequired, .merge = Merge::kIdentity,
           .doc = "The certificate (docs/formats/certificate.md)."},
          {.name = "digest", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "SHA-256 of the certificate as hex."},
      },
      .key = {"tenant_id", "digest"},
      .merge_key = {"tenant_id", "digest"},
      .owner_column = "tenant_id",
      .own = true,
  };
}

}  // namespace

std::span<const Table> OwnTables() {
  static const std::vector<Table> tables = {MakeMeta(), MakeTenants(), MakeUsageRuns(), MakeDeadLetters(),
                                            MakeFindings(), MakeCertificates(), MakeRuns(), MakeRunTotals()};
  return tables;
}

const Table& ReeveMeta() { return OwnTables()[0]; }
const Table& ReeveTenants() { return OwnTables()[1]; }
const Table& ReeveUsageRuns() { return OwnTables()[2]; }
const Table& ReeveDeadLetters() { return OwnTables()[3]; }
const Table& ReeveFindings() { return OwnTables()[4]; }
const Table& ReeveCertificates() { return OwnTables()[5]; }
const Table& ReeveRuns() { return OwnTables()[6]; }
const Table& ReeveRunTotals() { return OwnTables()[7]; }

}  // namespace reeve::catalog
