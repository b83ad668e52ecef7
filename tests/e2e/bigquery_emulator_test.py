#!/usr/bin/env python3
"""The real program against the BigQuery emulator, with Google's own client as witness: it makes the legacy estate, and reads what reeve wrote."""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bigquery_servers  # noqa: E402
import kill_harness  # noqa: E402  (puts tools/ on the path)
from bigquery_runs import ARRIVING, CENTRAL, Runs, lines, sample  # noqa: E402
from kill_harness import AS_OF  # noqa: E402

import testing  # noqa: E402

TENANTS = 12
SEED = 1  # an estate without names that differ only in case: the emulator cannot tell those apart
MISSING = bigquery_servers.become_google_client()
try:
    MISSING = MISSING or (not bigquery_servers.outside("bigquery_emulator", "REEVE_BIGQUERY_EMULATOR") and "no emulator") or ""
except bigquery_servers.Missing as missing:
    MISSING = str(missing)


class Emulated(unittest.TestCase):
    def start(self):
        """An emulator of its own (it grows with every job), Google's client and reeve in it."""
        import bigquery_witness
        emulator = bigquery_servers.Emulator()
        self.addCleanup(emulator.stop)
        return bigquery_witness, bigquery_witness.connect(emulator), Runs(emulator)


@unittest.skipIf(MISSING, MISSING)
class Migration(Emulated):
    def test_an_estate_arrives_as_the_oracle_says_and_google_reads_what_reeve_exports(self):
        witness, client, runs = self.start()
        estate, expected = sample(TENANTS, SEED)
        made = witness.EstateMaker(client).make(estate, leave_out={CENTRAL})
        self.assertGreater(made.rows, 100)

        plan = runs.json("plan", "--from", runs.source, "--to", runs.store, "--as-of", AS_OF, "--quiet")
        self.assertEqual(plan["tenants"]["total"] if isinstance(plan["tenants"], dict) else plan["tenants"], len(lines(expected / "customers.json")))
        self.assertNotIn(CENTRAL, [d.dataset_id for d in client.list_datasets()], "a plan writes nothing")
        report = runs.migrate()
        self.assertEqual((report["differing"], report["failed"]), (0, []) if isinstance(report["failed"], list) else (0, 0))
        runs.run("verify", "--from", runs.source, "--to", runs.store, "--yes", "--quiet")
        status = runs.json("status", "--to", runs.store, "--quiet")
        self.assertEqual(sum(status["by_phase"].values()), len(lines(expected / "customers.json")))
        runs.run("doctor", "--store", runs.store, "--quiet")

        exported = runs.exported()
        for table in witness.SEVEN:
            found, fields = witness.central_rows(client, CENTRAL, table)
            self.assertEqual(found, witness.exported_rows(exported, table, fields), table)
            if table in ARRIVING:
                self.assertEqual(found, witness.exported_rows(expected, table, fields), f"{table} and the oracle")

        again = runs.migrate()
        self.assertEqual((again["rows_changed"], again["copied"]), (0, 0), "a second migration changes nothing")
        self.assertEqual([t.table_id for t in client.list_tables(CENTRAL) if re.search("stg|lock", t.table_id)], [])
        self.assertEqual(list(client.list_rows(client.get_table(f"{client.project}.{CENTRAL}.reeve_staging"))), [], "nothing is left on its way")


@unittest.skipIf(MISSING, MISSING)
class Definitions(Emulated):
    def test_every_statement_of_our_schema_is_accepted_and_reads_back_equal(self):
        witness, client, runs = self.start()
        client.create_dataset("customers_metadata")
        printed = runs.run("schema", "print", "--engine", "bigquery").stdout
        statements = [s.strip() for s in re.sub(r"^--.*$", "", printed, flags=re.M).split(";\n") if s.strip()]
        self.assertGreaterEqual(len(statements), 7)
        for statement in statements:
            # The emulator wants the project in every name, and knows no IF NOT EXISTS on what is there.
            client.query(re.sub(r"\bcustomers_metadata\.", f"{client.project}.customers_metadata.", statement)).result()
        by_ddl = {t.table_id: self.fields(client, "customers_metadata", t.table_id) for t in client.list_tables("customers_metadata")}

        other = Runs(runs.server, "by_rest")
        other.run("schema", "apply", "--to", other.store, "--yes", "--quiet")
        other.run("schema", "check", "--to", other.store, "--quiet")
        for table in witness.SEVEN:
            self.assertEqual(self.fields(client, "by_rest", table), by_ddl[table], table)

    @staticmethod
    def fields(client, dataset, table):
        """Without NOT NULL, which the emulator forgets of tables that were made by a statement; types by their standard names."""
        from values import STANDARD
        return [(f.name, STANDARD[f.field_type], f.mode == "REPEATED") for f in client.get_table(f"{client.project}.{dataset}.{table}").schema]


if __name__ == "__main__":
    if MISSING:
        print(f"skipped: {MISSING}")
    testing.main()
