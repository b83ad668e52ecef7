"""Reads a directory of exports (DIR/{dataset}/{table}[-SHARD].json[.gz], {table}.schema.json as `bq show --schema` prints it) into datasets.

    POST /_fake/load_export {"directory": DIR, "location"?: L, "locations"?: {dataset: L}, "labels"?: {…}, "tables"?: regex}
    -> {"datasets", "tables", "rows", "unnamable": [directories that no dataset can be named after], "refused": {"count", "first": [{"table", "line", "why"}]}}

Where a table has no schema file, its columns are those of legacy_shapes.py (a column that has a value which does not fit is STRING). Rows that no table
of BigQuery could hold, such as lines that are no JSON, are counted as refused.
"""

import gzip
import json
import re
from pathlib import Path

from catalog import NAME
from errors import ApiError
from legacy_shapes import columns_of
from load_jobs import RowDecoder
from values import Field, field_from_rest

PART = re.compile(r"(?P<table>[A-Za-z0-9_]+?)(?:-\d+)?\.json(?:\.gz)?")
REFUSED_SHOWN = 20


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
        found, before = [], 0
        for file in files:
            with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as opened:
                lines = opened.read().split(b"\n")
            try:  # all at once, since a million lines one by one take half a minute
                whole = json.loads(b"[" + b",".join(lines[:-1]) + b"]") if not lines[-1].strip() else None
            except ValueError:
                whole = None
            if whole is not None and len(whole) == len(lines) - 1 and all(r.__class__ is dict for r in whole):
                found += enumerate(whole, before + 1)
            else:
                found += self._one_by_one(table, lines, before)
            before += len(lines)
        return found

    def _one_by_one(self, table, lines, before):
        for number, line in enumerate(lines, before + 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError("no object")
                yield number, record
            except ValueError as error:
                self._refuse(table, number, error)

    def _decoder(self, columns):
        if columns not in self._decoders:
            self._decoders[columns] = RowDecoder(columns)
        return self._decoders[columns]

    def _fitting(self, table, records):
        """(columns, rows): a column whose values do not all fit its type becomes STRING."""
        objects = [r for _, r in records]
        names = frozenset(n for n in set().union(*objects) if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", n))
        columns = columns_of(table, names, objects)
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
            columns, rows = self._fitting(name, records)
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
