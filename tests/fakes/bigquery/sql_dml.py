"""INSERT, UPDATE, DELETE, TRUNCATE and MERGE. A statement is worked out completely before it changes anything.

Refused as in BigQuery: a target row that several source rows match; NULL for a REQUIRED column; types that do not fit; rows in a streaming buffer;
subqueries in the clauses of MERGE.
"""

from dataclasses import dataclass, field

import values
from errors import bad_query, not_in_subset
from sql_expr import Expressions, Scope, X, coerce, coerces, literal
from sql_parse_query import Parser
from sql_query import Translated
from sql_tree import Query, TableItem


@dataclass
class Changed:
    kind: str
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    table: object = None


@dataclass
class Clause:
    matched: str                # MATCHED, TARGET (not matched by target), SOURCE (not matched by source)
    condition: object
    action: str                 # UPDATE, DELETE, INSERT, ROW
    columns: list = field(default_factory=list)
    exprs: list = field(default_factory=list)
    at: tuple = (1, 1)


def run(session, parser):
    """Executes the DML statement that the parser stands before."""
    return {"INSERT": _insert, "DELETE": _delete, "UPDATE": _update, "TRUNCATE": _truncate, "MERGE": _merge}[parser.token.text](session, parser)


# ---- what is written

class Writer:
    """Checks and completes rows for some columns of a table; the others take their defaults."""

    def __init__(self, session, table, names, at):
        self.table, self.columns = table, []
        for name in names:
            column = table.column(name)
            if column is None:
                raise bad_query(f"Column {name} is not present in table {session.catalog.project}.{table.dataset}.{table.name}", at)
            if column in self.columns:
                raise bad_query(f"Column {name} has been specified more than once", at)
            self.columns.append(column)
        rest = [c for c in table.columns if c not in self.columns]
        self._defaults = [default_of(session, c) for c in rest]
        place = {c.name: i for i, c in enumerate(self.columns + rest)}
        self._order = [place[c.name] for c in table.columns]

    def checked(self, column, value):
        if value is None:
            if column.mode == "REPEATED":
                return "[]"
            if column.mode == "REQUIRED":
                raise bad_query(f"Required field {column.name} cannot be null")
            return None
        if column.mode == "REPEATED" and "null" in value:
            if any(v is None for v in values.parse_json(value)):
                raise bad_query(f"Array cannot have a null element; error in writing field {column.name}")
        if column.precision:
            try:
                return values.decimal_text(value, *values.whole_digits(column))
            except ValueError as error:
                raise bad_query(f"Value of type {column.declared_type()} is out of range: {value} for field {column.name}") from error
        if column.max_length and len(value) > column.max_length:
            raise bad_query(f"Value of field {column.name} is too long: maximum length {column.max_length}, length {len(value)}")
        return value

    def rows(self, raw):
        for row in raw:
            whole = [*row, *self._defaults]
            yield [self.checked(c, whole[i]) for c, i in zip(self.table.columns, self._order)]


def default_of(session, column):
    if not column.default:
        return None
    parser = Parser(column.default)
    x = Expressions(session, Scope([])).translate(parser.expr())
    if not coerces(x, column.sql_type, assigning=True):
        raise bad_query(f"Invalid default value of column {column.name}")
    return session.run(f"SELECT {coerce(x, column.sql_type)}").fetchone()[0]


def assigned(session, column, node, scope):
    """SQLite's text of an expression that is written into a column."""
    if node[0] == "default":
        return literal(default_of(session, column))
    x = Expressions(session, scope).translate(node)
    if not coerces(x, column.sql_type, assigning=True):
        raise bad_query(f"Value of type {x.type} cannot be assigned to {column.name}, which has type {column.sql_type}", node[-1] if isinstance(node[-1], tuple) else None)
    return coerce(x, column.sql_type)


def append(session, table, names, raw, at=None):
    """Writes rows of kept values; their number."""
    count = session.catalog.insert_rows(table, Writer(session, table, names, at).rows(raw))
    table.touched(session.catalog.clock.now_ms())
    return max(count, 0)


