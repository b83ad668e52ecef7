#!/usr/bin/env python3
"""Benchmarks of the migration: every figure is a ratio to a floor or a peer measured in the same run.

usage: bench/run.py [--binaries build/release] [--tenants 10000] [--large 50000] [--no-bigquery] [--no-serving] [--dir DIR] [--repeat 3]

Prints one line per bar: name, figure, bar, pass. Exits 1 if a bar is missed.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

AS_OF = "2026-11-15T12:00:00Z"
LARGE_ROUNDS = 2


def run(command, **kwargs):
    """Runs a command; returns (wall seconds, peak resident bytes, stdout)."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True, **kwargs)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - start
        out.seek(0)
        stdout = out.read()
    if process.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{errors}")
    return wall, usage.ru_maxrss * 1024, stdout


def drop_caches():
    """Empties the page cache where we may; says whether it did."""
    os.sync()
    try:
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3")
        return True
    except OSError:
        return False


def remove_store(path):
    for suffix in ("", "-wal", "-shm", ".journal", ".lock", ".deadletter.jsonl", ".spool"):
        if os.path.exists(path + suffix):
            os.remove(path + suffix)


class Bench:
    def __init__(self, args):
        self.reeve = os.path.join(args.binaries, "src", "reeve")
        self.floor = os.path.join(args.binaries, "bench", "migrate_floor")
        self.dir = args.dir or tempfile.mkdtemp(prefix="reeve-bench-")
        self.own_dir = args.dir is None
        self.repeat = args.repeat
        self.missed = 0
        os.makedirs(self.dir, exist_ok=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def estate(self, tenants):
        directory = self.path(f"estate-{tenants}")
        if not os.path.exists(directory + ".done"):
            run([self.reeve, "sample", "--tenants", str(tenants), "--profile", "standard", "--seed", "1",
                 "--out", f"export:{directory}", "--quiet", "--yes"])
            open(directory + ".done", "w").close()
        return directory

    def migrate(self, estate, store, fresh=True, extra=()):
        if fresh:
            remove_store(store)
        return run([self.reeve, "migrate", "--from", f"export:{estate}", "--to", f"sqlite:{store}", "--yes",
                    "--as-of", AS_OF, "--quiet", "--stats", "-o", "json", *extra])

    def bar(self, name, figure, limit, unit="×"):
        ok = figure <= limit
        self.missed += not ok
        print(f"{name:<58} {figure:8.2f} {unit:<4} bar {limit:6.2f} {'pass' if ok else 'MISSED'}", flush=True)

    def note(self, text):
        print(f"  {text}", flush=True)

    def best(self, work):
        """The fastest of several runs: the one least disturbed by others on the machine."""
        return min((work() for _ in range(self.repeat)), key=lambda result: result[0])

    def standard(self, tenants):
        estate = self.estate(tenants)
        store = self.path("reeve.db")
        self.migrate(estate, store)  # warms the cache and fills the store the floor reads its rows from
        floor = min((json.loads(run([self.floor, estate, store, self.path("floor.db")])[2])
                     for _ in range(self.repeat)), key=lambda f: f["floor_s"])
        self.note(f"{floor['rows']} rows in {floor['files']} files, {floor['bytes'] / 1e6:.0f} MB -> {floor['central_rows']} central rows")
        self.note(f"floor: parse {floor['parse_s']:.2f} s + insert {floor['insert_s']:.2f} s = {floor['floor_s']:.2f} s")
        copy = self.best(lambda: self.migrate(estate, store, extra=["--no-verify"]))
        whole = self.best(lambda: self.migrate(estate, store))
        stats = json.loads(whole[2]).get("stats", {})
        self.note("migrate, files warm: " + f"{whole[0]:.2f} s; " + ", ".join(f"{k} {v}" for k, v in stats.items()))
        self.bar(f"migrate {tenants}, copy only / floor", copy[0] / floor["floor_s"], 1.5)
        self.bar(f"migrate {tenants}, copied and proven / floor", whole[0] / floor["floor_s"], 1.5)
        self.bar(f"peak memory of migrate {tenants}", whole[1] / 2**20, 256, "MiB")
        again = self.best(lambda: self.migrate(estate, store, fresh=False))
        report = json.loads(again[2])
        self.note(f"second migrate: {report.get('unchanged')} unchanged, {report.get('rows_changed')} rows changed")
        self.bar("second migrate of an unchanged estate / first", again[0] / whole[0], 0.5)
        verify = self.best(lambda: run([self.reeve, "verify", "--from", f"export:{estate}", "--to", f"sqlite:{store}",
                                        "--yes", "--quiet", "-o", "json"]))
        self.bar("verify / migrate", verify[0] / whole[0], 1.0)
        self.bar("peak memory of verify", verify[1] / 2**20, 256, "MiB")
        if drop_caches():
            cold = self.migrate(estate, store)
            self.note(f"migrate, files cold: {cold[0]:.2f} s")
        else:
            self.note("migrate, files cold: not measured (the page cache cannot be emptied here)")

    def large(self, tenants, base_tenants):
        estate = self.estate(tenants)
        base, store = self.estate(base_tenants), self.path("large.db")
        self.migrate(estate, store)  # warms the cache
        # In turn, so that what else the machine does falls on both alike; and the best of as many.
        small, large = [], []
        for _ in range(LARGE_ROUNDS):
            small.append(self.migrate(base, self.path("reeve.db")))
            large.append(self.migrate(estate, store))
        whole, seconds = min(large, key=lambda result: result[0]), min(result[0] for result in small)
        self.note(f"migrate {tenants}: {', '.join(f'{result[0]:.2f}' for result in large)} s; {base_tenants}: {', '.join(f'{result[0]:.2f}' for result in small)} s")
        self.bar(f"migrate {tenants} / migrate {base_tenants}", whole[0] / seconds, 5.5 * tenants / base_tenants / 5)
        self.bar(f"peak memory of migrate {tenants}", max(result[1] for result in large) / 2**20, 256, "MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", default="build/release")
    parser.add_argument("--tenants", type=int, default=10000)
    parser.add_argument("--large", type=int, default=50000, help="0 leaves the large estate out")
    parser.add_argument("--no-serving", action="store_true", help="leave bench/gate.py and bench/serve.py out")
    parser.add_argument("--no-bigquery", action="store_true", help="leave bench/bigquery.py out")
    parser.add_argument("--dir", help="where estates and stores go (kept); default: a temporary directory")
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    bench = Bench(args)
    try:
        bench.standard(args.tenants)
        if args.large:
            bench.large(args.large, args.tenants)
        for name in [] if args.no_serving else ["gate.py", "serve.py"]:
            beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
            bench.missed += subprocess.run([sys.executable, beside, "--binaries", args.binaries]).returncode != 0
        if not args.no_bigquery:  # a program of its own, since it goes on in the Python of Google's client
            beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bigquery.py")
            bench.missed += subprocess.run([sys.executable, beside, "--binaries", args.binaries, "--large", str(args.tenants), "--dir", bench.dir]).returncode != 0
    finally:
        if bench.own_dir:
            shutil.rmtree(bench.dir, ignore_errors=True)
    sys.exit(1 if bench.missed else 0)


if __name__ == "__main__":
    main()
