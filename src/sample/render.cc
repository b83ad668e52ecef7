// Rows as columns of their shape.
#include "base/encoding.h"
#include "base/error.h"
#include "sample/shapes.h"

namespace reeve::sample {
namespace {

using enum FieldType;

// Nothing, or null where the table's exports write that.
void AddAbsent(Fields* fields, std::string_view column, Prng* rng) {
  if (fields->style().explicit_nulls && !column.empty() && rng->Percent(30)) fields->Raw(column, "null");
}

void AddText(Fields* fields, std::string_view column, const OptText& value, Prng* rng, Role role = Role::kNone) {
  if (!value) return AddAbsent(fields, column, rng);
  REEVE_ASSERT(!column.empty());
  fields->Text(column, *value, kText, role);
}

void AddTime(Fields* fields, std::string_view column, const OptTime& value, Prng* rng) {
  if (!value) return AddAbsent(fields, column, rng);
  REEVE_ASSERT(!column.empty());
  fields->Time(column, *value, kTime);
}

void AddScopes(Fields* fields, std::string_view column, const std::optional<std::vector<std::string>>& value,
               Prng* rng) {
  if (!value) return AddAbsent(fields, column, rng);
  REEVE_ASSERT(!column.empty());
  fields->Strings(column, *value, kTexts);
}

void AddTenant(Fields* fields, std::string_view column, std::string_view tenant) {
  if (!column.empty() && !tenant.empty()) fields->Text(column, tenant, kText, Role::kTenant);
}

// true, or "true" where the column was a STRING.
void AddBool(Fields* fields, std::string_view column, bool value) {
  const bool as_text = fields->style().bare_numbers;
  const std::string_view json = as_text ? (value ? "\"true\"" : "\"false\"") : (value ? "true" : "false");
  fields->Raw(column, json, kBool, Role::kIsActive);
}

void AddInt(Fields* fields, std::string_view column, const std::optional<int64_t>& value, Prng* rng,
            Role role = Role::kNone) {
  if (!value) return AddAbsent(fields, column, rng);
  REEVE_ASSERT(!column.empty());
  const std::string digits = std::to_string(*value);
  fields->Raw(column, fields->style().bare_numbers ? digits : "\"" + digits + "\"", kInt, role);
}

std::string FillerJson(const Filler& filler, Prng* rng, Days day, const TextStyle& style) {
  if (filler.type == "INT64") {
    // Now and then the largest integer that is still valid, though never interpreted.
    if (rng->Below(500) == 0) return "18446744073709551615";
    return "\"" + std::to_string(rng->Below(10'000)) + "\"";
  }
  if (filler.type == "DATE") return "\"" + FormatDate(day) + "\"";
  if (filler.type == "TIMESTAMP") {
    std::string json = "\"";
    AppendTime(static_cast<Micros>(1'760'000'000 + rng->Below(20'000'000)) * kSecond, style.time, &json);
    return json + "\"";
  }
  if (filler.type == "JSON") {
    // The deepest nesting that is still valid is 64, the row's object included.
    if (rng->Below(300) == 0) return std::string(63, '[') + std::string(63, ']');
    return rng->Percent(50) ? R"({"a":[1,2.5e-3,null],"b":{"c":"\u00e9"}})" : R"("[\"pipelines:read\"]")";
  }
  static constexpr std::string_view kTexts[] = {"standard", "a1b2c3", "Zürich – prod", "none"};
  if (filler.column == "trigger_type") return rng->Percent(70) ? R"("api")" : R"("scheduler")";
  if (filler.column == "trigger_by") return R"("api_user")";
  if (filler.column == "config_version") return R"("1.0.0")";
  if (filler.column == "worker_instance") return "\"worker-" + rng->Hex(6) + "\"";
  std::string json;
  AppendJsonString(rng->Pick(kTexts), &json);
  return json;
}

void AddFillers(Fields* fields, const std::vector<Filler>& fillers, Days day, Prng* rng) {
  for (const Filler& filler : fillers) {
    const uint64_t dice = rng->Below(20);
    if (dice == 0) continue;  // NULL, left out
    if (dice == 1)
      AddAbsent(fields, filler.column, rng);
    else
      fields->Raw(filler.column, FillerJson(filler, rng, day, fields->style()));
  }
}

// A name that is there counts, even if empty: the description beside it does not.
void AddIgnoredName(Fields* fields, std::string_view column, const OptText& name) {
  if (name && name->empty() && column != "description") fields->Text("description", "not the name");
}

}  // namespace

void Render(const KeyShape& shape, const KeyRow& row, std::string_view tenant, const TextStyle& style, Prng* rng,
            Fields* fields) {
  fields->Clear(style);
  AddText(fields, shape.id, row.id, rng, Role::kId);
  AddTenant(fields, shape.tenant, tenant);
  AddText(fields, shape.hash, row.hash, rng, Role::kHash);
  AddText(fields, shape.enc, row.enc, rng, Role::kEnc);
  AddText(fields, shape.api_key, row.api_key, rng, Role::kApiKey);
  fields->Time("created_at", row.created_at, kTime, Role::kCreatedAt);
  AddText(fields, shape.created_by, row.created_by, rng);
  AddTime(fields, shape.expires_at, row.expires_at, rng);
  AddBool(fields, "is_active", row.is_active);
  AddTime(fields, shape.last_used_at, row.last_used_at, rng);
  AddText(fields, shape.key_name, row.name, rng);
  AddIgnoredName(fields, shape.key_name, row.name);
  AddScopes(fields, shape.scopes, row.scopes, rng);
  AddTime(fields, shape.revoked_at, row.revoked_at, rng);
  AddText(fields, shape.revoked_by, row.revoked_by, rng);
  AddFillers(fields, shape.fillers, DateOf(row.created_at), rng);
}

void Render(const CredentialShape& shape, const CredentialRow& row, std::string_view tenant, const TextStyle& style,
            Prng* rng, Fields* fields) {
  fields->Clear(style);
  AddText(fields, "credential_id", row.id, rng, Role::kId);
  AddTenant(fields, shape.tenant, tenant);
  AddText(fields, "provider", row.provider, rng, Role::kProvider);
  AddText(fields, shape.type, row.type, rng);
  AddText(fields, shape.enc, row.enc, rng, Role::kEnc);
  AddText(fields, shape.credential_name, row.name, rng);
  AddIgnoredName(fields, shape.credential_name, row.name);
  fields->Time("created_at", row.created_at, kTime, Role::kCreatedAt);
  AddTime(fields, shape.updated_at, row.updated_at, rng);
  AddTime(fields, shape.expires_at, row.expires_at, rng);
  AddTime(fields, shape.last_validated_at, row.last_validated_at, rng);
  if (row.is_active) {
    REEVE_ASSERT(!shape.is_active.empty());
    AddBool(fields, shape.is_active, *row.is_active);
  }
  AddScopes(fields, shape.scopes, row.scopes, rng);
  for (const auto& [column, text] : row.metadata)
    for (const std::string_view known : shape.metadata)
      if (known == column) fields->Text(known, text, kText);
  if (row.legacy_metadata) {
    REEVE_ASSERT(!shape.legacy_metadata.empty());
    if (row.legacy_metadata_is_json)
      fields->Raw(shape.legacy_metadata, *row.legacy_metadata);
    else
      fields->Text(shape.legacy_metadata, *row.legacy_metadata);
  }
  AddFillers(fields, shape.fillers, DateOf(row.created_at), rng);
}

void Render(const RunShape& shape, const RunRow& row, const RunText& text, std::string_view tenant,
            const TextStyle& style, Prng* rng, Fields* fields) {
  fields->Clear(style);
  fields->Text(shape.id, row.id, kText, Role::kId);
  fields->Text("pipeline_id", text.pipeline);
  AddTenant(fields, shape.tenant, tenant);
  fields->Text("status", text.status, kText, Role::kStatus);
  fields->Time(shape.start, row.start, kTime, Role::kStart);
  AddTime(fields, shape.end, row.end, rng);
  AddInt(fields, shape.duration, row.duration_ms, rng, Role::kDuration);
  AddFillers(fields, shape.fillers, DateOf(row.start), rng);
  if (!text.error.empty()) fields->Text("error_message", text.error);
  if (text.parameters.empty()) return;
  if (text.parameters_as_object)
    fields->Raw(shape.parameters, text.parameters);
  else
    fields->Text(shape.parameters, text.parameters);
}

void Render(const RecordRow& row, std::string_view tenant, const TextStyle& style, Prng* rng, Fields* fields) {
  fields->Clear(style);
  AddTenant(fields, "tenant_id", tenant);
  AddText(fields, "company_name", row.company_name, rng);
  AddText(fields, "admin_email", row.contact_email, rng);
  AddText(fields, "subscription_tier", row.tier, rng);
  if (row.is_active) AddBool(fields, "is_active", *row.is_active);
  AddText(fields, "status", row.status, rng);
  AddInt(fields, "max_pipelines_per_month", row.max_pipelines_per_month, rng);
  AddInt(fields, "max_concurrent_pipelines", row.max_concurrent_pipelines, rng);
  AddInt(fields, "max_storage_gb", row.max_storage_gb, rng);
  AddInt(fields, "pipeline_runs_this_month", row.runs_this_month, rng);
  fields->Text("current_running_pipelines", "0");
  AddTime(fields, "created_at", row.created_at, rng);
  AddTime(fields, "updated_at", row.updated_at, rng);
  AddTime(fields, "suspended_at", row.suspended_at, rng);
  AddText(fields, "suspended_reason", row.suspended_reason, rng);
}

}  // namespace reeve::sample
