#!/usr/bin/env python3
"""The example that embeds the gate, as its user would run it."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(os.environ["REEVE_SOURCE_DIR"]) / "tools"))

import testing  # noqa: E402

BUILD = Path(os.environ["REEVE_BINARY_DIR"])
EXAMPLE = BUILD / "examples" / "embed_example"
MAKER = BUILD / "bench" / "make_serving_store"


@unittest.skipUnless(MAKER.exists(), "built without the benchmarks, which have the program that makes a store")
class Embed(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.store = Path(self.folder.name) / "reeve.db"
        texts = Path(self.folder.name) / "keys"
        subprocess.run([MAKER, self.store, "--customers", "2", "--keys", "4", "--plan", "starter", "--texts", texts], check=True, capture_output=True)
        self.keys = texts.read_text().split()

    def tearDown(self):
        self.folder.cleanup()

    def run_example(self, key, run_id, store=None):
        done = subprocess.run([EXAMPLE, f"sqlite:{store or self.store}", key, run_id], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def test_a_run_is_reserved_and_completed_once(self):
        code, lines, _ = self.run_example(self.keys[0], "nightly-7")
        self.assertEqual(code, 0, lines)
        self.assertRegex(lines[1], r"^reserved with fence \d+, 1 runs this month$")
        self.assertEqual(lines[2], "completed, 1500 ms")
        again = self.run_example(self.keys[0], "nightly-7")[1]
        self.assertEqual(again[1], lines[1].replace("reserved", "reserved before"), "another process gets the same answer")
        self.assertEqual(again[2], lines[2])
        self.assertRegex(self.run_example(self.keys[1], "nightly-8")[1][1], r", 2 runs this month$")

    def test_an_unknown_key_is_refused(self):
        self.assertEqual(self.run_example("nobody", "r"), (1, ["refused: INVALID_API_KEY (HTTP 401)"], ""))

    def test_a_missing_store_is_named(self):
        code, _, error = self.run_example(self.keys[0], "r", store=str(self.store) + ".none")
        self.assertEqual(code, 2)
        self.assertIn("reeve.db.none", error)

    def test_the_header_needs_nothing_but_the_standard_library(self):
        header = (Path(os.environ["REEVE_SOURCE_DIR"]) / "src" / "gate" / "reeve.h").read_text()
        includes = [line for line in header.splitlines() if line.startswith("#include")]
        self.assertTrue(includes)
        self.assertFalse([line for line in includes if "/" in line or '"' in line])


if __name__ == "__main__":
    testing.main()
