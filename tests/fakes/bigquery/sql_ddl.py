"""CREATE TABLE [AS], DROP TABLE, CREATE and DROP SCHEMA, CREATE ROW ACCESS POLICY. Changes are not undone by a transaction, as in BigQuery they are not
allowed in one."""

from errors import ApiError, bad_query, not_found
from sql_dml import append
from sql_expr import Expressions, Scope, coerces
from values import STANDARD, Field

PARTITION_HELP = ("PARTITION BY expression must be _PARTITIONDATE, DATE(_PARTITIONTIME), DATE(<timestamp_column>), DATE(<datetime_column>), "
                  "DATETIME_TRUNC(<datetime_column>, DAY/HOUR/MONTH/YEAR), a DATE column, TIMESTAMP_TRUNC(<timestamp_column>, DAY/HOUR/MONTH/YEAR), "
                  "DATE_TRUNC(<date_column>, MONTH/YEAR), or RANGE_BUCKET(<int64_column>, GENERATE_ARRAY(<int64_value>, <int64_value>[, <int64_value>]))")


def run(session, parser):
    """Executes the DDL statement that the parser stands before: its kind."""
    if parser.accept("DROP"):
        return _drop(session, parser)
    parser.expect("CREATE")
    replace = parser.accept("OR", "REPLACE")
    if parser.accept("SCHEMA"):
        return _create_schema(session, parser)
    if parser.accept("ROW", "ACCESS", "POLICY"):
        return _create_policy(session, parser)
    if parser.accept("TABLE"):
        return _create_table(session, parser, replace)
    raise parser.refuse(f"CREATE {parser.token.text}")


def _if_not_exists(parser):
    if not parser.accept("IF"):
        return False
    parser.expect("NOT", "EXISTS")
    return True


def _if_exists(parser):
    if not parser.accept("IF"):
        return False
    parser.expect("EXISTS")
    return True


# ---- declarations

def _type_parameters(parser):
    found = []
    if parser.accept("("):
        while True:
            if parser.token.kind != "int":
                raise parser.unexpected("integer literal")
            found.append(parser.take().value)
            if not parser.accept(","):
                break
        parser.expect(")")
    return found


def _type(parser):
    """(type, mode, parameters)"""
    if parser.accept("ARRAY"):
        parser.expect("<")
        kind, mode, parameters = _type(parser)
        if mode == "REPEATED":
            raise bad_query("Array of array types are not supported", parser.at())
        parser.expect(">")
        return kind, "REPEATED", parameters
    word = {"DECIMAL": "NUMERIC", "BIGDECIMAL": "BIGNUMERIC", "INT": "INT64", "BIGINT": "INT64"}.get(parser.token.text, parser.token.text)
    if word not in STANDARD or word == "FLOAT":
        raise bad_query(f"Type not found: {parser.token.value or parser.token.text}", parser.at())
    if word in ("STRUCT", "RECORD"):
        raise parser.refuse("STRUCT columns in DDL")
    parser.take()
    return STANDARD[word], "NULLABLE", _type_parameters(parser)


def _source_of(parser, first):
    return parser.text[parser.tokens[first].start:parser.token.start].strip()


def _column(session, parser):
    name = parser.name()
    kind, mode, parameters = _type(parser)
    default = ""
    if parser.accept("DEFAULT"):
        first = parser.index
        x = Expressions(session, Scope([])).translate(parser.expr())
        wanted = f"ARRAY<{kind}>" if mode == "REPEATED" else kind
        if not coerces(x, wanted, assigning=True):
            raise bad_query(f"Invalid default value expression for column \"{name}\". Expression of type {x.type} cannot be converted to type {wanted}", parser.at())
        default = _source_of(parser, first)
    if parser.accept("NOT", "NULL"):
        if mode == "REPEATED":
            raise bad_query("NOT NULL constraint cannot be applied to array", parser.at())
        mode = "REQUIRED"
    if parser.sees("PRIMARY") or parser.sees("REFERENCES") or parser.sees("GENERATED"):
        raise parser.refuse(f"{parser.token.text} in a column's declaration")
    options = _options(session, parser)
    precision, scale, length = 0, 0, 0
    if kind in ("NUMERIC", "BIGNUMERIC") and parameters:
        precision, scale = parameters[0], parameters[1] if len(parameters) > 1 else 0
    elif parameters:
        length = parameters[0]
    if not (parser.sees(",") or parser.sees(")")):
        raise parser.unexpected('")" or ","')
    return Field(name, kind, mode, (), precision, scale, length, default, options.get("description", ""))


