#!/usr/bin/env python3
"""What a serving store has acknowledged is there, whatever its medium or its process does: every system call of a scripted run fails once, and the gate is
killed at random moments. REEVE_KILLS: how many; REEVE_KILL_SEED: repeats a run."""

import collections
import json
import random
import re
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import kill_harness as harness  # noqa: E402
from kill_harness import KILLS, SEED, TRACED  # noqa: E402

import testing  # noqa: E402

QUICK = KILLS < 100
GROUPS = 9  # of the scripted run: its commits are brought into the tables, and the log is moved, several times in it
POISONED = 74
KILLS_OF_A_STORE = 12
UNDER_WAY = 64  # calls of the driver at a time
# The files of a store that a server writes.
SUFFIXES = ("", "-wal", "-shm", ".lock", ".commits-0", ".commits-1", ".commits-2", ".commits-3")
STATE = {"reserved": 1, "alive": 1, "completed": 2, "cancelled": 3, "refused": 5}

FOLDER = harness.workspace()
DRIVER = FOLDER / "serving_driver"
shutil.copy(harness.BINARIES / "tests" / "serving_driver", DRIVER)


class Store:
    def __init__(self, name):
        self.folder = FOLDER / name
        self.folder.mkdir()
        self.file = self.folder / "served.db"

    def drive(self, verb, *arguments, prefix=()):
        return subprocess.run([*map(str, prefix), str(DRIVER), verb, str(self.file), *map(str, arguments)], capture_output=True, text=True,
                              timeout=harness.TIMEOUT_S, env=TRACED if prefix else harness.ENVIRONMENT)

    def make(self):
        done = self.drive("make")
        if done.returncode != 0:
            raise harness.Fault(done.stderr)
        return self

    def copy_of(self, other):
        shutil.copy(other.file, self.file)
        return self

    def runs(self):
        """{(tenant, run): (state, fence)} of the store, opened as a server opens it; what had to be mended is a fault."""
        done = self.drive("list")
        if done.returncode != 0:
            raise harness.Fault(f"the store cannot be opened again: {done.stderr}; kept in {self.keep()}")
        lines = [line.split(" ", 4) for line in done.stdout.splitlines()]
        notes = [line for line in done.stdout.splitlines() if line.startswith("note")]
        if notes or "audit sound" not in done.stdout:
            raise harness.Fault(f"not as it was left: {notes} {done.stdout[-300:]}; kept in {self.keep()}")
        return {(line[1], line[2]): (int(line[3]), int(line[4])) for line in lines if line[0] == "run"}

    def check_counters(self):
        """The doctor's lines about the ledger."""
        checks = json.loads(harness.run("doctor", "--store", f"sqlite:{self.file}", "-o", "json", expect=(0, 3)).stdout)["checks"]
        for check in checks:
            if check["name"] in ("Counters equal the ledger", "Fences in order", "Audit chain of the ledger whole", "Store sound", "Schema as declared") and check["state"] != "ok":
                raise harness.Fault(f"{check['name']}: {check['evidence']}; kept in {self.keep()}")
        if not any(check["name"] == "Counters equal the ledger" for check in checks):
            raise harness.Fault("the doctor did not look at the ledger")

    def keep(self):
        kept = harness.KEPT / f"failed-{SEED}-{self.folder.name}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.folder, kept)
        return kept

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def acknowledged(text):
    """{(tenant, run): (state, fence)} of the whole lines; "failed" ends them. Whether something was acknowledged after it."""
    acks, failed, after = {}, False, False
    for line in text[:text.rfind("\n") + 1].splitlines():
        if line == "failed":
            failed = True
            continue
        word, tenant, run, fence = line.split(" ")
        after = after or failed
        state, known = STATE[word], acks.get((tenant, run), (0, 0))[0]
        acks[(tenant, run)] = (max(state, known), int(fence))
    return acks, after


