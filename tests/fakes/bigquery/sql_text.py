"""From SQL text to tokens, and the cursor that parsers walk with.

THE PORTABLE SUBSET that the fake executes; anything else is 400 invalidQuery "not in the fake's subset", with its place:

    script     = statement *( ";" statement )
    statement  = query / dml / ddl / transaction / IF expr THEN script [ELSE script] END IF / RAISE [USING MESSAGE = expr] / ASSERT expr [AS text]
    transaction= BEGIN [TRANSACTION] / COMMIT [TRANSACTION] / ROLLBACK [TRANSACTION]
    query      = part *( UNION ALL part ) [ORDER BY expr [ASC|DESC], …] [LIMIT n [OFFSET n]];  part = select / "(" query ")"
    select     = SELECT [DISTINCT] ( * [EXCEPT (…)] / alias.* / expr [[AS] name] ), … [FROM from] [WHERE expr] [GROUP BY expr, …] [HAVING expr]
    from       = item *( [INNER|LEFT|RIGHT|FULL|CROSS] JOIN item [ON expr | USING (…)] / "," item )
    item       = `p.d.t` [FOR SYSTEM_TIME AS OF constant] [[AS] x] / ( query ) [[AS] x] / UNNEST(array) [[AS] x] [WITH OFFSET [[AS] y]]
               / `p.d.INFORMATION_SCHEMA.{COLUMNS,TABLES}` / `p`.`region-xx`.INFORMATION_SCHEMA.{COLUMNS,TABLES,TABLE_STORAGE,SCHEMATA}
    dml        = INSERT [INTO] t [(…)] VALUES (…), … / INSERT [INTO] t [(…)] query / DELETE [FROM] t WHERE expr / TRUNCATE TABLE t
               / UPDATE t [[AS] x] SET c = expr, … WHERE expr
               / MERGE [INTO] t [[AS] x] USING item ON expr WHEN [NOT] MATCHED [BY TARGET | BY SOURCE] [AND expr] THEN
                 UPDATE SET … / DELETE / INSERT [(…)] VALUES (…) / INSERT ROW
    ddl        = CREATE [OR REPLACE] TABLE [IF NOT EXISTS] t [(columns)] [PARTITION BY …] [CLUSTER BY …] [OPTIONS(…)] [AS query]
               / DROP TABLE [IF EXISTS] t / CREATE SCHEMA [IF NOT EXISTS] d [OPTIONS(…)] / DROP SCHEMA [IF EXISTS] d [CASCADE|RESTRICT]
               / CREATE [OR REPLACE] ROW ACCESS POLICY … (recorded, not enforced)
    expr       = literals, columns, @parameters, arithmetic, comparisons, ||, AND OR NOT, IS [NOT] NULL|TRUE|FALSE|DISTINCT FROM, [NOT] IN, BETWEEN,
                 LIKE, CASE, CAST, SAFE_CAST, EXISTS (query), (query), IN (query), IN UNNEST(array), ARRAY(query),
                 [array], functions of sql_functions.py

Source: Google's GoogleSQL reference (lexical structure, query syntax, data manipulation and definition language, procedural language).
"""

import bisect
import re
from typing import NamedTuple

from errors import bad_query, not_in_subset

RESERVED = set("""ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT DEFAULT DEFINE DESC
DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER
INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO
QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW
WITH WITHIN""".split())


class Token(NamedTuple):
    kind: str    # name, quoted, string, bytes, int, float, param, op, end
    text: str    # as written; a name in upper case
    value: object
    start: int


_TOKEN = re.compile(r"""
  (?P<space>\s+|--[^\n]*|\#[^\n]*|/\*.*?\*/)
 |(?P<string>(?:[rR]|[bB]|[rR][bB]|[bB][rR])?(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
 |(?P<quoted>`(?:\\.|[^`\\\n])+`)
 |(?P<param>@[A-Za-z_][A-Za-z0-9_]*|\?)
 |(?P<float>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
 |(?P<int>0[xX][0-9a-fA-F]+|\d+)
 |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
 |(?P<op><=|>=|<>|!=|\|\||<<|>>|=>|[-+*/%&|^~=<>(),.;\[\]:])
""", re.X | re.S)

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "?": "?", "'": "'", '"': '"', "`": "`"}


def _unescape(match):
    code = match.group(1)
    if code[0] in "xXuU":
        return chr(int(code[1:], 16))
    return chr(int(code, 8)) if code[0].isdigit() else _ESCAPES[code]


