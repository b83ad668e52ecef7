"""Google's own client as a witness: it makes the legacy estate, and reads what reeve wrote. Knows nothing of reeve but docs/formats/central-export.md.

Needs the Python of tools/google_client (bigquery_servers.become_google_client).
"""

import base64
import datetime
import gzip
import json
import os
import re
import sys
from decimal import Decimal
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "fakes" / "bigquery"))

import legacy_shapes  # noqa: E402
from values import LEGACY, decoder, field_from_rest  # noqa: E402

PART = re.compile(r"(?P<table>[A-Za-z0-9_]+?)(?:-\d+)?\.json(?:\.gz)?")
NAME = re.compile(r"[A-Za-z0-9_]{1,1024}")
STAGING = "witness_staging"
ROWS_AT_ONCE = 2000
AT_ONCE = {"retry": None, "timeout": 60}  # the client would try for ten minutes again what the emulator answers with 500
SEVEN = ("customers", "customer_subscriptions", "customer_api_keys", "customer_credentials", "customer_usage", "customer_audit_logs", "customer_invitations")


def connect(server):
    """A client of this server (Emulator or Fake)."""
    os.environ["BIGQUERY_EMULATOR_HOST"] = server.url
    return bigquery.Client(project=server.project, credentials=AnonymousCredentials())


# ---- making the estate

def _lines(file):
    with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def _fits(column, records):
    decode = decoder(column)
    for record in records:
        try:
            if record.get(column.name) is not None:
                decode(record[column.name])
        except (ValueError, TypeError, ArithmeticError):
            return False
    return True


def columns_of(folder, table, records):
    """The columns of a legacy table: its schema file's, else those of the platform's published schemas."""
    schema = folder / f"{table}.schema.json"
    if schema.exists():
        fields = json.loads(schema.read_text(encoding="utf-8"))
        return [field_from_rest(f) for f in (fields["fields"] if isinstance(fields, dict) else fields)]
    names = frozenset(n for r in records for n in r)
    columns = legacy_shapes.columns_of(table, names, records)
    return [c if _fits(c, records) else type(c)(c.name) for c in columns]


def _schema(columns, bytes_as_text):
    return [bigquery.SchemaField(c.name, "STRING" if bytes_as_text and c.type == "BYTES" else LEGACY.get(c.type, c.type), mode=c.mode) for c in columns]


def _prepared(columns, record):
    """A row as insertAll takes it: JSON as text."""
    out = {}
    for column in columns:
        value = record.get(column.name)
        if value is not None:
            out[column.name] = json.dumps(value) if column.type == "JSON" and not isinstance(value, str) else value
    return out


