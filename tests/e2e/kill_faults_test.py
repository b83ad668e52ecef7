#!/usr/bin/env python3
"""A medium that fails under a migration: it stops, says what to do, and a rerun on a sound medium ends in the same tables."""

import os
import random
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import kill_harness as harness  # noqa: E402
from kill_harness import KILLS, SEED, Store, World  # noqa: E402

import testing  # noqa: E402

QUICK = KILLS < 100


class SmallDisk:
    """A file system of some MiB, seen only by processes that are started through `prefix`."""

    def __init__(self, folder, size):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        user = [] if os.geteuid() == 0 else ["-r"]
        self.process = subprocess.Popen(["unshare", *user, "-m", "sh", "-c", 'mount -t tmpfs -o "size=$1" tmpfs "$0" && echo ready && exec cat',
                                         str(self.folder), size],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ready = self.process.stdout.readline().strip() == "ready"
        self.reason = "" if self.ready else self.process.stderr.read().strip()[:200]
        user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
        self.prefix = ["nsenter", "-t", str(self.process.pid), *user, "-m", "--"]

    def sh(self, script, *arguments):
        return subprocess.run([*self.prefix, "sh", "-c", script, "sh", *map(str, arguments)], capture_output=True, text=True)

    def fill(self, free_kib):
        """Leaves about so much free."""
        self.sh('rm -f "$1/ballast"; free=$(df -k --output=avail "$1" | tail -n 1); dd if=/dev/zero of="$1/ballast" bs=1k count=$((free - $2))',
                self.folder, free_kib)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.world = World.get()
        self.disk = None

    def tearDown(self):
        if self.disk is not None:
            self.disk.close()

    def test_a_full_disk_stops_the_run_and_a_rerun_with_room_finishes_it(self):
        self.disk = SmallDisk(self.world.folder / "small", "64m")
        if not self.disk.ready:
            self.skipTest(f"no file system of our own can be mounted: {self.disk.reason}")
        stopped = 0
        for free_kib in (0, 16, 300) if QUICK else (0, 4, 16, 64, 200, 400, 700, 1000, 1500, 2000, 2600, 3500):
            stopped += self.fill_and_rerun(free_kib)
        self.assertGreaterEqual(stopped, 3, "the estate is too small to fill the disk")

    def fill_and_rerun(self, free_kib):
        store = Store(self.disk.folder / f"free-{free_kib}")
        self.disk.sh('mkdir -p "$1"', store.folder)
        self.disk.fill(free_kib)
        first = harness.run(*store.migrate_command(self.world.estate), prefix=self.disk.prefix)
        if first.returncode != self.world.exit_code:
            self.assertEqual(first.returncode, 1, first.stderr)
            self.assertRegex(first.stderr, r"(?i)\bspace\b|\bfull\b", f"with {free_kib} KiB free")
            self.assertRegex(first.stderr, r'"hint":"[^"]+"', "what to do about it")
        self.disk.sh('rm -f "$1/ballast"', self.disk.folder)
        what = f"{free_kib} KiB were free"
        done = harness.run(*store.migrate_command(self.world.estate), prefix=self.disk.prefix)
        self.assertEqual(done.returncode, self.world.exit_code, f"{what}: {done.stderr}")
        self.compare(store, what)
        self.disk.sh('rm -rf "$1"', store.folder)
        return first.returncode == 1

    def compare(self, store, what):
        """What lies in the other name space is exported to where we can read it."""
        target = self.world.folder / "from-small"
        subprocess.run(["rm", "-rf", str(target)], check=True)
        harness.run("export", "--store", store.url, "--out", target, "--quiet", prefix=self.disk.prefix, expect=(0,))
        for table in harness.EXPORTED:
            self.assertTrue((target / f"{table}.json").read_bytes() == self.world.reference[table], f"{what}: {table} differs")


class RefusedCalls(unittest.TestCase):
    def setUp(self):
        self.world = World.get()
        probe, reason = harness.strace()
        if probe is None:
            self.skipTest(reason)

    def disturbed(self, name, syscall, error, number, path=""):
        """The exit code of a migration whose `number`th such call (on `path`) failed, and whether the call was made."""
        store = self.world.store(name)
        trace = store.folder / "trace"
        options = [f"-etrace={syscall}", f"-einject={syscall}:error={error}:when={number}", "-esignal=none", f"-o{trace}"]
        if path:
            options.append(f"-P{store.file}{path}")
        done = harness.run(*store.migrate_command(self.world.estate), prefix=harness.strace(*options)[0])
        return store, done, "(INJECTED)" in trace.read_text(errors="replace")

    def check(self, syscall, error, path, numbers):
        stopped = injected_calls = 0
        for number in numbers:
            store, done, injected = self.disturbed(f"{syscall}-{error}{path}-{number}", syscall, error, number, path)
            injected_calls += injected
            what = f"{error} at {syscall} {number} of {path or 'anything'}"
            if injected and path == ".journal":
                self.assertEqual(done.returncode, 1, f"{what} went unnoticed: {done.stderr}")
            if done.returncode not in (self.world.exit_code, 1):
                self.fail(f"{what}: exit {done.returncode}\n{done.stderr}")
            if done.returncode == 1:
                stopped += 1
                self.assertRegex(done.stderr, r'"message":"[^"]{10,}"', what)
            self.world.finish(store, what)
            store.remove()
        print(f"{error} at {injected_calls} calls of {syscall} on {path or 'any file'}: {stopped} runs stopped, all ended in the same tables")
        self.assertGreater(injected_calls, 0, "nothing was injected")
        self.assertGreater(stopped, 0)

    def numbers(self, most, count):
        return sorted(random.Random(SEED).sample(range(1, most), min(count, most - 1)))

    def test_a_failed_sync_of_the_journal_stops_the_run(self):
        self.check("fdatasync", "EIO", ".journal", [1, 2, *self.numbers(40, 2 if QUICK else 8)])

    def test_a_failed_write_to_the_journal_stops_the_run(self):
        self.check("write", "EIO", ".journal", [1, 2, *self.numbers(40, 1 if QUICK else 6)])
        self.check("write", "ENOSPC", ".journal", [1, 3])

    def test_a_failed_sync_of_the_store_stops_the_run(self):
        self.check("fdatasync", "EIO", "-wal", [1, 2, *self.numbers(40, 2 if QUICK else 10)])

    def test_a_failed_write_to_the_store_stops_the_run(self):
        self.check("pwrite64", "EIO", "-wal", [1, 2, *self.numbers(400, 1 if QUICK else 8)])
        self.check("pwrite64", "ENOSPC", "-wal", [3, *self.numbers(400, 1 if QUICK else 4)])

    def test_a_failed_write_of_the_dead_letters_stops_the_run(self):
        self.check("write", "ENOSPC", ".deadletter.jsonl.tmp", [1])


class Journals(unittest.TestCase):
    """The real program with a journal that is not what it left."""

    def setUp(self):
        self.world = World.get()

    def killed(self, name):
        store = self.world.store(name)
        store.migrate(self.world.estate, expect=(self.world.exit_code,))
        return store

    def test_a_torn_last_line_is_cut_off(self):
        store = self.killed("torn")
        data = store.journal.read_bytes()
        last = data.rstrip(b"\n").rfind(b"\n") + 1
        store.journal.write_bytes(data[:last + 20])
        self.world.finish(store, "a torn last line")
        self.assertTrue(store.records())
        store.remove()

    def test_a_damaged_line_is_refused_with_file_and_offset(self):
        store = self.killed("damaged")
        data = bytearray(store.journal.read_bytes())
        second = data.index(b"\n") + 1
        data[second + 30] ^= 1
        store.journal.write_bytes(data)
        done = harness.run(*store.migrate_command(self.world.estate))
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(store.journal), done.stderr)
        self.assertTrue(re.search(rf"\b{second}\b", done.stderr), f"the offset {second} is not named: {done.stderr}")
        self.assertEqual(store.journal.read_bytes(), bytes(data), "a refused journal is left as it is")
        store.remove()

    def test_without_a_journal_everything_is_merged_again_into_the_same_tables(self):
        store = self.killed("lost")
        store.journal.unlink()
        report = self.world.finish(store, "the journal was lost")
        self.assertEqual(report["copied"], self.world.copied)
        store.remove()


if __name__ == "__main__":
    testing.main()
