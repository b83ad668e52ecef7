"""The migration guide's way with BigQuery, written anew: one job per row, one tenant after the other, by Google's client. What bench/bigquery.py compares with.

Mended against what the guide prints: the order of DEFAULT and NOT NULL, partitions by a DATE column, the missing import, and BYTES, which the emulator takes
only as text: FROM_BASE64(@value). Not mended: its algorithm. It looks for the columns of credentials that never existed in a tenant's dataset
(`encrypted_credentials`, `credential_name`); here it is told the real ones, so that it moves what it meant to move.
"""

import base64
import datetime
import re
import uuid
from pathlib import Path

from google.cloud import bigquery

CENTRAL = "customers_metadata"
PLAN, QUOTAS = "professional", (5000, 15, 500)
DDL = Path(__file__).resolve().parents[1] / "tests" / "golden" / "schema.bigquery.sql"

# table: (column, type of its parameter) in the guide's order
_INSERTS = {
    "customers": (("customer_id", "STRING"), ("tenant_id", "STRING"), ("company_name", "STRING"), ("subscription_plan", "STRING"), ("status", "STRING"),
                  ("dataset_id", "STRING"), ("created_at", "TIMESTAMP"), ("updated_at", "TIMESTAMP")),
    "customer_subscriptions": (("subscription_id", "STRING"), ("customer_id", "STRING"), ("plan_name", "STRING"), ("monthly_pipeline_quota", "INT64"),
                               ("concurrent_pipeline_quota", "INT64"), ("storage_quota_gb", "INT64"), ("billing_cycle_start", "DATE"), ("auto_renew", "BOOL"),
                               ("created_at", "TIMESTAMP"), ("updated_at", "TIMESTAMP")),
    "customer_api_keys": (("api_key_id", "STRING"), ("customer_id", "STRING"), ("tenant_id", "STRING"), ("api_key_hash", "STRING"),
                          ("encrypted_api_key", "BYTES"), ("is_active", "BOOL"), ("expires_at", "TIMESTAMP"), ("created_at", "TIMESTAMP")),
    "customer_credentials": (("credential_id", "STRING"), ("customer_id", "STRING"), ("tenant_id", "STRING"), ("provider", "STRING"),
                             ("credential_type", "STRING"), ("encrypted_credentials", "BYTES"), ("credential_name", "STRING"), ("is_active", "BOOL"),
                             ("created_at", "TIMESTAMP"), ("updated_at", "TIMESTAMP")),
    "customer_usage": (("usage_id", "STRING"), ("customer_id", "STRING"), ("tenant_id", "STRING"), ("usage_month", "DATE"), ("pipelines_run_count", "INT64"),
                       ("pipelines_running_count", "INT64"), ("storage_used_gb", "INT64"), ("compute_hours", "INT64"), ("api_requests_count", "INT64"),
                       ("last_pipeline_run_at", "TIMESTAMP"), ("quota_reset_at", "TIMESTAMP"), ("created_at", "TIMESTAMP"), ("updated_at", "TIMESTAMP")),
    "customer_audit_logs": (("log_id", "STRING"), ("customer_id", "STRING"), ("tenant_id", "STRING"), ("event_type", "STRING"), ("event_category", "STRING"),
                            ("actor_type", "STRING"), ("action", "STRING"), ("result", "STRING"), ("created_at", "TIMESTAMP")),
}


def _id(prefix):
    return f"{prefix}_{uuid.uuid4().hex[:12]}"


def _bytes(value):
    """`encrypted_credential` is BYTES in some tenants' tables and STRING in others'."""
    return value.encode() if isinstance(value, str) else value


