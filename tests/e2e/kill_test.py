#!/usr/bin/env python3
"""A migration that is killed, wherever that may be, and started again ends in the seven tables of one that was not.

Also: it does little twice, survives several kills in a row, keeps others out while it runs, and stops when it is asked to.
"""

import random
import re
import signal
import subprocess
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import kill_harness as harness  # noqa: E402
from kill_harness import ENVIRONMENT, KILLS, SEED, World  # noqa: E402

import testing  # noqa: E402

AT_ONCE = 2  # migrations at a time
WORK_MAX = 1.2
QUICK, THOROUGH = KILLS < 100, KILLS > 1000


def kill_after(process, seconds):
    """True if the process was still running then."""
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(harness.TIMEOUT_S)
        return True


def together(work, items):
    """Runs work(item) for all, a few at a time; the first error ends the test once all are done."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, items))


class Kills(unittest.TestCase):
    def setUp(self):
        self.world = World.get()

    def test_random_kills_end_in_the_same_tables_and_cost_little(self):
        generator, lock, work = random.Random(SEED), threading.Lock(), []
        killed_in = {"survey": 0, "copy": 0, "verify": 0}

        def one(number):
            while True:  # a run that was over before its time is tried again, at another moment
                store = self.world.store(f"kill-{number}")
                with lock:
                    moment = generator.uniform(0.0, self.world.seconds)
                if kill_after(store.start(self.world.estate), moment):
                    break
                store.remove()
            copied, proven = store.tenants_in("copied", "armed", "verified"), store.tenants_in("verified")
            self.assertLessEqual(store.journal_count("copied"), copied, "the journal says more than the store holds")
            report = self.world.finish(store, f"kill {number} after {moment:.4f} s (seed {SEED})")
            store.remove()
            with lock:
                work.append((copied + report["copied"], proven + report["verified"]))
                killed_in["verify" if proven else "copy" if copied else "survey"] += 1

        together(one, range(KILLS))
        # A tenant counts as work each time its rows are written, or proven.
        most_copied, most_proven = (max(w[i] for w in work) for i in (0, 1))
        mean = sum(sum(w) for w in work) / (len(work) * (self.world.copied + self.world.verified))
        print(f"{len(work)} kills: {killed_in}; tenants copied at most {most_copied} of {self.world.copied}, proven at most {most_proven} of "
              f"{self.world.verified}; work {mean:.3f} x on average")
        self.assertEqual(len(work), KILLS)
        self.assertLessEqual(most_copied, WORK_MAX * self.world.copied)
        self.assertLessEqual(most_proven, WORK_MAX * self.world.verified)

    def test_a_kill_at_every_write_to_the_journal(self):
        self.kill_at_every("write", "write,pwrite64,writev", step=1)

    def test_a_kill_at_syncs_of_the_journal(self):
        self.kill_at_every("fdatasync", "fdatasync", step=1 if THOROUGH else 4)

    def kill_at_every(self, syscall, traced, step):
        probe, reason = harness.strace()
        if probe is None:
            self.skipTest(reason)
        writes = self.calls_to_journal(traced)
        self.assertGreater(writes, 20, "the journal is written in batches")
        numbers = range(1, writes + 1, step) if not QUICK else sorted(random.Random(SEED).sample(range(1, writes + 1), 12))

        def one(number):
            store = self.world.store(f"{syscall}-{number}")
            process = store.start(self.world.estate, prefix=self.tracing(store, traced, f"inject={traced}:signal=SIGKILL:when={number}"))
            code = process.wait(harness.TIMEOUT_S)
            injected = code in (-signal.SIGKILL, 128 + signal.SIGKILL)
            # Batches are made as tenants come in, so the last ones need not be there again.
            if not injected and number > writes - 4:
                store.remove()
                return 0
            self.assertTrue(injected, f"no kill at {syscall} {number}: exit {code}\n{store.errors()}")
            self.world.finish(store, f"kill at {syscall} {number} to the journal")
            store.remove()
            return 1

        happened = sum(together(one, numbers))
        print(f"killed at {happened} of {writes} calls of {syscall} on the journal")
        self.assertGreaterEqual(happened, len(numbers) - 4)

    @staticmethod
    def tracing(store, traced, *expressions):
        """strace of those calls that concern the journal, written to a file."""
        options = [f"-etrace={traced}", "-esignal=none", f"-P{store.journal}", f"-o{store.folder / 'trace'}"]
        return harness.strace(*options, *[f"-e{e}" for e in expressions])[0]

    def calls_to_journal(self, traced):
        store = self.world.store("count")
        store.migrate(self.world.estate, expect=(self.world.exit_code,), prefix=self.tracing(store, traced))
        calls = len(re.findall(r"^\w+\(", (store.folder / "trace").read_text(), re.M))
        store.remove()
        return calls

    def test_many_kills_in_a_row(self):
        generator = random.Random(SEED + 1)
        for number in range(2 if QUICK else 8):
            store = self.world.store(f"row-{number}")
            kills = sum(kill_after(store.start(self.world.estate), generator.uniform(0.02, self.world.seconds / 3)) for _ in range(10))
            self.world.finish(store, f"{kills} kills in a row (seed {SEED})")
            store.remove()

    def test_a_kill_while_verifying_keeps_what_was_copied(self):
        store = self.world.store("verify")
        store.migrate(self.world.estate, expect=(self.world.exit_code,))
        generator = random.Random(SEED + 2)
        command = ["verify", "--from", f"export:{self.world.estate}", "--to", store.url, "--quiet", "-o", "json"]
        for _ in range(2 if QUICK else 10):
            process = subprocess.Popen([str(harness.REEVE), *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
            kill_after(process, generator.uniform(0.0, self.world.seconds / 2))
            self.world.check_equal(store, "kill while verifying")
        harness.run(*command, expect=(0, 3))
        self.assertEqual(store.tenants_in("verified"), self.world.verified)
        store.remove()


class Others(unittest.TestCase):
    def setUp(self):
        self.world = World.get()

    def started(self, store):
        """A migration that has the store's lock and has written something."""
        for _ in range(50):
            process = store.start(self.world.estate)
            while process.poll() is None:
                if store.journal.exists() and store.journal.stat().st_size > 0:
                    return process
                time.sleep(0.001)
            store.remove()
            store.folder.mkdir()
        self.fail(f"no migration could be caught while it ran: {store.errors()}")
        return None

    def test_a_second_migration_is_refused_and_told_who_runs(self):
        store = self.world.store("second")
        first = self.started(store)
        first.send_signal(signal.SIGSTOP)
        try:
            second = harness.run(*store.migrate_command(self.world.estate))
            self.assertEqual(second.returncode, 11, second.stderr)
            self.assertIn(str(first.pid), second.stderr)
            self.assertIn('"locked"', second.stderr)
            status = harness.run("status", "--to", store.url, "-o", "json")
            self.assertEqual(status.returncode, 0, "looking is possible while another writes: " + status.stderr)
        finally:
            first.send_signal(signal.SIGCONT)
        self.assertEqual(first.wait(harness.TIMEOUT_S), self.world.exit_code)
        self.world.check_equal(store, "a second migration was refused")
        store.remove()

    def test_a_lock_of_a_killed_process_holds_nobody_up(self):
        store = self.world.store("stale-lock")
        first = self.started(store)
        first.kill()
        first.wait()
        self.world.finish(store, "the holder of the lock was killed")
        store.remove()

    def test_an_interrupt_ends_with_130_and_the_command_to_go_on(self):
        for stop in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(stop=stop.name):
                self.interrupt(stop)

    def interrupt(self, stop):
        for attempt in range(20):
            store = self.world.store(f"interrupt-{stop.name}-{attempt}")
            process = self.started(store)
            process.send_signal(stop)
            if process.wait(harness.TIMEOUT_S) == 130:
                break
            store.remove()
        else:
            self.fail("was never interrupted")
        said = store.errors() + (store.folder / "out").read_text()
        self.assertRegex(said, r"reeve.* migrate .*--from", "the command that goes on")
        self.world.finish(store, f"interrupted by {stop.name}")
        store.remove()

    def test_what_is_written_does_not_depend_on_the_number_of_workers(self):
        for workers in ("1", "2", "5"):
            store = self.world.store(f"workers-{workers}")
            harness.run(*store.migrate_command(self.world.estate), "--workers", workers, expect=(self.world.exit_code,))
            self.world.check_equal(store, f"{workers} workers")
            self.assertEqual(store.dead_letters().splitlines(), self.world.dead_letters.splitlines(), f"{workers} workers")
            store.remove()

    def test_a_second_run_of_a_finished_migration_writes_nothing(self):
        store = self.world.store("again")
        store.migrate(self.world.estate, expect=(self.world.exit_code,))
        before = [r for r in store.records() if r["type"] == "phase"]
        report = store.migrate(self.world.estate, expect=(self.world.exit_code,))
        self.assertEqual((report["copied"], report["rows_changed"]), (0, 0))
        self.assertEqual(report["unchanged"], self.world.copied)
        self.assertEqual([r for r in store.records() if r["type"] == "phase"], before)
        self.world.check_equal(store, "migrated twice")
        store.remove()


if __name__ == "__main__":
    testing.main()