def missing(acks, runs):
    """What was acknowledged and is not there, or not as far."""
    return [(name, ack, runs.get(name)) for name, ack in acks.items()
            if name not in runs or runs[name][1] != ack[1] or (ack[0] > 1 and runs[name][0] != ack[0])]


class RefusedCalls(unittest.TestCase):
    """Every call that the store makes for its files fails once: those of the thread that commits, and those of the thread that brings commits into the tables.

    strace counts the calls of each thread for itself, so a number may hit both, or, for the higher ones, one of them."""

    SYSCALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "write")

    @classmethod
    def setUpClass(cls):
        probe, reason = harness.strace()
        if probe is None:
            raise unittest.SkipTest(reason)
        cls.fresh = Store("fresh").make()

    def traced(self, store, *options):
        trace = store.folder / "trace"
        paths = [f"-P{store.file}{suffix}" for suffix in SUFFIXES] + [f"-P{store.folder}"]
        done = store.drive("commit", GROUPS, prefix=harness.strace("-f", *options, *paths, "-esignal=none", f"-o{trace}")[0])
        return done, trace.read_text(errors="replace")

    def calls(self):
        """How often an undisturbed run makes each call, in the thread that makes most of them."""
        store = Store("undisturbed").copy_of(self.fresh)
        done, trace = self.traced(store, f"-etrace={','.join(self.SYSCALLS)}")
        self.assertEqual(done.returncode, 0, done.stderr)
        store.remove()
        calls = collections.Counter(re.findall(r"^(\d+) +(\w+)\(", trace, re.M))
        return {name: max([count for (_, call), count in calls.items() if call == name], default=0) for name in self.SYSCALLS}, acknowledged(done.stdout)[0]

    def one(self, syscall, error, number, whole):
        """What became of a run whose `number`th such call failed."""
        store = Store(f"{syscall}-{error}-{number}").copy_of(self.fresh)
        done, trace = self.traced(store, f"-etrace={syscall}", f"-einject={syscall}:error={error}:when={number}")
        what = f"{error} at {syscall} {number}"
        self.assertIn(trace.count("(INJECTED)"), (1, 2), f"{what}: {trace[-500:]}")
        acks, after = acknowledged(done.stdout)
        self.assertFalse(after, f"{what}: something was acknowledged after a failed commit")
        self.assertEqual(done.returncode == POISONED, "failed" in done.stdout.splitlines(), f"{what}: {done.stderr}")
        if done.returncode == 0:  # a call whose failure harms nobody, such as moving the log once more at the end
            self.assertEqual(acks, whole, what)
        elif done.returncode == 1:
            self.assertEqual(acks, {}, f"{what}: it gave up after it had begun: {done.stderr}")
        else:
            self.assertEqual(done.returncode, POISONED, f"{what}: {done.stderr}")
        runs = store.runs()
        self.assertEqual(missing(acks, runs), [], f"{what}; kept in {store.keep() if missing(acks, runs) else ''}")
        store.check_counters()
        store.remove()
        return done.returncode

    def test_every_call_fails_once_and_nothing_acknowledged_is_lost(self):
        counts, whole = self.calls()
        self.assertGreaterEqual(counts["fdatasync"], 2 * GROUPS)
        self.assertGreater(len(whole), 3 * GROUPS)
        generator = random.Random(SEED)
        for syscall in (name for name in self.SYSCALLS if counts[name] > 0):
            for error in ("EIO", "ENOSPC"):
                numbers = range(1, counts[syscall] + 1)
                most = 10 if QUICK else max(300, KILLS)
                if len(numbers) > most:
                    numbers = sorted({1, len(numbers), *generator.sample(numbers, most)})
                codes = [self.one(syscall, error, number, whole) for number in numbers]
                stopped = codes.count(POISONED)
                print(f"seed {SEED}: {error} INJECTED at {len(codes)} of {counts[syscall]} calls of {syscall}: {stopped} runs stopped with {POISONED}, "
                      f"{codes.count(1)} did not begin, {codes.count(0)} did not mind", flush=True)
                if syscall in ("pwrite64", "fdatasync"):
                    self.assertGreater(stopped, 0)


