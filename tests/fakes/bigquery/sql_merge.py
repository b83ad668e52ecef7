"""MERGE: source and target are joined once, each pair and each unmatched row finds its first clause, then everything is written."""

from errors import bad_query
from sql_dml import Changed, Writer, append, assigned, guard_streaming, write_updates
from sql_expr import Expressions, Relation, Scope
from sql_query import Translated


def merge(session, table, target, item, condition, clauses, at):
    scope = Scope([])
    text = session.source(item, scope)
    source = scope.relations[0]
    columns = [(name, kind) for name, _, kind in source.columns]
    if source.table is not None:
        for name, _ in columns:
            session.uses(source.table, name)
    listed = ", ".join(f'{source.sql_alias}."{inner}" AS c{i + 1}' for i, (_, inner, _) in enumerate(source.columns))
    rows = session.temporary_table(Translated(columns, [f"SELECT {listed} FROM {text}"]))
    # From here on the source is that table, under its own alias.
    source = Relation("s0", source.alias, [(name, f"c{i + 1}", kind) for i, (name, kind) in enumerate(columns)])
    both = Scope([target, source])
    join = Expressions(session, both).boolean(condition, "MERGE ON condition")
    plans = [_Plan(session, table, clause, both, target, source) for clause in clauses]
    if session.dry_run:
        return Changed("MERGE", table=table)
    pairs = session.temporary_table(Translated([("t", "INT64"), ("s", "INT64")], [
        f"SELECT t0._rid, s0.rowid FROM {table.scan()} AS t0 JOIN {rows} AS s0 ON {join}"]))
    return _write(session, table, rows, pairs, plans, at)


class _Plan:
    """A clause in SQLite's words."""

    def __init__(self, session, table, clause, both, target, source):
        scope = {"MATCHED": both, "TARGET": Scope([source]), "SOURCE": Scope([target])}[clause.matched]
        self.matched, self.action = clause.matched, clause.action
        self.condition = Expressions(session, scope).boolean(clause.condition, "WHEN clause") if clause.condition is not None else "1"
        if clause.action == "ROW":
            clause.columns = [c.name for c in table.columns]
            clause.exprs = [("col", [c.name], clause.at) for c in table.columns]
        self.columns = Writer(session, table, clause.columns, clause.at).columns if clause.columns else []
        self.texts = [assigned(session, c, node, scope) for c, node in zip(self.columns, clause.exprs)]


def _first(plans, kind):
    """SQLite's CASE that gives the number of the first clause of a kind that applies, NULL for none."""
    whens = " ".join(f"WHEN {p.condition} THEN {i}" for i, p in enumerate(plans) if p.matched == kind)
    return f"CASE {whens} END" if whens else "NULL"


def _write(session, table, rows, pairs, plans, at):
    joined = f"{pairs} AS p JOIN {table.group} AS t0 ON t0._rid=p.c1 JOIN {rows} AS s0 ON s0.rowid=p.c2"
    choice = _first(plans, "MATCHED")
    twice = session.run(f"SELECT 1 FROM {joined} WHERE {choice} IS NOT NULL GROUP BY p.c1 HAVING COUNT(*)>1 LIMIT 1").fetchone()
    if twice:
        raise bad_query("UPDATE/MERGE must match at most one source row for each target row")
    unmatched_source = f"{rows} AS s0 WHERE s0.rowid NOT IN (SELECT c2 FROM {pairs})"
    unmatched_target = f"{table.scan()} AS t0 WHERE t0._rid NOT IN (SELECT c1 FROM {pairs})"
    places = {"MATCHED": (joined, " WHERE "), "TARGET": (unmatched_source, " AND "), "SOURCE": (unmatched_target, " AND ")}
    work = []
    for number, plan in enumerate(plans):
        place, word = places[plan.matched]
        listed = ", ".join(plan.texts) or "1"
        rid = "" if plan.matched == "TARGET" else "t0._rid, "
        work.append(session.run(f"SELECT {rid}{listed} FROM {place}{word}{_first(plans, plan.matched)}={number}").fetchall())
    changed = Changed("MERGE", table=table)
    for plan, found in zip(plans, work):
        _apply(session, table, plan, found, changed)
    return changed


def _apply(session, table, plan, found, changed):
    if not found:
        return
    if plan.action == "DELETE":
        rids = [row[0] for row in found]
        guard_streaming(session, table, rids)
        session.catalog.db.executemany(f"DELETE FROM {table.group} WHERE _rid=?", ((r,) for r in rids))
        table.touched(session.catalog.clock.now_ms())
        changed.deleted += len(found)
    elif plan.action == "UPDATE":
        changed.updated += write_updates(session, table, plan.columns, found)
    else:
        changed.inserted += append(session, table, [c.name for c in plan.columns], found)