def guard_streaming(session, table, rids):
    held = session.catalog.streaming_rows(table)
    if held and (rids is None or any(rid in held for rid in rids)):
        raise bad_query(f"UPDATE or DELETE statement over table {session.catalog.project}.{table.dataset}.{table.name} would affect rows in the streaming buffer, "
                        "which is not supported")


def _target(session, parser):
    at = parser.at()
    table = session.table(parser.path(), at)
    alias = parser.alias() or table.name
    return table, session.row_relation(table, alias), at


# ---- INSERT

def _names(parser):
    if not parser.accept("("):
        return None
    found = [parser.name()]
    while parser.accept(","):
        found.append(parser.name())
    parser.expect(")")
    return found


def _insert(session, parser):
    parser.take()
    parser.accept("INTO")
    at = parser.at()
    table = session.table(parser.path(), at)
    names = (None if parser.starts_query() else _names(parser)) or [c.name for c in table.columns]
    columns = Writer(session, table, names, at).columns
    if parser.accept("VALUES"):
        rows = []
        while True:
            rows.append(_values_row(session, parser, columns))
            if not parser.accept(","):
                break
    else:
        translated = session.query(parser.query())
        if len(translated.columns) != len(columns):
            raise bad_query(f"Inserted row has wrong column count; Has {len(translated.columns)}, expected {len(columns)}", at)
        rows = _select_rows(session, translated, columns)
    if session.dry_run:
        return Changed("INSERT", table=table)
    return Changed("INSERT", inserted=append(session, table, names, rows, at), table=table)


def _values_row(session, parser, columns):
    at = parser.at()
    parser.expect("(")
    nodes = [parser.expr()]
    while parser.accept(","):
        nodes.append(parser.expr())
    parser.expect(")")
    if len(nodes) != len(columns):
        raise bad_query(f"Inserted row has wrong column count; Has {len(nodes)}, expected {len(columns)}", at)
    return session.run("SELECT " + ", ".join(assigned(session, c, n, Scope([])) for c, n in zip(columns, nodes))).fetchone()


def _select_rows(session, translated, columns):
    """Rows of a query, as the columns want them; read to the end before anything is written, since it may read the table it writes."""
    texts = []
    for i, ((_, kind), column) in enumerate(zip(translated.columns, columns)):
        x = X(f"c{i + 1}", kind)
        if not coerces(x, column.sql_type, assigning=True):
            raise bad_query(f"Query column {i + 1} has type {kind} which cannot be inserted into column {column.name}, which has type {column.sql_type}")
        texts.append(coerce(x, column.sql_type))
    if session.dry_run:
        return []
    name = session.temporary_table(Translated(translated.columns, [f"SELECT {', '.join(texts)} FROM ({b})" for b in translated.branches], session))
    return session.run(f"SELECT * FROM {name}").fetchall()


# ---- DELETE, UPDATE, TRUNCATE

def _where(session, parser, relation):
    if not parser.accept("WHERE"):
        raise parser.unexpected("keyword WHERE")
    return Expressions(session, Scope([relation])).boolean(parser.expr(), "WHERE clause")


def _delete(session, parser):
    parser.take()
    parser.accept("FROM")
    table, relation, _ = _target(session, parser)
    where = _where(session, parser, relation)
    if session.dry_run:
        return Changed("DELETE", table=table)
    rids = [r for r, in session.run(f"SELECT t0._rid FROM {table.scan()} AS t0 WHERE {where}")]
    guard_streaming(session, table, rids)
    session.catalog.db.executemany(f"DELETE FROM {table.group} WHERE _rid=?", ((r,) for r in rids))
    table.touched(session.catalog.clock.now_ms())
    return Changed("DELETE", deleted=len(rids), table=table)


def _assignments(session, parser, table):
    names, nodes = [], []
    while True:
        name = parser.name()
        if parser.sees("."):
            parser.take()
            name = parser.name()
        parser.expect("=")
        names.append(name)
        nodes.append(parser.expr())
        if not parser.accept(","):
            break
    return names, nodes


