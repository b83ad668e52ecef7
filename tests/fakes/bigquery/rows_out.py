"""Rows as REST answers them: {"f": [{"v": …}]}, every scalar a text, made by SQLite itself where that can be, since there may be millions.

TIMESTAMP is written in microseconds (formatOptions.useInt64Timestamp); `in_seconds` turns a page into the older form, which loses digits.
"""

import json
import math

from errors import not_in_subset
from values import LEGACY, Field, field_to_rest

PAGE_ROWS_MAX = 100_000
PAGE_BYTES_MAX = 10_000_000


def value_sql(sql, kind):
    """SQLite's text: a value in JSON."""
    if kind.startswith("ARRAY<"):
        return f"bq_rest_list({sql},'{kind[6:-1]}')"
    if kind in ("INT64", "TIMESTAMP", "NULL"):
        return f"COALESCE('\"'||{sql}||'\"','null')"
    if kind == "BOOL":
        return f"CASE {sql} WHEN 1 THEN '\"true\"' WHEN 0 THEN '\"false\"' ELSE 'null' END"
    if kind == "BYTES":
        return f"COALESCE('\"'||bq_to_base64({sql})||'\"','null')"
    if kind == "FLOAT64":
        return f"bq_rest_float({sql})"
    if kind == "STRUCT":
        raise not_in_subset("a column of type STRUCT in the result of a query")
    return f"json_quote({sql})"


def row_sql(columns):
    """SQLite's text of a whole row; columns: [(SQLite's text, type)]"""
    return "'{\"f\":[{\"v\":'||" + "||'},{\"v\":'||".join(value_sql(sql, kind) for sql, kind in columns) + "||'}]}'"


def rest_list(text, kind):
    items = json.loads(text) if text else []
    if kind == "BOOL":
        items = ["true" if v else "false" for v in items]
    return json.dumps([{"v": v if isinstance(v, str) else json.dumps(v, separators=(",", ":"))} for v in items], separators=(",", ":"), ensure_ascii=False)


def rest_float(number):
    if number is None:
        return "null"
    if math.isinf(number):
        return '"Infinity"' if number > 0 else '"-Infinity"'
    return f'"{number!r}"'


def register(db):
    db.create_function("bq_rest_list", 2, rest_list, deterministic=True)
    db.create_function("bq_rest_float", 1, rest_float, deterministic=True)


def struct_value(column, value):
    """A value of a table's column that is a STRUCT, from its kept JSON."""
    if value is None:
        return [] if column.mode == "REPEATED" else None
    if column.mode == "REPEATED":
        return [{"v": struct_value(Field(column.name, column.type, "NULLABLE", column.fields), v)} for v in value]
    if column.type == "STRUCT":
        return {"f": [{"v": struct_value(f, value.get(f.name))} for f in column.fields]}
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else json.dumps(value)


def in_seconds(rows, columns):
    """The page with its timestamps as seconds in floating point; columns: [(name, type)]"""
    places = [i for i, (_, kind) in enumerate(columns) if kind == "TIMESTAMP"]
    if not places:
        return rows
    out = []
    for text in rows:
        row = json.loads(text)
        for i in places:
            value = row["f"][i]["v"]
            if value is not None:
                mantissa, exponent = f"{int(value) / 1e6:.16E}".split("E")
                row["f"][i]["v"] = f"{float(mantissa)!r}E{int(exponent)}"
        out.append(json.dumps(row, separators=(",", ":"), ensure_ascii=False))
    return out


def result_schema(columns):
    """fields of a query's result; columns: [(name, type)]"""
    fields = []
    for name, kind in columns:
        mode, inner = ("REPEATED", kind[6:-1]) if kind.startswith("ARRAY<") else ("NULLABLE", kind)
        inner = "INT64" if inner == "NULL" else inner
        fields.append({"name": name, "type": LEGACY.get(inner, inner), "mode": mode})
    return {"fields": fields}


def table_schema(columns):
    return {"fields": [field_to_rest(c) for c in columns]}


def take_page(rows, limit, bytes_max):
    """(page, whether there is more): as many rows as fit."""
    page, size = [], 0
    for row in rows:
        if len(page) >= limit or (page and size + len(row) > bytes_max):
            return page, True
        page.append(row)
        size += len(row)
    return page, False


def with_rows(head, rows):
    """JSON text of an answer that carries rows, without parsing them again."""
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False)
    return text if rows is None else text[:-1] + (',"rows":[' if len(text) > 2 else '"rows":[') + ",".join(rows) + "]}"
