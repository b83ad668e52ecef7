"""What the tests of the server share: a migrated store of customers in every state, the real `reeve serve` over a copy of it, and ways to ask it.

Needs the built program, as kill_harness.py does. Everything is made in temporary folders and removed; ports are the system's choice.
"""

import atexit
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from kill_harness import ENVIRONMENT, KILLS, REEVE, ROOT, Fault, run  # noqa: E402, F401

AS_OF = "2026-11-15T12:00:00Z"
ADMIN_TOKEN = "an-admin-token-of-tests"
START_TIMEOUT_S = 60
IDENTITY = ("X-Customer-Id", "X-Tenant-Id", "X-Plan", "X-Key-Id", "X-Scopes")
ALL_SCOPES = ["pipelines:read", "pipelines:write", "usage:read"]

# tenant: (plan, overrides of its plans file entry)
TENANTS = {
    "acme": ("professional", {}),
    "roomy": ("enterprise", {"monthly_pipeline_quota": "unlimited", "concurrent_pipeline_quota": "unlimited", "storage_quota_gb": "unlimited"}),
    "narrow": ("enterprise", {"monthly_pipeline_quota": "unlimited", "concurrent_pipeline_quota": 2, "storage_quota_gb": "unlimited"}),
    **{f"load{i}": ("enterprise", {"monthly_pipeline_quota": "unlimited", "concurrent_pipeline_quota": "unlimited", "storage_quota_gb": "unlimited"}) for i in range(5)},
    "tiny": ("starter", {"monthly_pipeline_quota": 4, "concurrent_pipeline_quota": 2}),
    "blocked": ("starter", {"concurrent_pipeline_quota": 0}),
    "slow": ("starter", {}),
    "full": ("starter", {}),
    "sleeping": ("professional", {}),
    "gone": ("professional", {}),
    "unsubscribed": ("professional", {}),
}
# Keys beside key_of(tenant), each of acme: what is done to it in the store.
SPECIAL = {
    "revoked": "is_active = 0, revoked_at = {past}",
    "expired": "expires_at = {past}",
    "reader": "scopes = '[\"usage:read\"]'",
    "spare": "scopes = '[\"pipelines:write\"]'",
}


def key_of(tenant):
    return f"sk_test_{tenant}_0123456789abcdef"


def special_key(name):
    return f"sk_test_special_{name}_0123456789"


def folder():
    made = Path(tempfile.mkdtemp(prefix="reeve-serve-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _write_estate(where):
    def rows(tenant, keys):
        return [{"api_key_id": f"key_{tenant}_{i}", "tenant_id": tenant, "api_key_hash": hashlib.sha256(key.encode()).hexdigest(),
                 "created_at": "2026-01-05 10:00:00 UTC", "is_active": True, "scopes": ALL_SCOPES} for i, key in enumerate(keys)]

    for tenant in TENANTS:
        keys = [key_of(tenant)] + ([special_key(name) for name in SPECIAL] if tenant == "acme" else [])
        (where / tenant).mkdir(parents=True)
        for table, content in {"x_meta_api_keys": rows(tenant, keys), "x_meta_cloud_credentials": [], "x_meta_pipeline_runs": []}.items():
            (where / tenant / f"{table}-000000000000.json").write_text("".join(json.dumps(row) + "\n" for row in content))
    plans = []
    for tenant, (plan, overrides) in TENANTS.items():
        plans += [f"[tenants.{tenant}]", f'plan = "{plan}"'] + [f"{name} = {json.dumps(value)}" for name, value in overrides.items()]
    (where.parent / "plans.toml").write_text("\n".join(plans) + "\n")


def _columns(database, table):
    return {row[1]: row[2] for row in database.execute(f"PRAGMA table_info({table})")}


def _touch_up(file):
    """What no migration makes: the states that operators bring about."""
    past = 1767607200000000  # 2026-01-05 10:00 UTC, in microseconds as the store keeps instants
    with sqlite3.connect(file) as database:
        def one(sql, *values):
            if database.execute(sql, values).rowcount != 1:
                raise Fault(f"changed no row: {sql}")
        for name, change in SPECIAL.items():
            one(f"UPDATE customer_api_keys SET {change.format(past=past)} WHERE api_key_hash = ?", hashlib.sha256(special_key(name).encode()).hexdigest())
        one("UPDATE customers SET status = 'suspended' WHERE tenant_id = 'sleeping'")
        one("UPDATE customers SET status = 'cancelled' WHERE tenant_id = 'gone'")
        one("UPDATE customer_subscriptions SET billing_cycle_end = '2026-02-01' WHERE customer_id = (SELECT customer_id FROM customers WHERE tenant_id = 'unsubscribed')")
        one("UPDATE customer_subscriptions SET storage_quota_gb = 0 WHERE customer_id = (SELECT customer_id FROM customers WHERE tenant_id = 'full')")


class Template:
    """A store to copy; made once per process."""

    _made = None

    @classmethod
    def get(cls):
        cls._made = cls._made or cls()
        return cls._made

    def __init__(self):
        self.folder = folder()
        _write_estate(self.folder / "estate")
        self.file = self.folder / "reeve.db"
        run("migrate", "--from", f"export:{self.folder / 'estate'}", "--to", f"sqlite:{self.file}", "--yes", "--as-of", AS_OF, "--quiet",
            "--plans", self.folder / "plans.toml", expect=(0, 3))
        _touch_up(self.file)
        with sqlite3.connect(self.file) as database:
            self.customers = dict(database.execute("SELECT tenant_id, customer_id FROM customers"))
            self.key_ids = {name: database.execute("SELECT api_key_id FROM customer_api_keys WHERE api_key_hash = ?",
                                                   [hashlib.sha256(text.encode()).hexdigest()]).fetchone()[0]
                            for name, text in [*((t, key_of(t)) for t in TENANTS), *((s, special_key(s)) for s in SPECIAL)]}

    def copy(self, where):
        for file in self.folder.glob("reeve.db*"):
            shutil.copy(file, where / file.name)
        return where / "reeve.db"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def code(self):
        return self.json()["error_code"]

    def get(self, name):
        """The field's value; None if absent, an error if it is there twice."""
        values = [v for n, v in self.headers if n.lower() == name.lower()]
        if len(values) > 1:
            raise Fault(f"{name} stands there {len(values)} times: {values}")
        return values[0] if values else None

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:500]!r}"


