#!/usr/bin/env python3
"""Google's own client takes the fake for BigQuery: an independent reading of the same contract."""

import datetime
import io
import os
import sys
import unittest
from decimal import Decimal
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parents[2] / "e2e"), str(Path(__file__).resolve().parent)]

import bigquery_servers  # noqa: E402

import testing  # noqa: E402
from harness import Fake  # noqa: E402

MISSING = bigquery_servers.become_google_client()


@unittest.skipIf(MISSING, MISSING)
class GoogleClient(unittest.TestCase):
    def setUp(self):
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery
        self.bigquery = bigquery
        self.fake = Fake("--pending-polls", "1", "--page-rows", "3")
        self.addCleanup(self.fake.stop)
        os.environ["BIGQUERY_EMULATOR_HOST"] = self.fake.url
        self.client = bigquery.Client(project=self.fake.project, credentials=AnonymousCredentials())
        self.client.create_dataset("d")
        field = bigquery.SchemaField
        self.schema = [field("a", "STRING", "REQUIRED"), field("ts", "TIMESTAMP"), field("b", "BYTES"), field("s", "STRING", "REPEATED"),
                       field("n", "NUMERIC", precision=10, scale=2), field("j", "JSON"), field("o", "BOOLEAN"), field("i", "INTEGER"), field("d", "DATE")]
        self.client.create_table(bigquery.Table("p.d.t", schema=self.schema))

    def load(self, count):
        rows = [{"a": str(i), "ts": "2026-01-02 03:04:05.123456 UTC", "b": "AQID", "s": ["x"], "n": "1.25", "j": {"k": [1]}, "o": True, "i": str(i),
                 "d": "2026-01-02"} for i in range(count)]
        job = self.client.load_table_from_json(rows, "p.d.t", job_config=self.bigquery.LoadJobConfig(schema=self.schema))
        return job.result().output_rows

    def test_it_reads_what_it_loaded_by_every_way(self):
        self.assertEqual(self.load(10), 10)
        expected = ("3", datetime.datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=datetime.timezone.utc), b"\x01\x02\x03", ["x"], Decimal("1.25"), {"k": [1]}, True, 3,
                    datetime.date(2026, 1, 2))
        parameter = self.bigquery.ScalarQueryParameter("a", "STRING", "3")
        found = self.client.query("SELECT * FROM `p.d.t` WHERE a = @a", job_config=self.bigquery.QueryJobConfig(query_parameters=[parameter])).result()
        self.assertEqual([tuple(r) for r in found], [expected])
        listed = [tuple(r) for r in self.client.list_rows("p.d.t")]
        self.assertEqual((len(listed), listed[3]), (10, expected))
        self.assertEqual(self.client.get_table("p.d.t").num_rows, 10)

    def test_it_changes_and_defines(self):
        self.load(5)
        self.assertEqual(self.client.query("DELETE FROM `p.d.t` WHERE a = '3'").result().num_dml_affected_rows, 1)
        table = self.client.get_table("p.d.t")
        table.description, table.expires = "hi", datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
        self.client.update_table(table, ["description", "expires"])
        self.assertEqual(self.client.get_table("p.d.t").description, "hi")
        self.client.query("CREATE TABLE `p.d.u` (a STRING NOT NULL, x NUMERIC(10,2) DEFAULT 1.5) CLUSTER BY a").result()
        self.assertEqual([t.table_id for t in self.client.list_tables("d")], ["t", "u"])
        self.assertEqual(self.client.get_table("p.d.u").clustering_fields, ["a"])
        self.client.delete_dataset("d", delete_contents=True)
        self.assertEqual(list(self.client.list_datasets()), [])

    def test_it_understands_what_went_wrong(self):
        from google.api_core import exceptions
        with self.assertRaisesRegex(exceptions.BadRequest, "Unrecognized name: nope"):
            self.client.query("SELECT nope FROM `p.d.t`").result()
        with self.assertRaises(exceptions.NotFound):
            self.client.get_table("p.d.missing")
        with self.assertRaises(exceptions.Conflict):
            self.client.create_dataset("d")
        self.assertEqual(self.client.insert_rows_json("p.d.t", [{"a": "z"}]), [])
        with self.assertRaisesRegex(exceptions.BadRequest, "streaming buffer"):
            self.client.query("DELETE FROM `p.d.t` WHERE a = 'z'").result()
        dry = self.client.query("SELECT a FROM `p.d.t`", job_config=self.bigquery.QueryJobConfig(dry_run=True))
        self.assertEqual((dry.total_bytes_processed, [f.name for f in dry.schema]), (3, ["a"]))

    def test_it_uploads_in_pieces_and_survives_a_break(self):
        data = b"".join(b'{"a":"%d"}\n' % i for i in range(60_000))
        self.fake.control("faults", {"do": "error", "reason": "backendError", "method": "PUT", "nth": 2})
        config = self.bigquery.LoadJobConfig(schema=[self.bigquery.SchemaField("a", "STRING")], source_format="NEWLINE_DELIMITED_JSON")
        from google.cloud.bigquery import client as internals
        internals._DEFAULT_CHUNKSIZE = 256 << 10
        self.assertEqual(self.client.load_table_from_file(io.BytesIO(data), "p.d.big", job_config=config).result().output_rows, 60_000)
        counts = self.fake.control("counts")
        self.assertEqual((counts["methods"]["upload.piece"], counts["errors"]), (-(-len(data) // (256 << 10)), 1))


if __name__ == "__main__":
    testing.main()
