#!/usr/bin/env python3
"""Builds and runs every test of the project; `./test` calls it after installing what is needed.

A step is a preset with what is run in it. Results of each program stand in build/PRESET/results/.
"""

import argparse
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import test_results as results  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
JOBS = max(2, os.cpu_count() or 2)
BUILD_JOBS = int(os.environ.get("REEVE_JOBS", JOBS))

# Programs with threads in them: what ThreadSanitizer looks at.
THREADED = ("base_test", "obs_test", "copy_test", "verify_test", "central_sink_test", "ops_test", "backup_test", "gate_test", "serving_store_test",
            "api_test", "store_sqlite_test", "mirror_suite_test", "net_test", "drivers_bigquery_test", "legacy_bigquery_test", "store_bigquery_test")
KILLS = {"release": 300}
KILLS_FULL = {"release": 3000}
FUZZ_SECONDS, FUZZ_SECONDS_FULL = 60, 1800

SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def say(text):
    print(text, flush=True)


def run(command, log, **named):
    """The exit code; output goes to the file `log`. None: timed out."""
    with open(log, "w", encoding="utf-8") as out:
        try:
            return subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **named).returncode
        except subprocess.TimeoutExpired:
            return None
        except OSError as error:
            out.write(str(error))
            return 127


def tail(log, lines=40):
    text = [line for line in Path(log).read_text(encoding="utf-8", errors="replace").splitlines() if not re.match(r"\[\d+/\d+\] ", line)]
    return "\n".join("    " + line for line in text[-lines:])


def fixed_addresses():
    """Prefix of a command: sanitizers of these compilers do not stand the address randomisation of new kernels."""
    prefix = ["setarch", os.uname().machine, "-R"]
    try:
        worked = subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    except OSError:
        worked = False
    return prefix if worked else []


# Programs of others that tests run against: the script that makes each, the variable in which tests find its path.
OUTSIDE = {"bigquery_emulator": "REEVE_BIGQUERY_EMULATOR", "google_client": "REEVE_GOOGLE_CLIENT"}


