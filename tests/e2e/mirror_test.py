#!/usr/bin/env python3
"""A mirror that is killed again and again, while its store changes and is served, ends in the same rows. REEVE_KILLS, REEVE_KILL_SEED as in kill_test."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import kill_harness as harness  # noqa: E402
from kill_harness import AS_OF, ENVIRONMENT, KILLS, SEED  # noqa: E402

import testing  # noqa: E402

TENANTS = 120
SEVEN = harness.EXPORTED[:7]
FOLDER = harness.workspace()
DRIVER = FOLDER / "serving_driver"
shutil.copy(harness.BINARIES / "tests" / "serving_driver", DRIVER)


def exported(url, name):
    target = FOLDER / name
    shutil.rmtree(target, ignore_errors=True)
    harness.run("export", "--store", url, "--out", target, "--quiet", expect=(0,))
    return {table: (target / f"{table}.json").read_bytes() for table in SEVEN}


class Mirrors(unittest.TestCase):
    def setUp(self):
        self.folder = FOLDER / self.id().split(".")[-1]
        self.folder.mkdir()
        self.file = self.folder / "store.db"
        self.store, self.copy = f"sqlite:{self.file}", f"sqlite:{self.folder / 'copy.db'}"

    def mirror(self, *more):
        return ["mirror", "--store", self.store, "--to", self.copy, "--yes", "--quiet", "-o", "json", *more]

    def migrated(self):
        estate = self.folder / "estate"
        harness.run("sample", "--tenants", TENANTS, "--seed", SEED % 1000, "--as-of", AS_OF, "--out", f"export:{estate}", "--quiet", expect=(0,))
        harness.run("migrate", "--from", f"export:{estate}", "--to", self.store, "--yes", "--as-of", AS_OF, "--quiet", expect=(0, 3))

    def change(self, generator):
        """Some changes as any writer could make them; the triggers note them."""
        with sqlite3.connect(self.file) as database:
            tenants = [row[0] for row in database.execute("SELECT tenant_id FROM customers ORDER BY 1")]
            for tenant in generator.sample(tenants, 12):
                database.execute("UPDATE customers SET company_name = company_name || '*', updated_at = updated_at + 1 WHERE tenant_id = ?", (tenant,))
                database.execute("UPDATE customer_usage SET pipelines_run_count = abs(random() % 50) WHERE tenant_id = ?", (tenant,))
            database.execute("DELETE FROM customer_api_keys WHERE tenant_id = ?", (generator.choice(tenants),))
        database.close()

    def assert_equal(self, what):
        here, there = exported(self.store, "here"), exported(self.copy, "there")
        for table in SEVEN:
            self.assertTrue(here[table] == there[table], f"seed {SEED}, {what}: {table} differs")

    def test_kills_at_random_moments_end_in_the_same_rows(self):
        self.migrated()
        generator = random.Random(SEED)
        began = time.monotonic()
        harness.run(*self.mirror("--once"), expect=(0,))
        seconds = time.monotonic() - began
        self.assert_equal("undisturbed")
        killed = 0
        for number in range(max(KILLS // 2, 12)):
            if number % 4 == 0:
                self.change(generator)
            more = ["--restart"] if number % 3 == 1 else []
            process = subprocess.Popen([str(harness.REEVE), *map(str, self.mirror("--once", "--batch", "8", *more))], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env=ENVIRONMENT)
            try:
                process.wait(generator.uniform(0, seconds))
                self.assertEqual(process.returncode, 0, f"seed {SEED}, run {number}")
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
        report = json.loads(harness.run(*self.mirror("--once"), expect=(0,)).stdout)
        self.assertEqual(report["waiting"], 0)
        self.assert_equal(f"{killed} kills")
        again = json.loads(harness.run(*self.mirror("--once"), expect=(0,)).stdout)
        self.assertEqual((again["steps"], again["rows_written"]), (0, 0))
        print(f"seed {SEED}: {killed} mirrors killed; the same rows", flush=True)
        self.assertGreater(killed, 0)

    def test_a_served_store_is_mirrored_beside_its_server(self):
        subprocess.run([str(DRIVER), "make", str(self.file)], check=True, env=ENVIRONMENT)
        server = subprocess.Popen([str(DRIVER), "serve", str(self.file), "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        time.sleep(0.3)
        refused = harness.run(*self.mirror("--once"))
        self.assertEqual(refused.returncode, 11, refused.stderr)
        self.assertIn("stop the server", refused.stderr)
        server.kill()
        server.wait()
        harness.run(*self.mirror("--once"), expect=(0,))
        server = subprocess.Popen([str(DRIVER), "serve", str(self.file), "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        mirror = subprocess.Popen([str(harness.REEVE), *map(str, self.mirror("--interval", "1s"))], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  env=ENVIRONMENT)
        time.sleep(2.5)
        self.assertIsNone(server.poll(), "the server has died")
        server.kill()
        server.wait()
        time.sleep(2.5)
        mirror.send_signal(signal.SIGTERM)
        out, err = mirror.communicate(timeout=harness.TIMEOUT_S)
        self.assertEqual(mirror.returncode, 0, err)
        report = json.loads(out)
        self.assertGreater(report["rows_written"], 100)
        harness.run(*self.mirror("--once"), expect=(0,))
        self.assert_equal("beside a server")

    def test_it_says_what_it_would_do_asks_and_stops(self):
        self.migrated()
        done = harness.run("mirror", "--store", self.store, "--to", self.copy, "--once")
        self.assertEqual(done.returncode, 6, "nobody to ask")
        peek = json.loads(harness.run(*self.mirror("--dry-run"), expect=(0,)).stdout)
        self.assertEqual(peek["outbox"], False)
        self.assertGreater(peek["waiting"], TENANTS)
        self.assertFalse((self.folder / "copy.db").exists())
        harness.run(*self.mirror("--once"), expect=(0,))
        other = harness.run("mirror", "--store", self.store, "--to", f"sqlite:{self.folder / 'other.db'}", "--once", "--yes")
        self.assertEqual(other.returncode, 6, other.stderr)
        self.assertIn("--restart", other.stderr)
        self.assertEqual(harness.run("mirror", "--store", self.store, "--to", self.store, "--yes").returncode, 2)
        harness.run("mirror", "--store", self.store, "--stop", "--yes", expect=(0,))
        self.assertFalse(Path(f"{self.file}.mirror").exists())
        with sqlite3.connect(self.file) as database:
            self.assertEqual(database.execute("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'reeve_outbox%'").fetchone(), (0,))
        database.close()


if __name__ == "__main__":
    testing.main()
