#!/usr/bin/env python3
"""A migration inside of BigQuery is killed (SIGKILL) at every request that it sends, before the server does it and after, and run again. Then the dataset
is what an undisturbed run makes of it: same rows, none twice, no table left over. So it is after every error that another attempt mends. Against the
fake, which kills the client that asks.

REEVE_FULL=1: every boundary; else as many, evenly spread, as fit into a minute.
"""

import atexit
import json
import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fakes" / "bigquery"))

import kill_harness  # noqa: E402  (puts tools/ on the path)
from bigquery_runs import ARRIVING, Runs, lines, sample  # noqa: E402
from harness import Fake  # noqa: E402

import testing  # noqa: E402

TENANTS = 20
FULL = os.environ.get("REEVE_FULL") == "1"
SECONDS = 60  # for the kills of a usual run
# Compared row by row: the seven tables, and what a run says about the estate. The other tables say when and how often a run was made.
COMPARED = (*ARRIVING, "customer_audit_logs", "customer_invitations", "reeve_usage_runs", "reeve_dead_letters", "reeve_findings")
PHASES = ("tenant_id", "customer_id", "phase")  # of reeve_tenants; a run that was begun again has another attempt


class Dataset:
    """A central dataset, read without reeve."""

    def __init__(self, fake, name):
        self.fake, self.name = fake, name

    def tables(self):
        _, page = self.fake.call("GET", f"/datasets/{self.name}/tables?maxResults=1000")
        return [t["tableReference"]["tableId"] for t in page.get("tables", [])]

    def rows(self, table, columns=None):
        """Every row as JSON text, sorted; of some columns or of all."""
        _, found = self.fake.call("GET", f"/datasets/{self.name}/tables/{table}")
        names = [f["name"] for f in found["schema"]["fields"]]
        rows, token = [], ""
        while True:
            _, page = self.fake.call("GET", f"/datasets/{self.name}/tables/{table}/data?formatOptions.useInt64Timestamp=true"
                                            f"{'&pageToken=' + token if token else ''}")
            rows += [json.dumps({n: c["v"] for n, c in zip(names, r["f"]) if columns is None or n in columns}, sort_keys=True) for r in page.get("rows", [])]
            token = page.get("pageToken", "")
            if not token:
                return sorted(rows)

    def content(self):
        return {"tables": sorted(self.tables()), "reeve_staging": self.rows("reeve_staging"), "reeve_tenants": self.rows("reeve_tenants", PHASES), **{table: self.rows(table) for table in COMPARED}}


class Disturbed(unittest.TestCase):
    """The estate in a fake, and what an undisturbed run makes of it. Made once."""

    @classmethod
    def setUpClass(cls):
        if hasattr(Disturbed, "fake"):
            return
        cls = Disturbed
        cls.fake = Fake()
        atexit.register(cls.fake.stop)
        cls.estate, cls.expected = sample(TENANTS, 7)
        report = cls.fake.control("load_export", {"directory": str(cls.estate)})
        assert report["refused"]["count"] == 0, report
        cls.fake.control("reset", {})
        runs = Runs(cls.fake, "reference")
        began = time.monotonic()
        runs.migrate()
        cls.seconds = time.monotonic() - began
        cls.requests = cls.fake.control("counts")["api_calls"]
        cls.reference = Dataset(cls.fake, "reference").content()
        cls.customers = [r["tenant_id"] for r in lines(cls.expected / "customers.json")]
        runs.forget()
        cls.fake.call("DELETE", "/datasets/reference?deleteContents=true")
        print(f"undisturbed: {cls.requests} requests, {cls.seconds:.2f} s, {sum(len(cls.reference[t]) for t in COMPARED)} rows", flush=True)

    def check(self, name):
        """The dataset is that of the undisturbed run; removes it."""
        found = Dataset(self.fake, name).content()
        for what, rows in self.reference.items():
            self.assertEqual(found[what], rows, what)
        self.fake.call("DELETE", f"/datasets/{name}?deleteContents=true")


