"""Datasets, tables and tabledata over REST. Source: discovery document of BigQuery v2, revision 20250928 (facts B4, C2).

Each function takes the request (server.py) and returns what to answer: a dict, JSON text, or None for 204.
"""

import json
import re

import rows_out
from errors import ApiError, invalid, not_found
from values import decoder, field_from_rest, schema_from_rest

LIST_MAX = 1000


def _int(value, name, default):
    if value in (None, ""):
        return default
    if not re.fullmatch(r"\d+", value):
        raise ApiError("invalidParameter", f"Invalid value '{value}' for parameter {name}")
    return int(value)


def page_of(request, names, default):
    """(names of this page, nextPageToken or None) of a sorted list. Tokens name the last one seen, so a list may change meanwhile."""
    token, size = request.query.get("pageToken", ""), _int(request.query.get("maxResults"), "maxResults", default)
    if token and not token.startswith("t:"):
        raise invalid(f"Invalid page token: {token}")
    if request.server.options.get("empty_pages") and not token:
        return [], "t:"  # legal: a page may be empty although there is more
    rest = [n for n in names if n > token[2:]] if token else names
    page = rest[:size]
    return page, f"t:{page[-1]}" if len(rest) > len(page) and page else None


# ---- datasets

def _reference(request, dataset):
    return {"projectId": request.catalog.project, "datasetId": dataset.name}


def dataset_json(request, dataset):
    out = {"kind": "bigquery#dataset", "etag": dataset.etag, "id": f"{request.catalog.project}:{dataset.name}", "datasetReference": _reference(request, dataset),
           "creationTime": str(dataset.created), "lastModifiedTime": str(dataset.modified), "location": dataset.location, "type": "DEFAULT"}
    out.update({k: v for k, v in dataset.body.items() if k in ("labels", "description", "friendlyName", "defaultTableExpirationMs") and v})
    return out


def _label_filter(text):
    """[(key, value or None)] of `labels.k:v labels.k2`."""
    found = []
    for word in text.split():
        match = re.fullmatch(r"labels\.([a-z][a-z0-9_-]*)(?::([a-z0-9_-]*|\*))?", word)
        if match is None:
            raise invalid(f"Invalid value for filter: {text}")
        found.append((match.group(1), None if match.group(2) in (None, "*") else match.group(2)))
    return found


def list_datasets(request, _project):
    wanted = _label_filter(request.query.get("filter", ""))
    datasets = request.catalog.datasets
    names = sorted(n for n, d in datasets.items() if all(k in (d.body.get("labels") or {}) and v in (None, d.body["labels"][k]) for k, v in wanted)
                   and (request.query.get("all") == "true" or not n.startswith("_")))
    unreachable = request.server.options.get("unreachable") or []
    names = [n for n in names if datasets[n].location not in unreachable]
    page, token = page_of(request, names, LIST_MAX)
    out = {"kind": "bigquery#datasetList", "etag": "list"}
    if page:
        out["datasets"] = [{k: v for k, v in dataset_json(request, datasets[n]).items() if k in ("id", "datasetReference", "labels", "location", "type", "friendlyName")}
                           | {"kind": "bigquery#dataset"} for n in page]
    if token:
        out["nextPageToken"] = token
    if unreachable:
        out["unreachable"] = list(unreachable)
    return out


def get_dataset(request, _project, name):
    return dataset_json(request, request.catalog.dataset(name))


def insert_dataset(request, project):
    body = request.json()
    reference = body.get("datasetReference") or {}
    if reference.get("projectId", project) != project:
        raise invalid("Value for datasetReference.projectId does not match the project of the URL")
    return dataset_json(request, request.catalog.create_dataset(reference.get("datasetId"), {k: v for k, v in body.items() if k != "datasetReference"}))


def patch_dataset(request, _project, name):
    found, body = request.catalog.dataset(name), request.json()
    if body.get("location") not in (None, found.location):
        raise invalid("Cannot change the location of a dataset")
    _check_etag(request, found.etag)
    labels = {**(found.body.get("labels") or {}), **(body.pop("labels", None) or {})}
    found.body.update(body, labels={k: v for k, v in labels.items() if v is not None})
    found.version += 1
    found.modified = request.catalog.clock.now_ms()
    return dataset_json(request, found)


def delete_dataset(request, _project, name):
    request.catalog.drop_dataset(name, request.query.get("deleteContents") == "true")


