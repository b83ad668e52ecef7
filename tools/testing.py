"""Runs a Python test file, and where GTEST_OUTPUT=xml:FILE is set writes the counts as GoogleTest would. Not a framework.

    if __name__ == "__main__":
        testing.main()
"""

import os
import sys
import time
import unittest
from xml.sax.saxutils import quoteattr


class _Recorder(unittest.TextTestResult):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.cases = []  # (suite, name, outcome, text)
        self._started = 0.0

    def startTest(self, test):
        self._started = time.monotonic()
        super().startTest(test)

    def _note(self, test, outcome, text=""):
        parts = test.id().split(".")
        self.cases.append((parts[-2] if len(parts) > 1 else "", parts[-1], outcome, text, time.monotonic() - self._started))

    def addSuccess(self, test):
        super().addSuccess(test)
        self._note(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note(test, "failed", str(err[1]))

    def addError(self, test, err):
        super().addError(test, err)
        self._note(test, "failed", f"{err[0].__name__}: {err[1]}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note(test, "skipped", reason)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed", f"{subtest}: {err[1]}")


def _write_xml(path, cases):
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites tests="{len(cases)}" name="AllTests">', "<testsuite>"]
    for suite, name, outcome, text, seconds in cases:
        child = {"passed": "", "failed": f"<failure message={quoteattr(text[:2000])}/>",
                 "skipped": f"<skipped message={quoteattr(text)}/>"}[outcome]
        lines.append(f'<testcase name={quoteattr(name)} classname={quoteattr(suite)} time="{seconds:.3f}">{child}</testcase>')
    lines += ["</testsuite>", "</testsuites>"]
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


def main():
    program = unittest.main(module="__main__", exit=False, testRunner=unittest.TextTestRunner(resultclass=_Recorder, verbosity=2))
    kind, _, path = os.environ.get("GTEST_OUTPUT", "").partition(":")
    if kind == "xml" and path:
        _write_xml(path, program.result.cases)
    sys.exit(0 if program.result.wasSuccessful() else 1)