def write_updates(session, table, columns, rows):
    """rows: (rid, values of the columns)."""
    writer = Writer(session, table, [c.name for c in columns], None)
    changes = [[*(writer.checked(c, v) for c, v in zip(columns, row[1:])), row[0]] for row in rows]
    guard_streaming(session, table, [r[-1] for r in changes])
    listed = ", ".join(f'"{c.name}"=?' for c in columns)
    session.catalog.db.executemany(f"UPDATE {table.group} SET {listed} WHERE _rid=?", changes)
    table.touched(session.catalog.clock.now_ms())
    return len(changes)


def _update(session, parser):
    parser.take()
    table, relation, at = _target(session, parser)
    parser.expect("SET")
    names, nodes = _assignments(session, parser, table)
    columns = Writer(session, table, names, at).columns
    if parser.sees("FROM"):
        raise parser.refuse("UPDATE … FROM")
    where = _where(session, parser, relation)
    texts = [assigned(session, c, n, Scope([relation])) for c, n in zip(columns, nodes)]
    if session.dry_run:
        return Changed("UPDATE", table=table)
    rows = session.run(f"SELECT t0._rid, {', '.join(texts)} FROM {table.scan()} AS t0 WHERE {where}").fetchall()
    return Changed("UPDATE", updated=write_updates(session, table, columns, rows), table=table)


def _truncate(session, parser):
    parser.take()
    parser.expect("TABLE")
    table = session.table(parser.path(), parser.at())
    if session.dry_run:
        return Changed("TRUNCATE_TABLE", table=table)
    guard_streaming(session, table, None)
    count = session.catalog.clear(table)
    table.touched(session.catalog.clock.now_ms())
    return Changed("TRUNCATE_TABLE", deleted=count, table=table)


# ---- MERGE

def _merge(session, parser):
    from sql_merge import merge
    parser.take()
    parser.accept("INTO")
    table, relation, at = _target(session, parser)
    parser.expect("USING")
    item = parser.from_item()
    parser.expect("ON")
    condition = parser.expr()
    clauses = []
    while parser.sees("WHEN"):
        clauses.append(_clause(session, parser, table))
    if not clauses:
        raise parser.unexpected("keyword WHEN")
    return merge(session, table, relation, item, condition, clauses, at)


def _clause(session, parser, table):
    at = parser.at()
    parser.expect("WHEN")
    if parser.accept("MATCHED"):
        matched = "MATCHED"
    else:
        parser.expect("NOT", "MATCHED")
        matched = "SOURCE" if parser.accept("BY", "SOURCE") else "TARGET"
        if matched == "TARGET":
            parser.accept("BY", "TARGET")
    clause = Clause(matched, parser.expr() if parser.accept("AND") else None, "", at=at)
    parser.expect("THEN")
    if _has_query([clause.condition]):
        raise bad_query("Correlated Subquery is unsupported in MERGE clause.", at)
    if matched == "TARGET":
        parser.expect("INSERT")
        if parser.accept("ROW"):
            clause.action = "ROW"
            return clause
        clause.action, clause.columns = "INSERT", _names(parser) or [c.name for c in table.columns]
        if parser.accept("ROW"):
            raise not_in_subset("INSERT (…) ROW", at)
        parser.expect("VALUES")
        parser.expect("(")
        clause.exprs = [parser.expr()]
        while parser.accept(","):
            clause.exprs.append(parser.expr())
        parser.expect(")")
        if len(clause.exprs) != len(clause.columns):
            raise bad_query(f"Inserted row has wrong column count; Has {len(clause.exprs)}, expected {len(clause.columns)}", at)
    elif parser.accept("DELETE"):
        clause.action = "DELETE"
    else:
        parser.expect("UPDATE", "SET")
        clause.action = "UPDATE"
        clause.columns, clause.exprs = _assignments(session, parser, table)
    if _has_query(clause.exprs):
        raise bad_query("Correlated Subquery is unsupported in MERGE clause.", at)
    return clause


def _has_query(node):
    if isinstance(node, (Query, TableItem)):
        return True
    return isinstance(node, (list, tuple)) and any(_has_query(n) for n in node)
