#!/usr/bin/env python3
"""Defects of the guide's scripts that only the whole program can be free of (tests/defects.md has all of them)."""

import gzip
import hashlib
import json
import re
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import kill_harness as harness  # noqa: E402
from kill_harness import AS_OF, ENVIRONMENT, ROOT, run  # noqa: E402

import testing  # noqa: E402

HEX64 = re.compile(r"[0-9a-f]{64}")


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Small:
    """An estate of 60 tenants with poison, migrated once."""

    made = None

    def __init__(self):
        self.folder = harness.workspace()
        self.estate = self.folder / "estate"
        self.sampled = run("sample", "--tenants", 60, "--seed", 11, "--poison", "0.01", "--as-of", AS_OF, "--out", f"export:{self.estate}", "--quiet",
                           expect=(0,))
        self.store = harness.Store(self.folder / "store")
        self.report = self.store.migrate(self.estate, expect=(3,))
        self.tables = {name: [json.loads(line) for line in data.splitlines()] for name, data in self.store.exported().items()}
        self.keys = lines(f"{self.estate}.expected/keys.json")

    @classmethod
    def get(cls):
        cls.made = cls.made or cls()
        return cls.made


class GuideDefects(unittest.TestCase):
    def setUp(self):
        self.small = Small.get()

    def explain(self, text):
        done = subprocess.run([str(harness.REEVE), "explain", "key", "-", "--store", self.small.store.url, "--from", f"export:{self.small.estate}", "-o", "json"],
                              input=text, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
        self.assertIn(done.returncode, (0, 5), done.stderr)
        return json.loads(done.stdout)

    def keys_with(self, verdict):
        """Plain keys of the sample; those that look like a hash are for --api-key-column-holds-hash."""
        return [k for k in self.small.keys if k["verdict"] == verdict and not HEX64.fullmatch(k["key"])]

    def write_tenant(self, estate, tenant="acme", key_rows=(), record=None):
        """A tenant of one key, no credential and no run, in an estate of its own."""
        folder = Path(estate, tenant)
        folder.mkdir(parents=True)
        rows = key_rows or [{"api_key_id": "k1", "tenant_id": tenant, "api_key_hash": hashlib.sha256(b"k").hexdigest(), "created_at": "2026-01-05 10:00:00 UTC",
                             "is_active": True}]
        tables = {"x_meta_api_keys": rows, "x_meta_cloud_credentials": [], "x_meta_pipeline_runs": [], **({"x_meta_tenants": [record]} if record else {})}
        for table, content in tables.items():
            (folder / f"{table}-000000000000.json").write_text("".join(json.dumps(row) + "\n" for row in content))
        return estate

    def migrate(self, name, estate, *options, expect=(0,)):
        store = harness.Store(self.small.folder / name)
        run(*store.migrate_command(estate), *options, expect=expect)
        return store, {table: [json.loads(line) for line in data.splitlines()] for table, data in store.exported().items()}

    def test_006_a_backup_says_when_and_from_where_it_is(self):
        target = self.small.folder / "backup"
        run("backup", "--from", f"export:{self.small.estate}", "--out", target, "--quiet", expect=(0, 3))
        manifest = json.loads((target / "manifest.json").read_text())
        said = json.dumps(manifest)
        self.assertIn(f"export:{self.small.estate}", said)
        self.assertRegex(said, r'"as_of": "20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d')

    def test_009_the_program_runs_with_nothing_set_up(self):
        done = subprocess.run([str(harness.REEVE), "version"], capture_output=True, text=True, env={}, cwd="/", timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_010_every_command_that_is_documented_exists(self):
        help_text = run("help", expect=(0,)).stdout
        code = re.compile(r"^```.*?^```|`[^`\n]+`", re.S | re.M)
        named = {command for document in ("README.md", "docs/migration.md") for block in code.findall((ROOT / document).read_text())
                 for command in re.findall(r"(?:^|[`$|]) *reeve +([a-z]+)", block, re.M)}
        self.assertGreater(len(named), 10)
        for command in sorted(named):
            self.assertRegex(help_text, rf"\b{command}\b", f"'reeve {command}' is documented")

    def test_011_settings_come_from_flag_environment_and_file_in_this_order(self):
        folder = self.small.folder / "settings"
        folder.mkdir()
        (folder / "reeve.toml").write_text('default_plan = "starter"\nusage_months = 3\nabandoned_after = "2h"\n')

        def origin(*flags, **variables):
            done = subprocess.run([str(harness.REEVE), "config", "show", "--origin", *flags], capture_output=True, text=True, cwd=folder,
                                  env={**ENVIRONMENT, **variables}, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        self.assertRegex(origin(), r"default_plan\s+starter\s.*reeve\.toml")
        self.assertRegex(origin(REEVE_DEFAULT_PLAN="enterprise"), r"default_plan\s+enterprise\s.*REEVE_DEFAULT_PLAN")
        self.assertNotRegex((ROOT / "src" / "cli" / "settings.cc").read_text(), r"gac-prod|customers_metadata")

    def test_018_both_places_of_a_plan_agree(self):
        plans = {c["customer_id"]: c["subscription_plan"] for c in self.small.tables["customers"]}
        current = {s["customer_id"]: s["plan_name"] for s in self.small.tables["customer_subscriptions"] if "billing_cycle_end" not in s}
        self.assertGreater(len(set(plans.values())), 1)
        self.assertEqual(plans, current)

    def test_041_a_bad_row_costs_that_row_and_the_exit_code_says_so(self):
        expected = {(d["tenant_id"], d["dataset"], d["table_name"], d["part"], d["line"], d["reason"])
                    for d in lines(f"{self.small.estate}.expected/dead_letters.json")}
        found = harness.rows_of(self.small.store.dead_letters())
        self.assertEqual(set(found), expected)
        self.assertGreater(len(found), 10)
        tenants_hurt = {d[0] for d in found} & {c["tenant_id"] for c in self.small.tables["customers"]}
        self.assertGreater(len(tenants_hurt), 3, "tenants with a bad row arrive")

    def test_043_one_can_look_first_and_begin_small(self):
        store = harness.Store(self.small.folder / "small")
        command = store.migrate_command(self.small.estate)
        preview = json.loads(run(*command, "--dry-run", expect=(0,)).stdout)
        self.assertEqual(preview["tenants"], self.small.report["tenants"])
        self.assertEqual(list(store.folder.glob("central.db*")), [], "a dry run leaves no file")
        self.assertEqual(json.loads(run("plan", "--from", f"export:{self.small.estate}", "--limit", 3, "-o", "json", expect=(0, 3)).stdout)["tenants"], 3)
        name = self.small.tables["customers"][0]["tenant_id"]
        self.assertEqual(json.loads(run(*command, "--only", name, expect=(0, 3)).stdout)["tenants"], 1)
        self.assertEqual(store.tenants_in("verified", "copied"), 1)

    def test_044_without_a_terminal_it_refuses_instead_of_asking(self):
        store = harness.Store(self.small.folder / "unasked")
        for command in (["migrate", "--from", f"export:{self.small.estate}", "--to", store.url],
                        ["rollback", "--all", "--to", self.small.store.url],
                        ["repair", "usage", "--store", self.small.store.url]):
            done = run(*command)
            if done.returncode != 0:  # nothing to repair needs no answer
                self.assertEqual(done.returncode, 6, f"{command}: {done.stderr}")
                self.assertIn("--yes", done.stderr)
        self.assertFalse(store.file.exists())

    def test_045_failures_have_their_own_exit_codes(self):
        missing = self.small.folder / "missing"
        self.assertEqual(run("status", "--to", f"sqlite:{missing}").returncode, 10)
        self.assertEqual(run("plan", "--from", f"export:{missing}").returncode, 5)
        self.assertEqual(run("migrate", "--no-such-flag").returncode, 2)
        self.assertEqual(run("explain", "key", "00" * 32, "--store", self.small.store.url).returncode, 5)

    def test_047_every_report_is_there_for_programs(self):
        store, estate = self.small.store.url, f"export:{self.small.estate}"
        for command in (["plan", "--from", estate], ["status", "--to", store], ["doctor", "--store", store], ["verify", "--from", estate, "--to", store],
                        ["schema", "check", "--to", store], ["version"]):
            done = run(*command, "-o", "json", expect=(0, 3))
            report = json.loads(done.stdout)
            self.assertEqual(report["format"], 1, command)
        manifest = json.loads((self.small.store.folder / "export" / "manifest.json").read_text())
        for table in manifest["tables"]:
            data = (self.small.store.folder / "export" / f"{table['table']}.json").read_bytes()
            self.assertEqual((table["rows"], table["sha256"]), (data.count(b"\n"), hashlib.sha256(data).hexdigest()))

    def test_048_an_interrupted_run_keeps_its_instant(self):
        store = harness.Store(self.small.folder / "instant")
        first = [a for a in store.migrate_command(self.small.estate) if a not in ("--as-of", AS_OF)]
        for _ in range(50):
            process = subprocess.Popen([str(harness.REEVE), *first], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
            while process.poll() is None and not store.records():
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.wait()
            begun = [r["as_of"] for r in store.records() if r["type"] == "begin"]
            if begun and not any(r["type"] == "end" for r in store.records()):
                break
            store.remove()
            store.folder.mkdir()
        self.assertEqual(json.loads(run(*first, expect=(0, 3)).stdout)["as_of"][:19], begun[0][:19])
        instants = {row[0] for row in store.rows("SELECT DISTINCT as_of FROM reeve_tenants")}
        self.assertEqual(len(instants), 1)

    def test_054_unlimited_and_zero_are_two_things(self):
        estate = self.write_tenant(self.small.folder / "quota-estate")
        plans = self.small.folder / "plans.toml"
        plans.write_text('[tenants.acme]\nplan = "professional"\nmonthly_pipeline_quota = "unlimited"\nconcurrent_pipeline_quota = 0\n')
        _, tables = self.migrate("quota", estate, "--plans", plans)
        subscription = tables["customer_subscriptions"][0]
        self.assertNotIn("monthly_pipeline_quota", subscription, "unlimited is NULL")
        self.assertEqual(int(subscription["concurrent_pipeline_quota"]), 0)
        self.assertEqual(int(subscription["storage_quota_gb"]), 500)

    def test_055_a_subscription_invents_nothing(self):
        customers = {c["customer_id"]: c for c in self.small.tables["customers"]}
        for subscription in self.small.tables["customer_subscriptions"]:
            self.assertFalse(subscription["auto_renew"])
            self.assertEqual([name for name in subscription if name.startswith("stripe")], [])
            self.assertEqual(subscription["billing_cycle_start"], customers[subscription["customer_id"]]["created_at"][:10])

    def test_082_a_failed_tenant_has_its_event(self):
        estate = self.write_tenant(self.small.folder / "failed-estate")
        table = estate / "acme" / "x_meta_pipeline_runs-000000000000.json"
        table.unlink()
        Path(f"{table}.gz").write_bytes(gzip.compress(b'{"a":1}\n' * 1000)[:40])
        self.write_tenant(estate, "globex", key_rows=[{"api_key_id": "k2", "tenant_id": "globex", "api_key_hash": "ab" * 32,
                                                       "created_at": "2026-01-05 10:00:00 UTC", "is_active": False}])
        _, tables = self.migrate("failed", estate, expect=(3,))
        self.assertEqual([c["tenant_id"] for c in tables["customers"]], ["globex"])
        events = [(e["tenant_id"], e["event_type"], e["result"]) for e in tables["customer_audit_logs"] if e["tenant_id"] == "acme"]
        self.assertEqual(events, [("acme", "customer.migration_failed", "failure")])

    def test_085_a_key_and_its_hash_get_the_same_answer(self):
        asked = 0
        for verdict, accepted in (("active", True), ("revoked", False), ("expired", False), ("unknown", False)):
            for key in self.keys_with(verdict)[:4]:
                by_key, by_hash = self.explain(key["key"]), self.explain(hashlib.sha256(key["key"].encode()).hexdigest())
                self.assertEqual(by_key["hash"], hashlib.sha256(key["key"].encode()).hexdigest())
                self.assertEqual(by_key["verdicts"], by_hash["verdicts"])
                central = next(v for v in by_key["verdicts"] if v["phase"] == "central")
                if key.get("customer_status", "active") == "active":
                    self.assertEqual(central["accepted"], accepted, (key, central))
                    asked += 1
        self.assertGreater(asked, 5)

    def test_086_no_plain_key_is_in_anything_that_was_written(self):
        run("verify", "--from", f"export:{self.small.estate}", "--to", self.small.store.url, "--certificates", self.small.store.folder / "certificates",
            expect=(0, 3))
        self.small.store.exported()
        # 64 hex digits stand for themselves in the column of hashes where they are one.
        secrets = [k["key"] for k in self.small.keys if not HEX64.fullmatch(k["key"]) and len(k["key"]) >= 16]
        self.assertGreater(len(secrets), 10)
        written = b"".join(p.read_bytes() for p in self.small.store.folder.rglob("*") if p.is_file())
        reports = "".join(run(*command, "--details").stdout + run(*command, "--details", "-o", "json").stdout for command in (
            ["plan", "--from", f"export:{self.small.estate}"], ["status", "--to", self.small.store.url])).encode()
        for secret in secrets:
            for text in (secret.encode(), secret.encode().hex().encode()):
                self.assertNotIn(text, written)
                self.assertNotIn(text, reports)
        estate = b"".join(p.read_bytes() for p in self.small.estate.rglob("*.json"))
        self.assertTrue(any(s.encode() in estate for s in secrets), "the estate does hold plain keys")

    def test_088_a_suspended_customers_key_is_refused(self):
        asked = 0
        for key in self.keys_with("active"):
            if key.get("customer_status") == "suspended":
                verdict = next(v for v in self.explain(key["key"])["verdicts"] if v["phase"] == "central")
                self.assertEqual((verdict["accepted"], verdict["code"]), (False, "CUSTOMER_SUSPENDED"))
                asked += 1
        if asked == 0:
            self.fail("the sample shows no active key of a suspended customer; take another seed")

    def test_110_status_and_doctor_answer_from_the_store(self):
        status = json.loads(run("status", "--to", self.small.store.url, "-o", "json", expect=(0,)).stdout)
        self.assertEqual(status["by_phase"].get("verified"), self.small.report["verified"])
        self.assertIn("ok", status["journal"])
        doctor = json.loads(run("doctor", "--store", self.small.store.url, "-o", "json", expect=(0, 3)).stdout)
        self.assertGreater(len(doctor["checks"]), 10)
        for check in doctor["checks"]:
            self.assertTrue(check["evidence"], check)

    def test_111_usage_is_recounted_with_a_dry_run_first(self):
        store = harness.Store(self.small.folder / "recount")
        run(*store.migrate_command(self.small.estate), expect=(3,))
        before = store.exported()["customer_usage"]
        self.damage_usage(store)
        damaged = store.exported()["customer_usage"]
        self.assertNotEqual(damaged, before)
        run("repair", "usage", "--store", store.url, "--dry-run", "--as-of", AS_OF, expect=(0, 3))
        self.assertEqual(store.exported()["customer_usage"], damaged, "a dry run changes nothing")
        run("repair", "usage", "--store", store.url, "--yes", "--as-of", AS_OF, expect=(0, 3))
        def counts(data):
            return [(r["usage_id"], r["pipelines_run_count"]) for r in map(json.loads, data.splitlines())]
        self.assertEqual(counts(store.exported()["customer_usage"]), counts(before))

    @staticmethod
    def damage_usage(store):
        import sqlite3
        with sqlite3.connect(store.file) as database:
            database.execute("UPDATE customer_usage SET pipelines_run_count = pipelines_run_count * 2 WHERE pipelines_run_count > 0")
        database.close()


if __name__ == "__main__":
    testing.main()