class Guide:
    def __init__(self, client, central=CENTRAL):
        self.client, self.central, self.jobs = client, central, 0

    def _run(self, sql, parameters=()):
        self.jobs += 1
        return list(self.client.query(sql, job_config=bigquery.QueryJobConfig(query_parameters=list(parameters))).result())

    def _insert(self, table, *values):
        columns = _INSERTS[table]
        parameters, marks = [], []
        for (name, kind), value in zip(columns, values, strict=True):
            if kind == "BYTES":
                value, marks = base64.b64encode(value or b"").decode(), [*marks, f"FROM_BASE64(@{name})"]
            elif kind == "DATE":
                marks.append(f"CAST(@{name} AS DATE)")
            else:
                marks.append(f"@{name}")
            parameters.append(bigquery.ScalarQueryParameter(name, "STRING" if kind in ("BYTES", "DATE") else kind, value))
        self._run(f"INSERT INTO `{self.client.project}.{self.central}.{table}` ({', '.join(n for n, _ in columns)}) VALUES ({', '.join(marks)})", parameters)

    def create_tables(self):
        """Step 1 of the guide: the dataset and its seven tables."""
        self.client.create_dataset(self.central)
        for statement in DDL.read_text(encoding="utf-8").split(";\n"):
            match = re.search(r"CREATE TABLE IF NOT EXISTS (customers_metadata\.(\w+))", statement)
            if match and match[2] in (*_INSERTS, "customer_invitations"):
                self._run(statement[match.start():].replace(match[1], f"`{self.client.project}.{self.central}.{match[2]}`").replace("IF NOT EXISTS ", ""))

    def tenants(self, but_not=()):
        """Every dataset but the central one, as the guide has it; but those that the bench and the emulator (one per job) made."""
        names = (d.dataset_id for d in self.client.list_datasets())
        return sorted(n for n in names if n != self.central and n not in but_not and not re.fullmatch(r"[0-9a-f-]{36}", n))

    def migrate_tenant(self, tenant):
        """Step 2 of the guide for one tenant."""
        now = datetime.datetime.now(datetime.timezone.utc)
        customer = _id("cust")
        self._insert("customers", customer, tenant, f"{tenant} Corporation", PLAN, "active", tenant, now, now)
        self._insert("customer_subscriptions", _id("sub"), customer, PLAN, *QUOTAS, now.date().isoformat(), True, now, now)
        source = f"`{self.client.project}.{tenant}.x_meta_"
        moved = 0
        for key in self._run(f"SELECT api_key_id, api_key_hash, encrypted_api_key, created_at, expires_at, is_active FROM {source}api_keys` WHERE is_active = TRUE"):
            self._insert("customer_api_keys", key.api_key_id or _id("key"), customer, tenant, key.api_key_hash, key.encrypted_api_key, key.is_active,
                         key.expires_at, key.created_at or now)
            moved += 1
        for credential in self._run(f"SELECT credential_id, provider, credential_type, encrypted_credential, description, is_active, created_at "
                                    f"FROM {source}cloud_credentials` WHERE is_active = TRUE"):
            self._insert("customer_credentials", credential.credential_id or _id("cred"), customer, tenant, credential.provider, credential.credential_type,
                         _bytes(credential.encrypted_credential), credential.description or f"{credential.provider} Credential", credential.is_active,
                         credential.created_at or now, now)
            moved += 1
        self._usage(tenant, customer, source, now)
        self._insert("customer_audit_logs", _id("log"), customer, tenant, "customer.migrated", "admin", "system", "migrate", "success", now)
        return moved

    def _usage(self, tenant, customer, source, now):
        month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        counted = self._run(f"SELECT COUNT(*) AS runs, COUNTIF(status IN ('PENDING', 'RUNNING')) AS running, MAX(start_time) AS last FROM {source}pipeline_runs` "
                            "WHERE DATE(start_time) >= DATE_TRUNC(CURRENT_DATE(), MONTH)")[0]
        following = (month.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
        self._insert("customer_usage", _id("usage"), customer, tenant, month.date().isoformat(), counted.runs or 0, counted.running or 0, 0, 0, 0, counted.last,
                     following, now, now)

    def verify_tenant(self, tenant):
        """Step 3 of the guide: four questions per tenant."""
        place = f"`{self.client.project}.{self.central}."
        asked = (f"SELECT customer_id, subscription_plan, status FROM {place}customers` WHERE tenant_id = @tenant",
                 f"SELECT s.subscription_id, s.plan_name FROM {place}customer_subscriptions` s JOIN {place}customers` c ON s.customer_id = c.customer_id "
                 "WHERE c.tenant_id = @tenant",
                 f"SELECT api_key_id, is_active, created_at FROM {place}customer_api_keys` WHERE tenant_id = @tenant",
                 f"SELECT usage_id, usage_month, pipelines_run_count FROM {place}customer_usage` WHERE tenant_id = @tenant ORDER BY usage_month DESC LIMIT 1")
        return [len(self._run(sql, [bigquery.ScalarQueryParameter("tenant", "STRING", tenant)])) for sql in asked]
