"""The functions of the portable subset, with their types.

    conversion   FROM_BASE64 TO_BASE64 FROM_HEX TO_HEX SHA256 PARSE_JSON TO_JSON TO_JSON_STRING JSON_VALUE JSON_VALUE_ARRAY JSON_QUERY
    choice       COALESCE IFNULL NULLIF IF LEAST GREATEST
    text         CONCAT LENGTH BYTE_LENGTH LOWER UPPER TRIM SUBSTR STARTS_WITH ENDS_WITH REPLACE ARRAY_LENGTH
    times        TIMESTAMP DATE TIMESTAMP_MICROS TIMESTAMP_MILLIS TIMESTAMP_SECONDS UNIX_MICROS UNIX_MILLIS UNIX_SECONDS CURRENT_TIMESTAMP CURRENT_DATE
                 TIMESTAMP_ADD TIMESTAMP_SUB DATE_ADD DATE_SUB TIMESTAMP_TRUNC DATE_TRUNC
    numbers      MOD DIV ABS
    aggregates   COUNT COUNTIF SUM MIN MAX AVG ANY_VALUE LOGICAL_OR LOGICAL_AND
    others       GENERATE_UUID SESSION_USER
"""

import sql_expr
from errors import bad_query, not_in_subset

AGGREGATES = {"COUNT", "COUNTIF", "SUM", "MIN", "MAX", "AVG", "ANY_VALUE", "LOGICAL_OR", "LOGICAL_AND"}

# name: (types of the arguments, result, SQLite's text)
_SIMPLE = {
    "FROM_BASE64": (("STRING",), "BYTES", "bq_from_base64({0})"), "TO_BASE64": (("BYTES",), "STRING", "bq_to_base64({0})"),
    "FROM_HEX": (("STRING",), "BYTES", "bq_from_hex({0})"), "TO_HEX": (("BYTES",), "STRING", "lower(hex({0}))"),
    "PARSE_JSON": (("STRING",), "JSON", "bq_parse_json({0})"),
    "STARTS_WITH": (("STRING", "STRING"), "BOOL", "(substr({0},1,length({1}))={1})"),
    "ENDS_WITH": (("STRING", "STRING"), "BOOL", "({1}='' OR substr({0},-length({1}))={1})"),
    "LOWER": (("STRING",), "STRING", "bq_lower({0})"), "UPPER": (("STRING",), "STRING", "bq_upper({0})"), "TRIM": (("STRING",), "STRING", "trim({0})"),
    "REPLACE": (("STRING", "STRING", "STRING"), "STRING", "replace({0},{1},{2})"),
    "TIMESTAMP_MICROS": (("INT64",), "TIMESTAMP", "{0}"), "TIMESTAMP_MILLIS": (("INT64",), "TIMESTAMP", "({0}*1000)"),
    "TIMESTAMP_SECONDS": (("INT64",), "TIMESTAMP", "({0}*1000000)"), "UNIX_MICROS": (("TIMESTAMP",), "INT64", "{0}"),
    "UNIX_MILLIS": (("TIMESTAMP",), "INT64", "({0}/1000-({0}<0 AND {0}%1000<>0))"),
    "UNIX_SECONDS": (("TIMESTAMP",), "INT64", "({0}/1000000-({0}<0 AND {0}%1000000<>0))"),
    "MOD": (("INT64", "INT64"), "INT64", "({0} % {1})"), "DIV": (("INT64", "INT64"), "INT64", "({0} / {1})"), "ABS": (("INT64",), "INT64", "abs({0})"),
    "GENERATE_UUID": ((), "STRING", "bq_uuid()"), "SESSION_USER": ((), "STRING", "'somebody@example.com'"),
}


def _mismatch(name, xs, at):
    return bad_query(f"No matching signature for function {name} for argument types: {', '.join(x.type for x in xs)}", at)


def call(expressions, name, args, distinct, at):
    if name in AGGREGATES:
        return _aggregate(expressions, name, args, distinct, at)
    if distinct:
        raise bad_query(f"Function {name} does not support DISTINCT", at)
    if name in ("TIMESTAMP_ADD", "TIMESTAMP_SUB", "DATE_ADD", "DATE_SUB"):
        return _shifted(expressions, name, args, at)
    if name in ("TIMESTAMP_TRUNC", "DATE_TRUNC"):
        return _truncated(expressions, name, args, at)
    xs = [expressions.translate(a) for a in args]
    if name in _SIMPLE:
        kinds, result, text = _SIMPLE[name]
        if len(kinds) != len(xs) or not all(sql_expr.coerces(x, k) for x, k in zip(xs, kinds)):
            raise _mismatch(name, xs, at)
        return sql_expr.X(text.format(*(sql_expr.coerce(x, k) for x, k in zip(xs, kinds))), result)
    special = _SPECIAL.get(name)
    if special is None:
        raise not_in_subset(f"function {name}", at)
    found = special(expressions.session, name, xs)
    if found is None:
        raise _mismatch(name, xs, at)
    return found


