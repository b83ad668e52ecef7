// The seven tables of the contract: columns, types, order and defaults are those the platform published; keys, merge rules and
// clustering by lookup key are ours. A change here changes the golden files and docs/tables.md.
#include "catalog/table.h"

namespace reeve::catalog {
namespace {

constexpr bool kRequired = true;

Column Customer() {
  return {.name = "customer_id", .required = kRequired, .merge = Merge::kIdentity,
          .doc = "The customer the row belongs to."};
}

Column Tenant() {
  return {.name = "tenant_id", .required = kRequired, .merge = Merge::kIdentity,
          .doc = "The legacy name of that customer, byte for byte."};
}

Column FirstSeen() {
  return {.name = "created_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kFirstSeen,
          .doc = "When this row was first written (bookkeeping)."};
}

Column LastChanged() {
  return {.name = "updated_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kBookkeeping,
          .doc = "When the row last changed (bookkeeping)."};
}

Table MakeCustomers() {
  return {
      .name = "customers",
      .doc = "One row per customer: who it is, which plan it has, whether it may come in.",
      .columns = {
          {.name = "customer_id", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "Derived from the tenant's name, so that a second migration finds the same customer."},
          {.name = "tenant_id", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "The legacy name of the tenant, byte for byte; unique."},
          {.name = "company_name", .required = kRequired, .secrecy = Secrecy::kPersonal,
           .doc = "The tenant's name where the company's is unknown (see metadata)."},
          {.name = "contact_email", .secrecy = Secrecy::kPersonal,
           .doc = "Whom to write to; NULL if unknown."},
          {.name = "subscription_plan", .required = kRequired, .default_value = "'starter'",
           .doc = "The plan's name; the same as plan_name of the current subscription."},
          {.name = "status", .required = kRequired, .default_value = "'active'",
           .doc = "active, suspended or cancelled."},
          {.name = "dataset_id", .required = kRequired,
           .doc = "The legacy dataset that holds the tenant's data."},
          {.name = "created_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kMin,
           .doc = "Since when the customer exists: the tenant's own record, or the earliest evidence."},
          LastChanged(),
          {.name = "metadata", .type = Type::kJson, .secrecy = Secrecy::kPersonal,
           .doc = "Where the values came from, legacy tier, suspension."},
      },
      .key = {"customer_id"},
      .merge_key = {"tenant_id"},
      .owner_column = "tenant_id",
      .unique = {{"customers_tenant_id", {"tenant_id"}}, {"customers_identity", {"tenant_id", "customer_id"}}},
      .partition_by = "created_at",
      .cluster_by = {"tenant_id", "subscription_plan", "status"},
  };
}

Table MakeSubscriptions() {
  return {
      .name = "customer_subscriptions",
      .doc = "What a customer has subscribed to and its quotas; exactly one row per customer is current (billing_cycle_end is NULL).",
      .columns = {
          {.name = "subscription_id", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "The subscription."},
          Customer(),
          {.name = "plan_name", .required = kRequired,
           .doc = "starter, professional or enterprise."},
          {.name = "monthly_pipeline_quota", .type = Type::kInt64,
           .doc = "Runs per UTC month; NULL is unlimited, 0 blocks."},
          {.name = "concurrent_pipeline_quota", .type = Type::kInt64,
           .doc = "Runs at the same time; NULL is unlimited, 0 blocks."},
          {.name = "storage_quota_gb", .type = Type::kInt64,
           .doc = "Stored gigabytes; NULL is unlimited, 0 blocks."},
          {.name = "monthly_cost_usd", .type = Type::kNumeric, .precision = 10, .scale = 2,
           .doc = "Price per month; NULL is by contract."},
          {.name = "billing_cycle_start", .type = Type::kDate, .required = kRequired,
           .doc = "First day of the subscription."},
          {.name = "billing_cycle_end", .type = Type::kDate,
           .doc = "Last day; NULL for the current subscription."},
          {.name = "auto_renew", .type = Type::kBool, .required = kRequired, .default_value = "TRUE",
           .doc = "Whether it renews by itself; a migration consents to nothing and writes false."},
          {.name = "stripe_subscription_id", .doc = "The subscription at the payment provider."},
          {.name = "stripe_customer_id", .doc = "The customer at the payment provider."},
          FirstSeen(),
          LastChanged(),
      },
      .key = {"subscription_id"},
      .stored_key = {"customer_id", "subscription_id"},
      .merge_key = {"customer_id", "subscription_id"},
      .owner_column = "customer_id",
      .unique = {{"customer_subscriptions_current", {"customer_id"}, "billing_cycle_end IS NULL"}},
      .references_customer = "customer_id",
      .partition_by = "billing_cycle_start",
      .cluster_by = {"customer_id", "plan_name"},
  };
}

Table MakeApiKeys() {
  return {
      .name = "customer_api_keys",
      .doc = "Every key that was ever accepted or refused by name: active, revoked and expired. A revocation never un-happens.",
      .columns = {
          {.name = "api_key_id", .required = kRequired,
           .doc = "The key's public id, unique within its customer."},
          Customer(),
          Tenant(),
          {.name = "api_key_hash", .required = kRequired, .merge = Merge::kIdentity, .secrecy = Secrecy::kVerifier,
           .doc = "SHA-256 of the whole key text as 64 lower-case hex digits; unique over all customers."},
          {.name = "encrypted_api_key", .type = Type::kBytes, .required = kRequired, .secrecy = Secrecy::kCiphertext,
           .doc = "The sealed key text; empty where none was kept. Never plaintext."},
          {.name = "key_name", .doc = "What people call the key."},
          {.name = "scopes", .type = Type::kStrings, .doc = "What the key may do."},
          {.name = "is_active", .type = Type::kBool, .required = kRequired, .merge = Merge::kAnd, .default_value = "TRUE",
           .doc = "False once revoked, for ever."},
          {.name = "expires_at", .type = Type::kTimestamp, .merge = Merge::kMin,
           .doc = "When it stops being accepted; NULL is never."},
          {.name = "last_used_at", .type = Type::kTimestamp, .merge = Merge::kMax,
           .doc = "When it was last accepted, as far as known."},
          {.name = "created_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kMin,
           .doc = "When it was made."},
          {.name = "created_by", .secrecy = Secrecy::kPersonal, .doc = "Who made it."},
          {.name = "revoked_at", .type = Type::kTimestamp, .merge = Merge::kMin,
           .doc = "The earliest known revocation; NULL on an inactive key is an unknown time."},
          {.name = "revoked_by", .merge = Merge::kWithEarliest, .secrecy = Secrecy::kPersonal,
           .doc = "Who revoked it at that time."},
      },
      .key = {"customer_id", "api_key_id"},
      .stored_key = {"tenant_id", "api_key_id"},
      .merge_key = {"api_key_hash"},
      .owner_column = "tenant_id",
      .unique = {{"customer_api_keys_hash", {"api_key_hash"}}},
      .references_customer = "customer_id",
      .partition_by = "created_at",
      .cluster_by = {"api_key_hash", "customer_id", "is_active"},
  };
}

Table MakeCredentials() {
  return {
      .name = "customer_credentials",
      .doc = "Sealed credentials of customers for clouds and model providers.",
      .columns = {
          {.name = "credential_id", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "The credential, unique within its customer."},
          Customer(),
          Tenant(),
          {.name = "provider", .required = kRequired,
           .doc = "Canonical lower case: gcp, aws, azure, openai, anthropic, …"},
          {.name = "credential_type", .required = kRequired,
           .doc = "What kind of secret; `unspecified` where legacy did not say."},
          {.name = "encrypted_credentials", .type = Type::kBytes, .required = kRequired, .secrecy = Secrecy::kCiphertext,
           .doc = "The sealed secret; empty where legacy held none, or plaintext."},
          {.name = "credential_name", .doc = "What people call it."},
          {.name = "scopes", .type = Type::kStrings, .doc = "What it is used for."},
          {.name = "is_active", .type = Type::kBool, .required = kRequired, .merge = Merge::kAnd, .default_value = "TRUE",
           .doc = "False once withdrawn, for ever."},
          {.name = "expires_at", .type = Type::kTimestamp,
           .doc = "When the provider stops accepting it; NULL is never or unknown."},
          {.name = "last_validated_at", .type = Type::kTimestamp,
           .doc = "When the provider last accepted it."},
          {.name = "created_at", .type = Type::kTimestamp, .required = kRequired,
           .doc = "When it was stored first."},
          {.name = "updated_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kMax,
           .doc = "When its content last changed (data, not bookkeeping)."},
          {.name = "metadata", .type = Type::kJson, .secrecy = Secrecy::kPersonal,
           .doc = "Cloud account ids, the legacy metadata, and how the ciphertext stands."},
      },
      .key = {"customer_id", "credential_id"},
      .stored_key = {"tenant_id", "credential_id"},
      .merge_key = {"tenant_id", "credential_id"},
      .owner_column = "tenant_id",
      .references_customer = "customer_id",
      .partition_by = "created_at",
      .cluster_by = {"customer_id", "provider"},
  };
}

Table MakeUsage() {
  return {
      .name = "customer_usage",
      .doc = "What a customer used in one UTC month: counted from the runs of reeve_usage_runs (legacy) and reeve_runs (the ledger).",
      .columns = {
          {.name = "usage_id", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "Derived from tenant and month."},
          Customer(),
          Tenant(),
          {.name = "usage_month", .type = Type::kDate, .required = kRequired, .merge = Merge::kIdentity,
           .doc = "First day of the month."},
          {.name = "pipelines_run_count", .type = Type::kInt64, .required = kRequired, .default_value = "0",
           .doc = "Distinct runs that started in the month."},
          {.name = "pipelines_running_count", .type = Type::kInt64, .required = kRequired, .default_value = "0",
           .doc = "Those of them that were still open and not abandoned."},
          {.name = "storage_used_gb", .type = Type::kNumeric, .required = kRequired, .default_value = "0", .precision = 15, .scale = 2,
           .doc = "Stored gigabytes."},
          {.name = "compute_hours", .type = Type::kNumeric, .required = kRequired, .default_value = "0", .precision = 15, .scale = 2,
           .doc = "Sum of the run times."},
          {.name = "api_requests_count", .type = Type::kInt64, .required = kRequired, .default_value = "0",
           .doc = "Requests that were admitted."},
          {.name = "last_pipeline_run_at", .type = Type::kTimestamp,
           .doc = "Start of the latest run; NULL if there was none."},
          {.name = "quota_reset_at", .type = Type::kTimestamp, .required = kRequired,
           .doc = "Start of the next month."},
          FirstSeen(),
          LastChanged(),
      },
      .key = {"usage_id"},
      .stored_key = {"tenant_id", "usage_month"},
      .merge_key = {"tenant_id", "usage_month"},
      .owner_column = "tenant_id",
      // A server that starts wants the present month of everybody, and the few that have storage, without reading all the others.
      .indexes = {{.columns = {"usage_month"}, .for_serving = true},
                  {.columns = {"tenant_id", "usage_month"}, .where = "storage_used_gb NOT IN ('0', '0.00')", .for_serving = true}},
      .references_customer = "customer_id",
      .partition_by = "usage_month",
      .cluster_by = {"customer_id", "usage_month"},
  };
}

// An event is written once: the same id with other content is a conflict, never a correction.
Column Event(std::string_view name, std::string_view doc, bool required = false, Secrecy secrecy = Secrecy::kPublic) {
  return {.name = name, .required = required, .merge = Merge::kIdentity, .secrecy = secrecy,
          .doc = doc};
}

Table MakeAuditLogs() {
  return {
      .name = "customer_audit_logs",
      .doc = "What happened, append-only. Rows outlive their customer: a failed migration and a rollback leave theirs too.",
      .columns = {
          Event("log_id", "The event.", kRequired),
          Event("customer_id", "The customer it is about; need not exist.", kRequired),
          Event("tenant_id", "The legacy name of that customer.", kRequired),
          Event("event_type", "What happened, e.g. customer.migrated.", kRequired),
          Event("event_category", "The area it belongs to.", kRequired),
          Event("actor_type", "What kind of actor did it: user, system, operator.", kRequired),
          Event("actor_id", "Who did it.", false, Secrecy::kPersonal),
          Event("resource_type", "What kind of thing it was done to."),
          Event("resource_id", "The thing it was done to."),
          Event("action", "The verb.", kRequired),
          Event("result", "success or failure, as it was.", kRequired),
          Event("ip_address", "Where the request came from.", false, Secrecy::kPersonal),
          Event("user_agent", "With which program.", false, Secrecy::kPersonal),
          {.name = "metadata", .type = Type::kJson, .merge = Merge::kIdentity,
           .doc = "Counts, digests and reasons."},
          {.name = "created_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kIdentity,
           .doc = "When it happened."},
      },
      .key = {"log_id"},
      .stored_key = {"tenant_id", "log_id"},
      .merge_key = {"tenant_id", "log_id"},
      .owner_column = "tenant_id",
      .partition_by = "created_at",
      .cluster_by = {"customer_id", "event_type", "created_at"},
  };
}

Table MakeInvitations() {
  return {
      .name = "customer_invitations",
      .doc = "Invitations of people to a customer. The legacy estate has none.",
      .columns = {
          {.name = "invitation_id", .required = kRequired, .merge = Merge::kIdentity,
           .doc = "The invitation."},
          Customer(),
          Tenant(),
          {.name = "invited_email", .required = kRequired, .secrecy = Secrecy::kPersonal,
           .doc = "Who is invited."},
          {.name = "invited_by", .required = kRequired, .secrecy = Secrecy::kPersonal,
           .doc = "Who invited."},
          {.name = "role", .required = kRequired, .doc = "admin, developer or viewer."},
          {.name = "status", .required = kRequired, .default_value = "'pending'",
           .doc = "pending, accepted, revoked or expired."},
          {.name = "invitation_token", .required = kRequired, .secrecy = Secrecy::kVerifier,
           .doc = "SHA-256 of the token as hex; the token itself is shown once and not kept."},
          {.name = "expires_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kMin,
           .doc = "When it lapses."},
          {.name = "accepted_at", .type = Type::kTimestamp, .merge = Merge::kMin,
           .doc = "When it was accepted."},
          {.name = "revoked_at", .type = Type::kTimestamp, .merge = Merge::kMin,
           .doc = "When it was withdrawn."},
          {.name = "created_at", .type = Type::kTimestamp, .required = kRequired, .merge = Merge::kMin,
           .doc = "When it was made."},
          {.name = "metadata", .type = Type::kJson, .secrecy = Secrecy::kPersonal,
           .doc = "Free notes."},
      },
      .key = {"invitation_id"},
      .merge_key = {"invitation_id"},
      .owner_column = "tenant_id",
      .unique = {{"customer_invitations_token", {"invitation_token"}}},
      .indexes = {{{"tenant_id"}}, {{"customer_id"}}},
      .references_customer = "customer_id",
      .partition_by = "created_at",
      .cluster_by = {"customer_id", "status"},
  };
}

}  // namespace

std::span<const Table> CentralTables() {
  static const std::vector<Table> tables = {MakeCustomers(), MakeSubscriptions(), MakeApiKeys(), MakeCredentials(),
                                            MakeUsage(), MakeAuditLogs(), MakeInvitations()};
  return tables;
}

const Table& Customers() { return CentralTables()[0]; }
const Table& Subscriptions() { return CentralTables()[1]; }
const Table& ApiKeys() { return CentralTables()[2]; }
const Table& Credentials() { return CentralTables()[3]; }
const Table& Usage() { return CentralTables()[4]; }
const Table& AuditLogs() { return CentralTables()[5]; }
const Table& Invitations() { return CentralTables()[6]; }

}  // namespace reeve::catalog
