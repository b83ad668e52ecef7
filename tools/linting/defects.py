"""tests/defects.md maps every known defect of the guide to the tests that make it impossible: the tests must exist.

    | number | what reeve does instead | `Suite.Name` `Class.test_name` … |     a row
A row without a test says why: "elsewhere: …" (a part that is not in this build) or "nothing to test: …".
"""

import re

from .tree import Finding

DOCUMENT = "tests/defects.md"
NUMBERS = tuple(range(1, 112))

_GTEST = re.compile(r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\s*\(\s*(\w+)\s*,\s*(\w+)")
_PYTEST = re.compile(r"^class (\w+)|^    def (test_\w+)", re.M)
_ROW = re.compile(r"^\|\s*(\d+)\s*\|(.*)\|(.*)\|\s*$")


def known_tests(tree):
    names = set()
    for path in tree.sources(("src", "tests")):
        names.update(f"{m.group(1)}.{m.group(2)}" for m in _GTEST.finditer(tree.text(path)))
    for path in [p for p in tree.files if p.endswith("_test.py")]:
        suite = ""
        for match in _PYTEST.finditer(tree.text(path)):
            suite = match.group(1) or suite
            if match.group(2):
                names.add(f"{suite}.{match.group(2)}")
    return names


def check(tree):
    if not tree.exists(DOCUMENT):
        return [Finding(DOCUMENT, 1, "defects", "missing; it maps defect numbers to tests")]
    names, seen, findings = known_tests(tree), {}, []
    for number, line in enumerate(tree.text(DOCUMENT).splitlines(), 1):
        row = _ROW.match(line)
        if not row:
            continue
        defect, tests = int(row.group(1)), re.findall(r"`(\w+\.\w+)`", row.group(3))
        if defect in seen:
            findings.append(Finding(DOCUMENT, number, "defects", f"{defect} has a row already, in line {seen[defect]}"))
        seen[defect] = number
        if not tests and not re.search(r"elsewhere: \w|nothing to test: \w", row.group(3)):
            findings.append(Finding(DOCUMENT, number, "defects", f"{defect} names no test; write one, or 'elsewhere: …' or 'nothing to test: …'"))
        findings += [Finding(DOCUMENT, number, "defects", f"{defect}: there is no test {t}; name the one that replaced it")
                     for t in tests if t not in names]
    findings += [Finding(DOCUMENT, 1, "defects", f"{n} has no row") for n in NUMBERS if n not in seen]
    return findings
