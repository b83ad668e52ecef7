"""Types, columns and values: how they are declared (REST), loaded (NDJSON) and kept (SQLite).

Kept as: STRING, DATE, TIME, DATETIME text; BYTES blob; INT64, BOOL (0, 1), TIMESTAMP (microseconds) integers; FLOAT64 real; NUMERIC and BIGNUMERIC
their shortest decimal text; JSON compact text with sorted keys (BigQuery does not keep the order of members; the first of duplicates counts); a
REPEATED or STRUCT column one JSON text in the form of NDJSON, an empty list for NULL. NaN is not kept: it is refused.
Source: "Loading JSON data", "Data types", TableFieldSchema of the discovery document (facts A4, C2, C3).
"""

import base64
import binascii
import functools
import json
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from errors import invalid

LEGACY = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}
TYPES = {"STRING", "BYTES", "INT64", "FLOAT64", "BOOL", "TIMESTAMP", "DATE", "TIME", "DATETIME", "NUMERIC", "BIGNUMERIC", "JSON", "GEOGRAPHY",
         "STRUCT"}
STANDARD = {**{t: t for t in TYPES}, **{legacy: standard for standard, legacy in LEGACY.items()}}
MODES = ("NULLABLE", "REQUIRED", "REPEATED")
EPOCH = date(1970, 1, 1).toordinal()
SECOND = 1_000_000
TIMESTAMP_MIN, TIMESTAMP_MAX = -62135596800 * SECOND, 253402300800 * SECOND - 1
DIGITS = Context(prec=76)


@dataclass(frozen=True)
class Field:
    name: str
    type: str = "STRING"
    mode: str = "NULLABLE"
    fields: tuple = ()
    precision: int = 0
    scale: int = 0
    max_length: int = 0
    default: str = ""
    description: str = field(default="", compare=False)

    @property
    def sql_type(self):
        """As an expression's type: without parameters."""
        return f"ARRAY<{self.type}>" if self.mode == "REPEATED" else self.type

    def declared_type(self):
        """As INFORMATION_SCHEMA.COLUMNS.data_type shows it."""
        inner = self.type
        if self.type == "STRUCT":
            inner = "STRUCT<" + ", ".join(f"{f.name} {f.declared_type()}" for f in self.fields) + ">"
        elif self.precision:
            inner += f"({self.precision}, {self.scale})" if self.scale else f"({self.precision})"
        elif self.max_length:
            inner += f"({self.max_length})"
        return f"ARRAY<{inner}>" if self.mode == "REPEATED" else inner


def field_from_rest(body):
    name, kind = body.get("name", ""), STANDARD.get(str(body.get("type", "")).upper())
    mode = str(body.get("mode") or "NULLABLE").upper()
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,299}", name):
        raise invalid(f"Invalid field name \"{name}\". Fields must contain only letters, numbers, and underscores, start with a letter or underscore, "
                      "and be at most 300 characters long.")
    if kind is None or mode not in MODES:
        raise invalid(f"Invalid value for type or mode of field {name}: {body.get('type')} {body.get('mode')} is not a valid value")
    if body.get("defaultValueExpression") and mode == "REQUIRED" and body["defaultValueExpression"].strip().upper() == "NULL":
        raise invalid(f"The default value of REQUIRED field {name} may not be NULL")
    return Field(name, kind, mode, tuple(map(field_from_rest, body.get("fields", ()))), int(body.get("precision") or 0), int(body.get("scale") or 0),
                 int(body.get("maxLength") or 0), body.get("defaultValueExpression") or "", body.get("description") or "")


def schema_from_rest(body):
    columns = tuple(map(field_from_rest, (body or {}).get("fields", ())))
    names = [c.name.lower() for c in columns]
    for name in names:
        if names.count(name) > 1:
            raise invalid(f"Duplicate field name in schema: {name}")
    return columns


def field_to_rest(column):
    """Answers use the legacy names of types, and numbers as text."""
    out = {"name": column.name, "type": LEGACY.get(column.type, column.type)}
    if column.mode != "NULLABLE":
        out["mode"] = column.mode
    for name, value in (("precision", column.precision), ("scale", column.scale), ("maxLength", column.max_length)):
        if value:
            out[name] = str(value)
    if column.default:
        out["defaultValueExpression"] = column.default
    if column.description:
        out["description"] = column.description
    if column.fields:
        out["fields"] = [field_to_rest(f) for f in column.fields]
    return out


# ---- times

_USUAL = re.compile(r"(\d{4}-\d\d-\d\d)[ T]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?(?: UTC|Z)?")
_TIME = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})(?:[ Tt](\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?)?\s*(UTC|[Zz]|[+-]\d{1,2}(?::?\d{2})?)?")


@functools.lru_cache(maxsize=65536)
def day_number(text):
    """Days since 1970-01-01; ValueError if there is no such day."""
    year, month, day = map(int, text.split("-"))
    return date(year, month, day).toordinal() - EPOCH


def micros_of(text):
    """A TIMESTAMP written as text; without a zone it is UTC. ValueError if it is none."""
    fast = _USUAL.fullmatch(text)
    if fast is not None:
        day, hour, minute, second, fraction = fast.groups()
        return ((day_number(day) * 24 + int(hour)) * 60 + int(minute)) * 60 * SECOND + int(second) * SECOND + (int(fraction.ljust(6, "0")) if fraction else 0)
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, hour, minute, second, fraction, zone = match.groups()
    micros = day_number(day) * 86400 * SECOND
    if hour is not None:
        if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
            raise ValueError(text)
        micros += ((int(hour) * 60 + int(minute)) * 60 + int(second)) * SECOND
        if fraction:
            micros += int(fraction.ljust(6, "0")[:6])
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
        micros -= (1 if zone[0] == "+" else -1) * (hours * 60 + minutes) * 60 * SECOND
    if not TIMESTAMP_MIN <= micros <= TIMESTAMP_MAX:
        raise ValueError(text)
    return micros


def date_text(days):
    return date.fromordinal(days + EPOCH).isoformat()


def clock_text(micros):
    """HH:MM:SS[.ffffff] of a time of day, the fraction with three or six digits as BigQuery prints it."""
    seconds, fraction = divmod(micros, SECOND)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if not fraction:
        return text
    return text + (f".{fraction // 1000:03}" if fraction % 1000 == 0 else f".{fraction:06}")


def timestamp_text(micros, zone="+00"):
    days, rest = divmod(micros, 86400 * SECOND)
    return f"{date_text(days)} {clock_text(rest)}{zone}"


def datetime_text(text):
    """The kept form of a DATETIME."""
    match = _TIME.fullmatch(text)
    if match is None or match.group(6):
        raise ValueError(text)
    micros = micros_of(text)
    days, rest = divmod(micros, 86400 * SECOND)
    return f"{date_text(days)}T{clock_text(rest)}"


def day_text(text):
    match = re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text)
    if match is None:
        raise ValueError(text)
    return date_text(day_number(text))