def unquote(text, at):
    """The value of a string or bytes literal."""
    prefix = re.match(r"[rRbB]*", text).group(0).lower()
    body = text[len(prefix):]
    body = body[3:-3] if len(body) >= 6 and body[:3] in ("'''", '"""') else body[1:-1]
    if "r" not in prefix:
        try:
            body = re.sub(r"\\(x[0-9a-fA-F]{2}|X[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", _unescape, body, flags=re.S)
        except KeyError as error:
            raise bad_query(f"Syntax error: Illegal escape sequence: \\{error.args[0]}", at) from error
    return body.encode("latin-1" if "r" not in prefix and "\\x" in text else "utf-8") if "b" in prefix else body


def place(text, start):
    """(line, column) of an offset, both from 1."""
    return text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1


def tokens_of(text):
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            what = "Unclosed string literal" if text[at] in "'\"" else "Unclosed identifier literal" if text[at] == "`" else f"Illegal input character \"{text[at]}\""
            raise bad_query(f"Syntax error: {what}", place(text, at))
        kind, word = match.lastgroup, match.group(0)
        if kind == "string":
            value = unquote(word, place(text, at))
            found.append(Token("bytes" if isinstance(value, bytes) else "string", word, value, at))
        elif kind == "name":
            found.append(Token("name", word.upper(), word, at))
        elif kind == "quoted":
            found.append(Token("quoted", word, word[1:-1], at))
        elif kind == "int":
            found.append(Token("int", word, int(word, 16 if word[:2] in ("0x", "0X") else 10), at))
        elif kind != "space":
            found.append(Token(kind, word, word, at))
        at = match.end()
    found.append(Token("end", "end of input", None, len(text)))
    return found


class Cursor:
    """A place in a list of tokens. Keywords are matched in upper case; errors carry line and column."""

    def __init__(self, text):
        self.text, self.tokens, self.index = text, tokens_of(text), 0
        self._line_ends = [match.start() for match in re.finditer("\n", text)]

    @property
    def token(self):
        return self.tokens[self.index]

    def peek(self, ahead=1):
        return self.tokens[min(self.index + ahead, len(self.tokens) - 1)]

    def at(self, token=None):
        start = (token or self.token).start
        line = bisect.bisect_left(self._line_ends, start)
        return line + 1, start - (self._line_ends[line - 1] if line else -1)

    def take(self):
        token = self.token
        self.index = min(self.index + 1, len(self.tokens) - 1)
        return token

    def sees(self, *words):
        """True if the next tokens are these keywords or operators."""
        token = self.tokens[self.index]
        if token.text != words[0] or token.kind not in ("name", "op", "end"):  # nearly always, so first
            return False
        return all(t.text == w and t.kind in ("name", "op", "end") for w, t in zip(words, self.tokens[self.index:self.index + len(words)])) \
            and self.index + len(words) <= len(self.tokens)

    def accept(self, *words):
        if not self.sees(*words):
            return False
        self.index += len(words)
        return True

    def expect(self, *words):
        for word in words:
            if not self.accept(word):
                raise self.unexpected(f'"{word}"' if not word.isalpha() else f"keyword {word}")

    def unexpected(self, wanted):
        token = self.token
        got = {"end": "end of input", "string": "string literal " + token.text, "int": f"integer literal \"{token.text}\"",
               "float": f"floating point literal \"{token.text}\"", "quoted": f"identifier {token.text}"}.get(token.kind)
        if got is None:
            word = token.kind == "name" and (token.text in RESERVED or token.text in ("DEFAULT",))
            got = f"keyword {token.text}" if word else f"identifier \"{token.value}\"" if token.kind == "name" else f'"{token.text}"'
        return bad_query(f"Syntax error: Expected {wanted} but got {got}", self.at())

    def refuse(self, what):
        return not_in_subset(what, self.at())

    def name(self, what="identifier"):
        """A column, alias or label: a name that is not reserved, or a quoted one. As written."""
        token = self.token
        if token.kind == "quoted" or (token.kind == "name" and token.text not in RESERVED):
            return self.take().value
        raise self.unexpected(what)

    def path(self):
        """Parts of a table's or dataset's name: `p.d.t`, `p`.`d`.t, my-project.d.t."""
        parts = []
        while True:
            token = self.token
            if token.kind == "quoted":
                parts += self.take().value.split(".")
            elif token.kind == "name" and (token.text not in RESERVED or parts):
                word = self.take().value
                while not parts and self.sees("-") and self.peek().kind in ("name", "int") and self.peek().start == self.token.start + 1:
                    self.take()
                    word += "-" + self.take().text.lower()
                parts.append(word)
            else:
                raise self.unexpected("a table's name")
            if not self.accept("."):
                return parts
