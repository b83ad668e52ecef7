"""Reads a directory of exports (DIR/{dataset}/{table}[-SHARD].json[.gz], {table}.schema.json as `bq show --schema` prints it) into datasets.

    POST /_fake/load_export {"directory": DIR, "location"?: L, "locations"?: {dataset: L}, "labels"?: {…}, "tables"?: regex}
    -> {"datasets", "tables", "rows", "unnamable": [directories that no dataset can be named after], "refused": {"count", "first": [{"table", "line", "why"}]}}

Where a table has no schema file, its columns are those that its rows have, with the types below (where every value fits; else STRING). Rows that no table
of BigQuery could hold, such as lines that are no JSON, are counted as refused.
"""

import gzip
import json
import re
from pathlib import Path

from catalog import NAME
from errors import ApiError
from load_jobs import RowDecoder
from values import Field, field_from_rest

PART = re.compile(r"(?P<table>[A-Za-z0-9_]+?)(?:-\d+)?\.json(?:\.gz)?")
REFUSED_SHOWN = 20

# Columns of the legacy platform, in the order of its tables (spec/legacy-variants, 5a to 5f).
_TYPED = """
api_key_id tenant_api_key_id org_api_key_id credential_id pipeline_logging_id run_id pipeline_id pipeline_name pipeline_template tenant_id org_slug
customer_id company_name contact_email admin_email api_key_hash tenant_api_key_hash org_api_key_hash encrypted_api_key:BYTES
encrypted_tenant_api_key:BYTES encrypted_org_api_key:BYTES api_key key_name provider credential_type encrypted_value:BYTES encrypted_credential:BYTES
encrypted_credentials:BYTES credential_name project_id aws_account_id azure_subscription_id account_id region environment subscription_tier
subscription_plan status trigger_type trigger_by start_time:TIMESTAMP started_at:TIMESTAMP end_time:TIMESTAMP completed_at:TIMESTAMP duration_ms:INT64
config_version worker_instance error_message run_date:DATE ingestion_date:DATE parameters scopes:ARRAY permissions:ARRAY created_at:TIMESTAMP
updated_at:TIMESTAMP expires_at:TIMESTAMP last_used_at:TIMESTAMP last_validated_at:TIMESTAMP is_active:BOOL usage_count:INT64 description created_by
created_by_user_id updated_by_user_id user_id deactivated_by deactivated_at:TIMESTAMP deactivated_reason revoked_at:TIMESTAMP revoked_by rate_limit_tier
validation_status last_error max_pipelines_per_month:INT64 max_concurrent_pipelines:INT64 max_storage_gb:INT64 pipeline_runs_count:INT64
pipeline_runs_this_month:INT64 current_running_pipelines:INT64 last_pipeline_run_at:TIMESTAMP suspended_at:TIMESTAMP suspended_reason
step_logging_id step_name step_type step_index:INT64 rows_processed:INT64 total_steps:INT64 completed_steps:INT64 failed_steps:INT64
deactivation_scheduled_at:TIMESTAMP
"""
KNOWN = {name: kind or "STRING" for name, _, kind in (word.partition(":") for word in _TYPED.split())}
ORDER = {name: number for number, name in enumerate(KNOWN)}


def _guess(name, records):
    """The column of a name that the legacy platform does not know, or that it types differently here."""
    values = [r[name] for r in records if r.get(name) is not None]
    if any(isinstance(v, list) for v in values):
        return Field(name, "STRING", "REPEATED") if all(isinstance(v, list) and all(isinstance(i, str) for i in v) for v in values) else Field(name, "JSON")
    if any(isinstance(v, dict) for v in values):
        return Field(name, "JSON")
    if values and all(isinstance(v, bool) for v in values):
        return Field(name, "BOOL")
    if values and all(isinstance(v, int) and not isinstance(v, bool) and -2**63 <= v < 2**63 for v in values):
        return Field(name, "INT64")
    return Field(name, "STRING")


def _column(name, records):
    kind = KNOWN.get(name)
    if kind is None or kind == "STRING":
        return _guess(name, records)
    return Field(name, "STRING", "REPEATED") if kind == "ARRAY" else Field(name, kind)


