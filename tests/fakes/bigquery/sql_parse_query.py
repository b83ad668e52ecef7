"""From tokens to trees of queries: SELECT, UNION ALL, FROM. The grammar stands in sql_text.py."""

from sql_parse import Expressions
from sql_text import RESERVED
from sql_tree import Join, Query, QueryItem, Select, TableItem, UnnestItem


class Parser(Expressions):
    def starts_query(self):
        ahead = 0
        while self.peek(ahead).text == "(":
            ahead += 1
        return self.peek(ahead).text in ("SELECT", "WITH") and self.peek(ahead).kind == "name"

    def query(self):
        if self.sees("WITH"):
            raise self.refuse("WITH")
        parts = [self._query_part()]
        while self.sees("UNION") or self.sees("INTERSECT") or self.sees("EXCEPT"):
            if not self.accept("UNION", "ALL"):
                raise self.refuse(f"{self.token.text} {self.peek().text}")
            parts.append(self._query_part())
        query = Query(parts)
        if self.accept("ORDER", "BY"):
            query.order = self._order()
        if self.accept("LIMIT"):
            query.limit = self.expr()
            query.offset = self.expr() if self.accept("OFFSET") else None
        return query

    def _order(self):
        found = []
        while True:
            expr = self.expr()
            descending = self.accept("DESC")
            if not descending:
                self.accept("ASC")
            if self.sees("NULLS"):
                raise self.refuse("NULLS FIRST and LAST")
            found.append((expr, descending))
            if not self.accept(","):
                return found

    def _query_part(self):
        if self.accept("("):
            inner = self.query()
            self.expect(")")
            return inner
        at = self.at()
        self.expect("SELECT")
        select = Select([], distinct=self.accept("DISTINCT"), at=at)
        self.accept("ALL")
        if self.accept("AS"):
            raise self.refuse("SELECT AS")
        while True:
            select.items.append(self._select_item())
            if not self.accept(",") or self.sees("FROM") or self.sees("end of input"):
                break
        if self.accept("FROM"):
            select.source = self._from()
        if self.accept("WHERE"):
            select.where = self.expr()
        if self.accept("GROUP", "BY"):
            select.group = [self.expr()]
            while self.accept(","):
                select.group.append(self.expr())
        if self.accept("HAVING"):
            select.having = self.expr()
        if self.sees("QUALIFY") or self.sees("WINDOW"):
            raise self.refuse(self.token.text)
        return select

    def _select_item(self):
        if self.accept("*"):
            return ("star", None, self._except())
        if self.token.kind in ("name", "quoted") and self.peek().text == "." and self.peek(2).text == "*" and self.peek(2).kind == "op":
            alias = self.name()
            self.expect(".", "*")
            return ("star", alias, self._except())
        expr = self.expr()
        return (expr, self.alias())

    def _except(self):
        if not self.accept("EXCEPT"):
            if self.sees("REPLACE"):
                raise self.refuse("* REPLACE")
            return []
        self.expect("(")
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        self.expect(")")
        return names

    def alias(self):
        """[AS] name, or None."""
        if self.accept("AS"):
            return self.name()
        token = self.token
        return self.take().value if token.kind == "quoted" or (token.kind == "name" and token.text not in RESERVED) else None

    def _from(self):
        left = self.from_item()
        while True:
            at = self.at()
            if self.accept(","):
                left = Join("CROSS", left, self.from_item(), at=at)
                continue
            kind = next((k for k in ("INNER", "LEFT", "RIGHT", "FULL", "CROSS") if self.accept(k)), None)
            if kind is not None:
                self.accept("OUTER")
                self.expect("JOIN")
            elif not self.accept("JOIN"):
                return left
            join = Join(kind or "INNER", left, self.from_item(), at=at)
            if self.accept("ON"):
                join.on = self.expr()
            elif self.accept("USING"):
                self.expect("(")
                join.using = [self.name()]
                while self.accept(","):
                    join.using.append(self.name())
                self.expect(")")
            elif join.kind != "CROSS":
                raise self.unexpected("ON or USING")
            left = join

    def from_item(self):
        at = self.at()
        if self.accept("UNNEST"):
            self.expect("(")
            expr = self.expr()
            self.expect(")")
            item = UnnestItem(expr, self.alias(), at)
            if self.accept("WITH"):
                self.expect("OFFSET")
                item.offset = self.alias() or "offset"
            return item
        if self.sees("("):
            if not self.starts_query():
                raise self.refuse("joins in parentheses")
            self.expect("(")
            query = self.query()
            self.expect(")")
            return QueryItem(query, self.alias())
        path = self.path()
        as_of = self._system_time()
        alias = self.alias()
        return TableItem(path, alias, as_of if as_of is not None else self._system_time(), at)

    def _system_time(self):
        if not self.accept("FOR", "SYSTEM_TIME"):
            return None
        self.expect("AS", "OF")
        return self._sum(0)
