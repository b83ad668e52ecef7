"""How long files and functions may be. Old sins stand in tools/lint_ratchet.txt with their size, which may only shrink.

    ratchet = *( "file" SP path SP lines LF / "function" SP path SP name SP lines LF / "#" comment LF )
"""

from . import cpp
from .tree import Finding, is_test

RATCHET = "tools/lint_ratchet.txt"
FUNCTION_MAX = 70
HEADER_MAX = 200
SOURCE_MAX = 400
TEST_MAX = 800
SCRIPT_MAX = 400


def file_limit(path):
    if is_test(path):
        return TEST_MAX
    if path.endswith(".py") or path.startswith("tools/"):
        return SCRIPT_MAX
    return HEADER_MAX if path.endswith(".h") else SOURCE_MAX


def read_ratchet(text):
    """{key: lines}, key as in the file."""
    entries = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            key, lines = line.rsplit(" ", 1)
            entries[key] = int(lines)
    return entries


def measure(tree):
    """(key, path, line, size, limit) of every file and function."""
    measured = []
    for path in tree.sources(("src", "tests", "bench")):
        text = tree.text(path)
        measured.append((f"file {path}", path, 1, text.count("\n"), file_limit(path)))
        for f in cpp.functions(text):
            measured.append((f"function {path} {f.name.replace(' ', '')}", path, f.line, f.lines, FUNCTION_MAX))
    for path in tree.files:
        if path.endswith(".py"):
            measured.append((f"file {path}", path, 1, tree.text(path).count("\n"), file_limit(path)))
    return measured


def check(tree):
    ratchet = read_ratchet(tree.text(RATCHET)) if tree.exists(RATCHET) else {}
    findings, used = [], set()
    for key, path, line, size, limit in measure(tree):
        granted = ratchet.get(key)
        if size <= limit:
            continue
        used.add(key)
        if granted is None:
            what = "split the file by subject" if key.startswith("file") else "keep the ifs, move the work into functions with a name"
            findings.append(Finding(path, line, "size", f"{key}: {size} lines, at most {limit}; {what}"))
        elif size > granted:
            findings.append(Finding(path, line, "size", f"{key}: {size} lines, and {RATCHET} grants {granted}; it may only shrink"))
        elif size < granted:
            findings.append(Finding(path, line, "size", f"{key} shrank to {size} lines: write that into {RATCHET} (now {granted})"))
    for key in sorted(set(ratchet) - used):
        findings.append(Finding(RATCHET, 1, "size", f"'{key}' is within its limit now: delete its line"))
    return findings
