#!/usr/bin/env python3
"""`reeve serve`, the real program over a migrated store: every route, every denial, idempotency, what is durable, TLS, drain."""

import hashlib
import http.client
import json
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import kill_harness  # noqa: E402
import serve_harness as harness  # noqa: E402
from serve_harness import ADMIN_TOKEN, ENVIRONMENT, IDENTITY, REEVE, Raw, Server, Template, ask, key_of, run, special_key  # noqa: E402

import testing  # noqa: E402

RUNS = "/api/v1/pipeline-runs"


class Schemas:
    """Checks answers against /openapi.json: as much of JSON Schema as that document uses."""

    def __init__(self, document):
        self.document = document

    def check(self, answer, path, method):
        operation = self.document["paths"][path][method]
        described = operation["responses"].get(str(answer.status))
        assert described is not None, f"{method} {path} answers {answer.status}, which is not in the document"
        content = described.get("content")
        if content:
            (schema,) = [c["schema"] for c in content.values()]
            self.value(answer.json(), schema, f"{method} {path} {answer.status}")

    def value(self, value, schema, where):
        if "$ref" in schema:
            return self.value(value, self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], where)
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        names = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}
        assert type(value) in [names[t] for t in types], f"{where}: {value!r} is no {types}"
        if "enum" in schema:
            assert value in schema["enum"], f"{where}: {value!r} is none of {schema['enum']}"
        if isinstance(value, dict):
            missing = set(schema.get("required", [])) - set(value)
            assert not missing, f"{where}: without {missing}"
            for name, member in value.items():
                assert name in schema["properties"], f"{where}: {name} is not declared"
                self.value(member, schema["properties"][name], f"{where}.{name}")
        if isinstance(value, list):
            for item in value:
                self.value(item, schema["items"], where)
        return None


class Ended(subprocess.Popen):
    """A process that does not outlive its block, whatever happens in it."""

    def __exit__(self, *exception):
        if self.poll() is None:
            self.kill()
        return super().__exit__(*exception)


