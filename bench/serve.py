#!/usr/bin/env python3
"""Benchmarks of the server: every figure is a ratio to a peer measured in the same run, server on one processor, clients on the other.

usage: bench/serve.py [--binaries build/release] [--keys 1000000] [--seconds 2] [--rounds 8] [--dir DIR] [--only authz|runs|start]

Peers: nginx `return 200 "{}"`, with the same answer fields and bare; PostgreSQL 15 by pgbench with a prepared conditional UPDATE. Needs wrk, nginx,
postgresql-15, taskset. Prints one line per bar: name, figure, bar, pass. Exits 1 if a bar is missed.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SERVER_CPU, CLIENT_CPU = "0", "1"
CONNECTIONS = (32, 256)
POSTGRES = "/usr/lib/postgresql/15/bin"

# What a gateway sends along with the key; the same to every peer.
FIELDS = {"Accept": "*/*", "User-Agent": "wrk/4", "X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/v1/things", "X-Forwarded-For": "10.0.0.1",
          "Accept-Encoding": "gzip"}

# All keys as one text and where each begins: a table of a million texts would stop the client for 80 ms each time its garbage is collected.
KEYS = """
local file = io.open("%(keys)s", "rb")
local text = file:read("*a")
file:close()
local first, n, from = require("ffi").new("uint32_t[?]", %(count)d + 1), 0, 1
while n < %(count)d do
  first[n] = from
  from = text:find("\\n", from, true) + 1
  n = n + 1
end
first[n] = from
local function key(at) return text:sub(first[at], first[at + 1] - 2) end
"""

ASK = KEYS + """
local before, after, at, step = "%(before)s", "%(after)s", math.random(n) - 1, 7919
request = function()
  at = (at + step) %% n
  return before .. key(at) .. after
end
"""

RESERVE = KEYS + """
local count, tag = 0, "%(tag)s"
request = function()
  count = count + 1
  local body = '{"run_id":"' .. tag .. count .. '","pipeline_id":"daily","ttl_seconds":3600}'
  return "POST /api/v1/pipeline-runs HTTP/1.1\\r\\nHost: a\\r\\nX-API-Key: " .. key((count * 7919) %% n) ..
    "\\r\\nContent-Type: application/json\\r\\nContent-Length: " .. #body .. "\\r\\n\\r\\n" .. body
