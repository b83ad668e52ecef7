#include "catalog/legacy.h"

#include <algorithm>

namespace reeve::catalog {
namespace {

using enum Field;

const std::vector<LegacyColumn> kKeyColumns = {
    {"api_key_id", kId, 0}, {"tenant_api_key_id", kId, 1}, {"org_api_key_id", kId, 2},
    {"tenant_id", kTenant, 0}, {"org_slug", kTenant, 1}, {"customer_id"},
    {"api_key_hash", kHash, 0}, {"tenant_api_key_hash", kHash, 1}, {"org_api_key_hash", kHash, 2},
    {"encrypted_api_key", kCiphertext, 0}, {"encrypted_tenant_api_key", kCiphertext, 1},
    {"encrypted_org_api_key", kCiphertext, 2}, {"api_key", kPlainKey}, {"created_at", kCreatedAt},
    {"created_by", kCreatedBy}, {"expires_at", kExpiresAt}, {"is_active", kIsActive},
    {"last_used_at", kLastUsedAt}, {"usage_count"}, {"key_name", kName, 0}, {"description", kName, 1},
    {"scopes", kScopes}, {"permissions"}, {"deactivated_by", kRevokedBy, 0},
    {"deactivated_at", kRevokedAt, 0}, {"deactivated_reason"}, {"revoked_at", kRevokedAt, 1},
    {"revoked_by", kRevokedBy, 1}, {"rate_limit_tier"}, {"updated_at"}, {"user_id"},
};

const std::vector<LegacyColumn> kCredentialColumns = {
    {"credential_id", kId}, {"tenant_id", kTenant, 0}, {"org_slug", kTenant, 1}, {"customer_id"},
    {"provider", kProvider}, {"credential_type", kType}, {"encrypted_value", kCiphertext, 0},
    {"encrypted_credential", kCiphertext, 1}, {"encrypted_credentials", kCiphertext, 2},
    {"credential_name", kName, 0}, {"description", kName, 1}, {"created_at", kCreatedAt},
    {"updated_at", kUpdatedAt}, {"expires_at", kExpiresAt}, {"is_active", kIsActive},
    {"created_by", kCreatedBy}, {"created_by_user_id"}, {"updated_by_user_id"}, {"user_id"},
    {"project_id", kProjectId}, {"aws_account_id", kAwsAccountId},
    {"azure_subscription_id", kAzureSubscriptionId}, {"account_id", kAccountId}, {"region", kRegion},
    {"scopes", kScopes}, {"last_validated_at", kLastValidatedAt}, {"last_error", kLastError},
    {"validation_status", kValidationStatus}, {"usage_count"}, {"last_used_at"}, {"metadata", kMetadata},
    {"deactivation_scheduled_at"}, {"environment"}, {"labels"},
};

const std::vector<LegacyColumn> kRunColumns = {
    {"pipeline_logging_id", kId, 0}, {"run_id", kId, 1}, {"tenant_id", kTenant, 0},
    {"org_slug", kTenant, 1}, {"pipeline_id"}, {"pipeline_name"}, {"pipeline_template"},
    {"status", kStatus}, {"trigger_type"}, {"trigger_by"}, {"start_time", kStart, 0},
    {"started_at", kStart, 1}, {"end_time", kEnd, 0}, {"completed_at", kEnd, 1},
    {"duration_ms", kDuration}, {"config_version"}, {"worker_instance"}, {"error_message"},
    {"error_context"}, {"parameters"}, {"run_metadata"}, {"metadata"}, {"run_date"},
    {"ingestion_date"}, {"user_id"}, {"tenant_api_key_id"}, {"org_api_key_id"}, {"created_at"},
    {"updated_at"}, {"total_steps"}, {"completed_steps"}, {"failed_steps"},
};

const std::vector<LegacyColumn> kRecordColumns = {
    {"tenant_id", kTenant, 0}, {"org_slug", kTenant, 1}, {"company_name", kCompanyName},
    {"contact_email", kContactEmail, 0}, {"admin_email", kContactEmail, 1},
    {"subscription_tier", kTier, 0}, {"subscription_plan", kTier, 1}, {"is_active", kIsActive},
    {"status", kStatus}, {"max_pipelines_per_month", kMaxMonthly},
    {"max_concurrent_pipelines", kMaxConcurrent}, {"max_storage_gb", kMaxStorageGb},
    {"pipeline_runs_count"}, {"pipeline_runs_this_month", kRunsThisMonth},
    {"current_running_pipelines"}, {"last_pipeline_run_at"}, {"quota_reset_date"},
    {"created_at", kCreatedAt}, {"updated_at", kUpdatedAt}, {"suspended_at", kSuspendedAt},
    {"suspended_reason", kSuspendedReason}, {"metadata"},
};

const std::vector<LegacyColumn>& ColumnsOf(LegacyKind kind) {
  switch (kind) {
    case LegacyKind::kKeys: return kKeyColumns;
    case LegacyKind::kCredentials: return kCredentialColumns;
    case LegacyKind::kRuns: return kRunColumns;
    case LegacyKind::kRecord: return kRecordColumns;
  }
  return kKeyColumns;
}

bool HasToleratedPrefix(LegacyKind kind, std::string_view name) {
  return name.starts_with("x_") || name.starts_with("hierarchy_") ||
         (kind == LegacyKind::kCredentials && name.starts_with("validation_"));
}

// Fields of which a recognised table has at least one column; plain keys stand in for hashes.
std::vector<Field> NeededFields(LegacyKind kind) {
  switch (kind) {
    case LegacyKind::kKeys: return {kHash, kCreatedAt, kIsActive};
    case LegacyKind::kCredentials: return {kProvider, kCiphertext, kCreatedAt};
    case LegacyKind::kRuns: return {kId, kStatus, kStart};
    case LegacyKind::kRecord: return {kTenant};
  }
  return {};
}

const std::vector<LegacyShape> kShapes = {
    {"A0", LegacyKind::kKeys, "metadata.api_keys, first form", {"api_key_hash", "tenant_id", "created_at", "is_active"}, {"created_by", "last_used_at", "usage_count", "description"}},
    {"A1", LegacyKind::kKeys, "metadata.api_keys with ids", {"api_key_id", "tenant_id", "api_key_hash", "created_at", "is_active"}, {"created_by", "expires_at", "last_used_at", "description"}},
    {"A3", LegacyKind::kKeys, "{tenant}.api_keys, x_meta_api_keys (A2, A3, A3b)", {"api_key_id", "tenant_id", "api_key_hash", "encrypted_api_key", "created_at", "is_active"}, {"expires_at"}},
    {"A4", LegacyKind::kKeys, "x_meta_api_keys with the key itself", {"api_key", "tenant_id", "created_at", "is_active"}, {"expires_at", "description", "scopes", "last_used_at", "created_by"}},
    {"A5", LegacyKind::kKeys, "metadata.x_meta_api_keys", {"api_key_hash", "tenant_id", "created_at", "is_active"}, {"created_by", "description"}},
    {"A6", LegacyKind::kKeys, "customers.customer_api_keys", {"api_key_id", "api_key_hash", "encrypted_api_key", "created_at", "is_active"}, {"customer_id", "tenant_id", "key_name", "scopes", "expires_at", "last_used_at", "created_by", "deactivated_by", "deactivated_at", "deactivated_reason", "rate_limit_tier"}},
    {"A7", LegacyKind::kKeys, "tenants.tenant_api_keys", {"api_key_id", "tenant_id", "api_key_hash", "created_at", "is_active"}, {"encrypted_api_key", "scopes", "expires_at", "last_used_at"}},
    {"A8", LegacyKind::kKeys, "tenants.tenant_api_keys, renamed columns", {"tenant_api_key_id", "tenant_id", "tenant_api_key_hash", "created_at", "is_active"}, {"encrypted_tenant_api_key", "scopes", "expires_at", "last_used_at", "user_id"}},
    {"A9", LegacyKind::kKeys, "organizations.org_api_keys", {"org_api_key_id", "org_slug", "org_api_key_hash", "created_at", "is_active"}, {"encrypted_org_api_key", "scopes", "expires_at", "last_used_at", "user_id"}},
    {"C0", LegacyKind::kCredentials, "{tenant}.cloud_credentials (C0, C0b)", {"credential_id", "provider", "credential_type", "encrypted_value", "created_at", "updated_at", "is_active"}, {}},
    {"C1", LegacyKind::kCredentials, "x_meta_cloud_credentials", {"credential_id", "tenant_id", "provider", "credential_type", "encrypted_credential", "created_at", "is_active"}, {"project_id", "aws_account_id", "azure_subscription_id", "updated_at", "expires_at", "created_by", "description"}},
    {"C2", LegacyKind::kCredentials, "as the published guide expects it", {"credential_id", "tenant_id", "provider", "credential_type", "encrypted_credentials", "created_at", "is_active"}, {"credential_name"}},
    {"C3", LegacyKind::kCredentials, "customers.customer_cloud_credentials", {"credential_id", "provider", "encrypted_credentials", "created_at", "is_active"}, {"customer_id", "tenant_id", "credential_type", "credential_name", "project_id", "account_id", "region", "scopes", "validation_status", "last_validated_at", "usage_count", "updated_at", "expires_at"}},
    {"C4", LegacyKind::kCredentials, "tenants.tenant_cloud_credentials", {"credential_id", "tenant_id", "provider", "encrypted_credentials", "created_at"}, {"created_by_user_id", "updated_by_user_id", "updated_at"}},
    {"C5", LegacyKind::kCredentials, "organizations.org_cloud_credentials", {"credential_id", "org_slug", "provider", "encrypted_credentials", "created_at"}, {"created_by_user_id", "updated_by_user_id", "updated_at"}},
    {"C6", LegacyKind::kCredentials, "organizations.org_integration_credentials", {"credential_id", "org_slug", "provider", "encrypted_credential", "validation_status", "created_at"}, {"credential_name", "credential_type", "last_error", "metadata", "is_active", "updated_at", "expires_at", "last_validated_at", "created_by_user_id", "updated_by_user_id", "deactivation_scheduled_at"}},
    {"R0", LegacyKind::kRuns, "metadata.pipeline_runs", {"pipeline_logging_id", "tenant_id", "status", "start_time", "ingestion_date"}, {"pipeline_id", "trigger_type", "trigger_by", "end_time", "duration_ms", "run_metadata", "error_message"}},
    {"R1", LegacyKind::kRuns, "pipeline_runs", {"pipeline_logging_id", "tenant_id", "status", "start_time", "trigger_type", "trigger_by"}, {"pipeline_id", "end_time", "duration_ms", "config_version", "worker_instance", "error_message", "parameters"}},
    {"R3", LegacyKind::kRuns, "x_meta_pipeline_runs (R2, R3)", {"pipeline_logging_id", "tenant_id", "status", "start_time", "trigger_type", "trigger_by", "run_date"}, {"pipeline_id", "end_time", "duration_ms", "config_version", "worker_instance", "error_message", "parameters"}},
    {"R4", LegacyKind::kRuns, "x_meta_pipeline_runs with user", {"pipeline_logging_id", "tenant_id", "status", "start_time", "trigger_type", "trigger_by", "user_id"}, {"run_date", "pipeline_id", "end_time", "duration_ms", "config_version", "worker_instance", "error_message", "parameters"}},
    {"R5", LegacyKind::kRuns, "x_meta_pipeline_runs, central copy", {"pipeline_logging_id", "tenant_id", "status", "start_time"}, {"run_date", "user_id", "trigger_type", "trigger_by", "pipeline_id", "end_time", "duration_ms", "run_metadata", "error_message", "parameters"}},
    {"R5x", LegacyKind::kRuns, "reference SQL only", {"status", "started_at"}, {"pipeline_logging_id", "run_id", "tenant_id", "pipeline_id", "pipeline_name", "pipeline_template", "completed_at", "duration_ms", "error_message", "metadata", "total_steps", "completed_steps", "failed_steps"}},
    {"R6", LegacyKind::kRuns, "tenants.tenant_pipeline_runs", {"pipeline_logging_id", "tenant_id", "status", "start_time"}, {"run_date", "user_id", "tenant_api_key_id", "trigger_type", "trigger_by", "pipeline_id", "end_time", "duration_ms", "run_metadata", "error_message", "parameters"}},
    {"R7", LegacyKind::kRuns, "organizations.org_meta_pipeline_runs", {"pipeline_logging_id", "org_slug", "status", "start_time"}, {"run_date", "user_id", "org_api_key_id", "trigger_type", "trigger_by", "pipeline_id", "end_time", "duration_ms", "run_metadata", "error_message", "error_context", "parameters", "created_at"}},
    {"T1", LegacyKind::kRecord, "tenants, x_meta_tenants", {"tenant_id"}, {"company_name", "contact_email", "subscription_tier", "is_active", "max_pipelines_per_month", "max_concurrent_pipelines", "max_storage_gb", "pipeline_runs_count", "pipeline_runs_this_month", "current_running_pipelines", "last_pipeline_run_at", "quota_reset_date", "created_at", "updated_at", "suspended_at", "suspended_reason", "status", "metadata"}},
};

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool Fits(const LegacyShape& shape, std::span<const std::string> columns) {
  for (const std::string_view required : shape.required)
    if (std::find(columns.begin(), columns.end(), required) == columns.end()) return false;
  for (const std::string& column : columns) {
    if (Contains(shape.required, column) || Contains(shape.optional, column)) continue;
    if (!HasToleratedPrefix(shape.kind, column)) return false;
  }
  return true;
}

}  // namespace

std::string_view LegacyKindName(LegacyKind kind) {
  switch (kind) {
    case LegacyKind::kKeys: return "keys";
    case LegacyKind::kCredentials: return "credentials";
    case LegacyKind::kRuns: return "runs";
    case LegacyKind::kRecord: return "record";
  }
  return "";
}

std::span<const LegacyColumn> LegacyColumns(LegacyKind kind) { return ColumnsOf(kind); }

std::optional<LegacyColumn> FindLegacyColumn(LegacyKind kind, std::string_view name) {
  for (const LegacyColumn& column : ColumnsOf(kind))
    if (column.name == name) return column;
  if (HasToleratedPrefix(kind, name)) return LegacyColumn{name, kIgnored, 0};
  return std::nullopt;
}

bool IsRecognised(LegacyKind kind, std::span<const std::string> columns, std::string* why_not) {
  std::array<bool, kFields> present{};
  for (const std::string& name : columns) {
    const std::optional<LegacyColumn> column = FindLegacyColumn(kind, name);
    if (!column) {
      if (why_not != nullptr) *why_not = "unknown column " + name;
      return false;
    }
    present[static_cast<size_t>(column->field)] = true;
  }
  if (kind == LegacyKind::kKeys && present[static_cast<size_t>(kPlainKey)]) present[static_cast<size_t>(kHash)] = true;
  for (const Field field : NeededFields(kind)) {
    if (present[static_cast<size_t>(field)]) continue;
    if (why_not != nullptr) {
      *why_not = "no column for";
      for (const LegacyColumn& column : ColumnsOf(kind))
        if (column.field == field) *why_not += " " + std::string(column.name);
    }
    return false;
  }
  return true;
}

std::string_view ShapeOf(LegacyKind kind, std::span<const std::string> columns) {
  for (const LegacyShape& shape : kShapes)
    if (shape.kind == kind && Fits(shape, columns)) return shape.id;
  return "mixed";
}

std::span<const LegacyShape> LegacyShapes() { return kShapes; }

bool IsSharedCarrier(std::string_view dataset) {
  return dataset == "metadata" || dataset == "customers" || dataset == "tenants" || dataset == "organizations";
}

std::optional<LegacyKind> KindOfTable(std::string_view dataset, std::string_view name, bool shared) {
  if (name.starts_with("x_meta_")) name.remove_prefix(7);
  if (name == "api_keys") return LegacyKind::kKeys;
  if (name == "cloud_credentials") return LegacyKind::kCredentials;
  if (name == "pipeline_runs") return LegacyKind::kRuns;
  if (name == "tenants" && !shared) return LegacyKind::kRecord;
  if ((dataset == "customers" && name == "customer_api_keys") ||
      (dataset == "tenants" && name == "tenant_api_keys") ||
      (dataset == "organizations" && name == "org_api_keys"))
    return LegacyKind::kKeys;
  if (name == "customer_cloud_credentials" || name == "tenant_cloud_credentials" ||
      name == "org_cloud_credentials" || name == "org_integration_credentials")
    return LegacyKind::kCredentials;
  if (name == "tenant_pipeline_runs" || name == "org_meta_pipeline_runs") return LegacyKind::kRuns;
  return std::nullopt;
}

}  // namespace reeve::catalog