def _check_etag(request, etag):
    wanted = request.headers.get("If-Match")
    if wanted not in (None, "*", etag):
        raise ApiError("conditionNotMet", "Precondition check failed.")


# ---- tables

_KEPT = ("labels", "description", "friendlyName", "expirationTime", "timePartitioning", "clustering", "tableConstraints", "requirePartitionFilter", "view",
         "encryptionConfiguration")


def table_json(request, table):
    project = request.catalog.project
    out = {"kind": "bigquery#table", "etag": table.etag, "id": f"{project}:{table.dataset}.{table.name}",
           "tableReference": {"projectId": project, "datasetId": table.dataset, "tableId": table.name}, "schema": rows_out.table_schema(table.columns),
           "type": table.type, "location": request.catalog.datasets[table.dataset].location, "creationTime": str(table.created),
           "lastModifiedTime": str(table.modified)}
    out.update({k: v for k, v in table.body.items() if k in _KEPT and v})
    if table.type == "TABLE":
        rows, sizes = request.catalog.stats(table)
        held = request.catalog.streaming_rows(table)
        size = sum(sizes) * (rows - len(held)) // rows if rows else 0
        out.update(numRows=str(rows - len(held)), numBytes=str(size), numLongTermBytes="0", numTotalLogicalBytes=str(size))
        if held:
            out["streamingBuffer"] = {"estimatedRows": str(len(held)), "estimatedBytes": str(sum(sizes) - size), "oldestEntryTime": str(table.modified)}
    return out


def list_tables(request, project, dataset):
    owner = request.catalog.dataset(dataset)
    request.catalog.expire(owner)
    page, token = page_of(request, sorted(owner.tables), 50)
    out = {"kind": "bigquery#tableList", "etag": "list", "totalItems": len(owner.tables)}
    if page:
        out["tables"] = []
        for name in page:
            table = owner.tables[name]
            entry = {"kind": "bigquery#table", "id": f"{project}:{dataset}.{name}", "type": table.type, "creationTime": str(table.created),
                     "tableReference": {"projectId": project, "datasetId": dataset, "tableId": name}}
            entry.update({k: v for k, v in table.body.items() if k in ("labels", "friendlyName", "expirationTime", "timePartitioning", "clustering") and v})
            out["tables"].append(entry)
    if token:
        out["nextPageToken"] = token
    return out


def get_table(request, _project, dataset, name):
    return table_json(request, request.catalog.table(dataset, name))


def _table_body(body):
    kept = {k: v for k, v in body.items() if k in _KEPT and v is not None}
    if "expirationTime" in kept:
        kept["expirationTime"] = str(kept["expirationTime"])
    return kept


def insert_table(request, project, dataset):
    body = request.json()
    reference = body.get("tableReference") or {}
    if (reference.get("projectId", project), reference.get("datasetId", dataset)) != (project, dataset):
        raise invalid("Value for tableReference does not match the URL")
    kept = _table_body(body)
    if int(kept.get("expirationTime") or 0) and int(kept["expirationTime"]) < request.catalog.clock.now_ms():
        raise invalid("Invalid value for expirationTime: it is in the past")
    return table_json(request, request.catalog.create_table(dataset, reference.get("tableId"), schema_from_rest(body.get("schema")), kept))


def patch_table(request, _project, dataset, name, replace=False):
    table, body = request.catalog.table(dataset, name), request.json()
    _check_etag(request, table.etag)
    if "schema" in body:
        request.catalog.change_columns(table, tuple(map(field_from_rest, (body["schema"] or {}).get("fields", ()))))
    changed = {k: v for k, v in body.items() if k in _KEPT}
    if "labels" in changed and not replace:
        changed["labels"] = {**(table.body.get("labels") or {}), **(changed["labels"] or {})}
    if changed.get("labels"):
        changed["labels"] = {k: v for k, v in changed["labels"].items() if v is not None}
    kept = _table_body(changed) if replace else {**table.body, **_table_body(changed)}
    table.body = {k: v for k, v in kept.items() if changed.get(k, v) is not None}
    table.version += 1
    table.modified = request.catalog.clock.now_ms()
    return table_json(request, table)


def put_table(request, project, dataset, name):
    return patch_table(request, project, dataset, name, replace=True)


def delete_table(request, _project, dataset, name):
    request.catalog.drop_table(request.catalog.table(dataset, name))


# ---- tabledata

