"""The tables of the legacy platform: which columns a table has when its rows do not say (exports leave NULLs out), and of which types.

Read off the platform's public history; docs/mapping.md §3 to §6 has the vocabulary, src/sample/shapes.cc the same shapes for the sample estate.
"""

from values import Field

_TYPED = """
api_key_id tenant_api_key_id org_api_key_id credential_id pipeline_logging_id run_id pipeline_id pipeline_name pipeline_template tenant_id org_slug
customer_id company_name contact_email admin_email api_key_hash tenant_api_key_hash org_api_key_hash encrypted_api_key:BYTES
encrypted_tenant_api_key:BYTES encrypted_org_api_key:BYTES api_key key_name provider credential_type encrypted_value:BYTES encrypted_credential:BYTES
encrypted_credentials:BYTES credential_name project_id aws_account_id azure_subscription_id account_id region environment subscription_tier
subscription_plan status trigger_type trigger_by start_time:TIMESTAMP started_at:TIMESTAMP end_time:TIMESTAMP completed_at:TIMESTAMP duration_ms:INT64
config_version worker_instance error_message run_date:DATE ingestion_date:DATE scopes:ARRAY created_at:TIMESTAMP updated_at:TIMESTAMP
expires_at:TIMESTAMP last_used_at:TIMESTAMP last_validated_at:TIMESTAMP is_active:BOOL usage_count:INT64 description created_by created_by_user_id
updated_by_user_id user_id deactivated_by deactivated_at:TIMESTAMP deactivated_reason revoked_at:TIMESTAMP revoked_by rate_limit_tier
validation_status last_error max_pipelines_per_month:INT64 max_concurrent_pipelines:INT64 max_storage_gb:INT64 pipeline_runs_count:INT64
pipeline_runs_this_month:INT64 current_running_pipelines:INT64 last_pipeline_run_at:TIMESTAMP suspended_at:TIMESTAMP suspended_reason
step_logging_id step_name step_type step_index:INT64 rows_processed:INT64 total_steps:INT64 completed_steps:INT64 failed_steps:INT64
deactivation_scheduled_at:TIMESTAMP
"""
# What is not here is STRING, INT64, BOOL, JSON or ARRAY<STRING>, by its values.
KNOWN = {name: kind or "STRING" for name, _, kind in (word.partition(":") for word in _TYPED.split())}
ORDER = {name: number for number, name in enumerate(KNOWN)}

_RUN = "pipeline_logging_id pipeline_id tenant_id status trigger_type trigger_by start_time end_time duration_ms error_message"
_SHAPES = {
    "api_keys": (
        "api_key_hash tenant_id created_at created_by is_active last_used_at usage_count description",                              # A0
        "api_key_id tenant_id api_key_hash created_at created_by expires_at is_active last_used_at description",                    # A1
        "api_key_id tenant_id api_key_hash encrypted_api_key created_at expires_at is_active",                                      # A2, A3, A10
        "api_key tenant_id created_at expires_at is_active description scopes last_used_at created_by",                             # A4
        "api_key_hash tenant_id created_at created_by is_active description",                                                       # A5
        "api_key_id tenant_id api_key_hash encrypted_api_key scopes is_active expires_at created_at last_used_at",                  # A7
    ),
    "cloud_credentials": (
        "credential_id provider credential_type encrypted_value created_at updated_at is_active",                                   # C0
        "credential_id tenant_id provider credential_type encrypted_credential project_id aws_account_id azure_subscription_id created_at updated_at "
        "expires_at is_active created_by description",                                                                              # C1
        "credential_id tenant_id provider credential_type encrypted_credentials credential_name is_active created_at",              # C2
        "credential_id tenant_id provider encrypted_credentials created_by_user_id updated_by_user_id created_at updated_at",       # C4
    ),
    "pipeline_runs": (
        f"{_RUN} run_metadata ingestion_date",                                                                                      # R0
        f"{_RUN} config_version worker_instance parameters",                                                                        # R1
        f"{_RUN} config_version worker_instance run_date parameters",                                                               # R2, R3
        f"{_RUN} config_version worker_instance run_date parameters user_id",                                                       # R4
        f"{_RUN} run_date run_metadata user_id",                                                                                    # R5
    ),
    "integration_credentials": ("credential_id org_slug credential_name provider credential_type encrypted_credential created_at updated_at is_active",),  # C6
    "tenants": ("tenant_id company_name admin_email subscription_tier is_active created_at updated_at",),
}
SHAPES = {kind: [frozenset(text.split()) for text in texts] for kind, texts in _SHAPES.items()}


def _guess(name, values):
    values = [v for v in values if v is not None]
    if any(isinstance(v, list) for v in values):
        return Field(name, "STRING", "REPEATED") if all(isinstance(v, list) and all(isinstance(i, str) for i in v) for v in values) else Field(name, "JSON")
    if any(isinstance(v, dict) for v in values):
        return Field(name, "JSON")
    if values and all(isinstance(v, bool) for v in values):
        return Field(name, "BOOL")
    if values and all(isinstance(v, int) and not isinstance(v, bool) and -2**63 <= v < 2**63 for v in values):
        return Field(name, "INT64")
    return Field(name, "STRING")


def columns_of(table, names, records):
    """The columns of a table whose rows have these names: those of the smallest shape that has them all, else just these; an empty table that the
    platform does not know has one column, since the emulator makes none without."""
    kind = next((k for k in SHAPES if table.endswith(k)), None)
    fitting = min((s for s in SHAPES.get(kind, ()) if names <= s), key=len, default=None)
    columns = []
    for name in sorted(fitting or names or {"note"}, key=lambda n: (ORDER.get(n, len(ORDER)), n)):
        known = KNOWN.get(name)
        if known is None:
            columns.append(_guess(name, [r.get(name) for r in records]))
        else:
            columns.append(Field(name, "STRING", "REPEATED") if known == "ARRAY" else Field(name, known))
    return columns
