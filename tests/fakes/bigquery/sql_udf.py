"""Functions that SQLite gets from here: conversions and checks whose meaning is BigQuery's. Values are as values.py keeps them.

An error in one of them is kept in `failure`, since SQLite replaces the message.
"""

import base64
import hashlib
import json
import re
import uuid
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import values
from errors import ApiError, bad_query
from values import SECOND, Field

_DAY = 86400 * SECOND


def from_hex(text):
    try:
        return bytes.fromhex(("0" if len(text) % 2 else "") + text)
    except ValueError as error:
        raise bad_query(f"Failed to decode invalid hexadecimal string: {text}") from error


def from_base64(text):
    """BigQuery takes it with and without padding, and in the URL alphabet not."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise bad_query("Failed to decode invalid base64 string") from error


def to_base64(blob):
    return base64.b64encode(blob).decode()


def sha256(value):
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).digest()


def parse_json(text):
    try:
        return values.json_text(values.parse_json(text))
    except ValueError as error:
        raise bad_query(f"syntax error while parsing value: {error}") from error


# ---- CAST

def _float_text(number):
    return str(int(number)) + ".0" if number == int(number) and abs(number) < 1e15 else repr(number)


def to_string(value, kind):
    if kind == "BYTES":
        try:
            return bytes(value).decode()
        except UnicodeDecodeError as error:
            raise bad_query("Invalid UTF-8 in a cast from BYTES to STRING") from error
    return {"INT64": str, "BOOL": lambda v: "true" if v else "false", "FLOAT64": _float_text, "TIMESTAMP": values.timestamp_text,
            "DATETIME": lambda v: v.replace("T", " ")}.get(kind, str)(value)


def from_string(text, kind):
    try:
        if kind in ("NUMERIC", "BIGNUMERIC"):
            return values.decimal_text(text.strip(), *values.whole_digits(Field("x", kind)))
        if kind == "BOOL" and text.lower() not in ("true", "false"):
            raise ValueError(text)
        if kind == "BYTES":
            return text.encode()
        if kind == "INT64" and re.fullmatch(r"[+-]?0[xX][0-9a-fA-F]+", text):
            return int(text, 16)
        return values.decoder(Field("x", kind))(text)
    except (ValueError, TypeError, ArithmeticError) as error:
        name = {"INT64": "int64", "FLOAT64": "double", "BOOL": "bool", "NUMERIC": "numeric", "DATE": "date", "TIMESTAMP": "timestamp"}.get(kind, kind)
        raise bad_query(f"Invalid {name} value: {text}" if kind not in ("TIMESTAMP", "DATE", "DATETIME", "TIME") else f"Invalid {name}: '{text}'") from error


def cast(value, source, target):
    if value is None or source == target:
        return value
    if target == "STRING":
        return to_string(value, source)
    if source == "STRING":
        return from_string(value, target)
    if target in ("NUMERIC", "BIGNUMERIC"):
        return values.decimal_text(str(value), *values.whole_digits(Field("x", target)))
    if target == "INT64":
        return int(Decimal(str(value)).quantize(Decimal(1), rounding=ROUND_HALF_UP)) if source != "BOOL" else value
    if target == "FLOAT64":
        return float(value)
    if target == "BOOL":
        return int(value != 0)
    days, rest = (values.day_number(value), 0) if source == "DATE" else divmod(value if source == "TIMESTAMP" else values.micros_of(value), _DAY)
    return {"DATE": lambda: values.date_text(days), "TIMESTAMP": lambda: days * _DAY + rest, "TIME": lambda: values.clock_text(rest),
            "DATETIME": lambda: f"{values.date_text(days)}T{values.clock_text(rest)}"}[target]()


def safe_cast(value, source, target):
    try:
        return cast(value, source, target)
    except ApiError:
        return None


# ---- JSON

_STEP = re.compile(r"""\.([A-Za-z_][A-Za-z0-9_]*)|\."((?:[^"\\]|\\.)*)"|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]""")


def _at_path(text, path):
    """(found, value) of a JSONPath of names and indexes."""
    value, at = json.loads(text), 1
    if not path.startswith("$"):
        raise bad_query("JSONPath must start with '$'")
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise bad_query(f"Invalid token in JSONPath at: {path[at:]}")
        name = next((g for g in (match.group(1), match.group(2), match.group(4)) if g is not None), None)
        if name is not None:
            if not isinstance(value, dict) or name not in value:
                return False, None
            value = value[name]
        else:
            if not isinstance(value, list) or int(match.group(3)) >= len(value):
                return False, None
            value = value[int(match.group(3))]
        at = match.end()
    return True, value


def _scalar(value):
    if value is None or isinstance(value, (dict, list)):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def json_value(text, path):
    try:
        found, value = _at_path(text, path)
    except ValueError:
        return None  # a STRING that is no JSON
    return _scalar(value) if found else None


def json_query(text, path):
    try:
        found, value = _at_path(text, path)
    except ValueError:
        return None
    return values.json_text(value) if found else None


def json_value_array(text, path):
    try:
        found, value = _at_path(text, path)
    except ValueError:
        return None
    if not found or not isinstance(value, list) or any(isinstance(v, (dict, list)) for v in value):
        return None
    return json.dumps([_scalar(v) for v in value], separators=(",", ":"), ensure_ascii=False)