# ---- numbers and JSON

def decimal_text(value, whole=29, scale=9):
    """The shortest text of a decimal number, rounded half away from zero to `scale` digits; ValueError if `whole` digits do not hold it."""
    try:
        number = Decimal(value).quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP, context=DIGITS)
    except InvalidOperation as error:
        raise ValueError(str(value)) from error
    if not number.is_finite() or abs(number) >= Decimal(10) ** whole:
        raise ValueError(str(value))
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def whole_digits(column):
    """(digits before the point, digits after it) of a NUMERIC or BIGNUMERIC column."""
    if column.precision:
        return column.precision - column.scale, column.scale
    return (29, 9) if column.type == "NUMERIC" else (38, 38)


def _first_of_each(pairs):
    out = {}
    for name, value in pairs:
        out.setdefault(name, value)
    return out


def _no_constant(text):
    raise ValueError(text)


def parse_json(text):
    return json.loads(text, object_pairs_hook=_first_of_each, parse_constant=_no_constant)


def json_text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# ---- NDJSON to what is kept

def _int(value):
    if isinstance(value, bool) or not isinstance(value, (int, str)) or (isinstance(value, str) and not re.fullmatch(r"\s*[+-]?\d+\s*", value)):
        raise ValueError(value)
    number = int(value)
    if not -2**63 <= number < 2**63:
        raise ValueError(value)
    return number


def _float(value):
    if isinstance(value, bool):
        raise ValueError(value)
    number = float(value)
    if number != number:
        raise ValueError("NaN")
    return number


def _bool(value):
    if isinstance(value, bool):
        return int(value)
    found = {"true": 1, "t": 1, "yes": 1, "y": 1, "1": 1, "false": 0, "f": 0, "no": 0, "n": 0, "0": 0}.get(str(value).lower())
    if found is None:
        raise ValueError(value)
    return found


def _text(value):
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise ValueError(value)  # an object or a list has no place in a STRING


def decode_base64(value):
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError(str(value)) from error


def _timestamp(value):
    if isinstance(value, str):
        return micros_of(value)
    if isinstance(value, bool):
        raise ValueError(value)
    return int(Decimal(str(value)) * SECOND)


def _json(value):
    return json_text(parse_json(value) if isinstance(value, str) else value)


def _time_of_day(value):
    return clock_text(micros_of("1970-01-01 " + value))


_DECODERS = {"STRING": _text, "BYTES": decode_base64, "INT64": _int, "FLOAT64": _float, "BOOL": _bool, "TIMESTAMP": _timestamp, "DATE": day_text,
             "DATETIME": datetime_text, "TIME": _time_of_day, "JSON": _json, "GEOGRAPHY": _text}


def decoder(column):
    """A function from a JSON value that is not null to what is kept; it raises ValueError, TypeError or InvalidOperation."""
    if column.mode == "REPEATED":
        return functools.partial(_decode_list, column)
    if column.type == "STRUCT":
        return functools.partial(_decode_struct, column)
    if column.type in ("NUMERIC", "BIGNUMERIC"):
        whole, scale = whole_digits(column)
        return lambda value: decimal_text(str(value), whole, scale)
    if column.type == "STRING" and column.max_length:
        def limited(value):
            if len(_text(value)) > column.max_length:
                raise ValueError(value)
            return _text(value)
        return limited
    return _DECODERS[column.type]


def as_element(column, value):
    """An element of a kept list: checked by its decoder, kept in the form of NDJSON (nested lists as they are)."""
    if value is None:
        raise ValueError("null in an array")
    kept = decoder(Field(column.name, column.type, "NULLABLE", column.fields, column.precision, column.scale))(value)
    if column.type == "STRUCT":
        return json.loads(kept)
    return value if column.type in ("BYTES", "JSON") else bool(kept) if column.type == "BOOL" else kept


def _decode_list(column, value):
    if not isinstance(value, list):
        raise ValueError(value)
    return json.dumps([as_element(column, item) for item in value], separators=(",", ":"), ensure_ascii=False)


def _decode_struct(column, value):
    if not isinstance(value, dict):
        raise ValueError(value)
    known = {f.name for f in column.fields}
    if set(value) - known:
        raise ValueError(f"no such field {sorted(set(value) - known)[0]}")
    out = {}
    for f in column.fields:
        inner = value.get(f.name)
        out[f.name] = None if inner is None else json.loads(decoder(f)(inner)) if f.mode == "REPEATED" or f.type == "STRUCT" else as_element(f, inner)
    return json.dumps(out, separators=(",", ":"), ensure_ascii=False)
