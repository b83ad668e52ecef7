#!/usr/bin/env python3
"""The fake of BigQuery keeps to the contract that it states (server.py)."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

from harness import Fake  # noqa: E402

import testing  # noqa: E402

COLUMNS = ("a STRING REQUIRED", "n INTEGER", "b BYTES", "s STRING REPEATED", "j JSON", "ts TIMESTAMP", "x NUMERIC", "d DATE", "o BOOLEAN")


class Tables(unittest.TestCase):
    def test_a_value_of_every_type_comes_back_as_rest_writes_it(self):
        with Fake() as fake:
            fake.dataset("d")
            fake.table("d", "t", *COLUMNS)
            code, job = fake.load("d", "t", [{"a": "x", "n": 1, "b": "AQID", "s": ["u", "v"], "j": {"b": 1, "a": [1, 2]}, "ts": "2026-01-02 03:04:05.123456 UTC",
                                              "x": "1.50", "d": "2026-01-02", "o": True}, {"a": "y"}])
            self.assertEqual((code, job["status"]["state"], job["statistics"]["load"]["outputRows"]), (200, "DONE", "2"))
            self.assertEqual(fake.rows("SELECT * FROM `p.d.t` ORDER BY a"), [
                ["x", "1", "AQID", [{"v": "u"}, {"v": "v"}], '{"a":[1,2],"b":1}', "1767323045123456", "1.5", "2026-01-02", "true"],
                ["y", None, None, [], None, None, None, None, None]])


if __name__ == "__main__":
    testing.main()