def to_json_string(value, kind):
    if value is None:
        return "null"
    if kind == "JSON" or kind.startswith("ARRAY<STRING"):
        return value
    if kind == "INT64":
        return str(value) if abs(value) <= 2**53 else f'"{value}"'
    if kind in ("NUMERIC", "BIGNUMERIC"):
        return value if len(value.replace("-", "").replace(".", "")) <= 15 else f'"{value}"'
    if kind == "BOOL":
        return "true" if value else "false"
    if kind == "FLOAT64":
        return json.dumps(value)
    if kind == "BYTES":
        return f'"{to_base64(value)}"'
    if kind == "TIMESTAMP":
        return f'"{values.timestamp_text(value, "Z").replace(" ", "T")}"'
    return json.dumps(value, ensure_ascii=False)


# ---- times

def truncate(value, kind, unit):
    days, rest = (values.day_number(value), 0) if kind == "DATE" else divmod(value, _DAY)
    day = date.fromordinal(days + values.EPOCH)
    if unit in ("YEAR", "QUARTER", "MONTH"):
        month = {"YEAR": 1, "QUARTER": (day.month - 1) // 3 * 3 + 1, "MONTH": day.month}[unit]
        day, rest = date(day.year, month, 1), 0
    elif unit == "WEEK":
        day, rest = day - timedelta(days=(day.weekday() + 1) % 7), 0
    else:
        step = {"DAY": _DAY, "HOUR": 3600 * SECOND, "MINUTE": 60 * SECOND, "SECOND": SECOND, "MILLISECOND": 1000, "MICROSECOND": 1}[unit]
        rest -= rest % step
    return day.isoformat() if kind == "DATE" else (day.toordinal() - values.EPOCH) * _DAY + rest


def add_interval(value, kind, amount, unit):
    if kind == "DATE" and unit in ("MONTH", "QUARTER", "YEAR"):
        day = date.fromordinal(values.day_number(value) + values.EPOCH)
        months = day.year * 12 + day.month - 1 + amount * {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
        last = (date(months // 12 + (months % 12 == 11), months % 12 % 11 + 2 if months % 12 < 11 else 1, 1) - timedelta(days=1)).day
        return date(months // 12, months % 12 + 1, min(day.day, last)).isoformat()
    if kind == "DATE":
        return values.date_text(values.day_number(value) + amount * {"DAY": 1, "WEEK": 7}[unit])
    return value + amount * {"MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": SECOND, "MINUTE": 60 * SECOND, "HOUR": 3600 * SECOND, "DAY": _DAY}[unit]


def decimal_of(a, b, op):
    x, y = Decimal(a), Decimal(b)
    if op == "/" and y == 0:
        raise bad_query(f"division by zero: {a} / {b}")
    result = {"+": lambda: values.DIGITS.add(x, y), "-": lambda: values.DIGITS.subtract(x, y), "*": lambda: values.DIGITS.multiply(x, y),
              "/": lambda: values.DIGITS.divide(x, y)}[op]()
    return values.decimal_text(result)


class DecimalSum:
    def __init__(self):
        self.total = None

    def step(self, value):
        if value is not None:
            self.total = Decimal(value) + (self.total or 0)

    def finalize(self):
        return None if self.total is None else values.decimal_text(self.total)


def _extreme(better):
    class Extreme:
        def __init__(self):
            self.best = None

        def step(self, value):
            if value is not None and (self.best is None or better(Decimal(value), Decimal(self.best))):
                self.best = value

        def finalize(self):
            return self.best
    return Extreme


def fail(message):
    raise bad_query(message)


# name: (arguments, function, whether NULL in the first argument gives NULL)
FUNCTIONS = {
    "bq_from_hex": (1, from_hex, True), "bq_from_base64": (1, from_base64, True), "bq_to_base64": (1, to_base64, True), "bq_sha256": (1, sha256, True),
    "bq_parse_json": (1, parse_json, True), "bq_cast": (3, cast, True), "bq_safe_cast": (3, safe_cast, True), "bq_json_value": (2, json_value, True),
    "bq_json_query": (2, json_query, True), "bq_json_value_array": (2, json_value_array, True), "bq_to_json_string": (2, to_json_string, False),
    "bq_truncate": (3, truncate, True), "bq_add": (4, add_interval, True), "bq_decimal": (3, decimal_of, True), "bq_fail": (1, fail, False),
    "bq_compare": (2, lambda a, b: None if b is None else int(Decimal(a).compare(Decimal(b))), True), "bq_uuid": (0, lambda: str(uuid.uuid4()), False),
    "bq_upper": (1, str.upper, True), "bq_lower": (1, str.lower, True),
}


class Functions:
    """Registers everything with a connection; `failure` is the error of the last call that failed."""

    def __init__(self, db):
        self.failure = None
        for name, (count, function, strict) in FUNCTIONS.items():
            db.create_function(name, count, self._guarded(function, strict), deterministic=name not in ("bq_uuid", "bq_fail"))
        for name, kind in (("bq_sum", DecimalSum), ("bq_min", _extreme(lambda a, b: a < b)), ("bq_max", _extreme(lambda a, b: a > b))):
            db.create_aggregate(name, 1, kind)

    def _guarded(self, function, strict):
        def call(*arguments):
            if strict and arguments[0] is None:
                return None
            try:
                return function(*arguments)
            except ApiError as error:
                self.failure = error
                raise
            except Exception as error:
                self.failure = bad_query(f"{type(error).__name__}: {error}")
                raise
        return call

    def take_failure(self):
        failure, self.failure = self.failure, None
        return failure
