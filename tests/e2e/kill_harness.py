"""What the crash tests share: one estate, the result of an undisturbed migration of it, and ways to disturb others.

Needs the built program (REEVE_BINARY_DIR, set by ctest; else build/release). Everything is made in a temporary folder and removed.
REEVE_KILLS: how many random kills; REEVE_KILL_SEED: repeats a run.
"""

import atexit
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

BINARIES = Path(os.environ.get("REEVE_BINARY_DIR", ROOT / "build" / "release"))
KEPT = BINARIES / "e2e"  # stores that differed, for whoever looks into it
TENANTS = 300
AS_OF = "2026-11-15T12:00:00Z"
SEED = int(os.environ.get("REEVE_KILL_SEED", random.SystemRandom().randrange(2**31)))
KILLS = int(os.environ.get("REEVE_KILLS", 24))
EXPORTED = ("customers", "customer_subscriptions", "customer_api_keys", "customer_credentials", "customer_usage", "customer_audit_logs",
            "customer_invitations", "reeve_usage_runs")
TIMEOUT_S = 300

# The settings of whoever runs the tests must not reach the program under test.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("REEVE_")}
# LeakSanitizer cannot work in a traced process; the other runs look for leaks.
TRACED = {**ENVIRONMENT, "ASAN_OPTIONS": ENVIRONMENT.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


class Fault(AssertionError):
    """The program did something it must not; a failure of the test and no error in it."""


def workspace():
    """A folder of our own, in memory where there is room: a killed process loses nothing that it wrote, on whatever it was."""
    KEPT.mkdir(parents=True, exist_ok=True)
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    folder = Path(tempfile.mkdtemp(prefix="reeve-e2e-", dir=memory if roomy else KEPT))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# A copy, so that building meanwhile does not take the program away.
REEVE = workspace() / "reeve"
shutil.copy(BINARIES / "src" / "reeve", REEVE)


def run(*arguments, prefix=(), expect=None, **named):
    """A finished `reeve …`; `expect`: the exit codes that are fine."""
    done = subprocess.run([*map(str, prefix), str(REEVE), *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT_S,
                          env=TRACED if prefix else ENVIRONMENT, stdin=subprocess.DEVNULL, **named)
    if expect is not None and done.returncode not in expect:
        raise Fault(f"{' '.join(done.args)}: exit {done.returncode}, expected {expect}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done


class Store:
    """One store of its own, in a folder of its own."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "central.db"
        self.url = f"sqlite:{self.file}"
        self.journal = Path(f"{self.file}.journal")

    def migrate_command(self, estate):
        return ["migrate", "--from", f"export:{estate}", "--to", self.url, "--yes", "--as-of", AS_OF, "--quiet", "-o", "json"]

    def migrate(self, estate, expect, prefix=(), **named):
        """An undisturbed run to the end; its report."""
        return json.loads(run(*self.migrate_command(estate), prefix=prefix, expect=expect, **named).stdout)

    def start(self, estate, prefix=()):
        """A run in the background, its output in files so that no pipe can fill."""
        with open(self.folder / "out", "w") as out, open(self.folder / "err", "w") as err:
            return subprocess.Popen([*map(str, prefix), str(REEVE), *self.migrate_command(estate)], stdout=out, stderr=err,
                                    stdin=subprocess.DEVNULL, env=TRACED if prefix else ENVIRONMENT)

    def errors(self):
        return (self.folder / "err").read_text(errors="replace")

    def records(self):
        """The complete records of the journal."""
        if not self.journal.exists():
            return []
        return [json.loads(line[9:]) for line in self.journal.read_bytes().split(b"\n")[:-1]]

    def journal_count(self, phase):
        return len({r["tenant"] for r in self.records() if r.get("phase") == phase})

    def rows(self, sql):
        """What is in the file, read in a copy: looking must not recover the log in the program's place."""
        if not self.file.exists():
            return []
        copy = self.folder / "look"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for suffix in ("", "-wal"):
            if Path(f"{self.file}{suffix}").exists():
                shutil.copy(f"{self.file}{suffix}", copy / f"db{suffix}")
        with sqlite3.connect(copy / "db") as database:
            try:
                return database.execute(sql).fetchall()
            except sqlite3.OperationalError:  # killed before the tables were made
                return []

    def tenants_in(self, *phases):
        marks = ",".join(f"'{p}'" for p in phases)
        return len(self.rows(f"SELECT tenant_id FROM reeve_tenants WHERE phase IN ({marks})"))

    def exported(self):
        """{table: bytes} as `reeve export` writes them."""
        target = self.folder / "export"
        shutil.rmtree(target, ignore_errors=True)
        run("export", "--store", self.url, "--out", target, "--quiet", expect=(0,))
        return {table: (target / f"{table}.json").read_bytes() for table in EXPORTED}

    def dead_letters(self):
        file = Path(f"{self.file}.deadletter.jsonl")
        return file.read_bytes() if file.exists() else b""

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class World:
    """The estate and what an undisturbed migration makes of it. Made once per process."""

    _made = None
    _lock = threading.Lock()

    @classmethod
    def get(cls):
        with cls._lock:
            if cls._made is None:
                cls._made = cls()
            return cls._made

    def __init__(self):
        self.folder = workspace()
        self.estate = self.folder / "estate"
        run("sample", "--tenants", TENANTS, "--seed", SEED % 1000 + 1, "--poison", "0.002", "--gzip", "--as-of", AS_OF,
            "--out", f"export:{self.estate}", "--quiet", expect=(0,))
        store = self.store("reference")
        self.report = store.migrate(self.estate, expect=(0, 3))
        self.exit_code = 3 if store.dead_letters() else 0
        self.reference = store.exported()
        self.dead_letters = store.dead_letters()
        self.journal_records = len(store.records())
        self.copied = store.journal_count("copied")
        self.verified = store.journal_count("verified")
        self.seconds = self._calibrate()
        print(f"seed {SEED} (REEVE_KILL_SEED={SEED} repeats it); undisturbed: {self.seconds:.2f} s, {self.copied} tenants, "
              f"{self.journal_records} journal records", flush=True)

    def _calibrate(self):
        """Seconds of an undisturbed run while another one runs, as it will be."""
        stores = [self.store(f"calibrate-{i}") for i in range(2)]
        began = time.monotonic()
        for process in [s.start(self.estate) for s in stores]:
            process.wait(TIMEOUT_S)
        seconds = time.monotonic() - began
        for store in stores:
            store.remove()
        return seconds

    def store(self, name):
        return Store(self.folder / name)

    def check_equal(self, store, what):
        """The store's seven tables (and sets of runs, and dead letters) are those of the undisturbed run."""
        found = store.exported()
        for table in EXPORTED:
            if found[table] != self.reference[table]:
                raise Fault(f"{what}: {table} differs: {_first_difference(self.reference[table], found[table])}; kept in {self.keep(store)}")
        expected, found = rows_of(self.dead_letters), rows_of(store.dead_letters())
        if expected != found:
            raise Fault(f"{what}: the dead letters differ: missing {list(set(expected) - set(found))[:3]}, new {list(set(found) - set(expected))[:3]}; "
                        f"kept in {self.keep(store)}")

    def keep(self, store):
        kept = KEPT / f"failed-{SEED}-{store.folder.name}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(store.folder, kept)
        return kept

    def finish(self, store, what):
        """Runs an interrupted migration to its end and compares; the report of that run."""
        done = run(*store.migrate_command(self.estate))
        if done.returncode != self.exit_code:
            raise Fault(f"{what}: the resumed run ended with {done.returncode}, not {self.exit_code}; kept in {self.keep(store)}\n"
                        f"{done.stdout[-2000:]}{done.stderr[-4000:]}")
        self.check_equal(store, what)
        verified = store.journal_count("verified")
        if verified != self.verified:
            raise Fault(f"{what}: {verified} tenants are verified, not {self.verified}; kept in {self.keep(store)}")
        return json.loads(done.stdout)


def rows_of(dead_letters):
    """Which rows stand in a dead-letter file, and why; without the words about it."""
    letters = [json.loads(line) for line in dead_letters.splitlines()]
    return [tuple(letter.get(k, "") for k in ("tenant_id", "dataset", "table_name", "part", "line", "reason")) for letter in letters]


def _first_difference(expected, found):
    lines = list(zip(expected.split(b"\n"), found.split(b"\n")))
    for number, (a, b) in enumerate(lines, 1):
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            return f"line {number}, byte {at}: expected …{a[max(0, at - 60):at + 60]!r}, found …{b[max(0, at - 60):at + 60]!r}"
    return f"{expected.count(10)} lines expected, {found.count(10)} found"


def strace(*options):
    """The beginning of a command that runs another under strace; None and a reason where that cannot be.

    Only the first thread is traced: it alone writes the journal and the store, and the readers stay fast."""
    if shutil.which("strace") is None:
        return None, "strace is not installed"
    probe = subprocess.run(["strace", "-e", "trace=none", "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        return None, f"tracing is not permitted here: {probe.stderr.strip()[:200]}"
    return ["strace", "-qq", *options], ""
