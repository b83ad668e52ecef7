"""Calls that have one place in the house, and are banned everywhere else. Comments and literals do not count."""

import re
from dataclasses import dataclass

from . import cpp
from .tree import Finding, is_test


@dataclass(frozen=True)
class Ban:
    pattern: str          # in code without comments and literals
    home: tuple           # folders (and what is below them) or files where it is allowed
    fix: str
    in_tests: bool = False  # banned in tests too


_CLOCK = "take a Clock (env/clock.h) in the constructor, or `now` as an argument"
_FILES = "go through Files (env/files.h), so that a test can make it fail"
_PRINT = "return text or report through obs/progress.h; only cli and app print"

BANS = (
    Ban(r"(?<![\w.>:])(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&)", ("env", "drivers", "app"), _CLOCK),
    Ban(r"\b(?:system_clock|steady_clock|high_resolution_clock)\s*::\s*now\b", ("env", "drivers", "app"), _CLOCK),
    Ban(r"\b(?:clock_gettime|gettimeofday|localtime|localtime_r|mktime)\s*\(", ("env", "drivers", "app"), _CLOCK, True),
    Ban(r"(?<![\w.>:])(?:std::)?s?rand\s*\(", ("env",), "take Entropy (env/entropy.h) or a seeded generator", True),
    Ban(r"\brandom_device\b", ("env", "drivers", "app"), "take Entropy (env/entropy.h) or a seed that is printed"),
    Ban(r"(?<![\w.>])(?:std::)?(?:fopen|freopen|open64|openat|creat|mkstemp|tmpfile)\s*\(", ("env", "drivers", "app"), _FILES),
    Ban(r"(?<![\w.>])(?:::)?open\s*\(", ("env", "drivers", "app"), _FILES),
    Ban(r"\bstd\s*::\s*[io]?fstream\b", ("env", "drivers", "app"), _FILES),
    Ban(r"(?<!\w)(?:std::)?v?f?printf\s*\(|\bstd\s*::\s*(?:cout|cerr|clog)\b|(?<![\w.>])(?:std::)?f?puts\s*\(|\bfmt\s*::\s*print\s*\(",
        ("cli", "app", "base/error.cc"), _PRINT),  # error.cc: the last words of a broken assertion
    Ban(r"\b(?:sleep_for|sleep_until)\b|(?<![\w.>:])(?:u|nano)?sleep\s*\(", ("env",), "wait for an event; sleeping is env's", True),
    Ban(r"(?<!\w)(?:secure_)?getenv\s*\(", ("app", "cli", "drivers/bigquery/environment.cc"), "settings come from cli/settings; pass the value"),
    Ban(r"\busing\s+namespace\s+std\b", (), "name what you use", True),
    Ban(r"\bstd\s*::\s*v?format(?:_to)?\s*\(|\bstd\s*::\s*print(?:ln)?\b", (), "GCC 12 has no std::format; use fmt::format", True),
    Ban(r"(?<![\w.>:])(?:std::)?(?:exit|abort|quick_exit|_exit)\s*\(", ("env", "app", "cli", "base/error.cc"), "return a Result; only main ends the process"),
    Ban(r"(?<![\w.>:])(?:strcpy|strcat|sprintf|gets|strtok|system|popen)\s*\(", (), "use std::string and fmt; start no shell", True),
)


def _at_home(path, home):
    return any(path == f"src/{h}" or path.startswith(f"src/{h}/") for h in home)


def check(tree):
    findings = []
    for path in tree.sources(("src", "tests", "bench")):
        test = is_test(path) or path.startswith("bench/")
        bans = [b for b in BANS if (b.in_tests or not test) and not _at_home(path, b.home)]
        code = cpp.bare(tree.text(path))
        for ban in bans:
            for match in re.finditer(ban.pattern, code):
                line = code.count("\n", 0, match.start()) + 1
                findings.append(Finding(path, line, "banned", f"'{match.group(0).strip(' (')}' has no place in this folder: {ban.fix}"))
    return findings
