"""Datasets, tables and their rows. Rows are kept in one SQLite file, made in a temporary folder and removed at the end.

Tables of the same columns share one SQLite table `gN(_rid, _tid, columns…)` with an index over `_tid`: ten thousand datasets are ten thousand values of
`_tid`, not ten thousand tables that SQLite would search through. All access is under `lock`; SQL of the outside runs through sql_*.py only.
"""

import hashlib
import itertools
import os
import re
import shutil
import sqlite3
import tempfile
import threading

from errors import ApiError, invalid, not_found
from values import Field

NAME = re.compile(r"[A-Za-z0-9_]{1,1024}")
TABLE_NAME = re.compile(r"[\w\- ]{1,1024}", re.U)
LOOKUP_ROWS_MIN = 2_000

# Logical bytes of a value ("Estimate query costs": data type sizes).
_FIXED_BYTES = {"INT64": 8, "FLOAT64": 8, "BOOL": 1, "TIMESTAMP": 8, "DATE": 8, "TIME": 8, "DATETIME": 8, "NUMERIC": 16, "BIGNUMERIC": 32}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def size_sql(column):
    """SQLite expression: logical bytes of a column over many rows."""
    name = quoted(column.name)
    if column.mode != "REPEATED" and column.type in _FIXED_BYTES:
        return f"COUNT({name})*{_FIXED_BYTES[column.type]}"
    return f"COALESCE(SUM(2+LENGTH(CAST({name} AS BLOB))),0)"


class Dataset:
    def __init__(self, name, location, body, now):
        self.name, self.location, self.body = name, location, body
        self.created = self.modified = now
        self.tables = {}  # name: Table
        self.version = 0

    @property
    def etag(self):
        return etag_of(self.name, self.version, self.created)


class Table:
    __slots__ = ("tid", "dataset", "name", "columns", "group", "body", "created", "modified", "version", "data_version", "stats", "stats_version",
                 "streaming", "policies")

    def __init__(self, tid, dataset, name, columns, group, body, now):
        self.tid, self.dataset, self.name, self.columns, self.group, self.body = tid, dataset, name, columns, group, body
        self.created = self.modified = now
        self.version = self.data_version = 0
        self.stats, self.stats_version = (0, [0] * len(columns)), 0
        self.streaming = None  # {rid: seen by DML from, ms} of rows that came by insertAll
        self.policies = None

    @property
    def etag(self):
        return etag_of(self.dataset, self.name, self.version, self.data_version, self.created)

    @property
    def type(self):
        return "VIEW" if "view" in self.body else "TABLE"

    def scan(self):
        """SQLite: its rows, with `_rid`."""
        return f"(SELECT * FROM {self.group} WHERE _tid={self.tid})"

    def column(self, name):
        low = name.lower()
        return next((c for c in self.columns if c.name.lower() == low), None)

    def touched(self, now):
        self.data_version += 1
        self.modified = now