class Serving(unittest.TestCase):
    """One server for the tests that do not disturb it; each takes tenants or ids of its own."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.schemas = Schemas(cls.server.ask("GET", "/openapi.json").json())

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        assert code == 0, f"exit {code}: {cls.server.errors()}"

    def check(self, answer, status, code=None):
        self.assertEqual(answer.status, status, answer)
        if code is not None:
            self.assertEqual(answer.get("Content-Type"), "application/problem+json")
            self.assertEqual(answer.code(), code, answer)
            self.assertEqual(answer.json()["request_id"], answer.get("X-Request-Id"))
        return answer

    def test_whoever_comes_in_is_named_to_a_gateway_in_full(self):
        answer = self.check(self.server.ask("GET", "/authz/scope/pipelines:write", key_of("acme")), 200)
        expected = {"X-Customer-Id": Template.get().customers["acme"], "X-Tenant-Id": "acme", "X-Plan": "professional",
                    "X-Key-Id": Template.get().key_ids["acme"], "X-Scopes": "pipelines:read,pipelines:write,usage:read"}
        self.assertEqual({name: answer.get(name) for name in IDENTITY}, expected)
        self.assertEqual((answer.body, answer.get("Content-Length")), (b"", "0"))
        self.assertIsNone(answer.get("Server"))
        as_bearer = self.server.ask("GET", "/authz", headers={"Authorization": f"Bearer {key_of('acme')}"})
        self.assertEqual(as_bearer.get("X-Tenant-Id"), "acme")

    DENIALS = [
        ("nobody's", "sk_test_nobody", 401, "INVALID_API_KEY"),
        ("revoked", special_key("revoked"), 401, "INVALID_API_KEY"),
        ("expired", special_key("expired"), 401, "INVALID_API_KEY"),
        ("of a suspended customer", key_of("sleeping"), 403, "CUSTOMER_SUSPENDED"),
        ("of a cancelled customer", key_of("gone"), 403, "CUSTOMER_SUSPENDED"),
        ("without a subscription", key_of("unsubscribed"), 403, "SUBSCRIPTION_INACTIVE"),
        ("without the scope", special_key("reader"), 403, "INSUFFICIENT_SCOPE"),
    ]

    def test_every_denial_is_the_same_at_every_door(self):
        for what, key, status, code in self.DENIALS:
            with self.subTest(what):
                plain = self.check(self.server.ask("GET", "/authz/scope/pipelines:write", key), status, code)
                self.assertEqual(plain.get("WWW-Authenticate") is not None, status == 401)
                self.check(self.server.ask("DELETE", "/authz/scope/pipelines:write/envoy/v1/things?a=b", key), status, code)
                self.check(self.server.ask("POST", "/api/v1/authorize", key, {"scope": "pipelines:write"}), status, code)
                self.check(self.server.ask("POST", RUNS, key, {"run_id": f"denied {what}"}), status, code)
                first = self.server.ask("GET", "/authz/scope/pipelines:write/nginx", key)
                self.assertEqual((first.status, first.get("X-Authz-Status")), (status, str(status)))
                replay = self.server.ask("GET", "/authz/nginx/denied", headers={"X-Authz-Denial": first.get("X-Authz-Denial")})
                self.assertEqual((replay.status, replay.code()), (status, code))
                self.assertIsNone(replay.get("WWW-Authenticate"))
        for headers in ({}, {"X-API-Key": ""}, {"Authorization": "Basic abc"}, {"X-API-Key": "a\tb"}):
            self.check(self.server.ask("GET", "/authz", headers=headers), 401, "INVALID_API_KEY")

    def test_all_refused_keys_are_told_the_same(self):
        bodies = set()
        for key in ("sk_test_nobody", special_key("revoked"), special_key("expired"), "x" * 600):
            document = self.server.ask("GET", "/authz", key).json()
            del document["timestamp"], document["request_id"]
            bodies.add(json.dumps(document, sort_keys=True))
        self.assertEqual(len(bodies), 1)

    def test_explain_key_says_what_the_server_says(self):
        keys = {key for _, key, _, code in self.DENIALS if code != "INSUFFICIENT_SCOPE"} | {key_of("acme"), special_key("reader")}
        for key in sorted(keys):
            served = self.server.ask("POST", "/api/v1/authorize", key, {"cost": 0})
            done = subprocess.run([str(REEVE), "explain", "key", "-", "--store", f"sqlite:{self.server.file}", "-o", "json"], input=key, capture_output=True, text=True,
                                  env=ENVIRONMENT, timeout=60)
            (verdict,) = [v for v in json.loads(done.stdout)["verdicts"] if v["phase"] == "final"]
            self.assertEqual(verdict["accepted"], served.status == 200, key)
            self.assertEqual(verdict["code"] or None, None if served.status == 200 else served.code(), key)

    def test_a_run_from_reservation_to_completion(self):
        key = key_of("acme")
        made = self.check(self.server.ask("POST", RUNS, key, {"run_id": "life/1", "pipeline_id": "daily", "ttl_seconds": 120}), 201)
        run_ = made.json()
        self.assertEqual((run_["state"], run_["pipeline_id"], run_["ttl_seconds"]), ("reserved", "daily", 120))
        self.assertEqual(run_["quota"]["limit"], 5000)
        again = self.check(self.server.ask("POST", RUNS, key, {"run_id": "life/1", "pipeline_id": "daily", "ttl_seconds": 120}), 200)
        self.assertEqual((again.body, again.get("Idempotent-Replayed")), (made.body, "true"))
        self.check(self.server.ask("POST", RUNS, key, {"run_id": "life/1", "pipeline_id": "other"}), 422, "IDEMPOTENCY_CONFLICT")
        self.check(self.server.ask("GET", f"{RUNS}/life%2F1", key), 404, "RESOURCE_NOT_FOUND")  # a slash in a path cannot be told from one between parts
        made = self.check(self.server.ask("POST", RUNS, key, {"run_id": "life 2"}), 201).json()
        at = f"{RUNS}/life%202"
        beat = self.check(self.server.ask("POST", f"{at}/heartbeat", key, {"fence": made["fence"], "ttl_seconds": 3600}), 200).json()
        self.assertGreater(beat["expires_at"], made["expires_at"])
        self.check(self.server.ask("POST", f"{at}/complete", key, {"fence": made["fence"] + 1000}), 409, "STALE_FENCE")
        done = self.check(self.server.ask("POST", f"{at}/complete", key, {"fence": made["fence"], "outcome": "failed", "compute_ms": 1234}), 200)
        self.assertEqual((done.json()["state"], done.json()["outcome"], done.json()["compute_ms"]), ("completed", "failed", 1234))
        self.assertEqual(self.server.ask("POST", f"{at}/complete", key, {"fence": made["fence"], "outcome": "failed", "compute_ms": 1234}).status, 200)
        self.check(self.server.ask("POST", f"{at}/cancel", key, {}), 409, "RUN_ENDED")
        self.check(self.server.ask("GET", at, key), 200)
        other = self.check(self.server.ask("POST", RUNS, key, {"run_id": "life 3"}), 201).json()
        self.assertEqual(self.server.ask("POST", f"{RUNS}/life%203/cancel", key, {"fence": other["fence"]}).json()["state"], "cancelled")

    def test_another_customers_run_is_like_none(self):
        self.server.reserve("mine", "acme")
        headers = {"X-Request-Id": "one-id"}
        foreign = self.server.ask("GET", f"{RUNS}/mine", key_of("roomy"), headers=headers)
        unknown = self.server.ask("GET", f"{RUNS}/none", key_of("roomy"), headers=headers)
        self.assertEqual((foreign.status, unknown.status), (404, 404))
        a, b = foreign.json(), unknown.json()
        for document in (a, b):
            del document["timestamp"], document["instance"]
        self.assertEqual(a, b)
        for verb in ("heartbeat", "complete", "cancel"):
            self.check(self.server.ask("POST", f"{RUNS}/mine/{verb}", key_of("roomy"), {"fence": 1}), 404, "RESOURCE_NOT_FOUND")
        self.assertEqual(self.server.ask("POST", RUNS, key_of("roomy"), {"run_id": "mine", "pipeline_id": "own"}).status, 201, "ids are a customer's own")

    def test_concurrent_and_monthly_quotas_and_refusals_that_stay(self):
        runs = [self.check(self.server.reserve(f"t{i}", "tiny"), 201).json() for i in range(2)]
        refused = self.check(self.server.reserve("t2", "tiny"), 429, "CONCURRENT_LIMIT_REACHED")
        self.assertGreaterEqual(int(refused.get("Retry-After")), 1)
        self.assertEqual(self.server.ask("POST", f"{RUNS}/t0/complete", key_of("tiny"), {"fence": runs[0]["fence"]}).status, 200)
        self.check(self.server.reserve("t2", "tiny"), 429, "CONCURRENT_LIMIT_REACHED")  # a refused id stays refused
        runs.append(self.check(self.server.reserve("t3", "tiny"), 201).json())
        for run_, name in zip(runs[1:], ("t1", "t3")):
            self.assertEqual(self.server.ask("POST", f"{RUNS}/{name}/complete", key_of("tiny"), {"fence": run_["fence"]}).status, 200)
        self.check(self.server.reserve("t4", "tiny"), 201)
        month = self.check(self.server.reserve("t5", "tiny"), 429, "QUOTA_EXCEEDED")
        self.assertGreater(int(month.get("Retry-After")), 0)
        self.check(self.server.reserve("b0", "blocked"), 429, "CONCURRENT_LIMIT_REACHED")
        self.check(self.server.reserve("f0", "full"), 429, "STORAGE_QUOTA_EXCEEDED")
        asked = self.server.ask("POST", "/api/v1/authorize", key_of("tiny"), {"run": True})
        self.check(asked, 429, "QUOTA_EXCEEDED")

    def test_rates_are_told_and_kept(self):
        answers = [self.server.ask("GET", "/authz", key_of("slow")) for _ in range(3)]
        self.assertEqual([a.get("RateLimit-Policy") for a in answers], ['"minute";q=100;w=60'] * 3)
        self.assertRegex(answers[0].get("RateLimit"), r'^"minute";r=99;t=\d+$')
        self.assertEqual(self.server.ask("GET", "/authz/cost/95", key_of("slow")).status, 200)
        limited = [a for a in (self.server.ask("GET", "/authz", key_of("slow")) for _ in range(20)) if a.status != 200]
        self.assertTrue(limited)
        self.check(limited[-1], 429, "RATE_LIMIT_EXCEEDED")
        self.assertGreaterEqual(int(limited[-1].get("Retry-After")), 1)
        self.check(self.server.reserve("r0", "slow"), 429, "RATE_LIMIT_EXCEEDED")
        api = self.server.ask("POST", "/api/v1/authorize", key_of("slow"), {})
        self.assertEqual(api.get("X-RateLimit-Limit"), "100")

    def test_bodies_are_judged_before_any_work(self):
        key = key_of("acme")
        for body, field, kind in [({"run_id": "x", "extra": 1}, "extra", "unknown"), ({"run_id": 5}, "run_id", "type_error"), ({}, "run_id", "missing"),
                                  ({"run_id": "x", "ttl_seconds": 10**6}, "ttl_seconds", "value_error"), ({"run_id": ""}, "run_id", "value_error"),
                                  ({"run_id": "a\nb"}, "run_id", "value_error"), ({"run_id": "x" * 201}, "run_id", "value_error")]:
            answer = self.check(self.server.ask("POST", RUNS, key, body), 400, "INVALID_REQUEST")
            self.assertEqual([(e["loc"], e["type"]) for e in answer.json()["errors"]], [(["body", field], kind)])
        for text in ('{"run_id":"x","run_id":"y"}', "[" * 100, '{"run_id":"\\ud800"}', "{", "\xff"):
            answer = self.server.ask("POST", RUNS, key, text.encode("latin-1"), {"Content-Type": "application/json"})
            self.check(answer, 400, "INVALID_REQUEST")
        self.check(self.server.ask("POST", RUNS, key, b"{}", {"Content-Type": "text/plain"}), 415, "UNSUPPORTED_MEDIA_TYPE")
        self.check(self.server.ask("POST", RUNS, key, b" " * 65537, {"Content-Type": "application/json"}), 413, "PAYLOAD_TOO_LARGE")
        self.check(self.server.ask("GET", f"{RUNS}/x", key), 404)

    def test_addresses_methods_and_secrets_in_addresses(self):
        self.check(self.server.ask("GET", "/nowhere"), 404, "RESOURCE_NOT_FOUND")
        self.assertEqual(self.check(self.server.ask("PUT", RUNS, key_of("acme")), 405, "METHOD_NOT_ALLOWED").get("Allow"), "POST")
        self.check(self.server.ask("TRACE", "/livez"), 405)
        leaked = self.check(self.server.ask("POST", f"/api/v1/authorize?api_key={key_of('acme')}", body={}), 401)
        leaked = self.check(self.server.ask("POST", f"/api/v1/authorize?api_key={key_of('acme')}", key_of("acme"), {}), 400, "INVALID_REQUEST")
        self.assertNotIn(key_of("acme"), leaked.body.decode())

    def test_every_described_answer_is_as_described(self):
        key = key_of("roomy")
        fence = self.server.reserve("d1", "roomy").json()["fence"]
        cases = [
            ("get", "/livez", "/livez", None, None), ("get", "/readyz", "/readyz?verbose", None, None), ("get", "/healthz", "/healthz", None, None),
            ("get", "/metrics", "/metrics", None, None), ("get", "/", "/", None, None), ("get", "/errors/{code}", "/errors/QUOTA_EXCEEDED", None, None),
            ("get", "/errors/{code}", "/errors/nothing", None, None), ("get", "/openapi.json", "/openapi.json", None, None),
            ("post", "/api/v1/authorize", "/api/v1/authorize", key, {"run": True, "scope": "usage:read"}), ("post", "/api/v1/authorize", "/api/v1/authorize", None, {}),
            ("post", RUNS, RUNS, key, {"run_id": "d2"}), ("post", RUNS, RUNS, key, {"run_id": "d2"}), ("post", RUNS, RUNS, key, {"run_id": "d2", "pipeline_id": "x"}),
            ("post", RUNS, RUNS, key_of("blocked"), {"run_id": "d2"}), ("post", RUNS, RUNS, key, {"nonsense": []}),
            ("get", RUNS + "/{run_id}", f"{RUNS}/d1", key, None), ("get", RUNS + "/{run_id}", f"{RUNS}/none", key, None),
            ("post", RUNS + "/{run_id}/heartbeat", f"{RUNS}/d1/heartbeat", key, {"fence": fence}),
            ("post", RUNS + "/{run_id}/complete", f"{RUNS}/d1/complete", key, {"fence": fence + 1}),
            ("post", RUNS + "/{run_id}/complete", f"{RUNS}/d1/complete", key, {"fence": fence}),
            ("post", RUNS + "/{run_id}/cancel", f"{RUNS}/d1/cancel", key, {}), ("get", RUNS + "/{run_id}", f"{RUNS}/d1", key, None),
        ]
        for method, pattern, target, with_key, body in cases:
            with self.subTest(f"{method} {target}"):
                self.schemas.check(self.server.ask(method.upper(), target, with_key, body), pattern, method)
        refused = self.server.ask("GET", RUNS + "/d2", key_of("blocked"))
        self.assertEqual((refused.status, refused.json()["state"], refused.json()["error_code"]), (200, "refused", "CONCURRENT_LIMIT_REACHED"))
        self.schemas.check(refused, RUNS + "/{run_id}", "get")

    def test_keep_alive_pipelining_and_old_clients(self):
        request = f"GET /authz HTTP/1.1\r\nHost: a\r\nX-API-Key: {key_of('roomy')}\r\n\r\n"
        with Raw(self.server.address) as raw:
            raw.send(request * 20)
            self.assertEqual([raw.answer().status for _ in range(20)], [200] * 20)
            body = json.dumps({"run_id": "pipelined"})
            raw.send(f"POST {RUNS} HTTP/1.1\r\nHost: a\r\nX-API-Key: {key_of('roomy')}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}" + request)
            self.assertEqual([raw.answer().status for _ in range(2)], [201, 200], "answers come in order")
            raw.send("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            self.assertEqual(raw.answer().get("Connection"), "close")
            self.assertTrue(raw.closed())
        with Raw(self.server.address) as raw:
            raw.send("GET /livez HTTP/1.0\r\n\r\n")
            self.assertEqual(raw.answer().status, 200)
            self.assertTrue(raw.closed())
        with Raw(self.server.address) as raw:
            raw.send("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            self.assertEqual(raw.answer().get("Connection"), "keep-alive")
            raw.send("HEAD /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n")
            head = raw.answer(bodiless=True)
            self.assertGreater(int(head.get("Content-Length")), 1000)
            raw.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(raw.answer().body, b"ok\n", "no body followed the answer to HEAD")

    def test_expectations_and_bodies_of_gateways(self):
        key = key_of("roomy")
        with Raw(self.server.address) as raw:
            body = json.dumps({"run_id": "expected"})
            raw.send(f"POST {RUNS} HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n")
            self.assertEqual(raw.answer().status, 100)
            raw.send(body)
            self.assertEqual(raw.answer().status, 201)
            # A gateway that passes its client's fields on without the body is answered at once.
            raw.send(f"POST /authz HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            self.assertEqual(raw.answer().status, 200)
            raw.send("bodyGET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(raw.answer().body, b"ok\n")
            raw.send(f"POST /authz HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n")
            answer = raw.answer()
            self.assertEqual((answer.status, answer.get("Connection")), (200, "close"))
            self.assertTrue(raw.closed())
        with Raw(self.server.address) as raw:
            raw.send(f"POST /api/v1/authorize HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            raw.send('5\r\n{"cos\r\n5\r\nt":0}\r\n0\r\n\r\n')
            self.assertEqual(raw.answer().status, 200)

    def test_a_gateway_may_send_a_long_head(self):
        for path, size, status in (("/authz", 60_000, 200), ("/api/v1/authorize", 20_000, 431), ("/authz", 70_000, 431)):
            with Raw(self.server.address) as raw:
                raw.send(f"GET {path} HTTP/1.1\r\nHost: a\r\nX-API-Key: {key_of('roomy')}\r\nX-Forwarded-Uri: /{'x' * size}\r\n\r\n")
                self.assertEqual(raw.answer().status, status, path)

    def test_figures_count_and_name_nobody(self):
        before = self.server.figures()
        self.server.ask("GET", "/authz", key_of("roomy"))
        self.server.ask("GET", "/authz", special_key("revoked"))
        after = self.server.figures()
        for name in ('reeve_decisions_total{outcome="allowed",code="OK"}', 'reeve_decisions_total{outcome="revoked_key",code="INVALID_API_KEY"}'):
            self.assertGreaterEqual(after[name], before[name] + 1)
        self.assertGreater(after["reeve_keys"], 10)
        text = self.server.ask("GET", "/metrics").body.decode()
        for name in [*Template.get().customers.values(), *Template.get().key_ids.values()]:
            self.assertNotIn(name, text)


class Durable(unittest.TestCase):
    def test_changes_of_administrators_count_at_once_and_stay(self):
        customers, keys = Template.get().customers, Template.get().key_ids
        with Server() as server:
            held = server.reserve("held").json()
            self.assertEqual(server.ask("POST", f"/api/v1/customers/{customers['acme']}/suspend", body={"reason": "payment_failed"}).status, 401)
            self.assertEqual(server.admin("POST", f"/api/v1/customers/{customers['acme']}/suspend", {"reason": "payment_failed", "note": "3 letters"}).json()["changed"], True)
            self.assertEqual(server.ask("GET", "/authz", key_of("acme")).status, 403)
            self.assertEqual(server.ask("POST", f"{RUNS}/held/complete", key_of("acme"), {"fence": held["fence"]}).status, 403)
            self.assertEqual(server.admin("POST", "/api/v1/customers/acme/suspend", {"reason": "payment_failed"}).json()["changed"], False, "by its tenant too")
            self.assertEqual(server.admin("POST", "/api/v1/customers/acme/activate", {}).status, 200)
            self.assertEqual(server.ask("GET", "/authz", key_of("acme")).status, 200)
            quotas = {"monthly_pipeline_quota": 1000, "concurrent_pipeline_quota": 1, "storage_quota_gb": None}
            self.assertEqual(server.admin("PATCH", "/api/v1/customers/blocked/subscription", quotas).status, 200)
            self.assertEqual(server.reserve("now", "blocked").status, 201)
            self.assertEqual(server.admin("POST", f"/api/v1/customers/acme/api-keys/{keys['spare']}/revoke", {}).json()["changed"], True)
            self.assertEqual(server.ask("GET", "/authz", special_key("spare")).status, 401)
            self.assertEqual(server.admin("POST", "/api/v1/customers/acme/api-keys/none/revoke", {}).status, 404)
            self.assertEqual(server.admin("POST", "/api/v1/customers/nobody/activate", {}).status, 404)
            self.assertEqual(server.admin("PATCH", "/api/v1/customers/acme/subscription", {"monthly_pipeline_quota": "1"}).status, 400)
            part = server.admin("PATCH", "/api/v1/customers/acme/subscription", {"concurrent_pipeline_quota": 1}).json()
            self.assertEqual(part, {"customer_id": "acme", "concurrent_pipeline_quota": 1, "changed": True})
            self.assertEqual(server.reserve("more").code(), "CONCURRENT_LIMIT_REACHED", "held takes the only slot")
            self.assertEqual(server.ask("POST", "/api/v1/authorize", key_of("acme"), {}).status, 200, "the other quotas are as they were")
            server.kill()
            server.start()
            self.assertEqual(server.ask("GET", "/authz", special_key("spare")).status, 401)
            self.assertEqual(server.reserve("now", "blocked").status, 200)
            self.assertEqual(server.reserve("more", "blocked").code(), "CONCURRENT_LIMIT_REACHED")
            self.assertEqual(server.stop(), 0)
            with sqlite3.connect(server.file) as database:
                database.row_factory = sqlite3.Row
                events = [dict(row) for row in database.execute("SELECT * FROM customer_audit_logs WHERE customer_id = ?", [customers["acme"]])]
            by_type = {event["event_type"]: event for event in events}
            for kind in ("customer.suspended", "customer.activated", "api_key.revoked"):
                self.assertIn("admin:tester", by_type[kind].values(), by_type[kind])
            self.assertEqual(json.loads(by_type["customer.suspended"]["metadata"])["facts"], {"reason": "payment_failed", "note": "3 letters"})

    def test_what_a_killed_server_has_promised_is_seen_by_whoever_reads_next(self):
        with Server() as server:
            self.assertEqual(server.reserve("promised", "roomy").status, 201)
            server.kill()
            self.assertNotEqual(list(server.file.parent.glob(f"{server.file.name}.commits-*")), [], "it had no time to bring it into the tables")
            exported = server.file.parent / "exported"
            kill_harness.run("export", "--store", f"sqlite:{server.file}", "--out", exported)
            events = [json.loads(line) for line in (exported / "customer_audit_logs.json").read_text().splitlines()]
            self.assertIn(("run.reserved", "promised"), [(event["event_type"], event.get("resource_id")) for event in events])
            self.assertEqual(list(server.file.parent.glob(f"{server.file.name}.commits-*")), [])
            server.start()
            self.assertEqual(server.reserve("promised", "roomy").status, 200)

    def test_the_chain_of_audit_events_is_checked_and_goes_on_in_an_imported_store(self):
        def chain_of(file):
            checks = json.loads(run("doctor", "--store", f"sqlite:{file}", "-o", "json", expect=(0, 3)).stdout)["checks"]
            (line,) = [check for check in checks if check["name"] == "Audit chain of the ledger whole"]
            return line["state"], line["evidence"]

        with Server() as server:
            self.assertEqual([server.reserve(f"r{i}", "roomy").status for i in range(5)], [201] * 5)
            busy = run("doctor", "--store", f"sqlite:{server.file}", expect=(11,))
            self.assertIn("reeve serve", busy.stderr)
            self.assertEqual(server.stop(), 0)
            self.assertEqual(chain_of(server.file), ("ok", "5 events in one chain, up to its mark"))
            exported, imported = server.folder / "exported", harness.folder() / "imported.db"
            run("export", "--store", f"sqlite:{server.file}", "--out", exported)
            run("migrate", "--from", f"export:{exported}", "--to", f"sqlite:{imported}", "--yes", expect=(0, 3))
            self.assertEqual(chain_of(imported), ("unknown", "the ledger's events 1 to 5 are one chain, and no mark says whether more followed"))
            with Server(store=imported) as other:
                self.assertIn("their chain goes on after event 5", other.errors())
                self.assertEqual(other.reserve("r5", "roomy").status, 201)
                self.assertEqual(other.stop(), 0)
            self.assertEqual(chain_of(imported), ("ok", "6 events in one chain, up to its mark"))
            with sqlite3.connect(imported) as database:
                self.assertEqual(database.execute("UPDATE customer_audit_logs SET actor_id = 'nobody' WHERE resource_id = 'r2'").rowcount, 1)
            self.assertEqual(chain_of(imported), ("failed", "event 3 of the ledger is not as it was written"))

    def test_uses_of_keys_are_counted_exactly(self):
        with Server() as server:
            with ThreadPoolExecutor(4) as pool:
                self.assertEqual(set(pool.map(lambda _: server.ask("GET", "/authz", key_of("roomy")).status, range(120))), {200})
            server.ask("GET", "/authz/cost/0", key_of("roomy"))
            server.ask("GET", "/authz/scope/none:such", key_of("roomy"))
            self.assertEqual(server.stop(), 0)
            with sqlite3.connect(server.file) as database:
                (count,) = database.execute("SELECT api_requests_count FROM customer_usage WHERE customer_id = ? ORDER BY usage_month DESC LIMIT 1",
                                            [Template.get().customers["roomy"]]).fetchone()
                (used,) = database.execute("SELECT last_used_at FROM customer_api_keys WHERE api_key_hash = ?",
                                           [hashlib.sha256(key_of("roomy").encode()).hexdigest()]).fetchone()
            self.assertEqual(count, 120)
            self.assertIsNotNone(used)

    def test_after_a_failed_commit_nothing_is_acknowledged_and_the_exit_is_74(self):
        probe, reason = kill_harness.strace()
        if probe is None:
            self.skipTest(reason)
        with Server() as server:
            server.stop()
            server.command = [*kill_harness.strace("-f", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=12+")[0],
                              *server.command]
            server.start()
            acknowledged, first_failure = [], None
            for i in range(200):
                try:
                    answer = server.reserve(f"r{i}", "roomy")
                except OSError:
                    break
                if answer.status == 201 and first_failure is None:
                    acknowledged.append(f"r{i}")
                else:
                    self.assertEqual(answer.status, 503, answer)
                    first_failure = first_failure or i
            self.assertEqual(server.process.wait(20), 74, server.errors())
            self.assertTrue(acknowledged)
            self.assertIn("a commit failed", server.errors())
            server.process.stdout.close()
            server.command = server.command[server.command.index(str(REEVE)):]
            server.start()
            for name in acknowledged:
                self.assertEqual(server.ask("GET", f"{RUNS}/{name}", key_of("roomy")).status, 200, name)


class Doors(unittest.TestCase):
    def test_tls_serves_and_nothing_older_than_1_2_comes_in(self):
        where = harness.folder()
        cert, key, context = harness.self_signed(where)
        with Server("--tls-cert", cert, "--tls-key", key, where=where) as server:
            self.assertTrue(server.facts["url"].startswith("https://"))
            answer = ask(server.address, "GET", "/authz", {"X-API-Key": key_of("acme")}, context=context)
            self.assertEqual(answer.status, 200)
            self.assertIsNotNone(answer.get("Strict-Transport-Security"))
            made = ask(server.address, "POST", RUNS, {"X-API-Key": key_of("acme")}, {"run_id": "by-tls"}, context=context)
            self.assertEqual(made.status, 201)
            with Raw(server.address, context=context) as raw:
                self.assertIn(raw.socket.version(), ("TLSv1.2", "TLSv1.3"))
                for _ in range(3):
                    raw.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * 5)
                    self.assertEqual([raw.answer().status for _ in range(5)], [200] * 5)
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            old.set_ciphers("ALL:@SECLEVEL=0")
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                Raw(server.address, context=old)
            with Raw(server.address) as raw:
                raw.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
                answer = raw.answer()
                self.assertTrue(answer is None or answer.status == 0, "plain HTTP is not served")
            self.assertEqual(server.stop(), 0)

    def test_others_are_not_let_in_without_tls(self):
        store = Template.get().copy(harness.folder())
        for options in (["--listen", ":0"], ["--admin-listen", "0.0.0.0:0"]):
            done = run("serve", "--store", f"sqlite:{store}", "--listen", "127.0.0.1:0", *options) if "--admin-listen" in options else \
                run("serve", "--store", f"sqlite:{store}", *options)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("--insecure-plaintext", done.stderr)
        self.assertEqual(run("serve", "--store", f"sqlite:{store}", "--listen", "nowhere").returncode, 2)
        self.assertEqual(run("serve", "--store", f"sqlite:{store}", "--tls-cert", "x").returncode, 2)
        self.assertEqual(run("serve", "--store", "sqlite:/nonexistent/reeve.db").returncode, 10)
        tokens = store.parent / "plain"
        tokens.write_text("my-plain-token\n")
        plain = run("serve", "--store", f"sqlite:{store}", "--admin-token-file", tokens)
        self.assertEqual(plain.returncode, 2)
        self.assertNotIn("my-plain-token", plain.stderr)

    def test_administration_can_have_a_door_of_its_own(self):
        with Server("--admin-listen", "127.0.0.1:0", "--threads", "2") as server:
            host, _, port = server.facts["admin_url"].split("//")[1].rpartition(":")
            admin = (host, int(port))
            headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
            self.assertEqual(server.admin("POST", "/api/v1/customers/acme/activate", {}).status, 404)
            self.assertEqual(server.ask("GET", "/metrics").status, 404)
            self.assertEqual(ask(admin, "POST", "/api/v1/customers/acme/activate", headers, {}).status, 200)
            self.assertEqual(ask(admin, "GET", "/metrics").status, 200)
            # Several event loops serve together.
            with ThreadPoolExecutor(8) as pool:
                statuses = list(pool.map(lambda i: server.reserve(f"r{i}", "roomy").status, range(64)))
            self.assertEqual(set(statuses), {201})
            self.assertEqual(server.stop(), 0)

    def test_a_store_is_served_once(self):
        with Server() as server:
            second = run("serve", "--store", f"sqlite:{server.file}", "--listen", "127.0.0.1:0")
            self.assertEqual(second.returncode, 11)
            self.assertIn(str(server.process.pid), second.stderr)
            taken = run("serve", "--store", f"sqlite:{Template.get().copy(harness.folder())}", "--listen", f"127.0.0.1:{server.address[1]}")
            self.assertEqual(taken.returncode, 1, taken.stderr)

    def test_the_first_minute_is_as_it_is_printed(self):
        where = harness.folder()
        with Ended([str(REEVE), "serve", "--dev", "--listen", "127.0.0.1:0", "--drain-delay", "0s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=ENVIRONMENT, cwd=where) as process:
            printed = ""
            while "done     #" not in printed:
                line = process.stdout.readline()
                self.assertTrue(line, printed)
                printed += line
            first, loop = re.findall(r"^  (curl .*|for .*\\\n.*)$", printed, re.M)
            allowed = subprocess.run(["bash", "-c", first], capture_output=True, text=True, timeout=60)
            self.assertIn("HTTP/1.1 200 OK", allowed.stdout)
            codes = subprocess.run(["bash", "-c", loop], capture_output=True, text=True, timeout=60).stdout.split()
            self.assertEqual(codes, ["201"] * 5 + ["429"])
            token = re.search(r"Admin token +(\w+)", printed).group(1)
            url = re.search(r"http://([\d.]+):(\d+)/api", printed)
            address = (url.group(1), int(url.group(2)))
            self.assertEqual(ask(address, "POST", "/api/v1/customers/demo/suspend", {"Authorization": f"Bearer {token}"}, {"reason": "admin_request"}).status, 200)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(20), 0)
        stored = b"".join(f.read_bytes() for f in (where / "reeve-data").iterdir())
        key = re.search(r"demo_[0-9a-f]{48}", printed).group(0)
        self.assertNotIn(key.encode(), stored)
        self.assertNotIn(token.encode(), stored)


class Draining(unittest.TestCase):
    def test_first_it_is_not_ready_then_closed_and_what_is_on_its_way_is_answered(self):
        with Server("--drain-delay", "2s", drain=False) as server:
            idle = Raw(server.address)
            idle.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            idle.answer()
            half = Raw(server.address)
            body = json.dumps({"run_id": "on its way"})
            half.send(f"POST {RUNS} HTTP/1.1\r\nHost: a\r\nX-API-Key: {key_of('roomy')}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body[:5]}")
            server.process.send_signal(signal.SIGTERM)
            until = time.monotonic() + 2
            while server.ask("GET", "/readyz").status != 503:
                self.assertLess(time.monotonic(), until)
                time.sleep(0.02)
            self.assertEqual(server.ask("GET", "/livez").status, 200, "the doors are still open")
            self.assertEqual(server.reserve("late", "roomy").status, 201)
            self.assertTrue(idle.closed(), "an idle connection ends with the doors")
            with self.assertRaises(OSError):
                socket.create_connection(server.address, timeout=2)
            self.assertIsNone(server.process.poll(), "somebody is still being served")
            half.send(body[5:])
            answer = half.answer()
            self.assertEqual((answer.status, answer.get("Connection")), (201, "close"))
            self.assertEqual(server.process.wait(20), 0)
            server.process.stdout.close()
            server.start()
            self.assertEqual(server.ask("GET", f"{RUNS}/on%20its%20way", key_of("roomy")).status, 200)

    def test_somebody_who_never_ends_is_given_up(self):
        with Server("--drain-limit", "1s") as server:
            with Raw(server.address) as half:
                half.send("GET /livez HTTP/1.1\r\n")
                began = time.monotonic()
                self.assertEqual(server.stop(20), 0)
                self.assertLess(time.monotonic() - began, 10)
                self.assertTrue(half.closed())

    def test_load_is_drained_without_a_lost_answer(self):
        with Server() as server:
            stop, done = threading.Event(), []

            def client(number):
                connection = http.client.HTTPConnection(*server.address, timeout=20)
                for i in range(100000):
                    if stop.is_set():
                        break
                    name = f"c{number}-{i}"
                    try:
                        connection.request("POST", RUNS, json.dumps({"run_id": name}), {"X-API-Key": key_of("roomy"), "Content-Type": "application/json"})
                        response = connection.getresponse()
                        response.read()
                        if response.status != 201:
                            break
                        done.append(name)
                    except (OSError, http.client.HTTPException):
                        break

            threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.5)
            self.assertEqual(server.stop(), 0)
            stop.set()
            for thread in threads:
                thread.join()
            self.assertGreater(len(done), 20)
            with sqlite3.connect(server.file) as database:
                stored = {row[0] for row in database.execute("SELECT run_id FROM reeve_runs")}
            self.assertEqual(set(done) - stored, set())


if __name__ == "__main__":
    testing.main()
