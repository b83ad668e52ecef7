#!/usr/bin/env python3
"""Benchmarks of the BigQuery side: reeve beside the guide's way, on the same emulator; and 10,000 tenants on the fake, in simulated time.

usage: bench/bigquery.py [--binaries build/release] [--tenants 40] [--large 10000] [--dir DIR]

Prints one line per bar: name, figure, bar, pass. Exits 1 if a bar is missed. What is not there (Go, Google's client) is said and left out.

The guide's way is bench/bigquery_guide.py in a fresh emulator: its steps 1 (tables), 2 (rows) and 3 (four questions per tenant). They are carried out for 40 and 10 of
the tenants and multiplied, which is in its favour, since each job makes the next one slower. Jobs are counted at the wire, by a proxy. How simulated time is counted: tests/fakes/bigquery/clock.py. The figure used is the larger one, with the fake's
own work, so that nothing the client does meanwhile is left out.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "fakes" / "bigquery")]

import bigquery_servers  # noqa: E402
import run as bench_run  # noqa: E402
from counting_proxy import CountingProxy  # noqa: E402
from harness import Fake  # noqa: E402

CENTRAL = "customers_metadata"
MOVED, ASKED = 40, 10  # tenants at most that steps 2 and 3 of the guide are carried out for


class Bench:
    def __init__(self, args):
        self.reeve = os.path.join(args.binaries, "src", "reeve")
        self.dir = args.dir or tempfile.mkdtemp(prefix="reeve-bench-")
        self.own_dir = args.dir is None
        self.missed = 0
        os.makedirs(self.dir, exist_ok=True)

    bar, note = bench_run.Bench.bar, bench_run.Bench.note
    path, estate = bench_run.Bench.path, bench_run.Bench.estate

    def commands(self, project):
        """plan, migrate and verify of a whole project."""
        between = ["--from", f"bigquery:{project}", "--to", f"bigquery:{project}/{CENTRAL}", "--quiet", "-o", "json"]
        return {"plan": [self.reeve, "plan", *between, "--as-of", bench_run.AS_OF],
                "migrate": [self.reeve, "migrate", *between, "--yes", "--as-of", bench_run.AS_OF],
                "verify": [self.reeve, "verify", *between, "--yes"]}

    def environment(self, url):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("REEVE_")}
        return {**clean, "BIGQUERY_EMULATOR_HOST": url}

    # ---- on the emulator

    def guide(self, estate):
        """(seconds of steps 1 and 2, seconds of step 3) of the guide's way, for all tenants."""
        import bigquery_guide
        import bigquery_witness
        with bigquery_servers.Emulator() as emulator:
            bigquery_witness.EstateMaker(bigquery_witness.connect(emulator)).make(estate)
            with CountingProxy(emulator.url, emulator.project) as proxy:
                guide = bigquery_guide.Guide(bigquery_witness.connect(proxy))
                begin = time.monotonic()
                guide.create_tables()
                tenants = guide.tenants(but_not={bigquery_witness.STAGING})
                made, tables = time.monotonic(), proxy.jobs
                moved = sum(guide.migrate_tenant(tenant) for tenant in tenants[:MOVED])
                share = max(1.0, len(tenants) / MOVED)
                moving, jobs = made - begin + (time.monotonic() - made) * share, tables + (proxy.jobs - tables) * share
                start = time.monotonic()
                for tenant in tenants[:ASKED]:
                    guide.verify_tenant(tenant)
                asking = (time.monotonic() - start) * max(1.0, len(tenants) / ASKED)
                self.note(f"the guide's way: {moved} keys and credentials of {min(MOVED, len(tenants))} tenants moved; for all {len(tenants)} that is {moving:.1f} s, "
                          f"{jobs:.0f} jobs; its questions {asking:.1f} s, {4 * len(tenants)} jobs")
                return moving, asking

    def ours(self, estate, tenants):
        """(seconds, jobs) of plan, migrate and verify."""
        import bigquery_witness
        with bigquery_servers.Emulator() as emulator:
            bigquery_witness.EstateMaker(bigquery_witness.connect(emulator)).make(estate)
            with CountingProxy(emulator.url, emulator.project) as proxy:
                seconds = 0.0
                for name, command in self.commands(emulator.project).items():
                    jobs, requests = proxy.jobs, proxy.requests
                    wall, _, _ = bench_run.run(command, cwd=self.dir, env=self.environment(proxy.url))
                    self.note(f"reeve {name}: {wall:.2f} s, {proxy.jobs - jobs} jobs, {proxy.requests - requests} requests")
                    seconds += wall
                arrived = bigquery_witness.connect(emulator).get_table(f"{emulator.project}.{CENTRAL}.customers")
                rows = sum(1 for _ in bigquery_witness.connect(emulator).list_rows(arrived))
                if rows != tenants:
                    sys.exit(f"{rows} customers arrived, not {tenants}")
                return seconds, proxy.jobs

    def emulator(self, tenants):
        estate = self.estate(tenants)
        seconds, jobs = self.ours(estate, tenants)
        moving, asking = self.guide(estate)
        self.note(f"plan + migrate + verify {seconds:.1f} s: {seconds / moving:.3f} of the guide's steps 1 and 2 alone")
        self.bar(f"{tenants} tenants: plan + migrate + verify / the guide's way", seconds / (moving + asking), 1 / 20)
        self.bar(f"{tenants} tenants: jobs of plan + migrate + verify", jobs, 60, "jobs")

    # ---- on the fake

    def fake(self, tenants):
        estate = self.estate(tenants)
        with Fake("--call-ms", "50", "--job-seconds", "2") as fake:
            started = time.monotonic()
            report = fake.control("load_export", {"directory": estate})
            self.note(f"fake: {report['rows']} rows of {report['tables']} tables loaded in {time.monotonic() - started:.0f} s")
            fake.control("reset", {})
            spent, jobs, memory = {}, {}, 0
            for name, command in self.commands(fake.project).items():
                before, counted = fake.control("time"), fake.control("counts")
                wall, peak, _ = bench_run.run(command, cwd=self.dir, env=self.environment(fake.url))
                after, counts = fake.control("time"), fake.control("counts")
                simulated = after["simulated_seconds"] - before["simulated_seconds"]
                work = after["own_work_seconds"] - before["own_work_seconds"]
                spent[name], jobs[name], memory = simulated + work, counts["jobs"] - counted["jobs"], max(memory, peak)
                self.note(f"reeve {name}: {simulated:.0f} s simulated (+ {work:.0f} s of the fake's own work; {wall:.0f} s went by), {jobs[name]} jobs, "
                          f"{counts['api_calls'] - counted['api_calls']} requests, {peak / 2**20:.0f} MiB")
            self.note("calls: " + json.dumps(fake.control("counts")["methods"]))
            self.bar(f"{tenants} tenants on the fake: migrate, copied and proven", spent["migrate"] / 60, 10, "min")
            self.bar(f"{tenants} tenants on the fake: jobs of migrate per 1,000", jobs["migrate"] * 1000 / tenants, 60, "jobs")
            self.bar(f"{tenants} tenants on the fake: peak memory of reeve", memory / 2**20, 256, "MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", default="build/release")
    parser.add_argument("--tenants", type=int, default=40, help="on the emulator; 0 leaves it out")
    parser.add_argument("--large", type=int, default=10000, help="on the fake; 0 leaves it out")
    parser.add_argument("--dir", help="where estates go (kept); default: a temporary directory")
    args = parser.parse_args()
    args.binaries = os.path.abspath(args.binaries)
    missing = bigquery_servers.become_google_client() if args.tenants else ""
    bench = Bench(args)
    try:
        try:
            if args.tenants and not missing:
                bench.emulator(args.tenants)
        except bigquery_servers.Missing as why:
            missing = str(why)
        if missing:
            print(f"BigQuery emulator: left out, {missing}", flush=True)
        if args.large:
            bench.fake(args.large)
    finally:
        if bench.own_dir:
            shutil.rmtree(bench.dir, ignore_errors=True)
    sys.exit(1 if bench.missed else 0)


if __name__ == "__main__":
    main()
