#!/usr/bin/env python3
"""`reeve serve`, killed at random moments under load: whatever was acknowledged is there afterwards, once, and nothing that nobody asked for.

REEVE_KILLS: how many kills, of which a fifth are made here; REEVE_KILL_SEED repeats a run.
"""

import http.client
import json
import random
import sqlite3
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import kill_harness  # noqa: E402
import serve_harness as harness  # noqa: E402
from kill_harness import SEED  # noqa: E402
from serve_harness import ADMIN_TOKEN, KILLS, Server, Template, key_of, run  # noqa: E402

import testing  # noqa: E402

ROUNDS = max(4, KILLS // 5)
CLIENTS = 6
RUNS = "/api/v1/pipeline-runs"
LIMITED = "narrow"  # 2 runs at a time
OPEN, DONE, TAKEN_BACK = "reserved", "completed", "cancelled"


class Ledger:
    """What one client knows of its runs: what was acknowledged, and what was asked and not answered."""

    def __init__(self):
        self.acknowledged = {}  # run: (state, fence, compute_ms)
        self.in_doubt = {}      # run: (verb, body)


class Client(threading.Thread):
    def __init__(self, server, number, round_, seed, ledger, tenant):
        super().__init__()
        self.server, self.name_of, self.random, self.ledger, self.tenant = server, f"c{number}-r{round_}", random.Random(seed), ledger, tenant
        self.refused, self.wrong = 0, None

    def ask(self, connection, verb, run_id, body):
        path = RUNS if verb == "reserve" else f"{RUNS}/{run_id}/{verb}"
        self.ledger.in_doubt[run_id] = (verb, body)
        connection.request("POST", path, json.dumps(body), {"X-API-Key": key_of(self.tenant), "Content-Type": "application/json"})
        response = connection.getresponse()
        document = json.loads(response.read())
        del self.ledger.in_doubt[run_id]
        return response.status, document

    def run(self):
        try:
            connection = http.client.HTTPConnection(*self.server.address, timeout=20)
            for i in range(1_000_000):
                self.step(connection, f"{self.name_of}-{i}")
        except (OSError, http.client.HTTPException):
            pass  # killed
        except AssertionError as error:
            self.wrong = error

    def step(self, connection, run_id):
        status, document = self.ask(connection, "reserve", run_id, {"run_id": run_id, "pipeline_id": "kill", "ttl_seconds": 3600})
        if status == 429:
            self.refused += 1
            return
        assert status == 201, (status, document)
        fence = document["fence"]
        self.ledger.acknowledged[run_id] = (OPEN, fence, None)
        choice = self.random.random()
        if self.tenant == LIMITED or choice < 0.5:
            compute = self.random.randrange(1, 100_000)
            status, document = self.ask(connection, "complete", run_id, {"fence": fence, "compute_ms": compute})
            assert status == 200 and document["compute_ms"] == compute, (status, document)
            self.ledger.acknowledged[run_id] = (DONE, fence, compute)
        elif choice < 0.7:
            status, document = self.ask(connection, "cancel", run_id, {"fence": fence})
            assert status == 200, (status, document)
            self.ledger.acknowledged[run_id] = (TAKEN_BACK, fence, None)


class Kills(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"seed {SEED} (REEVE_KILL_SEED={SEED} repeats it), {ROUNDS} kills", flush=True)

    def test_acknowledged_effects_are_there_once_after_every_kill(self):
        ledgers = [Ledger() for _ in range(CLIENTS)]
        tenants = [LIMITED if n == 0 else f"load{n - 1}" for n in range(CLIENTS)]
        status = "suspended"
        with Server() as server:
            acknowledged, doubtful, slowest = 0, 0, 0.0
            for round_ in range(ROUNDS):
                clients = [Client(server, n, round_, self.random.randrange(2**31), ledgers[n], tenants[n]) for n in range(CLIENTS)]
                for client in clients:
                    client.start()
                status, wanted = self.toggle(server, status, self.random.uniform(0.02, 0.4))
                server.kill()
                for client in clients:
                    client.join()
                    self.assertIsNone(client.wrong, f"round {round_}, seed {SEED}")
                began = time.monotonic()
                server.start()
                slowest = max(slowest, time.monotonic() - began)
                doubtful += sum(len(ledger.in_doubt) for ledger in ledgers)
                acknowledged += self.check(server, ledgers, tenants, f"-r{round_}-")
                now = server.ask("GET", "/authz", key_of("sleeping")).status
                self.assertIn(now, {200: [200], 403: [403]}[403 if status == "suspended" else 200] if wanted is None else (200, 403))
                status = "suspended" if now == 403 else "active"
            self.assertEqual(server.stop(), 0)
            print(f"{acknowledged} runs acknowledged, {doubtful} requests in doubt, slowest restart {slowest:.2f} s", flush=True)
            self.assertGreater(acknowledged, 10 * ROUNDS)
            self.assertLess(slowest, 10)
            self.final(server, ledgers, tenants)

    def toggle(self, server, status, seconds):
        """Suspends and activates a customer until the time is over: (last acknowledged status, the one in doubt)."""
        until = time.monotonic() + seconds
        connection = http.client.HTTPConnection(*server.address, timeout=20)
        while time.monotonic() < until:
            wanted = "active" if status == "suspended" else "suspended"
            body = json.dumps({"reason": "admin_request"} if wanted == "suspended" else {})
            connection.request("POST", f"/api/v1/customers/sleeping/{'suspend' if wanted == 'suspended' else 'activate'}", body,
                               {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.status, 200)
            status = wanted
        connection.close()
        return status, None

    def check(self, server, ledgers, tenants, mark):
        """Every run of this round is as acknowledged; what is in doubt is asked again, and then is as it was asked. The number of runs."""
        count = 0
        for ledger, tenant in zip(ledgers, tenants):
            connection = http.client.HTTPConnection(*server.address, timeout=20)

            def ask(method, path, body=None):
                connection.request(method, path, None if body is None else json.dumps(body), {"X-API-Key": key_of(tenant), "Content-Type": "application/json"})
                response = connection.getresponse()
                return response.status, json.loads(response.read())

            for run_id, (state, fence, compute) in list(ledger.acknowledged.items()):
                if mark not in run_id:
                    continue
                count += 1
                code, found = ask("GET", f"{RUNS}/{run_id}")
                self.assertEqual(code, 200, f"{run_id} was acknowledged and is gone (seed {SEED})")
                pending = ledger.in_doubt.get(run_id)
                allowed = {state} | ({DONE} if pending and pending[0] == "complete" else {TAKEN_BACK} if pending and pending[0] == "cancel" else set())
                self.assertIn(found["state"], allowed, f"{run_id}, seed {SEED}")
                self.assertEqual(found["fence"], fence)
                if compute is not None:
                    self.assertEqual(found["compute_ms"], compute)
            for run_id, (verb, body) in list(ledger.in_doubt.items()):
                code, found = ask("POST", RUNS if verb == "reserve" else f"{RUNS}/{run_id}/{verb}", body)
                if code == 429:  # was not there, and there is no room now
                    self.assertEqual((verb, tenant), ("reserve", LIMITED))
                else:
                    self.assertIn(code, (200, 201), f"{verb} {run_id}: {found}")
                    ledger.acknowledged[run_id] = (found["state"], found["fence"], found.get("compute_ms"))
                del ledger.in_doubt[run_id]
            if tenant == LIMITED:  # let go what a kill left open, so that the next round finds room
                for run_id, (state, fence, _) in list(ledger.acknowledged.items()):
                    if state == OPEN:
                        code, found = ask("POST", f"{RUNS}/{run_id}/cancel", {"fence": fence})
                        self.assertEqual(code, 200, found)
                        ledger.acknowledged[run_id] = (TAKEN_BACK, fence, None)
            connection.close()
        return count

    def final(self, server, ledgers, tenants):
        """The store's own tables say the same, and a recount finds no difference."""
        with sqlite3.connect(server.file) as database:
            stored = {}
            for tenant, run_id, state in database.execute("SELECT tenant_id, run_id, state FROM reeve_runs"):
                self.assertNotIn((tenant, run_id), stored)
                stored[(tenant, run_id)] = state
            counts = {tenant: (runs, running) for tenant, runs, running in database.execute(
                "SELECT tenant_id, pipelines_run_count, pipelines_running_count FROM customer_usage WHERE usage_month = (SELECT max(usage_month) FROM customer_usage)")}
        numbers = {OPEN: 1, DONE: 2, TAKEN_BACK: 3}
        known = {(tenant, run_id): numbers[state] for ledger, tenant in zip(ledgers, tenants) for run_id, (state, _, _) in ledger.acknowledged.items()}
        self.assertEqual({name: state for name, state in stored.items() if state != 5}, known)
        for tenant in {*tenants}:
            states = [state for (t, _), state in known.items() if t == tenant]
            self.assertEqual(counts[tenant], (len(states), sum(s == 1 for s in states)), tenant)
        repair = json.loads(run("repair", "usage", "--store", f"sqlite:{server.file}", "--dry-run", "-o", "json", expect=(0,)).stdout)
        self.assertEqual((repair["repairs"], repair["left_alone"]), ([], []))
        doctor = json.loads(run("doctor", "--store", f"sqlite:{server.file}", "-o", "json", expect=(3,)).stdout)
        self.assertEqual([c["name"] for c in doctor["checks"] if c["state"] == "failed"], ["One current subscription for every customer"], "unsubscribed is made so")
        for name in ("Counters equal the ledger", "Fences in order", "Audit chain of the ledger whole", "Audit trail whole", "Store sound"):
            self.assertIn("ok", [c["state"] for c in doctor["checks"] if c["name"] == name], name)

    def test_two_kills_in_a_row_lose_nothing_either(self):
        with Server() as server:
            for i in range(4):
                self.assertEqual(server.reserve(f"r{i}").status, 201)
                server.kill()
                server.start()
                server.kill()  # while it may still be looking at what the first left
                server.start()
            for i in range(4):
                self.assertEqual(server.reserve(f"r{i}").status, 200)
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    testing.main()