def etag_of(*parts):
    return hashlib.md5("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()[:22] + "=="


class Catalog:
    def __init__(self, project, location, clock):
        self.project, self.location, self.clock = project, location, clock
        self.lock = threading.RLock()
        self.folder = tempfile.mkdtemp(prefix="fake-bigquery-")
        os.environ["SQLITE_TMPDIR"] = self.folder
        self.db = sqlite3.connect(os.path.join(self.folder, "rows.db"), check_same_thread=False, isolation_level=None, cached_statements=64)
        for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "cache_size=-65536", "temp_store=FILE", "case_sensitive_like=ON", "locking_mode=EXCLUSIVE"):
            self.db.execute(f"PRAGMA {pragma}")
        self.datasets = {}
        self.db.execute("ANALYZE")  # makes sqlite_stat1
        self._planned = {}  # group: rows of a table that the planner reckons with
        self.groups = {}  # (name, …): gN; kept values carry their type, so names suffice
        self._tids = itertools.count(1)
        self.version = 0  # of what INFORMATION_SCHEMA shows

    def close(self):
        self.db.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- datasets

    def dataset(self, name):
        found = self.datasets.get(name)
        if found is None:
            raise not_found("Dataset", f"{self.project}:{name}")
        return found

    def create_dataset(self, name, body, location=None):
        if not NAME.fullmatch(name or ""):
            raise invalid(f"Invalid dataset ID \"{name}\". Dataset IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.")
        if name in self.datasets:
            raise ApiError("duplicate", f"Already Exists: Dataset {self.project}:{name}")
        self.datasets[name] = Dataset(name, location or body.get("location") or self.location, body, self.clock.now_ms())
        self.version += 1
        return self.datasets[name]

    def drop_dataset(self, name, contents):
        found = self.dataset(name)
        self.expire(found)
        if found.tables and not contents:
            raise ApiError("resourceInUse", f"Dataset {self.project}:{name} is still in use")
        for table in list(found.tables.values()):
            self.drop_table(table)
        del self.datasets[name]
        self.version += 1

    # ---- tables

    def expire(self, dataset):
        """Tables whose time has come vanish."""
        now = self.clock.now_ms()
        for table in [t for t in dataset.tables.values() if int(t.body.get("expirationTime") or now + 1) <= now]:
            self.drop_table(table)

    def find_table(self, dataset, name):
        """The table or None; notFound if there is no such dataset."""
        found = self.dataset(dataset).tables.get(name)
        if found is not None and int(found.body.get("expirationTime") or 0) and int(found.body["expirationTime"]) <= self.clock.now_ms():
            self.drop_table(found)
            return None
        return found

    def table(self, dataset, name):
        found = self.find_table(dataset, name)
        if found is None:
            raise not_found("Table", f"{self.project}:{dataset}.{name}")
        return found

    def group_of(self, columns):
        key = tuple(c.name for c in columns)
        found = self.groups.get(key)
        if found is None:
            found = f"g{len(self.groups) + 1}"
            listed = "".join(f", {quoted(name)}" for name in key)
            self.db.execute(f"CREATE TABLE {found}(_rid INTEGER PRIMARY KEY, _tid INTEGER NOT NULL{listed})")
            self.db.execute(f"CREATE INDEX {found}_tid ON {found}(_tid)")
            self.groups[key] = found
        return found

    def create_table(self, dataset, name, columns, body):
        owner = self.dataset(dataset)
        if not TABLE_NAME.fullmatch(name or ""):
            raise invalid(f"Invalid table ID \"{name}\".")
        if self.find_table(dataset, name) is not None:
            raise ApiError("duplicate", f"Already Exists: Table {self.project}:{dataset}.{name}")
        check_layout(columns, body)
        table = Table(next(self._tids), dataset, name, tuple(columns), self.group_of(columns), body, self.clock.now_ms())
        owner.tables[name] = table
        self.version += 1
        return table

    def drop_table(self, table):
        self.db.execute(f"DELETE FROM {table.group} WHERE _tid=?", (table.tid,))
        self.datasets[table.dataset].tables.pop(table.name, None)
        self.version += 1

    def change_columns(self, table, columns):
        """Adds NULLABLE or REPEATED columns, or makes REQUIRED ones NULLABLE; nothing else (facts A1)."""
        for old, new in itertools.zip_longest(table.columns, columns):
            if new is None or (old is not None and (old.name.lower(), old.type) != (new.name.lower(), new.type)):
                raise invalid(f"Provided Schema does not match Table {self.project}:{table.dataset}.{table.name}.")
            if new.mode == "REQUIRED" and (old is None or old.mode != "REQUIRED"):
                raise invalid(f"Provided Schema does not match Table {self.project}:{table.dataset}.{table.name}. "
                              f"Cannot add required fields to an existing schema. (field: {new.name})")
        target = self.group_of(columns)
        if target != table.group:
            listed = ", ".join(quoted(c.name) for c in table.columns)
            self.db.execute(f"INSERT INTO {target}(_tid, {listed}) SELECT _tid, {listed} FROM {table.group} WHERE _tid=?", (table.tid,))
            self.db.execute(f"DELETE FROM {table.group} WHERE _tid=?", (table.tid,))
        table.columns, table.group = tuple(columns), target
        table.stats_version = -1
        table.version += 1
        self.version += 1

    # ---- rows

    def insert_rows(self, table, rows):
        """Kept values in order of the columns; the number of rows."""
        names = ", ".join(quoted(c.name) for c in table.columns)
        marks = ",".join("?" * len(table.columns))
        sql = f"INSERT INTO {table.group}(_tid, {names}) VALUES({table.tid},{marks})" if names else f"INSERT INTO {table.group}(_tid) VALUES({table.tid})"
        return self.db.executemany(sql, rows).rowcount

    def clear(self, table):
        return self.db.execute(f"DELETE FROM {table.group} WHERE _tid=?", (table.tid,)).rowcount

    def stats(self, table):
        """(rows, [bytes of each column]), streaming rows included."""
        if table.stats_version != table.data_version:
            sizes = "".join(f", {size_sql(c)}" for c in table.columns)
            row = self.db.execute(f"SELECT COUNT(*){sizes} FROM {table.group} WHERE _tid=?", (table.tid,)).fetchone()
            table.stats, table.stats_version = (row[0], list(row[1:])), table.data_version
        return table.stats

    def tell_planner(self, table):
        """Says to SQLite how many rows a table has, where it would reckon with ten: else it joins large tables row by row."""
        rows = self.stats(table)[0]
        if rows > 4 * self._planned.get(table.group, 10):
            self._planned[table.group] = rows
            self.db.execute("DELETE FROM sqlite_stat1 WHERE tbl=?", (table.group,))
            self.db.execute("INSERT INTO sqlite_stat1 VALUES(?,?,?)", (table.group, f"{table.group}_tid", f"{10 * rows} {rows}"))
            self.db.execute("ANALYZE sqlite_master")

    def index_for_lookup(self, table, name):
        """SQLite makes no index for itself inside of a subquery that names the outer query; a large table gets one that stays."""
        if self.stats(table)[0] > LOOKUP_ROWS_MIN:
            number = next(i for i, c in enumerate(table.columns) if c.name == name)
            self.db.execute(f"CREATE INDEX IF NOT EXISTS {table.group}_{number} ON {table.group}(_tid, {quoted(name)})")

    def all_stats(self):
        """Works out the sizes of every table that has none yet, a group at a time."""
        stale = {}
        for table in (t for d in self.datasets.values() for t in d.tables.values() if t.stats_version != t.data_version):
            stale.setdefault(table.group, {})[table.tid] = table
        for group, tables in stale.items():
            columns = next(iter(tables.values())).columns
            if len(tables) < 50 or any(t.columns != columns for t in tables.values()):
                continue  # one by one, when asked
            for tid, rows, *sizes in self.db.execute(f"SELECT _tid, COUNT(*), {', '.join(map(size_sql, columns))} FROM {group} GROUP BY _tid"):
                if tid in tables:
                    tables[tid].stats, tables[tid].stats_version = (rows, sizes), tables[tid].data_version

    def streaming_rows(self, table):
        """Ids of rows that no DML may touch yet; forgets those whose time is over."""
        if not table.streaming:
            return {}
        now = self.clock.now_ms()
        table.streaming = {rid: until for rid, until in table.streaming.items() if until > now}
        return table.streaming