end
local bad = 0
response = function(status) if status ~= 201 then bad = bad + 1 end end
done = function(summary, latency) end
"""

NGINX = """
worker_processes 1; daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;
  scgi_temp_path {dir}/t5;
  server {{ listen 127.0.0.1:{bare}; location / {{ return 200 "{{}}"; }} }}
  server {{ listen 127.0.0.1:{same}; location / {{
{fields}    return 200 "{{}}"; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers or {})
    response = connection.getresponse()
    return response.status, response.getheaders(), response.read()


def wait_for(port):
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nobody listens at port {port}")


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, args):
        self.args = args
        self.reeve = os.path.join(args.binaries, "src", "reeve")
        self.maker = os.path.join(args.binaries, "bench", "make_serving_store")
        self.own_dir = args.dir is None
        self.dir = args.dir or tempfile.mkdtemp(prefix="reeve-bench-serve-")
        os.makedirs(self.dir, exist_ok=True)
        self.missed = 0
        self.processes = []

    def path(self, name):
        return os.path.join(self.dir, name)

    def bar(self, name, figure, limit, at_least):
        ok = figure >= limit if at_least else figure <= limit
        self.missed += not ok
        print(f"{name:<66} {figure:8.2f}   bar {'>=' if at_least else '<='} {limit:5.2f} {'pass' if ok else 'MISSED'}", flush=True)

    def note(self, text):
        print(f"  {text}", flush=True)

    def start(self, command, cpu=SERVER_CPU, **named):
        process = subprocess.Popen(["taskset", "-c", cpu, *command], **named)
        self.processes.append(process)
        return process

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def close(self):
        for process in list(self.processes):
            process.kill()
            process.wait()
        if self.own_dir:
            shutil.rmtree(self.dir, ignore_errors=True)

    def store(self):
        """A store of many keys, and the file of their texts."""
        keys = self.args.keys
        store, texts = self.path(f"served-{keys}.db"), self.path(f"served-{keys}.txt")
        if not os.path.exists(texts + ".done"):
            subprocess.run([self.maker, store, "--customers", str(max(1, keys // 10)), "--keys", str(keys), "--texts", texts], check=True, stdout=subprocess.DEVNULL)
            open(texts + ".done", "w").close()
        return store, texts

    def serve(self, store):
        """(process, port, seconds until it said that it serves)"""
        began = time.monotonic()
        process = self.start([self.reeve, "serve", "--store", f"sqlite:{store}", "--listen", "127.0.0.1:0", "--drain-delay", "0s", "-o", "json"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
        line = process.stdout.readline()
        seconds = time.monotonic() - began
        facts = json.loads(line)
        return process, int(facts["url"].rpartition(":")[2]), seconds, facts

    def wrk(self, port, connections, script, seconds=None):
        """{rate, p99 in ms}"""
        done = subprocess.run(["taskset", "-c", CLIENT_CPU, "wrk", "-t1", f"-c{connections}", f"-d{seconds or self.args.seconds}s", "--latency", "-s", script,
                               f"http://127.0.0.1:{port}/"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
        if re.search(r"Non-2xx|Socket errors: .*(connect|read|write) [1-9]", done.stdout):
            self.note("ATTENTION " + " ".join(line.strip() for line in done.stdout.splitlines() if "Non-2xx" in line or "Socket errors" in line))
        rate = float(re.search(r"Requests/sec:\s*([\d.]+)", done.stdout).group(1))
        number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout).groups()
        return {"rate": rate, "p99": float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]}

    def alternate(self, peers, connections):
        """Rounds of every peer in turn, so that what disturbs one disturbs all; of each the best rate, the best p99 and the least processor time per request. Rounds are
        many and short: a single stall of the machine decides the p99 of its round, since wrk counts what it would have asked meanwhile."""
        results = {name: [] for name in peers}
        for _ in range(self.args.rounds):
            for name, (port, script, pids) in peers.items():
                before = cpu_seconds(pids)
                result = self.wrk(port, connections, script)
                result["cpu_us"] = (cpu_seconds(pids) - before) / (result["rate"] * self.args.seconds) * 1e6
                results[name].append(result)
        return {name: {"rate": max(r["rate"] for r in rounds), "p99": min(r["p99"] for r in rounds), "cpu_us": min(r["cpu_us"] for r in rounds)}
                for name, rounds in results.items()}

    def authz(self):
        store, keys = self.store()
        server, port, _, _ = self.serve(store)
        with open(keys) as file:
            first = file.readline().strip()
        status, headers, _ = get(port, "/authz", {"X-API-Key": first})
        assert status == 200, status
        ports = {"bare": free_port(), "same": free_port()}
        fields = "".join(f"    add_header {name} '{value}';\n" for name, value in headers if name not in ("Date", "Content-Length"))
        config = self.path("nginx.conf")
        with open(config, "w") as file:
            file.write(("user root;" if os.geteuid() == 0 else "") + NGINX.format(dir=self.dir, fields=fields, **ports))
        nginx = self.start(["nginx", "-p", self.dir, "-c", config, "-e", self.path("error.log")])
        wait_for(ports["bare"])
        workers = subprocess.run(["ps", "--ppid", str(nginx.pid), "-o", "pid="], capture_output=True, text=True).stdout.split()
        after = "".join(f"\\r\\n{name}: {value}" for name, value in FIELDS.items()) + "\\r\\n\\r\\n"
        script = self.path("ask.lua")
        with open(script, "w") as file:
            file.write(ASK % {"before": "GET /authz HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nX-API-Key: ", "after": after, "keys": keys, "count": self.args.keys})
        peers = {"reeve": (port, script, [server.pid]), "nginx": (ports["same"], script, workers), "bare": (ports["bare"], script, workers)}
        for connections in CONNECTIONS:
            best = self.alternate(peers, connections)
            for name, r in best.items():
                self.note(f"{name:<6} {connections:>4} connections: {r['rate']:>9.0f} /s, p99 {r['p99']:.2f} ms, {r['cpu_us']:.2f} us of processor a request (best rounds of each)")
            self.bar(f"/authz, {connections} connections: rate / nginx with the same fields", best["reeve"]["rate"] / best["nginx"]["rate"], 1.0, True)
            self.bar(f"/authz, {connections} connections: p99 / nginx with the same fields", best["reeve"]["p99"] / best["nginx"]["p99"], 1.2, False)
            self.note(f"rate / bare nginx {best['reeve']['rate'] / best['bare']['rate']:.2f}, p99 {best['reeve']['p99'] / best['bare']['p99']:.2f}, processor "
                      f"{best['reeve']['cpu_us'] / best['bare']['cpu_us']:.2f}")
        self.stop(nginx)
        self.stop(server)

    def postgres(self):
        """A PostgreSQL of our own with one row per customer; its port. It does not run as root."""
        data = self.path("pg")
        shutil.rmtree(data, ignore_errors=True)
        os.makedirs(data)
        os.chmod(self.dir, 0o755)
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if as_postgres:
            shutil.chown(data, "postgres", "postgres")
        port = free_port()
        subprocess.run([*as_postgres, f"{POSTGRES}/initdb", "-D", data, "-U", "bench", "-A", "trust"], check=True, stdout=subprocess.DEVNULL, cwd=data)
        process = self.start([*as_postgres, f"{POSTGRES}/postgres", "-D", data, "-p", str(port), "-k", data, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300",
                              "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=data)
        wait_for(port)
        sql = ("CREATE TABLE account (id int PRIMARY KEY, used int NOT NULL, running int NOT NULL, quota int NOT NULL);"
               "INSERT INTO account SELECT i, 0, 0, 1000000000 FROM generate_series(1, 100000) i; VACUUM ANALYZE account; CHECKPOINT;")
        for _ in range(50):
            if subprocess.run([f"{POSTGRES}/psql", "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "-d", "postgres", "-q", "-c", "SELECT 1"], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        for statement in sql.split(";")[:-1]:
            subprocess.run([f"{POSTGRES}/psql", "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "-d", "postgres", "-q", "-c", statement], check=True)
        return process, port

    def pgbench(self, port, clients, seconds):
        script = self.path("update.sql")
        with open(script, "w") as file:
            file.write("\\set c random(1, 100000)\nUPDATE account SET used = used + 1, running = running + 1 WHERE id = :c AND used < quota AND running < quota;\n")
        done = subprocess.run(["taskset", "-c", CLIENT_CPU, f"{POSTGRES}/pgbench", "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "-n", "-M", "prepared", "-c", str(clients),
                               "-j", "1", "-T", str(seconds), "-f", script, "postgres"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
        return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))

    def runs(self):
        store, keys = self.store()
        copy = self.path("runs.db")
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(copy + suffix):
                os.remove(copy + suffix)
        shutil.copy(store, copy)
        server, port, _, _ = self.serve(copy)
        postgres, pg_port = self.postgres()
        for connections in CONNECTIONS:
            ours, theirs = [], []
            for round_ in range(self.args.rounds):
                script = self.path("reserve.lua")
                with open(script, "w") as file:
                    file.write(RESERVE % {"keys": keys, "count": self.args.keys, "tag": f"b{connections}-{round_}-"})
                ours.append(self.wrk(port, connections, script))
                theirs.append(self.pgbench(pg_port, connections, self.args.seconds))
            best = max(ours, key=lambda r: r["rate"])
            self.note(f"{connections} clients: {best['rate']:.0f} durable reservations a second, p99 {best['p99']:.2f} ms; PostgreSQL {max(theirs):.0f} a second")
            self.bar(f"POST /pipeline-runs, {connections} clients: rate / PostgreSQL's", best["rate"] / max(theirs), 5.0, True)
        figures = get(port, "/metrics")[2].decode()
        granted = int(float(re.search(r'reeve_reservations_total{outcome="allowed",code="OK"} ([\d.e+]+)', figures).group(1)))
        commits = float(re.search(r"reeve_commits_total ([\d.e+]+)", figures).group(1))
        self.note(f"{granted} reservations in {commits:.0f} transactions, {granted / commits:.1f} in one")
        self.stop(server)
        self.stop(postgres)

    def start_up(self):
        store, _ = self.store()
        seconds = []
        for _ in range(self.args.rounds):
            process, port, _, facts = self.serve(store)
            with open(f"/proc/{process.pid}/status") as file:
                resident = int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1)) * 1024
            seconds.append(facts["start_ms"] / 1000)
            self.stop(process)
        self.note(f"{facts['keys']} keys of {facts['customers']} customers; resident {resident / 2**20:.0f} MiB; starts: {', '.join(f'{s:.2f}' for s in seconds)} s")
        self.bar("seconds from start to serving", min(seconds), 1.0, False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", default="build/release")
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--dir", help="where the store goes (kept); default: a temporary directory")
    parser.add_argument("--only", choices=["authz", "runs", "start"])
    args = parser.parse_args()
    missing = [p for p in ("wrk", "nginx", "taskset") if shutil.which(p) is None]
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}")
    bench = Bench(args)
    try:
        if args.only in (None, "start"):
            bench.start_up()
        if args.only in (None, "authz"):
            bench.authz()
        if args.only in (None, "runs"):
            bench.runs()
    finally:
        bench.close()
    sys.exit(1 if bench.missed else 0)


if __name__ == "__main__":
    main()