class EstateMaker:
    """Makes datasets, tables and rows of a directory of exports. The emulator keeps the base64 text of BYTES: rows of tables that have them are staged as
    STRING, one staging table for each set of columns, and copied by one script of INSERT … SELECT FROM_BASE64 (facts: E4a)."""

    def __init__(self, client):
        self.client, self.tables, self.rows = client, 0, 0
        self.staged = {}  # columns: [(target, row)]
        self.targets = []  # (columns, target) of the tables that are filled from there

    def make(self, directory, leave_out=()):
        folders = sorted(p for p in Path(directory).iterdir() if p.is_dir() and NAME.fullmatch(p.name) and p.name not in leave_out)
        if len({f.name.lower() for f in folders}) != len(folders):
            raise RuntimeError("the emulator takes names that differ only in case for one")
        for folder in folders:
            self.client.create_dataset(folder.name, **AT_ONCE)
            parts = {}
            for file in sorted(folder.iterdir()):
                match = PART.fullmatch(file.name)
                if match and not file.name.endswith(".schema.json"):
                    parts.setdefault(match["table"], []).append(file)
            for table, files in parts.items():
                self._table(folder, table, [r for f in files for r in _lines(f)])
        self._copy_staged()
        return self

    def _table(self, folder, name, records):
        columns = tuple(columns_of(folder, name, records))
        target = f"{self.client.project}.{folder.name}.{name}"
        self.client.create_table(bigquery.Table(target, schema=_schema(columns, False)), **AT_ONCE)
        self.tables += 1
        self.rows += len(records)
        rows = [_prepared(columns, r) for r in records]
        if any(c.type == "BYTES" for c in columns):
            self.staged.setdefault(columns, []).extend({"witness_target": target, **row} for row in rows)
            self.targets.append((columns, target))
        else:
            self._fill(target, rows)

    def _fill(self, target, rows):
        for first in range(0, len(rows), ROWS_AT_ONCE):
            errors = self.client.insert_rows_json(target, rows[first:first + ROWS_AT_ONCE], **AT_ONCE)
            if errors:
                raise RuntimeError(f"{target}: {errors[:3]}")

    def _copy_staged(self):
        """What was staged stays: to drop a table costs the emulator hundreds of megabytes."""
        if not self.staged:
            return
        self.client.create_dataset(STAGING, **AT_ONCE)
        places = {}
        for number, (columns, rows) in enumerate(self.staged.items()):
            places[columns] = f"{self.client.project}.{STAGING}.s{number}"
            schema = [bigquery.SchemaField("witness_target", "STRING"), *_schema(columns, True)]
            self.client.create_table(bigquery.Table(places[columns], schema=schema), **AT_ONCE)
            self._fill(places[columns], rows)
        copies = []
        for columns, target in self.targets:
            listed = ", ".join(f"`{c.name}`" for c in columns)
            values = ", ".join(f"FROM_BASE64(`{c.name}`)" if c.type == "BYTES" else f"`{c.name}`" for c in columns)
            copies.append(f"INSERT INTO `{target}` ({listed}) SELECT {values} FROM `{places[columns]}` WHERE witness_target = '{target}';")
        self.client.query("\n".join(copies)).result()


# ---- reading the central dataset

def _text(field, value):
    """A value in the form of docs/formats/central-export.md, JSON and NUMERIC as values."""
    if value is None:
        return None
    if field.mode == "REPEATED":
        return json.loads(value)
    kind = field.field_type
    if kind == "TIMESTAMP":
        utc = value.astimezone(datetime.timezone.utc)
        return utc.strftime("%Y-%m-%d %H:%M:%S") + (f".{utc.microsecond:06}" if utc.microsecond else "") + " UTC"
    if kind in ("INTEGER", "INT64"):
        return str(value)
    if kind in ("NUMERIC", "BIGNUMERIC"):
        return Decimal(value).normalize()
    if kind == "BYTES":
        return base64.b64encode(value).decode()
    if kind == "DATE":
        return value.isoformat()
    return json.loads(value) if kind == "JSON" and isinstance(value, str) else value


def central_rows(client, dataset, table):
    """(rows, {name: field}): every row of a central table as a dict, NULLs left out, in order of its text. Lists are asked for as JSON: the emulator leaves
    the cell of an empty one out of its row, so that all after it move."""
    found = client.get_table(f"{client.project}.{dataset}.{table}")
    listed = ", ".join(f"TO_JSON_STRING(`{f.name}`) AS `{f.name}`" if f.mode == "REPEATED" else f"`{f.name}`" for f in found.schema)
    answered = client.query(f"SELECT {listed} FROM `{client.project}.{dataset}.{table}`").result()
    rows = [{f.name: _text(f, v) for f, v in zip(found.schema, row) if v is not None} for row in answered]
    return sorted(rows, key=repr), {f.name: f for f in found.schema}


def exported_rows(directory, table, fields):
    """The same of a file of `reeve export`."""
    rows = _lines(Path(directory) / f"{table}.json")
    for row in rows:
        for name, value in row.items():
            if fields[name].field_type in ("NUMERIC", "BIGNUMERIC"):
                row[name] = Decimal(value).normalize()
    return sorted(({n: r[n] for n in fields if n in r} | ({n: [] for n, f in fields.items() if f.mode == "REPEATED" and n not in r}) for r in rows), key=repr)