def _selected(request, table):
    names = request.query.get("selectedFields", "")
    if not names:
        return list(table.columns)
    chosen = {n.strip().lower() for n in names.split(",")}
    for name in chosen:
        if table.column(name) is None:
            raise ApiError("invalid", f"No such field: {name}")
    return [c for c in table.columns if c.name.lower() in chosen]  # in order of the schema, whatever was asked


def list_rows(request, project, dataset, name):

    table = request.catalog.find_table(dataset, name)
    if table is None:
        raise not_found("Table", f"{project}:{dataset}.{name}")
    if table.type != "TABLE":
        raise invalid(f"Cannot list a table of type {table.type}.")
    columns = _selected(request, table)
    token, start = request.query.get("pageToken", ""), _int(request.query.get("startIndex"), "startIndex", 0)
    if token and not re.fullmatch(r"r:\d+", token):
        raise invalid(f"Invalid page token: {token}")
    limit = min(_int(request.query.get("maxResults"), "maxResults", rows_out.PAGE_ROWS_MAX), int(request.server.options.get("page_rows") or rows_out.PAGE_ROWS_MAX))
    structs = {i: c for i, c in enumerate(columns) if c.type == "STRUCT"}
    texts = [(f'"{c.name}"', "STRING" if i in structs else c.sql_type) for i, c in enumerate(columns)]
    sql = f"SELECT {rows_out.row_sql(texts)}, _rid FROM {table.group} WHERE _tid=? AND _rid>? ORDER BY _rid LIMIT -1 OFFSET ?"
    last, page, size, more = int(token[2:]) if token else 0, [], 0, False
    for row, rid in request.catalog.db.execute(sql, (table.tid, last, 0 if token else start)):
        if len(page) >= limit or (page and size + len(row) > rows_out.PAGE_BYTES_MAX):
            more = True
            break
        if structs:
            cells = json.loads(row)["f"]
            for i, column in structs.items():
                cells[i]["v"] = rows_out.struct_value(column, None if cells[i]["v"] is None else json.loads(cells[i]["v"]))
            row = json.dumps({"f": cells}, ensure_ascii=False)
        page.append(row)
        size += len(row)
        last = rid
    head = {"kind": "bigquery#tableDataList", "etag": table.etag, "totalRows": str(request.catalog.stats(table)[0])}
    if more:
        head["pageToken"] = f"r:{last}"
    if not request.asks_for_int64():
        page = rows_out.in_seconds(page, [(c.name, c.sql_type) for c in columns])
    return rows_out.with_rows(head, page or None)


def insert_all(request, _project, dataset, name):
    """Rows are there at once, and for 30 minutes no DML may touch them (facts B2)."""
    table, body = request.catalog.table(dataset, name), request.json()
    decoders, kept, errors = {c.name.lower(): (c, decoder(c)) for c in table.columns}, [], []
    for index, row in enumerate(body.get("rows") or []):
        values = dict.fromkeys((c.name for c in table.columns))
        problems = []
        for key, value in (row.get("json") or {}).items():
            if key.lower() not in decoders:
                problems.append({"reason": "invalid", "location": key, "message": f"no such field: {key}."})
                continue
            column, decode = decoders[key.lower()]
            try:
                values[column.name] = None if value is None else decode(value)
            except (ValueError, TypeError, ArithmeticError):
                problems.append({"reason": "invalid", "location": key, "message": f"Cannot convert value to {column.type}: {value}"})
        problems += [{"reason": "invalid", "location": c.name, "message": f"Missing required field: {c.name}."} for c in table.columns
                     if c.mode == "REQUIRED" and values[c.name] is None and not problems]
        if problems:
            errors.append({"index": index, "errors": problems})
        kept.append(["[]" if c.mode == "REPEATED" and values[c.name] is None else values[c.name] for c in table.columns])
    if errors:
        return {"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": errors}
    db, until = request.catalog.db, request.catalog.clock.now_ms() + 30 * 60_000
    before = db.execute(f"SELECT COALESCE(MAX(_rid),0) FROM {table.group}").fetchone()[0]
    request.catalog.insert_rows(table, kept)
    table.streaming = {**(table.streaming or {}), **{rid: until for rid, in db.execute(
        f"SELECT _rid FROM {table.group} WHERE _tid=? AND _rid>?", (table.tid, before))}}
    table.touched(request.catalog.clock.now_ms())
    return {"kind": "bigquery#tableDataInsertAllResponse"}


