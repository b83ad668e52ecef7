"""From tokens to trees of expressions. The trees are tuples (kind, …, place); sql_expr.py and sql_query.py give them meaning.

    ("lit", type, value) ("col", [parts], at) ("param", name, at) ("call", NAME, args, distinct, at) ("cast", expr, type, safe, at) ("bin", op, a, b, at)
    ("not", a) ("neg", a, at) ("null", a, negated) ("is", a, bool, negated) ("between", a, low, high, negated, at) ("like", a, b, negated, at)
    ("in", a, [exprs] | query | ("unnest", expr), negated, at) ("exists", query) ("scalar", query, at) ("array", [exprs], at)
    ("collected", query, at)
    ("case", operand, [(when, then)], else, at) ("interval", expr, UNIT, at) ("star", at) ("default", at)
"""

from sql_text import RESERVED, Cursor
from values import STANDARD

TYPED_LITERALS = ("TIMESTAMP", "DATE", "DATETIME", "TIME", "NUMERIC", "BIGNUMERIC", "JSON")
UNITS = ("MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
_MEMBERSHIP = ("IN", "BETWEEN", "LIKE")
COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")


class Expressions(Cursor):
    """Reads expressions, loosest first. `query` and `starts_query` come with sql_parse_query.py."""

    def expr(self):
        left = self._and()
        while self.sees("OR"):
            at = self.at(self.take())
            left = ("bin", "OR", left, self._and(), at)
        return left

    def _and(self):
        left = self._not()
        while self.sees("AND"):
            at = self.at(self.take())
            left = ("bin", "AND", left, self._not(), at)
        return left

    def _not(self):
        if self.accept("NOT"):
            return ("not", self._not())
        return self._comparison()

    def _comparison(self):
        left = self._sum(0)
        while True:
            at = self.at()
            if self.token.kind == "op" and self.token.text in COMPARISONS:
                op = self.take().text
                left = ("bin", "!=" if op == "<>" else op, left, self._sum(0), at)
            elif self.accept("IS"):
                left = self._is(left, at)
            elif self.token.text in _MEMBERSHIP or (self.sees("NOT") and self.peek().text in _MEMBERSHIP):
                negated = self.accept("NOT")
                if self.accept("IN"):
                    left = ("in", left, self._in_list(), negated, at)
                elif self.accept("BETWEEN"):
                    low = self._sum(0)
                    self.expect("AND")
                    left = ("between", left, low, self._sum(0), negated, at)
                else:
                    self.expect("LIKE")
                    left = ("like", left, self._sum(0), negated, at)
            else:
                return left

    def _is(self, left, at):
        negated = self.accept("NOT")
        if self.accept("NULL"):
            return ("null", left, negated)
        if self.accept("DISTINCT", "FROM"):
            return ("bin", "IS NOT DISTINCT" if negated else "IS DISTINCT", left, self._sum(0), at)
        if self.sees("TRUE") or self.sees("FALSE"):
            return ("is", left, self.take().text == "TRUE", negated)
        raise self.unexpected("NULL, TRUE, FALSE or DISTINCT FROM")

    def _in_list(self):
        if self.accept("UNNEST"):
            self.expect("(")
            inner = ("unnest", self.expr())
            self.expect(")")
            return inner
        self.expect("(")
        if self.starts_query():
            inner = self.query()
        else:
            inner = [self.expr()]
            while self.accept(","):
                inner.append(self.expr())
        self.expect(")")
        return inner

    _LEVELS = (("||",), ("+", "-"), ("*", "/"))

    def _sum(self, level):
        if level == len(self._LEVELS):
            return self._unary()
        left = self._sum(level + 1)
        while self.token.kind == "op" and self.token.text in self._LEVELS[level]:
            token = self.take()
            left = ("bin", token.text, left, self._sum(level + 1), self.at(token))
        return left

    def _unary(self):
        if self.sees("-"):
            at = self.at(self.take())
            inner = self._unary()
            return ("lit", inner[1], -inner[2]) if inner[0] == "lit" and inner[1] in ("INT64", "FLOAT64") else ("neg", inner, at)
        if self.accept("+"):
            return self._unary()
        return self._postfix(self._primary())

    def _postfix(self, value):
        while self.sees("["):
            raise self.refuse("array and JSON subscripts")
        if self.sees(".") and value[0] != "col":
            raise self.refuse("access to a field")
        return value

    def _primary(self):
        token, at = self.token, self.at()
        if token.kind in ("int", "float", "string", "bytes"):
            self.take()
            kind = {"int": "INT64", "float": "FLOAT64", "string": "STRING", "bytes": "BYTES"}[token.kind]
            return ("lit", kind, float(token.text) if kind == "FLOAT64" else token.value)
        if token.kind == "param":
            self.take()
            return ("param", token.text, at)
        if self.accept("("):
            inner = ("scalar", self.query(), at) if self.starts_query() else self.expr()
            self.expect(")")
            return inner
        if self.sees("["):
            return self._array(at)
        if token.kind == "quoted":
            return self._column(at)
        if token.kind != "name":
            raise self.unexpected("an expression")
        return self._word(token, at)

    def _array(self, at):
        self.expect("[")
        items = []
        while not self.sees("]"):
            items.append(self.expr())
            if not self.accept(","):
                break
        self.expect("]")
        return ("array", items, at)

    def _word(self, token, at):
        word, after = token.text, self.peek()
        if word in ("TRUE", "FALSE", "NULL"):
            self.take()
            return ("lit", "NULL", None) if word == "NULL" else ("lit", "BOOL", word == "TRUE")
        if word in TYPED_LITERALS and after.kind == "string":
            self.take()
            return ("cast", ("lit", "STRING", self.take().value), word, False, at)
        if word == "CASE":
            return self._case(at)
        if word in ("CAST", "SAFE_CAST") and after.text == "(":
            return self._cast(word, at)
        if word == "EXISTS" and after.text == "(":
            self.take()
            self.expect("(")
            inner = ("exists", self.query())
            self.expect(")")
            return inner
        if word == "ARRAY" and after.text == "(":
            self.take()
            self.expect("(")
            inner = ("collected", self.query(), at)
            self.expect(")")
            return inner
        if word == "ARRAY" and (after.text == "[" or after.text == "<"):
            self.take()
            if self.accept("<"):
                self.type_name()
                self.expect(">")
            return self._array(at)
        if word == "INTERVAL":
            self.take()
            amount = self._unary()
            if self.token.text not in UNITS:
                raise self.unexpected("a unit of time")
            return ("interval", amount, self.take().text, at)
        if word == "DEFAULT":
            self.take()
            return ("default", at)
        if after.text == "(" and (word not in RESERVED or word in ("IF", "LEFT", "RIGHT")):
            return self._call(at)
        if word in RESERVED:
            raise self.unexpected("an expression")
        return self._column(at)

    def _column(self, at):
        parts = [self.name()]
        while self.sees(".") and not (self.peek().kind == "op"):
            self.take()
            if self.token.kind not in ("name", "quoted"):
                raise self.unexpected("identifier")
            parts.append(self.take().value)
            if self.sees("("):
                raise self.refuse(f"function {'.'.join(parts)}")
        return ("col", parts, at)

    def _call(self, at):
        name = self.take().text
        self.expect("(")
        if self.accept("*"):
            self.expect(")")
            return ("call", name, [("star", at)], False, at)
        distinct, args = self.accept("DISTINCT"), []
        while not self.sees(")"):
            if self.token.kind == "name" and self.token.text in UNITS and self.peek().text == ")":
                args.append(("unit", self.take().text))
            else:
                args.append(self.expr())
            if self.token.kind == "name" and not self.sees(")"):
                raise self.refuse(f"{self.token.text} inside of a call of {name}")
            if not self.accept(","):
                break
        self.expect(")")
        if self.sees("OVER"):
            raise self.refuse("window functions")
        return ("call", name, args, distinct, at)

    def _case(self, at):
        self.expect("CASE")
        operand = None if self.sees("WHEN") else self.expr()
        whens = []
        while self.accept("WHEN"):
            condition = self.expr()
            self.expect("THEN")
            whens.append((condition, self.expr()))
        otherwise = self.expr() if self.accept("ELSE") else ("lit", "NULL", None)
        self.expect("END")
        return ("case", operand, whens, otherwise, at)

    def _cast(self, word, at):
        self.take()
        self.expect("(")
        inner = self.expr()
        self.expect("AS")
        kind = self.type_name()
        if self.sees("FORMAT"):
            raise self.refuse("CAST … FORMAT")
        self.expect(")")
        return ("cast", inner, kind, word == "SAFE_CAST", at)

    def type_name(self):
        """The name of a type without its parameters, which matter only in column declarations (sql_ddl.py)."""
        if self.accept("ARRAY"):
            self.expect("<")
            inner = self.type_name()
            self.expect(">")
            return f"ARRAY<{inner}>"
        token = self.token
        kind = STANDARD.get({"DECIMAL": "NUMERIC", "BIGDECIMAL": "BIGNUMERIC", "INT": "INT64", "BIGINT": "INT64"}.get(token.text, token.text))
        if kind is None or kind == "STRUCT" or token.text in ("FLOAT", "RECORD"):
            raise self.refuse(f"type {token.text}") if token.text == "STRUCT" else self.unexpected("a type")
        self.take()
        return kind
