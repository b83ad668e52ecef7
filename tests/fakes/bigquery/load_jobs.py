"""What a load job does: newline-delimited JSON into a table, all rows or none.

Values are decoded as real BigQuery does (BYTES from base64, which the emulator does not), REQUIRED is enforced, a column that the load's schema leaves out
takes its default, a key that a row leaves out is NULL. Source: "Loading JSON data from Cloud Storage", "Default column values" (facts A1, B2, C2).
"""

import json

from errors import ApiError, invalid
from query_jobs import destination
from sql_dml import default_of
from sql_query import Session
from values import decoder, schema_from_rest

ROW_BYTES_MAX = 100 << 20
ERRORS_SHOWN = 5


class RowDecoder:
    """Turns lines into kept values in order of `columns`."""

    def __init__(self, columns, ignore_unknown=False):
        self.columns, self.ignore_unknown = columns, ignore_unknown
        self._decoders = [(c.name, decoder(c), c.mode == "REQUIRED", "[]" if c.mode == "REPEATED" else None, c.sql_type == "STRING" and not c.max_length)
                          for c in columns]
        self._known = {c.name for c in columns}
        self._by_low = {c.name.lower(): c.name for c in columns}

    def row(self, line):
        """ValueError with BigQuery's words if it does not fit."""
        try:
            record = json.loads(line)
        except ValueError as error:
            raise ValueError(f"Parser terminated before end of string: {error}") from error
        if not isinstance(record, dict):
            raise ValueError("Start of array encountered without start of object.")
        return self.values(record)

    def values(self, record):
        if not record.keys() <= self._known:
            record = self._renamed(record)
        out, get = [], record.get
        for name, decode, required, absent, as_it_is in self._decoders:
            value = get(name)
            if as_it_is and value.__class__ is str:
                out.append(value)
                continue
            if value is None:
                if required:
                    raise ValueError(f"Missing required field: {name}.")
                out.append(absent)
                continue
            try:
                out.append(decode(value))
            except (ValueError, TypeError, ArithmeticError) as error:
                kind = next(c.sql_type for c in self.columns if c.name == name).lower()
                raise ValueError(f"Could not convert value to {kind}. Field: {name}; Value: {json.dumps(value)[:200]}") from error
        return out

    def _renamed(self, record):
        """Names are compared without case; one that is not known is an error, unless it is to be ignored."""
        found = {}
        for name, value in record.items():
            if name.lower() in self._by_low:
                found[self._by_low[name.lower()]] = value
            elif not self.ignore_unknown:
                raise ValueError(f"No such field: {name}.")
        return found


def run(catalog, job, load, lines, counts, functions):
    where = load.get("destinationTable") or {}
    if lines is None:
        raise ApiError("notImplemented", "not in the fake's subset: loads from Cloud Storage")
    if load.get("sourceFormat") != "NEWLINE_DELIMITED_JSON":
        raise ApiError("notImplemented", f"not in the fake's subset: sourceFormat {load.get('sourceFormat')}")
    if load.get("autodetect"):
        raise ApiError("notImplemented", "not in the fake's subset: autodetect")
    owner = catalog.dataset(where.get("datasetId"))
    if job.location and job.location.lower() != owner.location.lower():
        raise ApiError("notFound", f"Not found: Dataset {catalog.project}:{owner.name} was not found in location {job.location}")
    job.location = owner.location
    columns = schema_from_rest(load["schema"]) if (load.get("schema") or {}).get("fields") else None
    existing = catalog.find_table(owner.name, where.get("tableId"))
    decoder_of = RowDecoder(columns if columns is not None else existing.columns if existing else (), bool(load.get("ignoreUnknownValues")))
    rows, size, bad = _decoded(job, decoder_of, lines, int(load.get("maxBadRecords") or 0))
    db = catalog.db
    db.execute("SAVEPOINT load")
    try:
        table = destination(catalog, where, load, columns, default_write="WRITE_APPEND")
        catalog.insert_rows(table, _completed(catalog, functions, table, decoder_of.columns, rows))
    except Exception:
        db.execute("ROLLBACK TO load")
        db.execute("RELEASE load")
        raise
    db.execute("RELEASE load")
    table.touched(catalog.clock.now_ms())
    counts.loads_of(f"{owner.name}.{table.name}")
    job.statistics = {"load": {"inputFiles": "1", "inputFileBytes": str(size), "outputRows": str(len(rows)), "outputBytes": str(size), "badRecords": str(bad)}}


def _decoded(job, decoder_of, lines, bad_max):
    """(rows, bytes, bad rows); too many bad rows are an error."""
    rows, at, errors = [], 0, []
    for line in lines:
        if line.strip():
            try:
                if len(line) > ROW_BYTES_MAX:
                    raise ValueError("Row size is larger than: 104857600.")
                rows.append(decoder_of.row(line))
            except ValueError as error:
                errors.append({"reason": "invalid", "message": "Error while reading data, error message: JSON parsing error in row starting at position "
                                                               f"{at}: {error}"})
        at += len(line)
    if len(errors) > bad_max:
        summary = invalid("Error while reading data, error message: JSON table encountered too many errors, giving up. "
                          f"Rows: {len(rows) + len(errors)}; errors: {len(errors)}. Please look into the errors[] collection for more details.")
        job.errors = [summary.proto(), *errors[:ERRORS_SHOWN]]
        raise summary
    return rows, at, len(errors)


def _completed(catalog, functions, table, given, rows):
    """Rows in order of the table's columns, with defaults for those the load leaves out."""
    places = {c.name.lower(): i for i, c in enumerate(given)}
    rest = [c for c in table.columns if c.name.lower() not in places]
    for column in rest:
        if column.mode == "REQUIRED" and not column.default:
            raise invalid(f"Provided Schema does not match Table {catalog.project}:{table.dataset}.{table.name}. Field {column.name} is missing in new schema")
    session = Session(catalog, functions, None) if any(c.default for c in rest) else None
    defaults = {c.name.lower(): default_of(session, c) if c.default else "[]" if c.mode == "REPEATED" else None for c in rest}
    order = [(places.get(c.name.lower()), defaults.get(c.name.lower())) for c in table.columns]
    if all(place == i for i, (place, _) in enumerate(order)):
        return rows
    return [[default if place is None else row[place] for place, default in order] for row in rows]
