#!/usr/bin/env python3
"""The counts that ./test prints are only worth something if nothing can hide from them."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import test_results as results  # noqa: E402
import testing  # noqa: E402

REPORT = """<?xml version="1.0"?><testsuites><testsuite name="S">
<testcase name="A" classname="S" status="run" result="completed"/>
{}
</testsuite></testsuites>"""
FAILURE = '<testcase name="B" classname="S" status="run"><failure message="x.cc:3&#x0A;expected 1"/></testcase>'
SKIP = '<testcase name="C" classname="S" status="run" result="skipped"><skipped message="x.cc:3&#x0A;no tmpfs"/></testcase>'
DISABLED = '<testcase name="DISABLED_D" classname="S" status="notrun" result="suppressed"/>'


class Counting(unittest.TestCase):
    def test_cases_are_counted_one_by_one(self):
        totals = results.of_program("p", 1, REPORT.format(FAILURE + SKIP + DISABLED))
        self.assertEqual(totals.line(), "1 passed, 1 failed, 2 skipped")
        self.assertEqual(totals.failed[0][0], "p: S.B")

    def test_a_crash_counts_as_failed_even_after_a_clean_report(self):
        self.assertEqual(results.of_program("p", -11, REPORT.format("")).line(), "1 passed, 1 failed, 0 skipped")
        self.assertEqual(results.of_program("p", -9, None).failed, [("p", "was killed by signal 9")])

    def test_a_time_out_counts_as_failed(self):
        self.assertEqual(results.of_program("p", None, None).failed, [("p", "timed out")])

    def test_a_cut_off_report_counts_as_failed(self):
        self.assertEqual(results.of_program("p", 0, REPORT.format("")[:60]).line(), "0 passed, 1 failed, 0 skipped")

    def test_a_program_that_ran_nothing_counts_as_failed(self):
        self.assertEqual(results.of_program("p", 0, "<testsuites/>").line(), "0 passed, 1 failed, 0 skipped")

    def test_a_plain_program_is_one_test(self):
        self.assertEqual(results.of_program("p", 0, None).line(), "1 passed, 0 failed, 0 skipped")

    def test_every_skip_keeps_its_reason(self):
        self.assertEqual([why for _, why in results.of_program("p", 0, REPORT.format(SKIP + DISABLED)).skipped],
                         ["x.cc:3 no tmpfs", "disabled in the source"])


if __name__ == "__main__":
    testing.main()
