"""What test programs reported: reads GoogleTest's XML, adds up, prints. A program that died counts as failed, whatever it wrote."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field


@dataclass
class Totals:
    passed: int = 0
    failed: list = field(default_factory=list)   # (where, why)
    skipped: list = field(default_factory=list)  # (where, why)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def line(self):
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


def passed(count=1):
    return Totals(passed=count)


def failed(where, why):
    return Totals(failed=[(where, why)])


def skipped(where, why):
    return Totals(skipped=[(where, why)])


def _reason(text):
    """GoogleTest's messages begin with a line that is only the place."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return " ".join(lines[:3])[:300] or "no reason given"


def of_report(where, xml_text):
    """The counts of one XML report; cases are named `where: Suite.Case`."""
    totals = Totals()
    for case in ElementTree.fromstring(xml_text).iter("testcase"):
        name = f"{where}: {case.get('classname')}.{case.get('name')}"
        failure, skip = case.find("failure"), case.find("skipped")
        if failure is not None:
            totals.failed.append((name, _reason(failure.get("message"))))
        elif skip is not None or case.get("result") == "skipped":
            message = skip.get("message") or skip.text if skip is not None else ""
            totals.skipped.append((name, _reason(message)))
        elif case.get("status") == "notrun":
            totals.skipped.append((name, "disabled in the source"))
        else:
            totals.passed += 1
    return totals


def of_program(where, exit_code, report):
    """`exit_code` None: timed out. `report`: the XML, None if the program wrote none (a plain program is one test)."""
    end = "timed out" if exit_code is None else f"ended with {exit_code}" if exit_code >= 0 else f"was killed by signal {-exit_code}"
    if report is None:
        return passed() if exit_code == 0 else failed(where, end)
    try:
        totals = of_report(where, report)
    except ElementTree.ParseError:
        return failed(where, f"{end}, and its report cannot be read")
    if exit_code != 0 and not totals.failed:
        totals.add(failed(where, f"{end} although every case passed"))
    if exit_code == 0 and not (totals.passed or totals.failed or totals.skipped):
        totals.add(failed(where, "ran no case"))
    return totals
