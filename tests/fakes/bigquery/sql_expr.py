"""Expressions: names are resolved, types checked and coerced as BigQuery does, and SQLite's text is made.

An expression becomes X(sql, type, literal): `type` as in values.py, or "NULL"; `literal` for what BigQuery coerces freely (literals and parameters).
"""

from typing import NamedTuple

import sql_functions
from errors import ApiError, bad_query, not_in_subset
from sql_udf import cast as cast_value
from sql_udf import safe_cast as safe_cast_value
from values import STANDARD, Field, decoder

# What a value of a type may stand for without being cast ("Conversion rules": coercion).
_COERCIONS = {("INT64", "NUMERIC"), ("INT64", "BIGNUMERIC"), ("INT64", "FLOAT64"), ("NUMERIC", "BIGNUMERIC"), ("NUMERIC", "FLOAT64"),
              ("BIGNUMERIC", "FLOAT64"), ("DATE", "DATETIME"), ("DATE", "TIMESTAMP"), ("DATETIME", "TIMESTAMP")}
_LITERAL_COERCIONS = {("STRING", "DATE"), ("STRING", "DATETIME"), ("STRING", "TIME"), ("STRING", "TIMESTAMP"), ("FLOAT64", "NUMERIC"),
                      ("FLOAT64", "BIGNUMERIC")}
_ORDER = ["INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64"]
_CASTS = {"STRING": "BYTES INT64 FLOAT64 NUMERIC BIGNUMERIC BOOL DATE DATETIME TIME TIMESTAMP", "BYTES": "STRING", "INT64": "STRING FLOAT64 NUMERIC BIGNUMERIC BOOL",
          "FLOAT64": "STRING INT64 NUMERIC BIGNUMERIC", "NUMERIC": "STRING INT64 FLOAT64 BIGNUMERIC", "BIGNUMERIC": "STRING INT64 FLOAT64 NUMERIC",
          "BOOL": "STRING INT64", "DATE": "STRING DATETIME TIMESTAMP", "DATETIME": "STRING DATE TIME TIMESTAMP", "TIME": "STRING",
          "TIMESTAMP": "STRING DATE DATETIME TIME"}


class X(NamedTuple):
    sql: str
    type: str
    literal: bool = False
    column: tuple = None  # (table, name) of a plain column


def literal(value):
    """SQLite's text of a kept value."""
    if value is None:
        return "NULL"
    if isinstance(value, (bytes, bytearray)):
        return f"x'{bytes(value).hex()}'"
    if isinstance(value, str):
        if "\0" in value:
            return f"CAST(x'{value.encode().hex()}' AS TEXT)"
        return "'" + value.replace("'", "''") + "'"
    return repr(value) if not isinstance(value, bool) else str(int(value))


def cast_sql(sql, source, target, safe=False):
    return f"bq_{'safe_' if safe else ''}cast({sql},'{source}','{target}')"


def coerces(x, target, assigning=False):
    """True if x may stand for `target`. Assigning: a DEFAULT or INSERT takes what a literal would."""
    if x.type in ("NULL", target):
        return True
    if x.type == "ARRAY<NULL>" and target.startswith("ARRAY<"):
        return True
    return (x.type, target) in _COERCIONS or ((x.literal or assigning and x.type == "FLOAT64") and (x.type, target) in _LITERAL_COERCIONS)


def coerce(x, target):
    """SQLite's text of x as `target`. REQUIRES: coerces()"""
    if x.type in (target, "NULL") or x.type == "ARRAY<NULL>":
        return x.sql
    return cast_sql(x.sql, x.type, target)


def common_type(xs):
    """The type that all of them coerce to, or None."""
    types = {x.type for x in xs if x.type != "NULL"}
    if not types:
        return "NULL"
    candidates = sorted(types, key=lambda t: _ORDER.index(t) if t in _ORDER else 9) + ["DATETIME", "TIMESTAMP"]
    firm = [x.type for x in xs if not x.literal and x.type != "NULL"]
    for target in firm + candidates:
        if all(coerces(x, target) for x in xs):
            return target
    return None