def check_layout(columns, body):
    """Partitioning and clustering as BigQuery takes them (facts A2, A3)."""
    by_name = {c.name.lower(): c for c in columns}
    partition = body.get("timePartitioning") or {}
    if partition.get("field"):
        column = by_name.get(partition["field"].lower())
        if column is None or column.type not in ("DATE", "TIMESTAMP", "DATETIME") or column.mode == "REPEATED":
            raise invalid(f"The field specified for time partitioning must be a top-level DATE, TIMESTAMP or DATETIME column: {partition['field']}")
    listed = (body.get("clustering") or {}).get("fields") or []
    if len(listed) > 4:
        raise invalid("Too many fields specified for clustering. Maximum is 4.")
    for name in listed:
        column = by_name.get(name.lower())
        if column is None:
            raise invalid(f"The field specified for clustering cannot be found in the schema. Invalid field: {name}.")
        if column.mode == "REPEATED" or column.type in ("JSON", "BYTES", "FLOAT64", "STRUCT", "TIME"):
            raise invalid(f"Clustering is not supported on column {name}: entities can be clustered only by top-level, non-repeated columns of a type that "
                          f"can be clustered, and it is {column.mode} {column.type}.")


def as_nullable(columns):
    """Columns of a query's result, or of a table made from it: nothing is REQUIRED (facts A5)."""
    return tuple(Field(c.name, c.type, "REPEATED" if c.mode == "REPEATED" else "NULLABLE", c.fields) for c in columns)