class GateOnABadMedium(unittest.TestCase):
    """The same with the gate in front, whose writer is a thread of its own."""

    def test_a_failed_sync_or_write_ends_the_process_with_74(self):
        probe, reason = harness.strace()
        if probe is None:
            self.skipTest(reason)
        fresh = Store("fresh-for-the-gate").make()
        stopped = 0
        for syscall, error in (("fdatasync", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EIO")):
            for number in random.Random(SEED).sample(range(5, 60), 2 if QUICK else 20):
                store = Store(f"gate-{syscall}-{error}-{number}").copy_of(fresh)
                trace = store.folder / "trace"
                prefix = harness.strace("-f", f"-etrace={syscall}", f"-einject={syscall}:error={error}:when={number}",
                                        *(f"-P{store.file}.commits-{i}" for i in range(4)), "-esignal=none", f"-o{trace}")[0]
                done = store.drive("serve", number, 6000, prefix=prefix)
                what = f"{error} at {syscall} {number}"
                self.assertGreater(trace.read_text(errors="replace").count("(INJECTED)"), 0, what)
                self.assertEqual(done.returncode, POISONED, f"{what}: {done.stderr}")
                acks, runs = acknowledged(done.stdout)[0], store.runs()
                self.assertEqual(missing(acks, runs), [], what)
                self.assertLessEqual(len(set(runs) - set(acks)), UNDER_WAY, f"{what}: only what was under way is in doubt")
                store.check_counters()
                store.remove()
                stopped += 1
        print(f"seed {SEED}: {stopped} gates on a failing medium ended with {POISONED}", flush=True)


class Kills(unittest.TestCase):
    def test_what_was_acknowledged_survives_kills_at_random_moments(self):
        generator = random.Random(SEED)
        rounds, killed_early, all_acks, all_in_doubt = max(KILLS, 24), 0, 0, 0
        for number in range(rounds):
            if number % KILLS_OF_A_STORE == 0:  # a ledger that grows for ever would only make looking slow
                store, acks, in_doubt = Store(f"killed-{number}").make(), {}, 0
            with open(store.folder / "out", "w") as out:
                process = subprocess.Popen([str(DRIVER), "serve", str(store.file), str(number + 1)], stdout=out, stderr=subprocess.DEVNULL,
                                           env=harness.ENVIRONMENT)
                time.sleep(generator.uniform(0.0, 0.3))
                self.assertIsNone(process.poll(), "it ended by itself")
                process.kill()
                process.wait()
            new = acknowledged((store.folder / "out").read_text())[0]
            killed_early += not new
            for name, (state, fence) in new.items():
                acks[name] = (max(state, acks.get(name, (0, 0))[0]), fence)
            runs = store.runs()
            self.assertEqual(missing(acks, runs), [], f"seed {SEED}, kill {number}; kept in {store.keep() if missing(acks, runs) else ''}")
            unknown = set(runs) - set(acks)
            self.assertLessEqual(len(unknown) - in_doubt, UNDER_WAY, f"seed {SEED}, kill {number}: runs that nobody asked for")
            in_doubt = len(unknown)
            if number % KILLS_OF_A_STORE == KILLS_OF_A_STORE - 1 or number + 1 == rounds:
                store.check_counters()
                all_acks, all_in_doubt = all_acks + len(acks), all_in_doubt + in_doubt
                store.remove()
        print(f"seed {SEED}: {rounds} kills, {killed_early} of them before the first acknowledgement; {all_acks} runs acknowledged, all there; "
              f"{all_in_doubt} were in doubt", flush=True)
        self.assertLess(killed_early, rounds)


if __name__ == "__main__":
    testing.main()
