#include "sample/shapes.h"

#include <algorithm>
#include <initializer_list>

#include "base/error.h"

namespace reeve::sample {
namespace {

constexpr std::string_view kRunningOld[] = {"INGESTING", "VALIDATING", "TRANSFORMING"};
constexpr std::string_view kTerminalOld[] = {"COMPLETE", "COMPLETE", "COMPLETE", "FAILED"};
constexpr std::string_view kRunning[] = {"RUNNING"};
constexpr std::string_view kTerminal[] = {"COMPLETED", "COMPLETED", "COMPLETED", "FAILED"};
constexpr std::string_view kRunningNew[] = {"RUNNING", "CANCELLING", "Running"};
constexpr std::string_view kTerminalNew[] = {"COMPLETED", "completed", "SUCCESS", "FAILED", "CANCELLED", "TIMEOUT"};

std::vector<KeyShape> MakeKeyShapes() {
  std::vector<KeyShape> shapes = {
      {"A0", Home::kMetadata, "api_keys", "", "tenant_id", "api_key_hash", "", "", "created_by", "",
       "last_used_at", "description", "", "", "", EncStyle::kBytes, false, {{"usage_count", "INT64"}}},
      {"A1", Home::kMetadata, "api_keys", "api_key_id", "tenant_id", "api_key_hash", "", "", "created_by",
       "expires_at", "last_used_at", "description", "", "", ""},
      {"A2", Home::kOwn, "api_keys", "api_key_id", "tenant_id", "api_key_hash", "encrypted_api_key", "", "",
       "expires_at", "", "", "", "", ""},
      {"A3", Home::kOwn, "x_meta_api_keys", "api_key_id", "tenant_id", "api_key_hash", "encrypted_api_key", "",
       "", "expires_at", "", "", "", "", ""},
      {"A3b", Home::kOwn, "x_meta_api_keys", "api_key_id", "tenant_id", "api_key_hash", "encrypted_api_key", "",
       "", "expires_at", "", "", "", "", "", EncStyle::kBase64},
      {"A4", Home::kOwn, "x_meta_api_keys", "", "tenant_id", "", "", "api_key", "created_by", "expires_at",
       "last_used_at", "description", "scopes", "", ""},
      {"A5", Home::kMetadata, "x_meta_api_keys", "", "tenant_id", "api_key_hash", "", "", "created_by", "", "",
       "description", "", "", ""},
      {"A6", Home::kCustomers, "customer_api_keys", "api_key_id", "tenant_id", "api_key_hash",
       "encrypted_api_key", "", "created_by", "expires_at", "last_used_at", "key_name", "scopes",
       "deactivated_at", "deactivated_by", EncStyle::kBytes, false,
       {{"customer_id", "STRING"}, {"rate_limit_tier", "STRING"}}},
      {"A7", Home::kTenants, "tenant_api_keys", "api_key_id", "tenant_id", "api_key_hash", "encrypted_api_key",
       "", "", "expires_at", "last_used_at", "", "scopes", "", ""},
      {"A8", Home::kTenants, "tenant_api_keys", "tenant_api_key_id", "tenant_id", "tenant_api_key_hash",
       "encrypted_tenant_api_key", "", "", "expires_at", "last_used_at", "", "scopes", "", ""},
      {"A9", Home::kOrganizations, "org_api_keys", "org_api_key_id", "org_slug", "org_api_key_hash",
       "encrypted_org_api_key", "", "", "expires_at", "last_used_at", "", "scopes", "revoked_at", "revoked_by",
       EncStyle::kBytes, false, {{"x_hierarchy_path", "STRING"}, {"permissions", "JSON"}, {"updated_at", "TIMESTAMP"}}},
      {"A10", Home::kOwn, "x_meta_api_keys", "api_key_id", "tenant_id", "api_key_hash", "encrypted_api_key", "",
       "", "expires_at", "", "", "", "", "", EncStyle::kBytes, true},
  };
  return shapes;
}

std::vector<CredentialShape> MakeCredentialShapes() {
  return {
      {"C0", Home::kOwn, "cloud_credentials", "", "credential_type", "encrypted_value", "", "updated_at", "", "",
       "is_active", "", "", {}},
      {"C0b", Home::kOwn, "x_meta_cloud_credentials", "", "credential_type", "encrypted_value", "", "updated_at",
       "", "", "is_active", "", "", {}, EncStyle::kBase64},
      {"C1", Home::kOwn, "x_meta_cloud_credentials", "tenant_id", "credential_type", "encrypted_credential",
       "description", "updated_at", "expires_at", "", "is_active", "", "",
       {"project_id", "aws_account_id", "azure_subscription_id", "created_by"}, EncStyle::kText},
      {"C2", Home::kOwn, "x_meta_cloud_credentials", "tenant_id", "credential_type", "encrypted_credentials",
       "credential_name", "", "", "", "is_active", "", "", {}},
      {"C3", Home::kCustomers, "customer_cloud_credentials", "tenant_id", "credential_type",
       "encrypted_credentials", "credential_name", "updated_at", "expires_at", "last_validated_at", "is_active",
       "scopes", "", {"project_id", "account_id", "region", "validation_status"}, EncStyle::kBytes,
       {{"customer_id", "STRING"}, {"usage_count", "INT64"}, {"validation_message", "STRING"}, {"last_used_at", "TIMESTAMP"}}},
      {"C4", Home::kTenants, "tenant_cloud_credentials", "tenant_id", "", "encrypted_credentials", "",
       "updated_at", "", "", "", "", "", {}, EncStyle::kBytes,
       {{"created_by_user_id", "STRING"}, {"updated_by_user_id", "STRING"}}},
      {"C5", Home::kOrganizations, "org_cloud_credentials", "org_slug", "", "encrypted_credentials", "",
       "updated_at", "", "", "", "", "", {}, EncStyle::kBytes,
       {{"created_by_user_id", "STRING"}, {"updated_by_user_id", "STRING"}}},
      {"C6", Home::kOrganizations, "org_integration_credentials", "org_slug", "credential_type",
       "encrypted_credential", "credential_name", "updated_at", "expires_at", "last_validated_at", "is_active", "",
       "metadata", {"validation_status", "last_error"}, EncStyle::kBytes,
       {{"x_hierarchy_id", "STRING"}, {"hierarchy_level_1_id", "STRING"}, {"environment", "STRING"}, {"user_id", "STRING"}}},
  };
}

std::vector<RunShape> MakeRunShapes() {
  const std::vector<Filler> triggers = {{"trigger_type", "STRING"}, {"trigger_by", "STRING"}};
  const std::vector<Filler> worker = {{"trigger_type", "STRING"}, {"trigger_by", "STRING"}, {"config_version", "STRING"},
                                      {"worker_instance", "STRING"}};
  const auto with = [](std::vector<Filler> fillers, std::initializer_list<Filler> more) {
    fillers.insert(fillers.end(), more);
    return fillers;
  };
  const std::string_view id = "pipeline_logging_id";
  return {
      {"R0", Home::kMetadata, "pipeline_runs", id, "tenant_id", "start_time", "end_time", "duration_ms",
       "run_metadata", kRunningOld, kTerminalOld, with(triggers, {{"ingestion_date", "DATE"}})},
      {"R1", Home::kOwn, "pipeline_runs", id, "tenant_id", "start_time", "end_time", "duration_ms", "parameters",
       kRunning, kTerminal, worker},
      {"R2", Home::kOwn, "pipeline_runs", id, "tenant_id", "start_time", "end_time", "duration_ms", "parameters",
       kRunning, kTerminal, with(worker, {{"run_date", "DATE"}})},
      {"R3", Home::kOwn, "x_meta_pipeline_runs", id, "tenant_id", "start_time", "end_time", "duration_ms",
       "parameters", kRunning, kTerminal, with(worker, {{"run_date", "DATE"}})},
      {"R4", Home::kOwn, "x_meta_pipeline_runs", id, "tenant_id", "start_time", "end_time", "duration_ms",
       "parameters", kRunning, kTerminal, with(worker, {{"run_date", "DATE"}, {"user_id", "STRING"}})},
      {"R5", Home::kOwn, "x_meta_pipeline_runs", id, "tenant_id", "start_time", "end_time", "duration_ms",
       "run_metadata", kRunning, kTerminalNew, with(triggers, {{"run_date", "DATE"}, {"user_id", "STRING"}})},
      {"R5x", Home::kOwn, "x_meta_pipeline_runs", "run_id", "tenant_id", "started_at", "completed_at", "", "metadata",
       kRunningNew, kTerminalNew,
       {{"pipeline_name", "STRING"}, {"pipeline_template", "STRING"}, {"total_steps", "INT64"}, {"completed_steps", "INT64"}}},
      {"R6", Home::kTenants, "tenant_pipeline_runs", id, "tenant_id", "start_time", "end_time", "duration_ms",
       "parameters", kRunning, kTerminal, with(triggers, {{"tenant_api_key_id", "STRING"}, {"user_id", "STRING"}})},
      {"R7", Home::kOrganizations, "org_meta_pipeline_runs", id, "org_slug", "start_time", "end_time",
       "duration_ms", "run_metadata", kRunningNew, kTerminalNew,
       with(triggers, {{"org_api_key_id", "STRING"}, {"error_context", "JSON"}, {"created_at", "TIMESTAMP"}})},
  };
}

template <typename Shape>
const Shape& Named(std::span<const Shape> shapes, std::string_view name) {
  for (const Shape& shape : shapes)
    if (shape.name == name) return shape;
  REEVE_ASSERT(!"no such shape");
  return shapes.front();
}

void AddTo(Schema* schema, std::string_view column, std::string_view type) {
  if (!column.empty()) schema->emplace_back(column, type);
}

void AddFillers(Schema* schema, const std::vector<Filler>& fillers) {
  for (const Filler& filler : fillers) AddTo(schema, filler.column, filler.type);
}

}  // namespace

std::string_view DatasetOf(Home home) {
  switch (home) {
    case Home::kOwn: return "";
    case Home::kMetadata: return "metadata";
    case Home::kCustomers: return "customers";
    case Home::kTenants: return "tenants";
    case Home::kOrganizations: return "organizations";
  }
  return "";
}

std::span<const KeyShape> KeyShapes() {
  static const std::vector<KeyShape> kShapes = MakeKeyShapes();
  return kShapes;
}

std::span<const CredentialShape> CredentialShapes() {
  static const std::vector<CredentialShape> kShapes = MakeCredentialShapes();
  return kShapes;
}

std::span<const RunShape> RunShapes() {
  static const std::vector<RunShape> kShapes = MakeRunShapes();
  return kShapes;
}

const KeyShape& KeyShapeNamed(std::string_view name) { return Named(KeyShapes(), name); }
const CredentialShape& CredentialShapeNamed(std::string_view name) { return Named(CredentialShapes(), name); }
const RunShape& RunShapeNamed(std::string_view name) { return Named(RunShapes(), name); }

void Fit(const KeyShape& shape, KeyRow* row) {
  if (shape.id.empty()) row->id.reset();
  if (shape.hash.empty()) row->hash.reset();
  if (shape.enc.empty()) row->enc.reset();
  if (shape.api_key.empty()) row->api_key.reset();
  if (shape.created_by.empty()) row->created_by.reset();
  if (shape.expires_at.empty()) row->expires_at.reset();
  if (shape.last_used_at.empty()) row->last_used_at.reset();
  if (shape.key_name.empty()) row->name.reset();
  if (shape.scopes.empty()) row->scopes.reset();
  if (shape.revoked_at.empty()) row->revoked_at.reset();
  if (shape.revoked_by.empty()) row->revoked_by.reset();
}

void Fit(const CredentialShape& shape, CredentialRow* row) {
  if (shape.type.empty()) row->type.reset();
  if (shape.credential_name.empty()) row->name.reset();
  if (shape.updated_at.empty()) row->updated_at.reset();
  if (shape.expires_at.empty()) row->expires_at.reset();
  if (shape.last_validated_at.empty()) row->last_validated_at.reset();
  if (shape.is_active.empty()) row->is_active.reset();
  if (shape.scopes.empty()) row->scopes.reset();
  if (shape.legacy_metadata.empty()) row->legacy_metadata.reset();
  if (!row->legacy_metadata) row->legacy_metadata_is_json = false;
  std::erase_if(row->metadata, [&shape](const auto& text) {
    return std::find(shape.metadata.begin(), shape.metadata.end(), text.first) == shape.metadata.end();
  });
}

Schema SchemaOf(const KeyShape& shape) {
  Schema schema;
  for (const std::string_view text : {shape.id, shape.tenant, shape.api_key, shape.created_by, shape.key_name, shape.revoked_by})
    AddTo(&schema, text, "STRING");
  if (!shape.key_name.empty() && shape.key_name != "description") AddTo(&schema, "description", "STRING");
  AddTo(&schema, shape.hash, shape.hash_is_bytes ? "BYTES" : "STRING");
  AddTo(&schema, shape.enc, shape.enc_style == EncStyle::kText ? "STRING" : "BYTES");
  for (const std::string_view time : {shape.expires_at, shape.last_used_at, shape.revoked_at})
    AddTo(&schema, time, "TIMESTAMP");
  AddTo(&schema, "created_at", "TIMESTAMP");
  AddTo(&schema, "is_active", "BOOLEAN");
  AddTo(&schema, shape.scopes, "REPEATED");
  AddFillers(&schema, shape.fillers);
  return schema;
}

Schema SchemaOf(const CredentialShape& shape) {
  Schema schema = {{"credential_id", "STRING"}, {"provider", "STRING"}, {"created_at", "TIMESTAMP"}};
  for (const std::string_view text : {shape.tenant, shape.type, shape.credential_name}) AddTo(&schema, text, "STRING");
  if (!shape.credential_name.empty() && shape.credential_name != "description") AddTo(&schema, "description", "STRING");
  AddTo(&schema, shape.enc, shape.enc_style == EncStyle::kText ? "STRING" : "BYTES");
  for (const std::string_view time : {shape.updated_at, shape.expires_at, shape.last_validated_at})
    AddTo(&schema, time, "TIMESTAMP");
  AddTo(&schema, shape.is_active, "BOOLEAN");
  AddTo(&schema, shape.scopes, "REPEATED");
  AddTo(&schema, shape.legacy_metadata, "JSON");
  for (const std::string_view text : shape.metadata) AddTo(&schema, text, "STRING");
  AddFillers(&schema, shape.fillers);
  return schema;
}

Schema SchemaOf(const RunShape& shape) {
  Schema schema = {{shape.id, "STRING"}, {shape.tenant, "STRING"}, {"pipeline_id", "STRING"}, {"status", "STRING"},
                   {shape.start, "TIMESTAMP"}, {shape.end, "TIMESTAMP"}, {"error_message", "STRING"}};
  AddTo(&schema, shape.duration, "INT64");
  AddTo(&schema, shape.parameters, "JSON");
  AddFillers(&schema, shape.fillers);
  return schema;
}

}  // namespace reeve::sample
