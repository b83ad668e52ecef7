"""Queries: from trees to SQLite's text, with every name and type checked on the way.

A Session belongs to one statement of one job. Columns of a translated query are named c1, c2, … inside; `columns` holds their names outside and types.
"""

import sql_expr
from errors import ApiError, bad_query, invalid, not_found, not_in_subset
from sql_expr import Expressions, Relation, Scope, X
from sql_functions import AGGREGATES
from sql_tree import Join, Query, QueryItem, TableItem, UnnestItem

TABLES_MAX = 1000
BRANCHES_AT_ONCE = 400  # SQLite takes 500 parts of one UNION ALL


class Translated:
    """SQLite's text of a query. `branches`: parts of a UNION ALL, which may be run one after the other instead."""

    def __init__(self, columns, branches, session=None):
        self.columns, self.branches, self._session = columns, branches, session  # columns: [(name, type)]
        self._sql = " UNION ALL ".join(branches) if len(branches) <= BRANCHES_AT_ONCE else None

    @property
    def sql(self):
        if self._sql is None:
            self._sql = f"SELECT * FROM {self._session.temporary_table(self)}"
        return self._sql


class Session:
    def __init__(self, catalog, functions, information, parameters=None, default_dataset=None, options=None):
        self.catalog, self.functions, self.information = catalog, functions, information
        self.parameters = parameters or {}       # name: (type, kept value)
        self.default_dataset, self.options = default_dataset, options or {}
        self.now_micros = catalog.clock.now_micros()
        self.used = {}                           # table: {columns}
        self.references, self.temporary = set(), 0
        self.relations_made = 0
        self.dry_run = False
        self.place = {"location": None}          # of the job: shared by the sessions of its statements

    # ---- what expressions ask for

    def uses(self, table, column):
        self.used.setdefault(table, set()).add(column)

    def parameter(self, name, at):
        if name == "?":
            raise not_in_subset("positional parameters", at)
        found = self.parameters.get(name[1:].lower())
        if found is None:
            raise bad_query(f"Query parameter '{name[1:]}' not found", at)
        kind, value = found
        return X(sql_expr.literal(value), kind, not kind.startswith("ARRAY"))

    def run(self, sql, arguments=()):
        """Executes SQLite's text; errors of our functions come out as they were meant."""
        try:
            return self.catalog.db.execute(sql, arguments)
        except Exception as error:
            raise self.functions.take_failure() or ApiError("internalError", f"the fake's SQLite: {error}: {sql[:2000]}") from error

    # ---- tables

    def located(self, dataset, location):
        """Every dataset of a job is where the job is; the first one says where, if the caller did not (facts C5)."""
        place = self.place["location"]
        if place is None:
            self.place["location"] = location
        elif place.lower() != location.lower():
            raise ApiError("notFound", f"Not found: Dataset {self.catalog.project}:{dataset} was not found in location {place}")

    def resolve(self, path, at):
        """(project, dataset, rest) of a table's path."""
        if len(path) >= 3 and path[-2].upper() == "INFORMATION_SCHEMA":
            return path[0] if len(path) == 4 else self.catalog.project, path[-3], path[-2:]
        if len(path) == 2 and path[0].upper() == "INFORMATION_SCHEMA":
            raise bad_query("INFORMATION_SCHEMA must be qualified with a dataset, or with a region", at)
        if len(path) == 1:
            if not self.default_dataset:
                raise invalid(f"Table \"{path[0]}\" must be qualified with a dataset (e.g. dataset.table).")
            return self.catalog.project, self.default_dataset, path
        if len(path) > 3:
            raise bad_query(f"Invalid table name: {'.'.join(path)}", at)
        return path[0] if len(path) == 3 else self.catalog.project, path[-2], path[-1:]

    def table(self, path, at):
        project, dataset, rest = self.resolve(path, at)
        if len(rest) == 2:
            raise bad_query("INFORMATION_SCHEMA views cannot be changed", at)
        if project != self.catalog.project:
            raise ApiError("accessDenied", f"Access Denied: Table {project}:{dataset}.{rest[0]}: User does not have permission to query it, or it does not exist.")
        self.located(dataset, self.catalog.dataset(dataset).location)
        found = self.catalog.find_table(dataset, rest[0])
        if found is None:
            raise not_found("Table", f"{project}:{dataset}.{rest[0]}")
        self._counts(found)
        self.catalog.tell_planner(found)
        return found

    def _counts(self, key):
        self.references.add(key)
        if len(self.references) > TABLES_MAX:
            raise bad_query(f"Too many tables, views and user-defined functions for query: Max: {TABLES_MAX}")

    def _alias(self):
        self.relations_made += 1
        return f"r{self.relations_made}"

    def temporary_table(self, translated):
        """Runs a query into a table of SQLite that lives as long as the job: its name."""
        self.temporary += 1
        name = f"temp.m{self.temporary}"
        self.run(f"DROP TABLE IF EXISTS {name}")
        self.run(f"CREATE TEMP TABLE m{self.temporary}({', '.join(f'c{i + 1}' for i in range(len(translated.columns)))})")
        if not self.dry_run:
            for branch in translated.branches:
                self.run(f"INSERT INTO {name} {branch}")
        return name

    def forget_temporary(self):
        for i in range(self.temporary):
            self.catalog.db.execute(f"DROP TABLE IF EXISTS temp.m{i + 1}")

    # ---- FROM

    def table_relation(self, path, alias, as_of, at):
        """(SQLite's text, relation)."""
        sql_alias = self._alias()
        if as_of is not None:
            self._check_system_time(as_of, at)
        project, dataset, rest = self.resolve(path, at)
        if len(rest) == 2:
            source, columns, location = self.information.relation(dataset, rest[1].upper(), at)
            self.located(dataset, location)
            self._counts((dataset, rest[1].upper()))
            return f"{source} AS {sql_alias}", Relation(sql_alias, alias or rest[1], [(n, n, t) for n, t in columns])
        table = self.table(path, at)
        if table.type != "TABLE":
            raise not_in_subset(f"reading the view {dataset}.{table.name}", at)
        self.used.setdefault(table, set())
        columns = [(c.name, c.name, c.sql_type) for c in table.columns]
        return f"{table.scan()} AS {sql_alias}", Relation(sql_alias, alias or table.name, columns, table)

    def _check_system_time(self, as_of, at):
        if not self.options.get("system_time", True):
            raise bad_query("FOR SYSTEM_TIME AS OF is not supported", at)
        if not sql_expr.is_constant(as_of):
            raise bad_query("FOR SYSTEM_TIME AS OF expression must be a constant", at)
        if Expressions(self, Scope([])).translate(as_of).type != "TIMESTAMP":
            raise bad_query("FOR SYSTEM_TIME AS OF must be of type TIMESTAMP", at)

    def row_relation(self, table, alias=None):
        """The rows of a table that a statement changes, as t0."""
        return Relation("t0", alias or table.name, [(c.name, c.name, c.sql_type) for c in table.columns], table)

    def query_relation(self, translated, alias):
        sql_alias = self._alias()
        columns = [(name, f"c{i + 1}", kind) for i, (name, kind) in enumerate(translated.columns)]
        return f"({translated.sql}) AS {sql_alias}", Relation(sql_alias, alias, columns)

    def _unnest(self, item, scope):
        x = Expressions(self, scope).translate(item.expr)
        if not x.type.startswith("ARRAY<"):
            raise bad_query(f"Values referenced in UNNEST must be arrays. UNNEST contains expression of type {x.type}", item.at)
        sql_alias = self._alias()
        if x.type[6:-1] in ("BYTES", "JSON", "STRUCT"):
            raise not_in_subset(f"UNNEST of {x.type}", item.at)
        columns = [(item.alias or "f0_", "value", x.type[6:-1])] + ([(item.offset, "key", "INT64")] if item.offset else [])
        return f"json_each({x.sql}) AS {sql_alias}", Relation(sql_alias, item.alias, columns)

    def source(self, item, scope):
        """SQLite's text of a FROM clause; its relations are added to `scope`."""
        if isinstance(item, Join):
            left = self.source(item.left, scope)
            before = list(scope.relations)
            right = self.source(item.right, scope)
            return f"{left} {item.kind} JOIN {right}{self._join_condition(item, scope, before)}"
        if isinstance(item, TableItem):
            text, relation = self.table_relation(item.path, item.alias, item.as_of, item.at)
        elif isinstance(item, UnnestItem):
            text, relation = self._unnest(item, scope)
        else:
            text, relation = self.query_relation(self.query(item.query, scope.outer), item.alias)
        if relation.alias and any((r.alias or "").lower() == relation.alias.lower() for r in scope.relations):
            raise bad_query(f"Duplicate table alias {relation.alias} in the same FROM clause", getattr(item, "at", None))
        scope.relations.append(relation)
        return text

    def _join_condition(self, join, scope, before):
        if join.on is not None:
            return f" ON {Expressions(self, scope).boolean(join.on, 'JOIN ON clause')}"
        if not join.using:
            return ""
        conditions, right = [], Scope(scope.relations[len(before):])
        for name in join.using:
            a = Expressions(self, Scope(before)).translate(("col", [name], join.at))
            b = Expressions(self, right).translate(("col", [name], join.at))
            conditions.append(Expressions(self, scope).compare("=", a, b, join.at).sql)
            for relation in right.relations:
                relation.merged.add(name.lower())
        return f" ON {' AND '.join(conditions)}"

    # ---- SELECT

    def _expand(self, scope, star, at):
        _, alias, excluded = star
        relations = [r for r in scope.relations if alias is None or (r.alias or "").lower() == alias.lower()]
        if not relations:
            raise bad_query(f"Unrecognized name: {alias}" if alias else "SELECT * must have a FROM clause", at)
        listed, left_out = [], {e.lower() for e in excluded}
        for relation in relations:
            for name, inner, kind in relation.columns:
                if name.lower() not in left_out and not (alias is None and name.lower() in relation.merged):
                    if relation.table is not None:
                        self.uses(relation.table, name)
                    listed.append((X(f'{relation.sql_alias}."{inner}"', kind), name))
        return listed

    def select(self, select, outer, order=(), limit=""):
        scope = Scope([], outer)
        source = f" FROM {self.source(select.source, scope)}" if select.source is not None else ""
        grouped = bool(select.group) or select.having is not None or any(i[0] != "star" and has_aggregate(i[0]) for i in select.items)
        expressions, items, nodes = Expressions(self, scope, aggregates=True), [], []
        for item in select.items:
            if item[0] == "star":
                listed = self._expand(scope, item, select.at)
                items += listed
                nodes += [("col", [name], select.at) for _, name in listed]
            else:
                x = expressions.translate(item[0])
                items.append((x, item[1] or (item[0][1][-1] if item[0][0] == "col" else f"f{sum(1 for _, n in items if n.startswith('f')) }_")))
                nodes.append(item[0])
        where = f" WHERE {Expressions(self, scope).boolean(select.where, 'WHERE clause')}" if select.where is not None else ""
        names = {name.lower(): x for x, name in items}
        keys = self._group_keys(select, scope, items, names)
        if grouped:
            for node, (x, _) in zip(nodes, items):
                check_grouped(self, scope, node, {k.sql for k in keys})
        group = f" GROUP BY {', '.join(k.sql for k in keys)}" if keys else ""
        having = ""
        if select.having is not None:
            aware = Expressions(self, Scope(scope.relations, outer, names), aggregates=True)
            having = f" HAVING {aware.boolean(select.having, 'HAVING clause')}" if keys or source else f" WHERE {aware.boolean(select.having, 'HAVING clause')}"
        if select.distinct:
            self._check_groupable([x for x, _ in items], select.at)
        listed = ", ".join(f"{x.sql} AS c{i + 1}" for i, (x, _) in enumerate(items))
        ordering = self._order_of_select(order, scope, outer, names, items)
        sql = f"SELECT {'DISTINCT ' if select.distinct else ''}{listed}{source}{where}{group}{having}{ordering}{limit}"
        return Translated([(name, x.type) for x, name in items], [sql])

    def _group_keys(self, select, scope, items, names):
        keys = []
        for node in select.group:
            if node[0] == "lit" and node[1] == "INT64" and 1 <= node[2] <= len(items):
                x = items[node[2] - 1][0]
            elif node[0] == "col" and len(node[1]) == 1 and Expressions(self, scope)._find(scope, node[1], node[2]) is None and node[1][0].lower() in names:
                x = names[node[1][0].lower()]
            else:
                x = Expressions(self, scope).translate(node)
            keys.append(x)
        self._check_groupable(keys, select.at)
        return keys

    @staticmethod
    def _check_groupable(xs, at):
        for x in xs:
            if x.type == "JSON" or x.type.startswith("ARRAY"):
                raise bad_query(f"Grouping by expressions of type {x.type} is not allowed", at)

    def _order_of_select(self, order, scope, outer, names, items):
        parts = []
        for node, descending in order:
            if node[0] == "lit" and node[1] == "INT64" and 1 <= node[2] <= len(items):
                x, text = items[node[2] - 1][0], f"c{node[2]}"
            else:
                x = Expressions(self, Scope(scope.relations, outer, names), aggregates=True).translate(node)
                text = x.sql
            if x.type == "JSON" or x.type.startswith("ARRAY"):
                raise bad_query(f"ORDER BY does not support expressions of type {x.type}")
            parts.append((f"CAST({text} AS REAL)" if x.type in ("NUMERIC", "BIGNUMERIC") else text) + (" DESC" if descending else ""))
        return f" ORDER BY {', '.join(parts)}" if parts else ""

    def _limit(self, query):
        if query.limit is None:
            return ""
        limit = Expressions(self, Scope([])).as_type(query.limit, "INT64", "LIMIT")
        return f" LIMIT {limit}" + (f" OFFSET {Expressions(self, Scope([])).as_type(query.offset, 'INT64', 'OFFSET')}" if query.offset is not None else "")

    def query(self, query, outer=None):
        limit = self._limit(query)
        if len(query.parts) == 1:
            only = query.parts[0]
            if not isinstance(only, Query):
                return self.select(only, outer, query.order, limit)
            if not query.order and not limit:
                return self.query(only, outer)
        return self._union(query, outer, limit)

    def _union(self, query, outer, limit):
        branches = int(self.options.get("union_max") or 0)
        if branches and len(query.parts) > branches:
            raise ApiError("resourcesExceeded", "Resources exceeded during query execution: Not enough resources for query planning - too many subqueries or "
                           "query is too complex.")
        parts = []
        for part in query.parts:
            parts += self._parts_of(part, outer)
        columns = self._union_columns(parts)
        texts = []
        for part in parts:
            if all(kind in (target, "NULL") for (_, kind), (_, target) in zip(part.columns, columns)):
                texts.append(part.sql if " ORDER BY " not in part.sql and " LIMIT " not in part.sql else f"SELECT * FROM ({part.sql})")
            else:
                listed = ", ".join(f"{sql_expr.coerce(X(f'c{i + 1}', kind), target)} AS c{i + 1}"
                                   for i, ((_, kind), (_, target)) in enumerate(zip(part.columns, columns)))
                texts.append(f"SELECT {listed} FROM ({part.sql})")
        whole = Translated(columns, texts, self)
        if query.order or limit:
            relation = Relation("u", None, [(name, f"c{i + 1}", kind) for i, (name, kind) in enumerate(columns)])
            items = [(X(f"u.c{i + 1}", kind), name) for i, (name, kind) in enumerate(columns)]
            ordering = self._order_of_select(query.order, Scope([relation]), outer, {}, items)
            return Translated(columns, [f"SELECT * FROM ({whole.sql}) AS u{ordering}{limit}"])
        return whole

    def _parts_of(self, part, outer):
        if isinstance(part, Query):
            translated = self.query(part, outer)
            return [Translated(translated.columns, [branch]) for branch in translated.branches]
        return [self.select(part, outer)]

    @staticmethod
    def _union_columns(parts):
        first, columns = parts[0], []
        for number, part in enumerate(parts):
            if len(part.columns) != len(first.columns):
                raise bad_query(f"Queries in UNION ALL have mismatched column count; query 1 has {len(first.columns)} column{'s' * (len(first.columns) != 1)}, "
                                f"query {number + 1} has {len(part.columns)} column{'s' * (len(part.columns) != 1)}")
        for i, (name, _) in enumerate(first.columns):
            kind = sql_expr.common_type([X("", p.columns[i][1]) for p in parts])
            if kind is None:
                kinds = list(dict.fromkeys(p.columns[i][1] for p in parts))
                raise bad_query(f"Column {i + 1} in UNION ALL has incompatible types: {', '.join(kinds)}")
            columns.append((name, kind))
        return columns


def has_aggregate(node):
    if isinstance(node, (Query, QueryItem)):
        return False
    if isinstance(node, tuple) and node and node[0] == "call" and node[1] in AGGREGATES:
        return True
    return isinstance(node, (list, tuple)) and any(has_aggregate(n) for n in node)


def check_grouped(session, scope, node, keys):
    """A column of a grouped query stands in GROUP BY or inside of an aggregate."""
    if not isinstance(node, (list, tuple)) or not node or isinstance(node, Query):
        return
    if node[0] == "call" and node[1] in AGGREGATES:
        return
    if node[0] == "col":
        x = Expressions(session, scope, aggregates=True).translate(node)
        if x.sql not in keys:
            raise bad_query(f"SELECT list expression references column {node[1][-1]} which is neither grouped nor aggregated", node[2])
        return
    if isinstance(node[0], str) and node[0] not in ("lit", "param", "scalar", "exists", "in"):
        try:
            if Expressions(session, scope, aggregates=True).translate(node).sql in keys:
                return
        except (ApiError, AttributeError):
            pass
    for part in node:
        if isinstance(part, (list, tuple)):
            check_grouped(session, scope, part, keys)
