#!/usr/bin/env python3
"""Hostile clients of `reeve serve`: slow ones, endless ones, ambiguous ones; alone and behind nginx and HAProxy. Memory stays bounded and good clients are served.

REEVE_FULL=1: thousands of sockets instead of hundreds.
"""

import json
import os
import random
import resource
import select
import shutil
import socket
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import gateways_test as gateways  # noqa: E402
import serve_harness as harness  # noqa: E402
from serve_harness import Raw, Server, key_of  # noqa: E402

import testing  # noqa: E402

FULL = os.environ.get("REEVE_FULL") == "1"
SOCKETS = 3900 if FULL else 900
MIB = 1 << 20
RUNS = "/api/v1/pipeline-runs"

# Bounds of memory are claims about the program as it is shipped, and the release build is held to them exactly. AddressSanitizer keeps what was freed resident, up to
# its quarantine (256 MiB if nobody says otherwise), and adds red zones and a second stack to each thread: there a bound is wider by what it was told to keep.
SANITIZED = b"__asan_init" in harness.REEVE.read_bytes()
QUARANTINE_MIB = 64
OF_THE_SANITIZER = (QUARANTINE_MIB + 16) * MIB if SANITIZED else 0
ENVIRONMENT = {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:quarantine_size_mb={QUARANTINE_MIB}"}


def post(body, *fields, path=RUNS):
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"X-API-Key: {key_of('roomy')}", "Content-Type: application/json", *fields]
    return "\r\n".join(lines) + "\r\n\r\n" + body