def outside(name, *options):
    """(path, why not): asks tools/NAME. A failure that is no matter of what this machine lacks is an OSError."""
    done = subprocess.run([str(ROOT / "tools" / name), *options], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    said = (done.stdout.strip().splitlines() or [""])[-1]
    if done.returncode not in (0, 3):
        say(done.stderr)
        raise OSError(f"tools/{name} ended with {done.returncode}")
    return (said, "") if done.returncode == 0 else ("", said)


@functools.lru_cache(maxsize=None)
def outside_environment():
    """REEVE_X with the path of what is there, REEVE_NO_X with the reason why not."""
    found = {}
    for name, variable in OUTSIDE.items():
        path, why = outside(name, "--find")
        found[variable if path else variable.replace("REEVE_", "REEVE_NO_")] = path or why
    return found


class Preset:
    _cleared = set()

    def __init__(self, name, options):
        self.name, self.options = name, options
        self.dir = ROOT / "build" / name
        self.results = self.dir / "results"
        if name not in Preset._cleared:  # two steps may use one build; neither takes the other's logs away
            shutil.rmtree(self.results, ignore_errors=True)
            Preset._cleared.add(name)
        self.results.mkdir(parents=True, exist_ok=True)
        self.prefix = [] if name in ("release", "clang") else fixed_addresses()

    def build(self, *targets):
        """Configures and builds; what failed, empty if nothing did."""
        log = self.results / "build.log"
        if not (self.dir / "build.ninja").exists() and run(["cmake", "--preset", self.name], log, cwd=ROOT) != 0:
            say(tail(log))
            return f"cmake --preset {self.name} failed; {log.relative_to(ROOT)} says why"
        command = ["cmake", "--build", "--preset", self.name, "-j", str(BUILD_JOBS), "--target", *(targets or ["all"]), "--", "-k", "0"]
        if run(command, log, cwd=ROOT) != 0:
            say(tail(log, 60))
            return f"does not build; {log.relative_to(ROOT)} says why"
        return ""

    def targets(self, pattern):
        """The targets of a configured build whose names match."""
        listed = subprocess.run(["ninja", "-C", str(self.dir), "help"], capture_output=True, text=True, check=True).stdout
        return re.findall(rf"^({pattern}): phony", listed, re.M)

    def tests(self):
        """{name: (command, environment, timeout, labels)} as CMake declared them."""
        out = subprocess.run(["ctest", "--test-dir", str(self.dir), "--show-only=json-v1"], capture_output=True, text=True, check=True).stdout
        found = {}
        for test in json.loads(out)["tests"]:
            if "command" not in test:
                continue
            properties = {p["name"]: p["value"] for p in test.get("properties", [])}
            environment = dict(entry.split("=", 1) for entry in properties.get("ENVIRONMENT", []) if "=" in entry)
            found[test["name"]] = (test["command"], environment, float(properties.get("TIMEOUT", 600)), properties.get("LABELS", []))
        return found

    def run_test(self, name, test):
        command, environment, timeout, _ = test
        where, report, log = f"{self.name}/{name}", self.results / f"{name}.xml", self.results / f"{name}.log"
        kills = (KILLS_FULL if self.options.full else KILLS).get(self.name, 24)
        env = {**os.environ, **SANITIZERS, **outside_environment(), "REEVE_KILLS": str(kills), **({"REEVE_FULL": "1"} if self.options.full else {}),
               **environment, "GTEST_OUTPUT": f"xml:{report}"}
        started = time.monotonic()
        if self.options.full:
            timeout *= 20
        code = run([*self.prefix, *command], log, cwd=self.dir, env=env, timeout=timeout)
        totals = results.of_program(where, code, report.read_text(encoding="utf-8", errors="replace") if report.exists() else None)
        say(f"  {'FAILED' if totals.failed else 'ok    '} {where}: {totals.line()} ({time.monotonic() - started:.1f} s)")
        if totals.failed:
            say(tail(log))
        return totals

    def run_tests(self, wanted=lambda name, labels: True):
        totals = results.Totals()
        chosen = {name: test for name, test in self.tests().items()
                  if wanted(name, test[3]) and re.search(self.options.filter, name)}
        together = [(n, t) for n, t in chosen.items() if "alone" not in t[3]]
        with ThreadPoolExecutor(JOBS) as pool:
            for one in pool.map(lambda item: self.run_test(*item), together):
                totals.add(one)
        for name, test in chosen.items():
            if "alone" in test[3]:
                totals.add(self.run_test(name, test))
        return totals


def missing(*programs):
    absent = [p for p in programs if shutil.which(p) is None]
    return f"{', '.join(absent)} not installed" if absent else ""


def build_and_run(preset, targets, wanted):
    broken = preset.build(*targets)
    return results.failed(f"{preset.name}/build", broken) if broken else preset.run_tests(wanted)


def release(options):
    return build_and_run(Preset("release", options), [], lambda name, labels: True)


def not_traced(name, labels):
    """What makes sense under sanitizers: LeakSanitizer refuses to run in a traced process, as the crash harness makes them."""
    return not {"script", "kill"} & set(labels)


def asan(options):
    return build_and_run(Preset("asan", options), [], not_traced)


def clang(options):
    """Everything by the other compiler, with ASan and UBSan: the build that is fuzzed afterwards is the one that is tested."""
    absent = missing("clang++-14")
    if absent:
        return results.skipped("clang", absent)
    return build_and_run(Preset("fuzz", options), [], not_traced)


def tsan(options):
    preset = Preset("tsan", options)
    broken = preset.build("help")  # configures
    targets = [] if broken else [t for t in preset.targets(r"\w+_test") if t in THREADED]
    if broken or not targets:
        return results.failed("tsan/build", broken or "none of the programs with threads exists any more")
    return build_and_run(preset, targets, lambda name, labels: name in targets)


def fuzz(options):
    absent = missing("clang++-14")
    if absent:
        return results.skipped("fuzz", absent)
    preset = Preset("fuzz", options)
    names = [] if (broken := preset.build("help")) else sorted(n for n in preset.targets(r"fuzz_\w+") if n not in ("fuzz_targets", "fuzz_corpus_test"))
    broken = broken or ("" if names else "there is no fuzz target any more") or preset.build(*names)
    if broken:
        return results.failed("fuzz/build", broken)
    totals = results.Totals()
    with ThreadPoolExecutor(2) as pool:
        for one in pool.map(lambda name: run_fuzzer(preset, name), [n for n in names if re.search(options.filter, n)]):
            totals.add(one)
    return totals


def run_fuzzer(preset, name):
    """The kept corpus first, then new inputs for the time given; what is found stays in build/fuzz/."""
    program = next((p for p in preset.dir.rglob(name) if p.is_file() and os.access(p, os.X_OK)), None)
    if program is None:
        return results.failed(f"fuzz/{name}", "was not built")
    corpus, found = ROOT / "tests" / "fuzz" / "corpus" / name, preset.dir / "corpus" / name
    found.mkdir(parents=True, exist_ok=True)
    seconds = FUZZ_SECONDS_FULL if preset.options.full else FUZZ_SECONDS
    log = preset.results / f"{name}.log"
    command = [*preset.prefix, str(program), f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096", "-max_len=65536", "-print_final_stats=1",
               f"-artifact_prefix={preset.results}/{name}-", str(found), *([str(corpus)] if corpus.is_dir() else [])]
    code = run(command, log, cwd=preset.dir, env={**os.environ, **SANITIZERS}, timeout=seconds * 2 + 300)
    text = log.read_text(errors="replace")
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
    say(f"  {'ok    ' if code == 0 else 'FAILED'} fuzz/{name}: {runs.group(1) if runs else '?'} inputs in {seconds} s")
    if code == 0:
        return results.passed()
    say(tail(log, 60))
    return results.failed(f"fuzz/{name}", f"crashed; the input is beside {log.relative_to(ROOT)}")


def scripts(options):
    """Shell scripts are read by shellcheck; the linter and its own tests are in the release step."""
    absent = missing("shellcheck")
    if absent:
        return results.skipped("scripts", absent)
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    names = [n for n in listed or ["demo", "test", "tools/install", ".ci/run"] if (ROOT / n).is_file()]
    totals = results.Totals()
    for name in names:
        with open(ROOT / name, "rb") as file:
            first = file.readline(100)
        if not re.match(rb"#!.*\b(?:ba)?sh\b", first):
            continue
        checked = subprocess.run(["shellcheck", "--severity=warning", name], cwd=ROOT, capture_output=True, text=True)
        if checked.returncode:
            say(checked.stdout)
        totals.add(results.passed() if checked.returncode == 0 else results.failed(f"scripts/{name}", "shellcheck has objections (above)"))
    return totals


def bench(options):
    """Prints what the benchmarks print; fails where a figure misses its bar."""
    preset = Preset("release", options)
    broken = preset.build()
    if broken:
        return results.failed("bench/build", broken)
    code = subprocess.run([sys.executable, str(ROOT / "bench" / "run.py"), "--binaries", str(preset.dir)], cwd=ROOT).returncode
    return results.passed() if code == 0 else results.failed("bench", f"bench/run.py ended with {code}: a figure misses its bar, see above")


def tools(options):
    """Builds what tests run against and is not ours; alone, since it takes all the memory there is."""
    totals = results.Totals()
    for name in OUTSIDE:
        path, why = outside(name)
        say(f"  {'ok    ' if path else 'none  '} tools/{name}: {path or why}")
        totals.add(results.passed() if path else results.skipped(f"tools/{name}", why))
    outside_environment.cache_clear()
    return totals


STEPS = {"tools": tools, "release": release, "scripts": scripts, "clang": clang, "fuzz": fuzz, "tsan": tsan, "asan": asan}
FULL_ONLY = ("asan", "tsan")  # each is one more build of everything: worth it when there is time


def main():
    parser = argparse.ArgumentParser(prog="./test", description="Builds reeve and runs its tests. Without options: everything that fits in 45 minutes.")
    parser.add_argument("--preset", action="append", choices=list(STEPS), help="only this part; may be repeated")
    parser.add_argument("--filter", default="", metavar="REGEX", help="only test programs whose name matches")
    parser.add_argument("--full", action="store_true", help="the long proofs too: thousands of kills, half an hour per fuzz target, 50,000 tenants")
    parser.add_argument("--bench", action="store_true", help="print the benchmark figures instead")
    options = parser.parse_args()
    totals, begun = results.Totals(), time.monotonic()
    usual = [name for name in STEPS if options.full or name not in FULL_ONLY]
    for name in ["bench"] if options.bench else options.preset or usual:
        say(f"== {name}")
        started = time.monotonic()
        try:
            one = bench(options) if options.bench else STEPS[name](options)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            one = results.failed(name, f"{type(error).__name__}: {error}")
        totals.add(one)
        say(f"== {name}: {one.line()}, {time.monotonic() - started:.0f} s")
    say(f"\n{time.monotonic() - begun:.0f} s in all")
    if not (options.full or options.preset or options.bench):
        say(f"left to ./test --full: {', '.join(FULL_ONLY)}; more kills; longer fuzzing")
    for where, why in totals.failed:
        say(f"FAILED  {where}: {why}")
    for where, why in totals.skipped:
        say(f"skipped {where}: {why}")
    say(totals.line())
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