def _primary_key(parser):
    parser.expect("PRIMARY", "KEY", "(")
    names = [parser.name()]
    while parser.accept(","):
        names.append(parser.name())
    parser.expect(")", "NOT", "ENFORCED")
    return names


def _declarations(session, parser):
    """(columns, table constraints)"""
    columns, constraints = [], {}
    parser.expect("(")
    while True:
        if parser.sees("PRIMARY"):
            constraints["primaryKey"] = {"columns": _primary_key(parser)}
        elif parser.sees("FOREIGN") or parser.sees("CONSTRAINT"):
            raise parser.refuse(parser.token.text)
        else:
            columns.append(_column(session, parser))
        if not parser.accept(",") or parser.sees(")"):
            break
    parser.expect(")")
    return columns, constraints


def _options(session, parser):
    """{name: value} of OPTIONS(…); values that are constant expressions of text, number or time."""
    found = {}
    if not parser.accept("OPTIONS"):
        return found
    parser.expect("(")
    while not parser.accept(")"):
        name = parser.name().lower()
        parser.expect("=")
        if parser.sees("["):
            parser.expect("[")
            pairs = {}
            while not parser.accept("]"):
                parser.expect("(")
                key = parser.take().value
                parser.expect(",")
                pairs[key] = parser.take().value
                parser.expect(")")
                parser.accept(",")
            found[name] = pairs
        else:
            x = Expressions(session, Scope([])).translate(parser.expr())
            found[name] = session.run(f"SELECT {x.sql}").fetchone()[0]
        if not parser.accept(","):
            parser.expect(")")
            break
    return found


def _partition(parser, columns):
    """timePartitioning of PARTITION BY; which forms there are: facts A2."""
    at, by_name = parser.at(), {c.name.lower(): c for c in columns}
    node = parser.expr()
    kind, unit = "", "DAY"
    if node[0] == "col" and len(node[1]) == 1:
        name, wanted = node[1][0], ("DATE",)
    elif node[0] == "call" and node[1] == "DATE" and len(node[2]) == 1 and node[2][0][0] == "col":
        name, wanted = node[2][0][1][0], ("TIMESTAMP", "DATETIME")
    elif node[0] == "call" and node[1] in ("TIMESTAMP_TRUNC", "DATETIME_TRUNC", "DATE_TRUNC") and len(node[2]) == 2 and node[2][1][0] == "unit":
        name, unit, wanted = node[2][0][1][0], node[2][1][1], (node[1].split("_")[0],)
        if unit not in (("MONTH", "YEAR") if node[1] == "DATE_TRUNC" else ("DAY", "HOUR", "MONTH", "YEAR")):
            raise bad_query(PARTITION_HELP, at)
    else:
        raise bad_query(PARTITION_HELP, at)
    column = by_name.get(name.lower())
    kind = column.type if column is not None else ""
    if column is None:
        raise bad_query(f"Unrecognized name: {name}", at)
    if kind not in wanted:
        raise bad_query(PARTITION_HELP, at)
    return {"type": unit, "field": column.name}


# ---- statements

def _create_table(session, parser, replace):
    exists_is_fine, at = _if_not_exists(parser), parser.at()
    _, dataset, rest = session.resolve(parser.path(), at)
    session.located(dataset, session.catalog.dataset(dataset).location)
    columns, constraints = _declarations(session, parser) if parser.sees("(") and not parser.starts_query() else (None, {})
    tail, body = parser.index, {}
    partition_at = None
    if parser.accept("PARTITION", "BY"):
        partition_at = parser.index
        parser.expr()
    if parser.accept("CLUSTER", "BY"):
        listed = [parser.name()]
        while parser.accept(","):
            listed.append(parser.name())
        body["clustering"] = {"fields": listed}
    options = _options(session, parser)
    translated = session.query(parser.query()) if parser.accept("AS") else None
    if columns is None and translated is None:
        parser.index = tail
        raise parser.unexpected('"(" or keyword AS')
    if translated is not None and columns is None:
        columns = [Field(name, *_result_type(kind)) for name, kind in translated.columns]
    if partition_at is not None:
        after, parser.index = parser.index, partition_at
        body["timePartitioning"] = _partition(parser, columns)
        parser.index = after
    if constraints:
        body["tableConstraints"] = constraints
    _apply_options(body, options)
    kind = "CREATE_TABLE_AS_SELECT" if translated is not None else "CREATE_TABLE"
    if not session.dry_run:
        _make(session, dataset, rest[0], columns, body, translated, replace, exists_is_fine)
    return kind