class GoodClient(threading.Thread):
    """Asks all the time and keeps how long it took."""

    def __init__(self, address):
        super().__init__()
        self.address, self.times, self.failures, self.over = address, [], [], threading.Event()

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            try:
                answer = harness.ask(self.address, "GET", "/authz/cost/0", {"X-API-Key": key_of("roomy")}, timeout=10)
                if answer.status != 200:
                    self.failures.append(answer)
            except OSError as error:
                self.failures.append(error)
            self.times.append(time.monotonic() - began)
            time.sleep(0.002)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, SOCKETS + 500)), hard))

    def setUp(self):
        self.server = Server(environment=ENVIRONMENT)
        self.server.ask("GET", "/authz", key_of("roomy"))
        self.before = self.server.resident()

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), self.server.errors())
        self.assertEqual(self.server.ask("GET", "/authz", key_of("roomy")).status, 200)
        self.assertEqual(self.server.stop(), 0)

    def grown(self):
        return self.server.resident() - self.before

    def assert_bounded(self, grown, bound):
        self.assertLess(grown, bound + OF_THE_SANITIZER)

    def flood(self, head, piece, megabytes):
        """Sends without end until the peer has had enough; (what it answered, bytes sent)."""
        with Raw(self.server.address, timeout=10) as raw:
            sent = 0
            try:
                raw.send(head)
                for _ in range(megabytes * MIB // len(piece)):
                    raw.send(piece)
                    sent += len(piece)
                    if select.select([raw.socket], [], [], 0)[0]:
                        break
            except OSError:
                pass
            try:
                answer = raw.answer()
            except OSError:
                answer = None
            return (answer.status if answer else None), sent

    def test_endless_bodies_are_cut_off(self):
        piece = b"x" * 65536
        cases = [("1 GiB announced", post("", "Content-Length: 1073741824"), piece, (413,)),
                 ("1 GiB to a gateway's door", post("", "Content-Length: 1073741824", path="/authz"), piece, (200,)),
                 ("more than an integer holds", post("", "Content-Length: 99999999999999999999"), piece, (400,)),
                 ("chunks without end", post("", "Transfer-Encoding: chunked"), b"1000\r\n" + b"x" * 4096 + b"\r\n", (413,)),
                 ("chunks of one byte without end", post("", "Transfer-Encoding: chunked"), b"1\r\nx\r\n" * 1000, (413,)),
                 ("a chunk size without end", post("", "Transfer-Encoding: chunked"), b"0" * 65536, (400, 413)),
                 ("chunks to a gateway's door", post("", "Transfer-Encoding: chunked", path="/authz"), piece, (200,)),
                 ("no HTTP at all", "", b"\x16\x03\x01" + b"\x00" * 1000, (400,))]
        for what, head, more, statuses in cases:
            with self.subTest(what):
                status, sent = self.flood(head, more, 64)
                self.assertIn(status, (*statuses, None), what)  # None: it closed while we still sent
                self.assertLess(sent, 16 * MIB)
        self.assert_bounded(self.grown(), 8 * MIB)

    def test_endless_heads_are_cut_off(self):
        for what, head, piece in [("one field", "GET / HTTP/1.1\r\nHost: a\r\nX: ", b"x" * 4096), ("100,000 fields", "GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n" * 100),
                                  ("a target", "GET /", b"x" * 4096), ("a method", "", b"G" * 4096), ("a gateway's field", "GET /authz HTTP/1.1\r\nHost: a\r\nX: ", b"x" * 4096),
                                  ("a gateway's fields", "GET /authz HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n" * 100)]:
            with self.subTest(what):
                status, sent = self.flood(head, piece, 4)
                self.assertIn(status, (431, 400, None), what)
                self.assertLess(sent, 4 * MIB)
        self.assert_bounded(self.grown(), 8 * MIB)

    def test_json_bombs_cost_nothing(self):
        many = "{" + ",".join(f'"k{i}":1' for i in range(6000)) + "}"
        bombs = ["[" * 60000, '{"a":' * 12000, many, '{"run_id":1e400}', '{"run_id":"' + "\\u0000" * 9000 + '"}', '{"run_id":"\\ud800"}', '{"run_id":"a","run_id":"b"}',
                 '{"run_id":' + "9" * 60000 + "}", '{"run_id":"' + "x" * 60000 + '"}', "\x00" * 1000, '"' * 60000, "{" + '"run_id":"a",' * 4000 + '"x":1}']
        began = self.cpu()
        for bomb in bombs:
            for body in (bomb, bomb[: len(bomb) // 2]):
                answer = self.server.ask("POST", RUNS, key_of("roomy"), body.encode(), {"Content-Type": "application/json"})
                self.assertEqual((answer.status, answer.code()), (400, "INVALID_REQUEST"), body[:50])
        self.assertLess(self.cpu() - began, 0.005 * 2 * len(bombs) + 0.1)
        self.assert_bounded(self.grown(), 8 * MIB)

    def cpu(self):
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def attack(self, begin, proceed, seconds):
        """Many sockets, each begun and then carried on every half second; returns how many are still open, and the good client."""
        sockets = []
        with GoodClient(self.server.address) as good:
            for i in range(SOCKETS):
                raw = Raw(self.server.address)
                raw.send(begin)
                raw.socket.setblocking(False)
                sockets.append(raw)
            largest, until = 0, time.monotonic() + seconds
            while time.monotonic() < until:
                for raw in sockets:
                    try:
                        proceed(raw.socket)
                    except OSError:
                        pass
                largest = max(largest, self.grown())
                time.sleep(0.5)
            alive = 0
            for raw in sockets:
                try:
                    while data := raw.socket.recv(65536):
                        pass
                    raw.close()
                except BlockingIOError:
                    alive += 1
                except OSError:
                    pass
        for raw in sockets:
            raw.close()
        self.assertEqual(good.failures, [])
        self.assertLess(sorted(good.times)[int(len(good.times) * 0.99)], 1.0)
        self.assert_bounded(largest, 256 * MIB)
        return alive

    def test_slow_heads_are_given_up_and_good_clients_are_served(self):
        alive = self.attack("GET /authz HTTP/1.1\r\nHost: a\r\n", lambda s: s.send(b"X: y\r\n"), 7)
        self.assertEqual(alive, 0)

    def test_slow_bodies_are_given_up_and_good_clients_are_served(self):
        alive = self.attack(post("", "Content-Length: 60000"), lambda s: s.send(b"x" * 50), 8)
        self.assertEqual(alive, 0)

    def test_whoever_does_not_read_holds_nothing_up(self):
        request = f"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 200
        self.attack(request, lambda s: s.send(request.encode()), 4)

    def test_connections_have_a_limit_and_come_back(self):
        self.server.stop()
        self.server.command += ["--connections", "50"]
        self.server.start()
        held = [Raw(self.server.address) for _ in range(50)]
        for raw in held:
            raw.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(raw.answer().status, 200)
        with Raw(self.server.address) as refused:
            self.assertTrue(refused.closed())
        for raw in held:
            raw.close()
        until = time.monotonic() + 10
        while True:
            try:
                if self.server.ask("GET", "/livez").status == 200:
                    break
            except OSError:
                pass
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def test_random_bytes_bring_nothing_down(self):
        seed = int(os.environ.get("REEVE_SEED", random.SystemRandom().randrange(2**31)))
        print(f"REEVE_SEED={seed}")
        generator = random.Random(seed)
        pieces = [b"GET ", b"POST ", b"/authz", b"/api/v1/authorize", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"Host: a\r\n", b"\r\n", b"\n", b"Content-Length: ", b"5", b"-1",
                  b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n",
                  b"Content-Type: application/json\r\n", b"{}", b"\x00", b"\xff", b" ", b"\t", b":", b"X-API-Key: " + key_of("roomy").encode() + b"\r\n"]
        for _ in range(1500 if FULL else 400):
            with Raw(self.server.address) as raw:
                try:
                    raw.send(b"".join(generator.choices(pieces, k=generator.randrange(1, 25))))
                    raw.socket.shutdown(socket.SHUT_WR)
                    while raw.socket.recv(65536):
                        pass
                except OSError:
                    pass
        self.assert_bounded(self.grown(), 8 * MIB)


# Requests that two programs may read in two ways: each followed by SMUGGLED, which must never be answered as a request of its own unless it is one.
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
AMBIGUOUS = {
    "length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
    "two equal lengths": "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": "Content-Length: 5, 5\r\n\r\nhello",
    "a signed length": "Content-Length: +5\r\n\r\nhello",
    "a length in hex": "Content-Length: 0x5\r\n\r\nhello",
    "a spaced length": "Content-Length: 5 5\r\n\r\nhello",
    "a space before the colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "another coding": "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello",
    "a coding before chunked": "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "identity after chunked": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a folded coding": "X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
    "a folded value": "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\nhello",
    "a vertical tab": "Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\nhello",
    "a bare line feed": "X: a\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
    "a bare carriage return": "X: a\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
    "a NUL": "X: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
    "a NUL in the coding": "Transfer-Encoding: chunked\x00\r\nContent-Length: 5\r\n\r\nhello",
    "two hosts": "Host: b\r\nContent-Length: 5\r\n\r\nhello",
    "a chunk size with a sign": "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "a chunk size in 0x": "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "a chunk size that wraps": "Transfer-Encoding: chunked\r\n\r\n100000000000000000\r\n\r\n",
    "a chunk with an extension": "Transfer-Encoding: chunked\r\n\r\n5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
    "a chunk that ends in a bare line feed": "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "a chunk that is longer than it says": "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n0\r\n\r\n",
    "a trailer": "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 50\r\n\r\n",
}


def answers(raw):
    """Every answer until the peer closes or is silent."""
    found = []
    while True:
        try:
            answer = raw.answer()
        except OSError:
            return found
        if answer is None or answer.status == 0:
            return found
        found.append(answer)


class Smuggling(unittest.TestCase):
    def test_ambiguous_requests_are_refused_and_end_the_connection(self):
        with Server() as server:
            for what, rest in AMBIGUOUS.items():
                with self.subTest(what), Raw(server.address, timeout=3) as raw:
                    raw.send(f"POST {RUNS} HTTP/1.1\r\nHost: a\r\nX-API-Key: {key_of('roomy')}\r\nContent-Type: application/json\r\n{rest}{SMUGGLED}")
                    found = answers(raw)
                    self.assertEqual(len(found), 1, f"{what}: {found}")
                    self.assertIn(found[0].status, (400, 413), what)
                    self.assertEqual(found[0].get("Connection"), "close")
            self.assertEqual(server.stop(), 0)

    def behind(self, kind):
        if shutil.which(kind.program) is None:
            self.skipTest(f"{kind.program} is not installed")
        gateway = gateways.Gateway(kind)
        try:
            for what, rest in AMBIGUOUS.items():
                for key, guard in ((key_of("roomy"), None), ("sk_test_nobody", 401)):
                    with self.subTest(f"{what} by {key}"), Raw(gateway.address, timeout=2) as raw:
                        gateway.reached()
                        raw.send(f"POST /first HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\n{rest}{SMUGGLED}")
                        found = answers(raw)
                        paths = [r[1] for r in gateway.reached()]
                        # /smuggled shows no key: wherever it is read as a request, reeve must have refused it.
                        self.assertNotIn("/smuggled", paths, what)
                        if guard:
                            self.assertEqual(paths, [], what)
                        for answer in found[1:]:
                            self.assertIn(answer.status, (400, 401, 408, 501), f"{what}: {found}")
            # The connections between gateway and reeve are in step: nobody gets another's answer.
            for _ in range(5):
                self.assertEqual(gateway.ask("GET", "/things", key_of("acme")).json()["path"], "/things")
                self.assertEqual(gateway.ask("GET", "/things", "sk_test_nobody").status, 401)
        finally:
            gateway.stop()

    def test_behind_nginx_nothing_is_smuggled(self):
        self.behind(gateways.Nginx())

    def test_behind_haproxy_nothing_is_smuggled(self):
        self.behind(gateways.Haproxy())


if __name__ == "__main__":
    testing.main()