class Reader:
    def __init__(self, catalog):
        self.catalog = catalog
        self.report = {"datasets": 0, "tables": 0, "rows": 0, "unnamable": [], "refused": {"count": 0, "first": []}}
        self._decoders = {}  # columns: RowDecoder

    def _refuse(self, table, line, why):
        refused = self.report["refused"]
        refused["count"] += 1
        if len(refused["first"]) < REFUSED_SHOWN:
            refused["first"].append({"table": table, "line": line, "why": str(why)[:200]})

    def _records(self, table, files):
        """[(line number over all parts, object)]"""
        found, number = [], 0
        for file in files:
            with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as lines:
                for line in lines:
                    number += 1
                    if not line.strip():
                        continue
                    try:
                        record = json.loads(line)
                        if not isinstance(record, dict):
                            raise ValueError("no object")
                        found.append((number, record))
                    except ValueError as error:
                        self._refuse(table, number, error)
        return found

    def _decoder(self, columns):
        if columns not in self._decoders:
            self._decoders[columns] = RowDecoder(columns)
        return self._decoders[columns]

    def _fitting(self, records):
        """(columns, rows): a column whose values do not all fit its type becomes STRING."""
        names = sorted({name for _, r in records for name in r}, key=lambda n: (ORDER.get(n, len(ORDER)), n))
        objects = [r for _, r in records]
        columns = [_column(n, objects) for n in names if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", n)]
        while True:
            decoder = self._decoder(tuple(columns))
            try:
                return tuple(columns), [decoder.values(r) for r in objects]
            except ValueError as error:
                match = re.search(r"Field: ([A-Za-z0-9_]+);", str(error))
                at = next((i for i, c in enumerate(columns) if match and c.name == match[1]), None)
                if at is None or (columns[at].type, columns[at].mode) == ("STRING", "NULLABLE"):
                    return tuple(columns), None
                columns[at] = Field(columns[at].name, "STRING")

    def _decoded(self, table, columns, records):
        decoder, rows = self._decoder(columns), []
        for number, record in records:
            try:
                rows.append(decoder.values(record))
            except ValueError as error:
                self._refuse(table, number, error)
        return rows

    def table(self, dataset, name, files, schema):
        full = f"{dataset}.{name}"
        records = self._records(full, files)
        if schema is not None:
            fields = json.loads(schema.read_text(encoding="utf-8"))
            columns = tuple(map(field_from_rest, fields["fields"] if isinstance(fields, dict) else fields))
            rows = self._decoded(full, columns, records)
        else:
            columns, rows = self._fitting(records)
            if rows is None:
                rows = self._decoded(full, columns, records)
        table = self.catalog.create_table(dataset, name, columns, {})
        self.catalog.insert_rows(table, rows)
        table.touched(self.catalog.clock.now_ms())
        self.report["tables"] += 1
        self.report["rows"] += len(rows)


def load_export(catalog, body):
    directory, wanted = Path(body.get("directory") or ""), re.compile(body.get("tables") or "")
    if not directory.is_dir():
        raise ApiError("notFound", f"no directory {directory}")
    reader, places = Reader(catalog), body.get("locations") or {}
    catalog.db.execute("BEGIN")
    try:
        for folder in sorted(p for p in directory.iterdir() if p.is_dir()):
            if not NAME.fullmatch(folder.name):
                reader.report["unnamable"].append(folder.name)
                continue
            if folder.name not in catalog.datasets:
                location = places.get(folder.name) or body.get("location") or catalog.location
                catalog.create_dataset(folder.name, {"labels": dict(body.get("labels") or {})}, location)
                reader.report["datasets"] += 1
            _load_dataset(reader, folder, wanted)
    finally:
        catalog.db.execute("COMMIT")
    catalog.all_stats()
    return reader.report


def _load_dataset(reader, folder, wanted):
    parts, schemas = {}, {}
    for file in sorted(folder.iterdir()):
        match = PART.fullmatch(file.name)
        if file.name.endswith(".schema.json"):
            schemas[file.name[:-len(".schema.json")]] = file
        elif match and wanted.search(match["table"]):
            parts.setdefault(match["table"], []).append(file)
    for name, files in parts.items():
        reader.table(folder.name, name, files, schemas.get(name))