class Relation:
    """What stands in FROM: columns under a name. `table` is set where they are a table's own."""

    def __init__(self, sql_alias, alias, columns, table=None):
        self.sql_alias, self.alias, self.table = sql_alias, alias, table
        self.columns = columns  # [(name, SQLite's name, type)]
        self.merged = set()     # of USING: named by the left side


class Scope:
    def __init__(self, relations, outer=None, aliases=None):
        self.relations, self.outer, self.aliases = relations, outer, aliases or {}


class Expressions:
    """Translates expressions for one job. `session` knows parameters, tables and how to translate a query (sql_query.py)."""

    def __init__(self, session, scope, aggregates=False):
        self.session, self.scope, self.aggregates = session, scope, aggregates
        self.inside_aggregate = False

    def translate(self, node):
        return getattr(self, "_" + node[0])(*node[1:])

    def boolean(self, node, clause):
        x = self.translate(node)
        if x.type not in ("BOOL", "NULL"):
            raise bad_query(f"{clause} should return type BOOL, but returns {x.type}", _place(node))
        return x.sql

    def as_type(self, node, target, what):
        x = self.translate(node)
        if not coerces(x, target):
            raise bad_query(f"{what} should be of type {target}, but is {x.type}", _place(node))
        return coerce(x, target)

    # ---- leaves

    def _lit(self, kind, value):
        return X(literal(value), kind, True)

    def _default(self, at):
        raise not_in_subset("DEFAULT outside of VALUES and SET", at)

    def _star(self, at):
        raise bad_query("Syntax error: Unexpected \"*\"", at)

    def _unit(self, name):
        raise bad_query(f"Unrecognized name: {name}")

    def _interval(self, amount, unit, at):
        raise not_in_subset("INTERVAL outside of TIMESTAMP_ADD, TIMESTAMP_SUB, DATE_ADD and DATE_SUB", at)

    def _param(self, name, at):
        return self.session.parameter(name, at)

    def _col(self, parts, at):
        scope = self.scope
        while scope is not None:
            found = self._find(scope, parts, at)
            if found is not None:
                return found
            scope = scope.outer
        raise bad_query(f"Unrecognized name: {'.'.join(parts)}", at)

    def _find(self, scope, parts, at):
        if len(parts) == 1 and parts[0].lower() in scope.aliases:
            return scope.aliases[parts[0].lower()]
        if len(parts) > 2:
            raise not_in_subset("fields of a STRUCT, and columns named by dataset and table", at)
        wanted, found = parts[-1].lower(), []
        for relation in scope.relations:
            if len(parts) == 2 and (relation.alias or "").lower() != parts[0].lower():
                continue
            for name, inner, kind in relation.columns:
                if name.lower() == wanted and not (len(parts) == 1 and wanted in relation.merged):
                    found.append((relation, name, inner, kind))
        if len(found) > 1:
            raise bad_query(f"Column name {parts[-1]} is ambiguous", at)
        if not found:
            if len(parts) == 2 and any((r.alias or "").lower() == parts[0].lower() for r in scope.relations):
                raise bad_query(f"Name {parts[1]} not found inside {parts[0]}", at)
            return None
        relation, name, inner, kind = found[0]
        if relation.table is not None:
            self.session.uses(relation.table, name)
        return X(f'{relation.sql_alias}."{inner}"', kind, False, (relation.table, inner) if relation.table is not None else None)

    def _array(self, items, at):
        xs = [self.translate(i) for i in items]
        kind = common_type(xs)
        if kind not in ("STRING", "INT64", "NULL") or any(x.type == "NULL" for x in xs):
            raise not_in_subset("arrays of other elements than STRING and INT64, or with NULL", at)
        return X(f"json_array({', '.join(coerce(x, kind) for x in xs)})", f"ARRAY<{kind}>", True)

    # ---- operators

    def _not(self, a):
        return X(f"(NOT {self.boolean(a, 'Operand of NOT')})", "BOOL")

    def _neg(self, a, at):
        x = self.translate(a)
        if x.type not in _ORDER:
            raise bad_query(f"No matching signature for operator - for argument types: {x.type}", at)
        return X(f"(-{x.sql})", x.type) if x.type in ("INT64", "FLOAT64") else X(f"bq_decimal('0',{x.sql},'-')", x.type)

    def _null(self, a, negated):
        return X(f"({self.translate(a).sql} IS {'NOT ' if negated else ''}NULL)", "BOOL")

    def _is(self, a, wanted, negated):
        return X(f"({self.boolean(a, 'Operand of IS')} IS {'NOT ' if negated else ''}{int(wanted)})", "BOOL")

    def _bin(self, op, a, b, at):
        if op in ("AND", "OR"):
            return X(f"({self.boolean(a, 'Operand of ' + op)} {op} {self.boolean(b, 'Operand of ' + op)})", "BOOL")
        x, y = self.translate(a), self.translate(b)
        if op == "||":
            if {x.type, y.type} - {"NULL"} not in ({"STRING"}, {"BYTES"}, set()):
                raise bad_query(f"No matching signature for operator || for argument types: {x.type}, {y.type}", at)
            both = f"({x.sql} || {y.sql})"
            return X(f"CAST({both} AS BLOB)", "BYTES") if "BYTES" in (x.type, y.type) else X(both, "STRING")
        return self._arithmetic(op, x, y, at) if op in "+-*/" else self.compare(op, x, y, at)

    def _arithmetic(self, op, x, y, at):
        kind = common_type([x, y])
        if kind not in _ORDER + ["NULL"]:
            raise bad_query(f"No matching signature for operator {op} for argument types: {x.type}, {y.type}", at)
        left, right = coerce(x, kind), coerce(y, kind)
        if kind in ("NUMERIC", "BIGNUMERIC"):
            return X(f"bq_decimal({left},{right},'{op}')", kind)
        if op == "/":
            return X(f"CASE WHEN {right}=0 THEN bq_fail('division by zero') ELSE CAST({left} AS REAL)/{right} END", "FLOAT64")
        return X(f"({left} {op} {right})", "INT64" if kind == "NULL" else kind)

    def compare(self, op, x, y, at):
        kind = common_type([x, y])
        shown = op.replace("IS NOT DISTINCT", "IS NOT DISTINCT FROM").replace("IS DISTINCT", "IS DISTINCT FROM")
        if kind is None:
            raise bad_query(f"No matching signature for operator {shown} for argument types: {x.type}, {y.type}", at)
        if kind == "JSON" or kind.startswith("ARRAY"):
            raise bad_query(f"{'Equality' if '=' in op or 'IS' in op else 'Less than'} is not defined for arguments of type {kind}", at)
        if self.scope.outer is not None and op in ("=", "IS NOT DISTINCT"):
            for column in (x.column, y.column):
                if column is not None:
                    self.session.catalog.index_for_lookup(*column)
        left, right = coerce(x, kind), coerce(y, kind)
        if kind in ("NUMERIC", "BIGNUMERIC") and op[0] in "<>":
            return X(f"(bq_compare({left},{right}) {op} 0)", "BOOL")
        return X(f"({left} {({'IS DISTINCT': 'IS NOT', 'IS NOT DISTINCT': 'IS'}).get(op, op)} {right})", "BOOL")

    def _between(self, a, low, high, negated, at):
        x = self.translate(a)
        both = f"({self.compare('>=', x, self.translate(low), at).sql} AND {self.compare('<=', x, self.translate(high), at).sql})"
        return X(f"(NOT {both})" if negated else both, "BOOL")

    def _like(self, a, b, negated, at):
        x, y = self.translate(a), self.translate(b)
        if {x.type, y.type} - {"STRING", "NULL"}:
            raise bad_query(f"No matching signature for operator LIKE for argument types: {x.type}, {y.type}", at)
        return X(f"({x.sql} {'NOT ' if negated else ''}LIKE {y.sql} ESCAPE '\\')", "BOOL")

    def _in(self, a, members, negated, at):
        x, word = self.translate(a), "NOT IN" if negated else "IN"
        if isinstance(members, list):
            xs = [self.translate(m) for m in members]
            kind = common_type([x, *xs])
            if kind is None or kind == "JSON" or kind.startswith("ARRAY"):
                raise bad_query(f"No matching signature for operator IN for argument types {x.type} and {{{', '.join(m.type for m in xs)}}}", at)
            return X(f"({coerce(x, kind)} {word} ({', '.join(coerce(m, kind) for m in xs)}))", "BOOL")
        if isinstance(members, tuple):
            array = self.translate(members[1])
            element = array.type[6:-1] if array.type.startswith("ARRAY<") else None
            if element is None or not (coerces(x, element) or element == "NULL"):
                raise bad_query(f"No matching signature for operator IN UNNEST for argument types: {x.type}, {array.type}", at)
            return X(f"({coerce(x, element)} {word} (SELECT value FROM json_each({array.sql})))", "BOOL")
        query = self.session.query(members, self.scope)
        if len(query.columns) != 1:
            raise bad_query("Subquery of type IN must have only one output column", at)
        inner = X("", query.columns[0][1])
        kind = common_type([x, inner])
        if kind is None or kind == "JSON" or kind.startswith("ARRAY"):
            raise bad_query(f"Cannot execute IN subquery with uncomparable types {x.type} and {inner.type}", at)
        inside = query.sql if inner.type in (kind, "NULL") else f"SELECT {cast_sql('c1', inner.type, kind)} FROM ({query.sql})"
        return X(f"({coerce(x, kind)} {word} ({inside}))", "BOOL")

    def _exists(self, query):
        return X(f"EXISTS ({self.session.query(query, self.scope).sql})", "BOOL")

    def _scalar(self, query, at):
        inner = self.session.query(query, self.scope)
        if len(inner.columns) != 1:
            raise bad_query(f"Scalar subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values", at)
        return X(f"(SELECT CASE WHEN COUNT(*)>1 THEN bq_fail('Scalar subquery produced more than one element') ELSE MAX(c1) END FROM ({inner.sql} ))",
                 inner.columns[0][1])

    def _collected(self, query, at):
        inner = self.session.query(query, self.scope)
        if len(inner.columns) != 1:
            raise bad_query("ARRAY subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values", at)
        kind = inner.columns[0][1]
        element = {"BOOL": "json(CASE c1 WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)", "BYTES": "bq_to_base64(c1)", "JSON": "json(c1)"}.get(kind, "c1")
        return X(f"(SELECT json_group_array({element}) FROM ({inner.sql}))", f"ARRAY<{kind}>")

    def _case(self, operand, whens, otherwise, at):
        subject = self.translate(operand) if operand is not None else None
        conditions = [self.boolean(w, "CASE condition") if subject is None else self.compare("=", subject, self.translate(w), at).sql for w, _ in whens]
        results = [self.translate(then) for _, then in whens] + [self.translate(otherwise)]
        kind = common_type(results)
        if kind is None:
            raise bad_query(f"No matching signature for CASE for argument types: {', '.join(r.type for r in results)}", at)
        branches = " ".join(f"WHEN {c} THEN {coerce(r, kind)}" for c, r in zip(conditions, results))
        return X(f"(CASE {branches} ELSE {coerce(results[-1], kind)} END)", kind)

    def _cast(self, inner, target, safe, at):
        x = self.translate(inner)
        if x.type in (target, "NULL") or (x.type == "ARRAY<NULL>" and target.startswith("ARRAY")):
            return X(x.sql, target)
        if inner[0] == "lit" and x.type == "STRING":  # a typed literal, or a cast of one: what is wrong is wrong before anything runs
            try:
                return X(literal(parse_json_literal(inner[2]) if target == "JSON" else (safe_cast_value if safe else cast_value)(inner[2], "STRING", target)),
                         target, True)
            except ApiError as error:
                raise bad_query(error.message, at) from error
        if target not in _CASTS.get(x.type, "").split():
            raise bad_query(f"Invalid cast from {x.type} to {target}", at)
        return X(cast_sql(x.sql, x.type, target, safe), target)

    def _call(self, name, args, distinct, at):
        return sql_functions.call(self, name, args, distinct, at)


def parse_json_literal(text):
    return decoder(Field("x", STANDARD["JSON"]))(text)


def _place(node):
    return node[-1] if isinstance(node[-1], tuple) and len(node[-1]) == 2 and all(isinstance(n, int) for n in node[-1]) else None


def is_constant(node):
    """True for what may stand after FOR SYSTEM_TIME AS OF: no columns and no subqueries."""
    if isinstance(node, (list, tuple)):
        return not (node and node[0] in ("col", "exists", "scalar", "in")) and all(is_constant(n) for n in node)
    return True
