#!/usr/bin/env python3
"""The gateways of Debian, for real, in front of an application and of `reeve serve`, with the configuration that `reeve gateway config` prints.

What is asked of each: whoever may come in arrives with the identity reeve gave, whatever he called himself; every refusal arrives with its status, body and
fields; a body passes; and when reeve is gone nothing gets through.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import serve_harness as harness  # noqa: E402
from serve_harness import ENVIRONMENT, IDENTITY, Raw, Server, Template, ask, free_port, key_of, run, special_key, wait_for_port  # noqa: E402

import testing  # noqa: E402


class Application:
    """What the gateways guard: it tells what reached it, and answers 401 and 500 of its own when asked to."""

    def __init__(self):
        requests = self.requests = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                requests.append((self.command, self.path, list(self.headers.items()), body))
                status = int(self.path.rpartition("/status/")[2]) if "/status/" in self.path else 200
                said = json.dumps({"method": self.command, "path": self.path, "headers": list(self.headers.items()), "body": body.decode("latin-1")}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(said)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = handle_any

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a gateway that drops a connection is no news
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def snippet(name, server, application, port, *options):
    return run("gateway", "config", name, "--reeve", f"{server.address[0]}:{server.address[1]}", "--app", f"127.0.0.1:{application.port}", "--listen",
               f"127.0.0.1:{port}", *options, expect=(0,)).stdout


class Nginx:
    program = "nginx"

    def command(self, where, server, application, port, options):
        for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
            (where / name).mkdir()
        temporary = "".join(f"{kind} {where / name};\n" for kind, name in (("client_body_temp_path", "body"), ("proxy_temp_path", "proxy"), ("fastcgi_temp_path", "fastcgi"),
                                                                          ("uwsgi_temp_path", "uwsgi"), ("scgi_temp_path", "scgi")))
        user = "user root;\n" if os.geteuid() == 0 else ""
        (where / "nginx.conf").write_text(f"{user}worker_processes 1; daemon off; pid {where}/nginx.pid; error_log {where}/error.log;\n"
                                          f"events {{ worker_connections 512; }}\nhttp {{\naccess_log off;\n{temporary}"
                                          f"{snippet('nginx', server, application, port, *options)}}}\n")
        return ["nginx", "-p", str(where), "-c", str(where / "nginx.conf"), "-e", str(where / "error.log")]


class Caddy:
    program = "caddy"

    def command(self, where, server, application, port, options):
        (where / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https off\n}\n" + snippet("caddy", server, application, port, *options))
        return ["caddy", "run", "--config", str(where / "Caddyfile"), "--adapter", "caddyfile"]


class Haproxy:
    program = "haproxy"

    def command(self, where, server, application, port, options):
        (where / "reeve.lua").write_text(snippet("haproxy-lua", server, application, port, *options))
        config = snippet("haproxy", server, application, port, *options).replace("/etc/haproxy/reeve.lua", str(where / "reeve.lua"))
        (where / "haproxy.cfg").write_text(config)
        return ["haproxy", "-db", "-f", str(where / "haproxy.cfg")]


class Gateway:
    """A running gateway with reeve and an application behind it."""

    def __init__(self, kind, *options):
        self.folder = harness.folder()
        self.server = Server()
        self.application = Application()
        self.port = free_port()
        self.log = self.folder / "gateway.log"
        command = kind.command(self.folder, self.server, self.application, self.port, options)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env={**ENVIRONMENT, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)})
        try:
            wait_for_port(self.port, self.process)
        except harness.Fault as fault:
            raise harness.Fault(f"{fault}\n{self.log.read_text()}") from None

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def ask(self, method, path, key=None, headers=None, body=None):
        headers = {**(headers or {}), **({"X-API-Key": key} if key else {})}
        return ask(self.address, method, path, headers, body)

    def reached(self):
        """What came to the application since the last call."""
        found = list(self.application.requests)
        self.application.requests.clear()
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.application.stop()
        if self.server.process.poll() is None:
            self.server.stop()


class Contract:
    """The cases; each gateway runs all of them."""

    kind = None
    # A gateway may answer some ways of failing itself.
    gone_statuses = (503,)

    @classmethod
    def setUpClass(cls):
        if shutil.which(cls.kind.program) is None:
            raise unittest.SkipTest(f"{cls.kind.program} is not installed")
        cls.gateway = Gateway(cls.kind, "--scope", "pipelines:write")

    @classmethod
    def tearDownClass(cls):
        if hasattr(cls, "gateway"):
            cls.gateway.stop()

    def setUp(self):
        self.gateway.reached()

    def test_whoever_may_come_in_arrives_with_the_identity_that_reeve_gave(self):
        forged = {name: "forged" for name in IDENTITY} | {"X-Customer-ID": "forged too"}
        answer = self.gateway.ask("POST", "/things?customer=evil", key_of("acme"), forged, b'{"a":1}')
        self.assertEqual(answer.status, 200, answer)
        (method, path, headers, body), = self.gateway.reached()
        self.assertEqual((method, path, body), ("POST", "/things?customer=evil", b'{"a":1}'))
        got = {}
        for name, value in headers:
            got.setdefault(name.lower(), []).append(value)
        expected = {"x-customer-id": Template.get().customers["acme"], "x-tenant-id": "acme", "x-plan": "professional", "x-key-id": Template.get().key_ids["acme"],
                    "x-scopes": "pipelines:read,pipelines:write,usage:read"}
        self.assertEqual({name: got.get(name) for name in expected}, {name: [value] for name, value in expected.items()})
        self.assertNotIn("forged", json.dumps(headers))

    def test_other_spellings_of_the_fields_bring_nothing(self):
        answer = self.gateway.ask("GET", "/", key_of("acme"), {"X_Customer_Id": "forged", "x-customer-id": "forged"})
        self.assertEqual(answer.status, 200)
        (_, _, headers, _), = self.gateway.reached()
        self.assertEqual([v for n, v in headers if n.lower() == "x-customer-id"], [Template.get().customers["acme"]])

    def test_every_method_is_guarded(self):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"):
            self.assertEqual(self.gateway.ask(method, "/things", key_of("acme")).status, 200, method)
            self.assertEqual(self.gateway.ask(method, "/things", "sk_test_nobody").status, 401, method)
        self.assertEqual([r[0] for r in self.gateway.reached()], ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])

    DENIALS = [("none", None, 401, "INVALID_API_KEY"), ("unknown", "sk_test_nobody", 401, "INVALID_API_KEY"), ("revoked", special_key("revoked"), 401, "INVALID_API_KEY"),
               ("expired", special_key("expired"), 401, "INVALID_API_KEY"), ("suspended", key_of("sleeping"), 403, "CUSTOMER_SUSPENDED"),
               ("unsubscribed", key_of("unsubscribed"), 403, "SUBSCRIPTION_INACTIVE"), ("without the scope", special_key("reader"), 403, "INSUFFICIENT_SCOPE")]

    def check_denial(self, answer, status, code):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.get("Content-Type"), "application/problem+json", answer)
        document = answer.json()
        self.assertEqual((document["error_code"], document["status"]), (code, status))
        self.assertEqual(document["instance"], "/things")
        if status == 401:
            self.assertTrue(answer.get("WWW-Authenticate"))

    def test_every_refusal_arrives_with_status_body_and_fields(self):
        for what, key, status, code in self.DENIALS:
            with self.subTest(what):
                self.check_denial(self.gateway.ask("POST", "/things?a=b", key, body=b"x" * 1000), status, code)
        self.assertEqual(self.gateway.reached(), [])

    def test_a_rate_limit_arrives_as_429_with_its_fields(self):
        for _ in range(300):
            answer = self.gateway.ask("GET", "/things", key_of("slow"))
            if answer.status != 200:
                break
        self.check_denial(answer, 429, "RATE_LIMIT_EXCEEDED")
        self.assertGreaterEqual(int(answer.get("Retry-After")), 1)
        self.assertRegex(answer.get("RateLimit"), r'^"minute";r=0;t=\d+$')
        self.assertEqual(answer.get("RateLimit-Policy"), '"minute";q=100;w=60')
        refused = 'reeve_decisions_total{outcome="rate_limited",code="RATE_LIMIT_EXCEEDED"}'
        for _ in range(300):  # one request is given back every 0.6 s, which a slow machine may take in between
            before = self.gateway.server.figures()
            answer = self.gateway.ask("GET", "/things", key_of("slow"))
            after = self.gateway.server.figures()
            self.assertEqual(after[refused] - before[refused], int(answer.status == 429), "a refusal is decided once")
            if answer.status == 429:
                return
        self.fail("after a refusal there was none any more")

    def test_refusals_of_the_application_are_its_own(self):
        for status in (401, 403, 404, 429, 500, 503):
            answer = self.gateway.ask("GET", f"/status/{status}", key_of("acme"))
            self.assertEqual((answer.status, answer.json()["path"]), (status, f"/status/{status}"))

    def test_bodies_of_every_kind_pass(self):
        large = os.urandom(300_000)
        self.assertEqual(self.gateway.ask("POST", "/things", key_of("acme"), body=large).status, 200)
        with Raw(self.gateway.address) as raw:
            raw.send(f"POST /things HTTP/1.1\r\nHost: a\r\nX-API-Key: {key_of('acme')}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
            self.assertEqual(raw.answer().status, 200)
            raw.send(f"POST /things HTTP/1.1\r\nHost: a\r\nX-API-Key: {key_of('acme')}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            time.sleep(0.1)
            raw.send("body")
            answer = raw.answer()
            while answer.status == 100:  # the gateway's, and the application's
                answer = raw.answer()
            self.assertEqual(answer.status, 200)
        self.assertEqual([r[3] for r in self.gateway.reached()], [large, b"onetwo", b"body"])

    def test_what_a_client_writes_into_path_or_query_decides_nothing(self):
        reader = special_key("reader")
        for path in ("/things?scope=usage:read", "/authz/scope/usage:read", "/things?/authz", "/a/../authz", "/things%3fscope=x", "/authz/nginx/denied"):
            answer = self.gateway.ask("GET", path, reader, {"X-Original-URI": "/authz/scope/usage:read", "X-Forwarded-Uri": "/authz/cost/0", "X-Authz-Denial": "1.2.3"})
            self.assertEqual((answer.status, answer.code()), (403, "INSUFFICIENT_SCOPE"), path)
        self.assertEqual(self.gateway.reached(), [])

    def test_it_is_quick_and_keeps_its_connections(self):
        began = time.monotonic()
        for _ in range(50):
            self.assertEqual(self.gateway.ask("GET", "/things", key_of("roomy")).status, 200)
        self.assertLess(time.monotonic() - began, 15, "no stall of seconds anywhere")

    def test_when_reeve_is_gone_nobody_comes_in_and_afterwards_all_is_well(self):
        self.gateway.server.kill()
        for key in (key_of("acme"), "sk_test_nobody", None):
            answer = self.gateway.ask("GET", "/things", key)
            self.assertIn(answer.status, self.gone_statuses, answer)
        self.assertEqual(self.gateway.reached(), [])
        self.gateway.server.start()
        until = time.monotonic() + 15
        while self.gateway.ask("GET", "/things", key_of("acme")).status != 200:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.2)
        self.assertTrue(self.gateway.reached())

    def test_when_reeve_hangs_nobody_comes_in(self):
        self.gateway.server.freeze()
        try:
            answer = self.gateway.ask("GET", "/things", key_of("acme"))
            self.assertGreaterEqual(answer.status, 500, answer)
            self.assertEqual(self.gateway.reached(), [])
        finally:
            self.gateway.server.process.send_signal(signal.SIGCONT)


class NginxGate(Contract, unittest.TestCase):
    kind = Nginx()

    def test_a_denial_costs_no_line_in_the_error_log(self):
        log = self.gateway.folder / "error.log"
        before = log.read_text() if log.exists() else ""
        for what, key, status, _ in self.DENIALS:
            self.assertEqual(self.gateway.ask("GET", "/things", key).status, status, what)
        self.assertEqual(log.read_text(), before)


class CaddyGate(Contract, unittest.TestCase):
    kind = Caddy()
    gone_statuses = (502, 503)


class HaproxyGate(Contract, unittest.TestCase):
    kind = Haproxy()


class Snippets(unittest.TestCase):
    def test_every_gateway_has_one_that_names_what_was_asked_for(self):
        for name in ("nginx", "caddy", "haproxy", "haproxy-lua", "traefik", "envoy"):
            text = run("gateway", "config", name, "--reeve", "127.0.0.1:7001", "--app", "127.0.0.1:7002", "--listen", "127.0.0.1:7003", "--scope", "a:b", "--cost", "3",
                       expect=(0,)).stdout
            self.assertNotIn("@REEVE", text)
            self.assertEqual(re.findall(r"@[A-Z_]+@", text), [], name)
            for what, where in (("7001", ("nginx", "caddy", "haproxy-lua", "traefik", "envoy")), ("7002", ("nginx", "caddy", "haproxy", "traefik", "envoy")),
                                ("/authz/scope/a:b/cost/3", ("nginx", "caddy", "haproxy-lua", "traefik", "envoy"))):
                if name in where:
                    self.assertIn(what, text, name)
            if name != "haproxy":
                for field in IDENTITY:
                    self.assertIn(field.lower(), text.lower(), name)
        self.assertEqual(run("gateway", "config", "nginx", "--scope", "a b").returncode, 2)
        self.assertEqual(run("gateway", "config", "apache").returncode, 2)

    def test_documents_for_machines_are_yaml(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not installed")
        for name in ("traefik", "envoy"):
            self.assertIsInstance(yaml.safe_load(run("gateway", "config", name, expect=(0,)).stdout), dict)


if __name__ == "__main__":
    testing.main()
