"""The trees of queries, as sql_parse.py makes them. Expressions in them are tuples, see there."""

from dataclasses import dataclass, field


@dataclass
class Select:
    items: list            # (expr, name) / ("star", alias or None, [except])
    source: object = None  # from item
    where: object = None
    group: list = field(default_factory=list)
    having: object = None
    distinct: bool = False
    at: tuple = (1, 1)


@dataclass
class Query:
    parts: list            # Select or Query, joined by UNION ALL
    order: list = field(default_factory=list)  # (expr, descending)
    limit: object = None
    offset: object = None


@dataclass
class TableItem:
    path: list
    alias: str
    as_of: object
    at: tuple


@dataclass
class QueryItem:
    query: Query
    alias: str


@dataclass
class UnnestItem:
    expr: object
    alias: str
    at: tuple
    offset: str = ""       # the column of WITH OFFSET


@dataclass
class Join:
    kind: str              # INNER, LEFT, RIGHT, FULL, CROSS
    left: object
    right: object
    on: object = None
    using: list = field(default_factory=list)
    at: tuple = (1, 1)
