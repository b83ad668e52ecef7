"""Which folder may include which: the ```arrows block of ARCHITECTURE.md, checked against every #include.

    [layer] folder… → folders it may include        `*` stands for one folder name, `everything` for all.

A test beside the code may in addition include what TEST_EXTRAS names. Third-party headers are tied to folders by THIRD_PARTY.
"""

import re
from fnmatch import fnmatch

from . import cpp
from .tree import Finding, folder_of, is_test

DOCUMENT = "ARCHITECTURE.md"

# A header that begins so may be included only by these folders (fnmatch) and by tests.
THIRD_PARTY = {
    "sqlite3.h": ["drivers/sqlite"],
    "libpq": ["drivers/postgres"],
    "curl/": ["net", "drivers/*"],
    "simdjson": ["legacy/export", "migrate/copy", "drivers/bigquery"],
    "openssl/": ["crypto", "crypto/*", "sample", "drivers/bigquery"],
    "zlib": ["legacy/export", "sample", "migrate/backup"],
    "spdlog/": ["obs", "app"],
    "CLI/": ["cli", "app"],
    "toml++/": ["app"],
    "toml.hpp": ["app"],
    "boost/asio": ["api", "net"],
    "boost/beast": ["api", "net"],
}

# What tests may use beyond their folder's arrows: stand-ins and the adapters to run against.
TEST_EXTRAS = ["base", "env", "catalog", "drivers/sqlite", "store/*", "legacy/*", "tests/*"]
# The second path must stay one in its tests too.
TEST_NEVER = {"migrate/witness": ["migrate/copy", "legacy/export"], "migrate/copy": ["migrate/witness"]}


def parse(text):
    """{folder: [folders]} of the ```arrows block; None if there is none."""
    block = re.search(r"^```arrows\n(.*?)^```", text, re.S | re.M)
    if not block:
        return None
    table = {}
    for line in block.group(1).splitlines():
        if "→" not in line:
            continue
        sources, targets = line.split("→")
        for source in (s for s in sources.split() if not s.isdigit()):
            table.setdefault(source, []).extend(targets.split())
    return table


def cycles(table):
    """Folders that can reach themselves (patterns and `everything` aside)."""
    found = []
    for start in table:
        seen, todo = set(), [t for t in table[start] if t in table]
        while todo:
            folder = todo.pop()
            if folder == start:
                found.append(start)
                break
            if folder not in seen:
                seen.add(folder)
                todo.extend(t for t in table[folder] if t in table)
    return found


def allowed(table, folder):
    """The patterns `folder` may include, or None for a folder nobody declared."""
    if folder in table:
        return table[folder]
    for pattern, targets in table.items():
        if "*" in pattern and fnmatch(folder, pattern) and pattern.count("/") == folder.count("/"):
            return targets
    return None


def _matches(folder, patterns):
    return any(p == "everything" or (fnmatch(folder, p) and p.count("/") == folder.count("/")) for p in patterns)


def _check_own(path, folder, line, header, table):
    target = folder_of("src/" + header)
    if target == folder:
        return None
    if target == "":
        return Finding(path, line, "arrows", f'"{header}": write the folder too, as in "base/error.h"')
    patterns = allowed(table, folder)
    if patterns is None:
        return Finding(path, line, "arrows", f"folder {folder} has no line in the arrows of {DOCUMENT}; add it there and to the folder table")
    test = is_test(path)
    if test and _matches(target, TEST_NEVER.get(folder, [])):
        return Finding(path, line, "arrows", f"{folder} must not know {target}, not even in tests: the two paths share no code")
    if _matches(target, patterns) or (test and (_matches(target, TEST_EXTRAS) or target.startswith("tests"))):
        return None
    known = " ".join(patterns) or "nothing"
    return Finding(path, line, "arrows",
                   f'{folder} → {target} is no arrow; {folder} may include {known}. Move what you need down, or take it as an argument')


def _check_foreign(path, folder, line, header):
    for prefix, folders in THIRD_PARTY.items():
        if header.startswith(prefix) and not is_test(path) and not _matches(folder, folders):
            return Finding(path, line, "arrows", f"<{header}> belongs to {' '.join(folders)}; go through that folder")
    return None


def check(tree):
    table = parse(tree.text(DOCUMENT)) if tree.exists(DOCUMENT) else None
    if table is None:
        return [Finding(DOCUMENT, 1, "arrows", "no ```arrows block; it is the table that #includes are checked against")]
    findings = [Finding(DOCUMENT, 1, "arrows", f"{folder} can reach itself; arrows must not form a ring") for folder in cycles(table)]
    for path in tree.sources():
        folder = folder_of(path)
        for line, header, quoted in cpp.includes(tree.text(path)):
            finding = _check_own(path, folder, line, header, table) if quoted else _check_foreign(path, folder, line, header)
            if finding:
                findings.append(finding)
    return findings