def _aggregate(expressions, name, args, distinct, at):
    if not expressions.aggregates or expressions.inside_aggregate:
        raise bad_query(f"Aggregate function {name} not allowed {'here' if not expressions.inside_aggregate else 'inside of another'}", at)
    if name == "COUNT" and args and args[0][0] == "star":
        return sql_expr.X("COUNT(*)", "INT64")
    if len(args) != 1:
        raise bad_query(f"No matching signature for aggregate function {name}", at)
    expressions.inside_aggregate = True
    x = expressions.translate(args[0])
    expressions.inside_aggregate = False
    each = ("DISTINCT " if distinct else "") + x.sql
    decimal = x.type in ("NUMERIC", "BIGNUMERIC")
    if name == "COUNT":
        if distinct and (x.type == "JSON" or x.type.startswith("ARRAY")):
            raise bad_query(f"Aggregate function COUNT with DISTINCT cannot be used with arguments of type {x.type}", at)
        return sql_expr.X(f"COUNT({each})", "INT64")
    if name in ("COUNTIF", "LOGICAL_OR", "LOGICAL_AND") and x.type == "BOOL":
        return sql_expr.X(f"COUNT(CASE WHEN {x.sql} THEN 1 END)" if name == "COUNTIF" else f"{'MAX' if name == 'LOGICAL_OR' else 'MIN'}({x.sql})",
                          "INT64" if name == "COUNTIF" else "BOOL")
    if name == "SUM" and (decimal or x.type in ("INT64", "FLOAT64")):
        return sql_expr.X(f"bq_sum({each})" if decimal else f"SUM({each})", x.type)
    if name == "AVG" and x.type in ("INT64", "FLOAT64"):
        return sql_expr.X(f"AVG({each})", "FLOAT64")
    if name in ("MIN", "MAX") and x.type != "JSON" and not x.type.startswith("ARRAY"):
        return sql_expr.X(f"bq_{name.lower()}({each})" if decimal else f"{name}({each})", x.type)
    if name == "ANY_VALUE":
        return sql_expr.X(f"MAX({x.sql})", x.type)
    raise _mismatch(name, [x], at)


def _shifted(expressions, name, args, at):
    kind = name.split("_")[0]
    if len(args) != 2 or args[1][0] != "interval":
        raise bad_query(f"No matching signature for function {name}", at)
    x, amount = expressions.translate(args[0]), expressions.translate(args[1][1])
    if not sql_expr.coerces(x, kind) or amount.type != "INT64":
        raise _mismatch(name, [x, amount], at)
    sign = "-" if name.endswith("SUB") else ""
    return sql_expr.X(f"bq_add({sql_expr.coerce(x, kind)},'{kind}',{sign}({amount.sql}),'{args[1][2]}')", kind)


def _truncated(expressions, name, args, at):
    kind = name.split("_")[0]
    if len(args) != 2 or args[1][0] != "unit":
        raise not_in_subset(f"{name} with other arguments than a value and a unit", at)
    x = expressions.translate(args[0])
    if not sql_expr.coerces(x, kind):
        raise _mismatch(name, [x], at)
    return sql_expr.X(f"bq_truncate({sql_expr.coerce(x, kind)},'{kind}','{args[1][1]}')", kind)


# ---- functions whose type depends on their arguments: f(session, name, xs) -> X, or None for a mismatch

def _choice(_, name, xs):
    kind = sql_expr.common_type(xs) if xs else None
    if kind is None or (name == "IFNULL" and len(xs) != 2):
        return None
    return sql_expr.X(f"COALESCE({', '.join(sql_expr.coerce(x, kind) for x in xs)}{', NULL' if len(xs) == 1 else ''})", kind)


def _nullif(_, __, xs):
    kind = sql_expr.common_type(xs) if len(xs) == 2 else None
    return None if kind in (None, "JSON") else sql_expr.X(f"NULLIF({sql_expr.coerce(xs[0], kind)},{sql_expr.coerce(xs[1], kind)})", kind)


def _if(_, __, xs):
    kind = sql_expr.common_type(xs[1:]) if len(xs) == 3 and xs[0].type in ("BOOL", "NULL") else None
    return None if kind is None else sql_expr.X(f"(CASE WHEN {xs[0].sql} THEN {sql_expr.coerce(xs[1], kind)} ELSE {sql_expr.coerce(xs[2], kind)} END)", kind)