def ask(address, method, path, headers=None, body=None, timeout=30, context=None):
    """One request on a connection of its own."""
    host, port = address
    connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context) if context else http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers = {"Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process=None, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process is not None and process.poll() is not None:
            raise Fault(f"ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Fault(f"nobody listens at port {port}")


class Server:
    """A running `reeve serve`; a context manager that ends it."""

    def __init__(self, *options, store=None, port=0, where=None, admin=True, drain=True, environment=None):
        self.folder = Path(where or folder())
        self.file = Path(store or Template.get().copy(self.folder))
        tokens = self.folder / "admins"
        tokens.write_text(f"sha256:{hashlib.sha256(ADMIN_TOKEN.encode()).hexdigest()} tester\n")
        self.command = [str(REEVE), "serve", "--store", f"sqlite:{self.file}", "--listen", f"127.0.0.1:{port}", "-o", "json",
                        *(["--admin-token-file", str(tokens)] if admin else []), *(["--drain-delay", "0s"] if drain else []), *map(str, options)]
        self.environment = {**ENVIRONMENT, **(environment or {})}
        self.errors_file = self.folder / "serve.err"
        self.process = None
        self.start()

    def start(self):
        with open(self.errors_file, "a") as errors:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=errors, env=self.environment, stdin=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Fault(f"did not start: exit {self.process.wait()}\n{self.errors()}")
        self.facts = json.loads(line)
        host, _, port = self.facts["url"].split("//")[1].rpartition(":")
        self.address = (host, int(port))
        if "--listen" in self.command:  # so that a restart is found at the same place
            at = self.command.index("--listen") + 1
            self.command[at] = f"{host}:{port}"

    def errors(self):
        return self.errors_file.read_text(errors="replace")

    def ask(self, method, path, key=None, body=None, headers=None, **named):
        headers = dict(headers or {})
        if key is not None:
            headers["X-API-Key"] = key
        return ask(self.address, method, path, headers, body, **named)

    def admin(self, method, path, body=None):
        return ask(self.address, method, path, {"Authorization": f"Bearer {ADMIN_TOKEN}"}, body)

    def reserve(self, run, tenant="acme", **more):
        return self.ask("POST", "/api/v1/pipeline-runs", key_of(tenant), {"run_id": run, **more})

    def figures(self):
        """/metrics as {name{labels}: value}."""
        text = self.ask("GET", "/metrics").body.decode()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in text.splitlines() if line and line[0] != "#")}

    def resident(self):
        """Bytes of memory."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Fault("no VmRSS")

    def freeze(self):
        """Stops all its threads, and returns when they stand still; SIGCONT ends that."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")
        until = time.monotonic() + 10
        while not all((t / "stat").read_text().rpartition(")")[2].split()[0] == "T" for t in tasks.iterdir()):
            if time.monotonic() > until:
                raise Fault("does not stand still")
            time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self, seconds=30):
        """An orderly end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Fault(f"did not stop within {seconds} s\n{self.errors()}") from None
        finally:
            self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


class Raw:
    """A socket that says exactly what it is told."""

    def __init__(self, address, timeout=15, context=None):
        self.socket = socket.create_connection(address, timeout=timeout)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def answer(self, bodiless=False):
        """One answer; None if the peer closed before it began."""
        while b"\r\n\r\n" not in self.rest:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None if not self.rest else Answer(0, [], self.rest)
            self.rest += data
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = [tuple(line.split(": ", 1)) for line in lines[1:]]
        length = 0 if bodiless else int(dict((n.lower(), v) for n, v in headers).get("content-length", 0))
        while len(self.rest) < length:
            data = self.socket.recv(65536)
            if not data:
                break
            self.rest += data
        body, self.rest = self.rest[:length], self.rest[length:]
        return Answer(int(lines[0].split()[1]), headers, body)

    def closed(self):
        """Whether the peer has closed, and sent nothing more."""
        try:
            return self.rest == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def self_signed(where):
    """(certificate file, key file, context that trusts it), by the openssl program."""
    cert, key = where / "cert.pem", where / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key), "-out", str(cert),
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.create_default_context(cafile=str(cert))
    return cert, key, context
