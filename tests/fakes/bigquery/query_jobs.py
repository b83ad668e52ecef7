"""What a query job does: analysis, price, execution, destination table."""

from errors import ApiError, bad_query, invalid, not_in_subset
from information_schema import InformationSchema
from rows_out import result_schema
from sql_dml import append
from sql_query import Session
from sql_script import Script
from sql_text import tokens_of
from sql_udf import Functions
from values import Field, decoder

MB = 1 << 20
MINIMUM = 10 * MB  # billed per table and per query (facts B6)


def legacy_sql_error(text):
    """What legacy SQL, the default, says to a query that was meant as standard SQL."""
    first = next((t for t in tokens_of(text) if t.kind == "quoted"), None)
    if first is not None:
        return bad_query(f"Invalid table name: {first.text}")
    return ApiError("notImplemented", "not in the fake's subset: legacy SQL; useLegacySql is true unless it is set to false", code=400)


def bytes_of(catalog, used):
    """(processed, billed) for {table: {columns}}"""
    processed = billed = 0
    for table, columns in used.items():
        if table.dataset not in catalog.datasets:
            continue
        low = {c.lower() for c in columns}
        size = sum(s for c, s in zip(table.columns, catalog.stats(table)[1]) if c.name.lower() in low)
        processed += size
        billed += max(MINIMUM, -(-size // MB) * MB)
    return processed, billed


def parameters_of(body):
    """{name in lower case: (type, kept value)} of queryParameters."""
    found = {}
    for parameter in body.get("queryParameters") or []:
        kind, value = parameter.get("parameterType") or {}, parameter.get("parameterValue") or {}
        name, type_name = (parameter.get("name") or "").lower(), kind.get("type")
        if not name:
            raise not_in_subset("positional parameters")
        if type_name == "ARRAY":
            inner = (kind.get("arrayType") or {}).get("type")
            if inner not in ("STRING", "INT64"):
                raise not_in_subset(f"a parameter of type ARRAY<{inner}>")
            kept = decoder(Field("x", inner, "REPEATED"))([v.get("value") for v in value.get("arrayValues") or []])
            found[name] = (f"ARRAY<{inner}>", kept)
            continue
        column = Field("x", type_name) if type_name in ("STRING", "BYTES", "INT64", "FLOAT64", "BOOL", "TIMESTAMP", "DATE", "DATETIME", "TIME", "NUMERIC",
                                                        "BIGNUMERIC", "JSON") else None
        if column is None:
            raise not_in_subset(f"a parameter of type {type_name}")
        try:
            found[name] = (type_name, None if value.get("value") is None else decoder(column)(value["value"]))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise invalid(f"Invalid value for query parameter {name}: {value.get('value')} is no {type_name}") from error
    return found


class Engine:
    def __init__(self, catalog, options):
        self.catalog, self.options = catalog, options
        self.functions = Functions(catalog.db)
        self.information = InformationSchema(catalog, options)
        self.session = None
        self.keep_result = None  # set by jobs.py

    def run(self, job, query, dry):
        parameters = parameters_of(query)
        default = (query.get("defaultDataset") or {}).get("datasetId")
        place, now = {"location": job.location}, self.catalog.clock.now_micros()
        limit = int(query.get("maximumBytesBilled") or 0)

        def make_session():
            session = Session(self.catalog, self.functions, self.information, parameters, default, self.options)
            session.dry_run, session.place, session.now_micros = dry, place, now
            self.session = session
            return session

        def check(outcome):
            if limit and not dry:
                billed = bytes_of(self.catalog, outcome.used)[1]
                if billed > limit:
                    raise ApiError("bytesBilledLimitExceeded", f"Query exceeded limit for bytes billed: {limit}. {billed} or higher required.")

        outcome = None
        try:
            outcome = Script(query.get("query") or "", make_session, check).run()
            self._finish(job, query, outcome, dry)
        finally:
            job.location = job.location or place["location"]
            for session in {id(s): s for s in (self.session, outcome.session if outcome else None) if s is not None}.values():
                session.forget_temporary()

    def _finish(self, job, query, outcome, dry):
        processed, billed = bytes_of(self.catalog, outcome.used)
        if outcome.kind.startswith(("CREATE_TABLE", "DROP", "CREATE_SCHEMA")) and outcome.kind != "CREATE_TABLE_AS_SELECT":
            processed = billed = 0
        statistics = {"statementType": outcome.kind, "totalBytesProcessed": str(processed), "totalBytesBilled": str(0 if dry else billed), "cacheHit": False}
        if outcome.result is not None and dry:
            statistics["schema"] = result_schema(outcome.result.columns)
        changed = outcome.changed
        if changed is not None and not dry:
            statistics["numDmlAffectedRows"] = str(changed.inserted + changed.updated + changed.deleted)
            statistics["dmlStats"] = {"insertedRowCount": str(changed.inserted), "updatedRowCount": str(changed.updated), "deletedRowCount": str(changed.deleted)}
            if changed.kind != "INSERT":
                job.target = (changed.table.dataset, changed.table.name)
        job.statistics = {"query": statistics, "totalBytesProcessed": str(processed)}
        if outcome.children:
            job.statistics["numChildJobs"] = str(outcome.children)
        if outcome.result is None or dry:
            return
        self.session = outcome.session
        if query.get("destinationTable"):
            self._to_table(query, outcome)
        else:
            self.keep_result(job, outcome.result)

    def _to_table(self, query, outcome):
        where = query["destinationTable"]
        columns = []
        for name, kind in outcome.result.columns:
            inner, mode = (kind[6:-1], "REPEATED") if kind.startswith("ARRAY<") else ("INT64" if kind == "NULL" else kind, "NULLABLE")
            columns.append(Field(name, inner, mode))
        rows = self.session.run(f"SELECT * FROM {self.session.temporary_table(outcome.result)}").fetchall()
        table = destination(self.catalog, where, query, tuple(columns))
        append(self.session, table, [c.name for c in columns], rows)


def destination(catalog, where, spec, columns, default_write="WRITE_EMPTY"):
    """The table that a job writes, made or emptied as its dispositions say. `columns` may be None for a load without a schema."""
    dataset, name = where.get("datasetId"), where.get("tableId")
    write = spec.get("writeDisposition") or default_write
    table = catalog.find_table(dataset, name)
    if table is None:
        if (spec.get("createDisposition") or "CREATE_IF_NEEDED") == "CREATE_NEVER":
            raise ApiError("notFound", f"Not found: Table {catalog.project}:{dataset}.{name}")
        if columns is None:
            raise invalid(f"No schema specified on job or table {catalog.project}:{dataset}.{name}.")
        body = {k: spec[k] for k in ("timePartitioning", "clustering") if spec.get(k)}
        return catalog.create_table(dataset, name, columns, body)
    if write == "WRITE_EMPTY" and catalog.stats(table)[0]:
        raise ApiError("duplicate", f"Already Exists: Table {catalog.project}:{dataset}.{name}")
    if write == "WRITE_TRUNCATE":
        catalog.clear(table)
        if columns is not None and columns != table.columns:
            table.columns, table.group = columns, catalog.group_of(columns)
            table.version += 1
            catalog.version += 1
            table.stats_version = -1
    elif columns is not None:
        _check_fits(catalog, table, columns)
    return table


def _check_fits(catalog, table, columns):
    name = f"{catalog.project}:{table.dataset}.{table.name}"
    for column in columns:
        old = table.column(column.name)
        if old is None:
            raise invalid(f"Provided Schema does not match Table {name}. Cannot add fields (field: {column.name})")
        if old.type != column.type:
            raise invalid(f"Provided Schema does not match Table {name}. Field {column.name} has changed type from {old.type} to {column.type}")
        if old.mode != column.mode and not (old.mode == "NULLABLE" and column.mode == "REQUIRED"):
            raise invalid(f"Provided Schema does not match Table {name}. Field {column.name} has changed mode from {old.mode} to {column.mode}")