def _extreme(_, name, xs):
    """NULL if one of them is; SQLite's MIN and MAX of several do the same."""
    kind = sql_expr.common_type(xs) if xs else None
    if kind is None or kind in ("JSON", "NUMERIC", "BIGNUMERIC") or kind.startswith("ARRAY"):
        return None
    texts = [sql_expr.coerce(x, kind) for x in xs]
    return sql_expr.X(texts[0] if len(xs) == 1 else f"{'MIN' if name == 'LEAST' else 'MAX'}({', '.join(texts)})", kind)


def _sha256(_, __, xs):
    return sql_expr.X(f"bq_sha256({xs[0].sql})", "BYTES") if len(xs) == 1 and xs[0].type in ("STRING", "BYTES", "NULL") else None


def _concat(_, __, xs):
    if not xs or any(x.type not in ("STRING", "NULL") for x in xs):
        return None
    return sql_expr.X("(" + " || ".join(x.sql for x in xs) + ")", "STRING")


def _length(_, name, xs):
    if len(xs) != 1 or xs[0].type not in ("STRING", "BYTES"):
        return None
    return sql_expr.X(f"length(CAST({xs[0].sql} AS BLOB))" if name == "BYTE_LENGTH" else f"length({xs[0].sql})", "INT64")


def _substr(_, __, xs):
    if len(xs) not in (2, 3) or xs[0].type not in ("STRING", "BYTES") or any(x.type != "INT64" for x in xs[1:]):
        return None
    return sql_expr.X(f"substr({', '.join(x.sql for x in xs)})", xs[0].type)


def _array_length(_, __, xs):
    return sql_expr.X(f"json_array_length({xs[0].sql})", "INT64") if len(xs) == 1 and xs[0].type.startswith("ARRAY") else None


def _to_json_string(_, __, xs):
    return sql_expr.X(f"bq_to_json_string({xs[0].sql},'{xs[0].type}')", "STRING") if len(xs) == 1 else None


def _to_json(_, __, xs):
    return sql_expr.X(f"bq_to_json_string({xs[0].sql},'{xs[0].type}')", "JSON") if len(xs) == 1 else None


def _json_path(_, name, xs):
    if len(xs) not in (1, 2) or xs[0].type not in ("JSON", "STRING", "NULL") or (len(xs) == 2 and xs[1].type != "STRING"):
        return None
    kind = {"JSON_VALUE": "STRING", "JSON_VALUE_ARRAY": "ARRAY<STRING>"}.get(name, xs[0].type)
    return sql_expr.X(f"bq_{name.lower()}({xs[0].sql},{xs[1].sql if len(xs) == 2 else repr('$')})", kind)


def _timestamp(_, __, xs):
    if len(xs) != 1 or xs[0].type not in ("STRING", "DATE", "DATETIME", "TIMESTAMP", "NULL"):
        return None
    return sql_expr.X(xs[0].sql if xs[0].type in ("TIMESTAMP", "NULL") else sql_expr.cast_sql(xs[0].sql, xs[0].type, "TIMESTAMP"), "TIMESTAMP", xs[0].literal)


def _date(_, __, xs):
    if len(xs) != 1 or not (xs[0].type in ("TIMESTAMP", "DATETIME", "DATE", "NULL") or xs[0].type == "STRING" and xs[0].literal):
        return None  # DATE of a STRING that is no literal: CAST it
    return sql_expr.X(xs[0].sql if xs[0].type in ("DATE", "NULL") else sql_expr.cast_sql(xs[0].sql, xs[0].type, "DATE"), "DATE")


def _now(session, name, xs):
    if xs:
        return None
    now = session.now_micros
    return sql_expr.X(str(now), "TIMESTAMP") if name == "CURRENT_TIMESTAMP" else sql_expr.X(sql_expr.cast_sql(str(now), "TIMESTAMP", "DATE"), "DATE")


_SPECIAL = {"COALESCE": _choice, "IFNULL": _choice, "NULLIF": _nullif, "IF": _if, "LEAST": _extreme, "GREATEST": _extreme, "SHA256": _sha256, "CONCAT": _concat,
            "LENGTH": _length, "CHAR_LENGTH": _length, "BYTE_LENGTH": _length, "SUBSTR": _substr, "SUBSTRING": _substr, "ARRAY_LENGTH": _array_length,
            "TO_JSON_STRING": _to_json_string, "TO_JSON": _to_json, "JSON_VALUE": _json_path, "JSON_VALUE_ARRAY": _json_path, "JSON_QUERY": _json_path,
            "TIMESTAMP": _timestamp, "DATE": _date, "CURRENT_TIMESTAMP": _now, "CURRENT_DATE": _now}