def _result_type(kind):
    return (kind[6:-1], "REPEATED") if kind.startswith("ARRAY<") else ("INT64" if kind == "NULL" else kind, "NULLABLE")


def _apply_options(body, options):
    for name, value in options.items():
        if name == "expiration_timestamp":
            body["expirationTime"] = str(value // 1000)
        elif name == "labels":
            body["labels"] = value
        elif name in ("description", "friendly_name"):
            body[{"friendly_name": "friendlyName"}.get(name, name)] = value
        elif name not in ("partition_expiration_days", "require_partition_filter", "kms_key_name", "default_rounding_mode"):
            raise bad_query(f"Unknown option: {name}")


def _make(session, dataset, name, columns, body, translated, replace, exists_is_fine):
    old = session.catalog.find_table(dataset, name)
    if old is not None and exists_is_fine:
        return
    rows = []
    if translated is not None:
        rows = session.run(f"SELECT * FROM {session.temporary_table(translated)}").fetchall()
    if old is not None:
        if not replace:
            raise ApiError("duplicate", f"Already Exists: Table {session.catalog.project}:{dataset}.{name}")
        session.catalog.drop_table(old)
    table = session.catalog.create_table(dataset, name, columns, body)
    if translated is not None:
        append(session, table, [c.name for c in columns], rows)


def _drop(session, parser):
    if parser.accept("SCHEMA"):
        fine, path = _if_exists(parser), parser.path()
        contents = parser.accept("CASCADE")
        parser.accept("RESTRICT")
        if path[-1] in session.catalog.datasets and not session.dry_run:
            session.catalog.drop_dataset(path[-1], contents)
        elif not fine and path[-1] not in session.catalog.datasets:
            raise not_found("Dataset", f"{session.catalog.project}:{path[-1]}")
        return "DROP_SCHEMA"
    if not parser.accept("TABLE"):
        raise parser.refuse(f"DROP {parser.token.text}")
    fine, at = _if_exists(parser), parser.at()
    _, dataset, rest = session.resolve(parser.path(), at)
    session.located(dataset, session.catalog.dataset(dataset).location)
    table = session.catalog.find_table(dataset, rest[0])
    if table is None and not fine:
        raise not_found("Table", f"{session.catalog.project}:{dataset}.{rest[0]}")
    if table is not None and not session.dry_run:
        session.catalog.drop_table(table)
    return "DROP_TABLE"


def _create_schema(session, parser):
    fine, path = _if_not_exists(parser), parser.path()
    options = _options(session, parser)
    location = options.get("location") or session.place["location"]
    if path[-1] in session.catalog.datasets:
        if not fine:
            raise ApiError("duplicate", f"Already Exists: Dataset {session.catalog.project}:{path[-1]}")
    elif not session.dry_run:
        session.catalog.create_dataset(path[-1], {"labels": options.get("labels", {})}, location)
    return "CREATE_SCHEMA"


def _create_policy(session, parser):
    _if_not_exists(parser)
    name = parser.name()
    parser.expect("ON")
    table = session.table(parser.path(), parser.at())
    if parser.accept("GRANT"):
        parser.expect("TO", "(")
        while not parser.accept(")"):
            parser.take()
    parser.expect("FILTER", "USING", "(")
    relation = session.row_relation(table)
    Expressions(session, Scope([relation])).boolean(parser.expr(), "FILTER USING clause")
    parser.expect(")")
    if not session.dry_run:
        table.policies = {**(table.policies or {}), name: True}
    return "CREATE_ROW_ACCESS_POLICY"