class Kills(Disturbed):
    def test_the_undisturbed_run_moved_the_estate(self):
        self.assertEqual(sorted(json.loads(r)["tenant_id"] for r in self.reference["customers"]), sorted(self.customers))
        for table in ARRIVING:
            self.assertEqual(len(self.reference[table]), len(lines(self.expected / f"{table}.json")), table)
            self.assertEqual(len(set(self.reference[table])), len(self.reference[table]), table)
        self.assertEqual([t for t in self.reference["tables"] if "stg" in t or "lock" in t], [])
        self.assertEqual(self.reference["reeve_staging"], [], "nothing is left on its way")

    def boundaries(self):
        every = [(n, when) for n in range(1, self.requests + 1) for when in ("before", "after")]
        if FULL:
            return every
        affordable = max(8, int(SECONDS / (2.5 * self.seconds + 0.3)))
        stride = max(1, -(-len(every) // affordable))
        return every[::stride + (stride % 2 == 0)]  # odd, so that both sides of requests are among them

    def test_a_killed_migration_ends_like_one_that_was_not(self):
        chosen = self.boundaries()
        for number, (request, when) in enumerate(chosen):
            with self.subTest(f"killed {when} request {request} of {self.requests}"):
                self.kill_and_resume(f"central_{number}", request, when)
        print(f"{len(chosen)} of {2 * self.requests} boundaries", flush=True)

    def kill_and_resume(self, name, request, when):
        runs = Runs(self.fake, name)
        self.fake.control("reset", {})
        self.fake.control("faults", {"do": "kill", "nth": request, "when": when})
        code = runs.start_migrate().wait(timeout=120)
        self.assertIn(code, (-9, 0), "killed, or through before the request came (threads)")
        self.fake.control("reset", {})
        runs.migrate()
        runs.forget()
        self.check(name)


class Faults(Disturbed):
    # Each disturbs one run at a place of its own; what they have in common is that another attempt helps. "polls": jobs take so long.
    CASES = (
        {"do": "error", "reason": "rateLimitExceeded", "method": "POST", "path": "/jobs", "nth": 2}, {"do": "error", "reason": "backendError", "path": "/datasets"},
        {"do": "error", "reason": "internalError", "path": "/tables/reeve_lock"}, {"do": "error", "reason": "backendError", "path": "/queries/", "nth": 3},
        {"do": "html", "code": 502, "method": "POST", "path": "uploadType=", "when": "before"}, {"do": "html", "code": 503, "method": "GET", "path": "/jobs/", "polls": 1},
        {"do": "drop", "method": "POST", "path": "/jobs", "nth": 3, "when": "after"}, {"do": "drop", "method": "POST", "path": "uploadType=", "when": "after"},
        {"do": "drop", "method": "POST", "body": "BEGIN TRANSACTION", "when": "after"}, {"do": "drop", "method": "DELETE", "when": "after"},
        {"do": "drop", "method": "POST", "path": "/tables", "nth": 4, "when": "after"}, {"do": "truncate", "path": "/queries/", "nth": 2},
        {"do": "drop", "method": "POST", "path": "/queries", "when": "after"}, {"do": "error", "reason": "backendError", "method": "POST", "path": "/queries", "nth": 2},
        {"do": "garbage", "path": "/data"}, {"do": "job_error", "reason": "jobBackendError", "query": "BEGIN TRANSACTION"},
        {"do": "job_error", "reason": "jobInternalError", "query": "UNION ALL", "nth": 2}, {"do": "job_error", "reason": "jobRateLimitExceeded", "query": "reeve_staging"},
        {"do": "job_error", "reason": "resourcesExceeded", "query": "UNION ALL",
         "message": "Resources exceeded during query execution: Not enough resources for query planning - too many subqueries or query is too complex."},
    )

    def test_a_disturbed_migration_ends_like_one_that_was_not(self):
        for number, fault in enumerate(self.CASES):
            with self.subTest(json.dumps(fault)):
                runs = Runs(self.fake, f"disturbed_{number}")
                self.fake.control("reset", {})
                self.fake.control("options", {"pending_polls": fault.get("polls", 0)})
                self.fake.control("faults", fault)
                runs.migrate()
                self.fake.control("options", {"pending_polls": 0})
                self.assertEqual([f["acted"] for f in self.fake.control("faults")["faults"]], [1], "the fault came about")
                self.fake.control("reset", {})
                runs.forget()
                self.check(f"disturbed_{number}")

    def test_a_listing_that_missed_a_place_moves_nothing(self):
        self.fake.control("reset", {})
        self.fake.control("options", {"unreachable": ["EU"]})
        self.addCleanup(self.fake.control, "options", {"unreachable": []})
        runs = Runs(self.fake, "incomplete")
        done = runs.run(*runs.migrate_words(), expect=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("EU", done.stderr + done.stdout)
        rows = self.fake.rows("SELECT COUNT(*) FROM incomplete.customers") if "incomplete" in self.datasets() else [["0"]]
        self.assertEqual(rows, [["0"]])
        self.fake.call("DELETE", "/datasets/incomplete?deleteContents=true")

    def datasets(self):
        return [d["datasetReference"]["datasetId"] for d in self.fake.call("GET", "/datasets?maxResults=1000")[1]["datasets"]]


if __name__ == "__main__":
    testing.main()
