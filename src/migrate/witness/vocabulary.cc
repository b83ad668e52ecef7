#include "migrate/witness/vocabulary.h"

#include <algorithm>

namespace reeve::migrate::witness {
namespace {

using enum FieldType;

constexpr std::array<Field, key_field::kCount> kKeyFields = {{
    {kText, {"api_key_id", "tenant_api_key_id", "org_api_key_id"}},
    {kText, {"tenant_id", "org_slug"}},
    {kText, {"api_key_hash", "tenant_api_key_hash", "org_api_key_hash"}},
    {kText, {"encrypted_api_key", "encrypted_tenant_api_key", "encrypted_org_api_key"}},
    {kText, {"api_key"}},
    {kTime, {"created_at"}},
    {kText, {"created_by"}},
    {kTime, {"expires_at"}},
    {kBool, {"is_active"}},
    {kTime, {"last_used_at"}},
    {kText, {"key_name", "description"}},
    {kTexts, {"scopes"}},
    {kTime, {"deactivated_at", "revoked_at"}},
    {kText, {"deactivated_by", "revoked_by"}},
}};

constexpr std::array<Field, credential_field::kCount> kCredentialFields = {{
    {kText, {"credential_id"}},
    {kText, {"tenant_id", "org_slug"}},
    {kText, {"provider"}},
    {kText, {"credential_type"}},
    {kText, {"encrypted_value", "encrypted_credential", "encrypted_credentials"}},
    {kText, {"credential_name", "description"}},
    {kTime, {"created_at"}},
    {kTime, {"updated_at"}},
    {kTime, {"expires_at"}},
    {kTime, {"last_validated_at"}},
    {kBool, {"is_active"}},
    {kTexts, {"scopes"}},
    {kText, {"account_id"}},
    {kText, {"aws_account_id"}},
    {kText, {"azure_subscription_id"}},
    {kText, {"created_by"}},
    {kText, {"last_error"}},
    {kText, {"project_id"}},
    {kText, {"region"}},
    {kText, {"validation_status"}},
    {kMetadata, {"metadata"}},
}};

constexpr std::array<Field, run_field::kCount> kRunFields = {{
    {kText, {"pipeline_logging_id", "run_id"}},
    {kText, {"tenant_id", "org_slug"}},
    {kText, {"status"}},
    {kTime, {"start_time", "started_at"}},
    {kTime, {"end_time", "completed_at"}},
    {kInt, {"duration_ms"}},
}};

constexpr std::array<Field, record_field::kCount> kRecordFields = {{
    {kText, {"tenant_id", "org_slug"}},
    {kText, {"company_name"}},
    {kText, {"contact_email", "admin_email"}},
    {kText, {"subscription_tier", "subscription_plan"}},
    {kBool, {"is_active"}},
    {kText, {"status"}},
    {kInt, {"max_pipelines_per_month"}},
    {kInt, {"max_concurrent_pipelines"}},
    {kInt, {"max_storage_gb"}},
    {kTime, {"created_at"}},
    {kTime, {"updated_at"}},
    {kTime, {"suspended_at"}},
    {kText, {"suspended_reason"}},
    {kInt, {"pipeline_runs_this_month"}},
}};

constexpr std::string_view kKeyWords[] = {
    "api_key_id", "tenant_api_key_id", "org_api_key_id", "tenant_id", "org_slug", "customer_id", "api_key_hash",
    "tenant_api_key_hash", "org_api_key_hash", "encrypted_api_key", "encrypted_tenant_api_key",
    "encrypted_org_api_key", "api_key", "created_at", "created_by", "expires_at", "is_active", "last_used_at",
    "usage_count", "description", "key_name", "scopes", "permissions", "deactivated_by", "deactivated_at",
    "deactivated_reason", "revoked_at", "revoked_by", "rate_limit_tier", "updated_at", "user_id"};

constexpr std::string_view kCredentialWords[] = {
    "credential_id", "tenant_id", "org_slug", "customer_id", "provider", "credential_type", "encrypted_value",
    "encrypted_credential", "encrypted_credentials", "credential_name", "description", "created_at", "updated_at",
    "expires_at", "is_active", "created_by", "created_by_user_id", "updated_by_user_id", "user_id", "project_id",
    "aws_account_id", "azure_subscription_id", "account_id", "region", "scopes", "last_validated_at", "last_error",
    "usage_count", "last_used_at", "metadata", "deactivation_scheduled_at", "environment", "labels",
    "validation_status"};

constexpr std::string_view kRunWords[] = {
    "pipeline_logging_id", "run_id", "tenant_id", "org_slug", "pipeline_id", "pipeline_name", "pipeline_template",
    "status", "trigger_type", "trigger_by", "start_time", "started_at", "end_time", "completed_at", "duration_ms",
    "config_version", "worker_instance", "error_message", "error_context", "parameters", "run_metadata", "metadata",
    "run_date", "ingestion_date", "user_id", "tenant_api_key_id", "org_api_key_id", "created_at", "updated_at",
    "total_steps", "completed_steps", "failed_steps"};

constexpr std::string_view kRecordWords[] = {
    "tenant_id", "org_slug", "company_name", "contact_email", "admin_email", "subscription_tier",
    "subscription_plan", "is_active", "status", "max_pipelines_per_month", "max_concurrent_pipelines",
    "max_storage_gb", "pipeline_runs_count", "pipeline_runs_this_month", "current_running_pipelines",
    "last_pipeline_run_at", "quota_reset_date", "created_at", "updated_at", "suspended_at", "suspended_reason",
    "metadata"};

}  // namespace

std::span<const Field> FieldsOf(Kind kind) {
  switch (kind) {
    case Kind::kKeys: return kKeyFields;
    case Kind::kCredentials: return kCredentialFields;
    case Kind::kRuns: return kRunFields;
    case Kind::kRecord: return kRecordFields;
  }
  return {};
}

int TenantField(Kind kind) {
  return kind == Kind::kRecord ? static_cast<int>(record_field::kTenant) : 1;
}
static_assert(key_field::kTenant == 1 && credential_field::kTenant == 1 && run_field::kTenant == 1);
static_assert(credential_field::kCount <= kFieldsMax);

std::span<const std::string_view> VocabularyOf(Kind kind) {
  switch (kind) {
    case Kind::kKeys: return kKeyWords;
    case Kind::kCredentials: return kCredentialWords;
    case Kind::kRuns: return kRunWords;
    case Kind::kRecord: return kRecordWords;
  }
  return {};
}

bool InVocabulary(Kind kind, std::string_view column) {
  if (column.starts_with("x_") || column.starts_with("hierarchy_")) return true;
  if (kind == Kind::kCredentials && column.starts_with("validation_")) return true;
  const auto words = VocabularyOf(kind);
  return std::find(words.begin(), words.end(), column) != words.end();
}

bool HasNeeds(Kind kind, const std::function<bool(std::string_view)>& has) {
  const auto field = [&](int index) {
    const auto& columns = FieldsOf(kind)[static_cast<size_t>(index)].columns;
    return std::any_of(columns.begin(), columns.end(), [&](std::string_view c) { return !c.empty() && has(c); });
  };
  switch (kind) {
    case Kind::kKeys:
      return (field(key_field::kHash) || has("api_key")) && has("created_at") && has("is_active");
    case Kind::kCredentials:
      return has("provider") && field(credential_field::kCipher) && has("created_at");
    case Kind::kRuns:
      return field(run_field::kId) && has("status") && field(run_field::kStart);
    case Kind::kRecord:
      return field(record_field::kTenant);
  }
  return false;
}

std::string_view NameOf(Reason reason) {
  static constexpr std::string_view kNames[] = {
      "", "row_too_large", "invalid_json", "not_an_object", "duplicate_field", "unknown_column",
      "bad_text", "bad_time", "bad_int", "bad_bool", "bad_texts", "nul_in_text", "value_too_large",
      "no_tenant", "unknown_tenant", "foreign_tenant",
      "missing_created_at", "missing_is_active", "future_time", "bad_hash", "missing_hash", "hash_in_two_tenants",
      "missing_provider", "credential_conflict",
      "missing_run_id", "missing_status", "missing_start_time", "unknown_status", "negative_duration"};
  static_assert(std::size(kNames) == static_cast<size_t>(Reason::kNegativeDuration) + 1);
  return kNames[static_cast<size_t>(reason)];
}

}  // namespace reeve::migrate::witness
