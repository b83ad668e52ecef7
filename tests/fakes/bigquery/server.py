#!/usr/bin/env python3
"""A fake of BigQuery's REST surface, for what the emulator cannot show: paging, locations, job ids, retryable errors, broken connections, big estates.

    python3 server.py --port 0 --project P [options]        prints {"port": N, "url": …} on one line when it is ready; ends when its input does

THE CONTRACT IT IMITATES is BigQuery v2 as Google documents it: the discovery document (revision 20250928), "Error messages", "Quotas and limits", "Loading
JSON data", "GoogleSQL reference"; each module names its pages. Where this fake and those differ, the fake is wrong. What it does not imitate it refuses
with a reason and "not in the fake's subset" in the message; nothing is accepted and ignored but: FOR SYSTEM_TIME AS OF (checked, then the present is
read), row access policies (checked, recorded), encryption keys, priorities and labels of jobs, cancelling.

    catalog.py rest_tables.py rows_out.py values.py    datasets, tables, rows      sql_*.py information_schema.py    the portable subset of SQL
    jobs.py query_jobs.py load_jobs.py uploads.py      jobs                        faults.py clock.py estate.py      what tests do with it

Control, not counted and not timed (all but GET answer JSON of what was set):
    GET  /_fake/counts, /_fake/time (clock.py), /_fake/jobs (what each did), /_fake/faults, /_fake/options
    POST /_fake/faults, /_fake/reset (faults.py), /_fake/load_export (estate.py), /_fake/advance {"seconds": n}
    POST /_fake/options {name: value}, options also being flags (--pending-polls 2): see OPTIONS
"""

import argparse
import gzip
import json
import re
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

import estate
import faults
import rest_tables
from catalog import Catalog
from clock import Clock
from errors import ApiError
from jobs import Jobs
from uploads import Answer, Uploads

OPTIONS = {  # name: (default, what it does)
    "pending_polls": (0, "a job says DONE only when it was asked about so often"),
    "page_rows": (0, "at most so many rows on a page, whatever is asked for; 0: as BigQuery"),
    "rows_later": (False, "jobs.query answers complete, but without rows: they come with getQueryResults"),
    "empty_pages": (False, "lists begin with an empty page that has a nextPageToken"),
    "unreachable": ([], "locations that datasets.list could not reach"),
    "union_max": (0, "a UNION ALL of more parts ends with resourcesExceeded; 0: no such limit"),
    "system_time": (True, "FOR SYSTEM_TIME AS OF is known"),
    "information_schema": (True, "INFORMATION_SCHEMA is known"),
    "regions": (True, "`region-xx`.INFORMATION_SCHEMA is known"),
    "token": ("", "requests need Authorization: Bearer TOKEN, others get 401; empty: nobody asks"),
}
BODY_BYTES_MAX = 1 << 30

_P, _D, _T, _J = r"projects/([^/]+)", r"/datasets/([^/]+)", r"/tables/([^/]+)", r"/jobs/([^/]+)"
ROUTES = [(method, re.compile(pattern), name, function) for method, pattern, name, function in (
    ("GET", f"{_P}/datasets", "datasets.list", rest_tables.list_datasets), ("POST", f"{_P}/datasets", "datasets.insert", rest_tables.insert_dataset),
    ("GET", _P + _D, "datasets.get", rest_tables.get_dataset), ("PATCH", _P + _D, "datasets.patch", rest_tables.patch_dataset),
    ("DELETE", _P + _D, "datasets.delete", rest_tables.delete_dataset), ("GET", f"{_P}{_D}/tables", "tables.list", rest_tables.list_tables),
    ("POST", f"{_P}{_D}/tables", "tables.insert", rest_tables.insert_table), ("GET", _P + _D + _T, "tables.get", rest_tables.get_table),
    ("PATCH", _P + _D + _T, "tables.patch", rest_tables.patch_table), ("PUT", _P + _D + _T, "tables.update", rest_tables.put_table),
    ("DELETE", _P + _D + _T, "tables.delete", rest_tables.delete_table), ("GET", f"{_P}{_D}{_T}/data", "tabledata.list", rest_tables.list_rows),
    ("POST", f"{_P}{_D}{_T}/insertAll", "tabledata.insertAll", rest_tables.insert_all),
    ("POST", f"{_P}/queries", "jobs.query", lambda r, p: r.server.jobs.query(r, p)),
    ("GET", f"{_P}/queries/([^/]+)", "jobs.getQueryResults", lambda r, p, j: r.server.jobs.results(r, p, j)),
    ("POST", f"{_P}/jobs", "jobs.insert", lambda r, p: r.server.jobs.insert(r, p)), ("GET", f"{_P}/jobs", "jobs.list", lambda r, p: r.server.jobs.list(r, p)),
    ("GET", _P + _J, "jobs.get", lambda r, p, j: r.server.jobs.get(r, p, j)), ("POST", f"{_P}{_J}/cancel", "jobs.cancel", lambda r, p, j: r.server.jobs.cancel(r, p, j)),
    ("DELETE", f"{_P}{_J}/delete", "jobs.delete", lambda r, p, j: r.server.jobs.delete(r, p, j)),
    ("POST", f"upload/{_P}/jobs", "jobs.insert", lambda r, p: r.server.uploads.begin(r, p)),
    ("PUT", f"upload/{_P}/jobs", "upload.piece", lambda r, p: r.server.uploads.piece(r, p)),
)]


class Request:
    def __init__(self, handler, server, body):
        url = urlsplit(handler.path)
        self.method = handler.headers.get("X-HTTP-Method-Override", handler.command)
        self.server, self.catalog, self.headers = server, server.catalog, handler.headers
        self.path, self.query = url.path, dict(parse_qsl(url.query, keep_blank_values=True))
        self._body = body
        self.arrived = self.due = 0

    def body(self):
        return gzip.decompress(self._body) if self.headers.get("Content-Encoding") == "gzip" else self._body

    def asks_for_int64(self):
        """Timestamps in microseconds. Google's Python client writes "True"."""
        return self.query.get("formatOptions.useInt64Timestamp", "").lower() == "true" or self.query.get("formatOptions.timestampOutputFormat") == "INT64"

    def json(self):
        try:
            found = json.loads(self.body() or b"{}")
        except ValueError as error:
            raise ApiError("badRequest", f"Parse Error: {error}") from error
        if not isinstance(found, dict):
            raise ApiError("badRequest", "Parse Error: the body is no object")
        return found


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, project, location, clock, options):
        super().__init__(address, Handler)
        self.options, self.clock = options, clock
        self.catalog = Catalog(project, location, clock)
        self.faults, self.counts = faults.Faults(), faults.Counts()
        self.jobs = Jobs(self.catalog, options, self.counts)
        self.uploads = Uploads(self.jobs, self.catalog.folder)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    def answer(self, request):
        """Does the work of a request: an Answer."""
        match = re.fullmatch(r"/(?:(?:resumable/)?(upload)/)?(?:bigquery/v2/)?(.*)", request.path)
        path = f"{'upload/' if match[1] else ''}{match[2]}"
        for method, pattern, name, function in ROUTES:
            found = pattern.fullmatch(path) if method == request.method else None
            if found:
                self.counts.methods[name] += 1
                names = [unquote(g) for g in found.groups()]
                self._admit(request, names[0])
                out = function(request, *names)
                self.jobs.make_room()
                return out if isinstance(out, Answer) else Answer(204) if out is None else Answer(200, body=out if isinstance(out, str) else json.dumps(
                    out, separators=(",", ":"), ensure_ascii=False))
        raise ApiError("notFound", f"Not Found: {request.method} {request.path} is not in the fake's subset")

    def _admit(self, request, project):
        token = self.options.get("token")
        if token and request.headers.get("Authorization") != f"Bearer {token}":
            raise ApiError("authError", "Request had invalid authentication credentials. Expected OAuth 2 access token.")
        if project != self.catalog.project:
            raise ApiError("accessDenied", f"Access Denied: Project {project}: User does not have permission in project {project}, or it does not exist.")

    def control(self, request):
        name, post = request.path[len("/_fake/"):], request.method == "POST"
        if name == "counts":
            return self.counts.json()
        if name == "time":
            return self.clock.report()
        if name == "jobs":
            return {"jobs": [_job_line(j, self.clock.now_ms()) for j in self.jobs.by_id.values()]}
        if name == "faults" and not post:
            return {"faults": [{"id": r.number, "seen": r.seen, "acted": r.acted} for r in self.faults.rules]}
        if name == "options" and not post:
            return self.options
        body = request.json()
        if name == "options":
            unknown = set(body) - set(OPTIONS)
            if unknown:
                raise ApiError("invalid", f"no such option: {', '.join(sorted(unknown))}")
            self.options.update(body)
            return self.options
        if name == "faults":
            return {"id": self.faults.add(body).number}
        if name == "reset":
            self.faults.clear()
            self.counts.clear()
            return {}
        if name == "advance":
            self.clock.advance(float(body.get("seconds", 0)))
            return self.clock.report()
        if name == "load_export":
            with self.catalog.lock:
                return estate.load_export(self.catalog, body)
        raise ApiError("notFound", f"no control {request.path}")


def _job_line(job, now):
    query = job.configuration.get("query") or {}
    load = (job.configuration.get("load") or {}).get("destinationTable") or {}
    return {"id": job.id, "location": job.location, "state": job.state(now), "error": job.error.proto() if job.error else None, "query": query.get("query"),
            "load": f"{load.get('datasetId')}.{load.get('tableId')}" if load else None, "kind": (job.statistics.get("query") or {}).get("statementType", "LOAD"),
            "rows": job.rows, "billed": (job.statistics.get("query") or {}).get("totalBytesBilled", "0")}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake-bigquery"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def _read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(pieces)
        size = int(self.headers.get("Content-Length") or 0)
        if size > BODY_BYTES_MAX:
            raise ApiError("invalid", "request too large")
        return self.rfile.read(size)

    def _serve(self):
        body = self._read_body()
        request = Request(self, self.server, body)
        if request.path.startswith("/_fake/"):
            return self._send(*self._outcome(lambda: Answer(200, body=json.dumps(self.server.control(request)))), False)
        clock, counts = self.server.clock, self.server.counts
        request.arrived = clock.begin()
        try:
            request.due = request.arrived + clock.call_ms
            with self.server.catalog.lock:
                counts["api_calls"] += 1
                counts["bytes_in"] += len(body)
                rule = self.server.faults.of_request(request.method, self.path, body)
            if rule is not None and rule.when == "before" and not self._go_on(rule, None):
                return None
            with self.server.catalog.lock:
                answer, text = self._outcome(lambda: self.server.answer(request), rule)
        finally:
            clock.end()
        clock.hold(request.due)
        if rule is not None and (rule.when == "after" or rule.action == "truncate") and not self._go_on(rule, text):
            return None
        return self._send(answer, text, True, rule)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _outcome(self, work, rule=None):
        try:
            if rule is not None and rule.action == "error" and rule.when == "before":
                raise rule.error()
            answer = work()
            if rule is not None and rule.action == "error":
                raise rule.error()
        except ApiError as error:
            self.server.counts["errors"] += 1
            answer = Answer(error.code, body=json.dumps(error.body()))
        except Exception as error:  # a bug of the fake: say so loudly, and do not hang the client
            print(f"fake-bigquery: {self.command} {self.path}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            import traceback
            traceback.print_exc()
            answer = Answer(500, body=json.dumps(ApiError("internalError", f"bug in the fake: {type(error).__name__}: {error}").body()))
        return answer, answer.body.encode()

    def _go_on(self, rule, text):
        """Does what a rule says; False if there is nothing more to answer."""
        if rule.action == "stall":
            time.sleep(float(rule.body.get("seconds", 1)))
            return True
        if rule.action == "error" or (rule.action == "truncate" and text is None):
            return True
        if rule.action == "html":
            code = int(rule.body.get("code", 502))
            self._write(code, {"Content-Type": "text/html; charset=UTF-8"}, b"<html><head><title>Error</title></head><body><h1>Server Error</h1></body></html>")
            return False
        if rule.action == "garbage":
            self._write(200, {"Content-Type": "application/json"}, b"{\"kind\": \"bigq\x00")
            return False
        if rule.action == "truncate":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text) + text[:len(text) // 2])
        if rule.action == "kill":
            faults.kill_client(rule, self.client_address, self.connection.getsockname())
        self._drop()
        return False

    def _drop(self):
        self.wfile.flush()
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _send(self, answer, text, counted, rule=None):
        headers = {"Content-Type": "application/json; charset=UTF-8", **answer.headers}
        if rule is not None and rule.action == "error" and rule.body.get("retry_after"):
            headers["Retry-After"] = str(rule.body["retry_after"])
        if len(text) > 4096 and "gzip" in self.headers.get("Accept-Encoding", ""):
            text = gzip.compress(text, 1)
            headers["Content-Encoding"] = "gzip"
        if counted:
            self.server.counts["bytes_out"] += len(text)
        self._write(answer.code, headers, text)

    def _write(self, code, headers, text):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--project", required=True)
    parser.add_argument("--location", default="US", help="of datasets that are made without one")
    parser.add_argument("--call-ms", type=int, default=0, help="simulated time of a request")
    parser.add_argument("--job-seconds", type=float, default=0, help="simulated time of a job")
    parser.add_argument("--stay", action="store_true", help="go on when the input ends")
    for name, (default, text) in OPTIONS.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(default, bool):
            parser.add_argument(flag if not default else "--no-" + flag[2:], dest=name, action="store_const", const=not default, default=default, help=text)
        elif isinstance(default, list):
            parser.add_argument(flag, action="append", default=[], help=text)
        else:
            parser.add_argument(flag, type=type(default), default=default, help=text)
    return parser.parse_args(arguments)


def main():
    arguments = options_of(sys.argv[1:])
    options = {name: getattr(arguments, name) for name in OPTIONS}
    server = Server((arguments.host, arguments.port), arguments.project, arguments.location, Clock(arguments.call_ms, arguments.job_seconds), options)
    print(json.dumps({"port": server.server_port, "url": f"http://{arguments.host}:{server.server_port}"}), flush=True)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    try:
        if arguments.stay:
            serving.join()
        while not arguments.stay and sys.stdin.buffer.read(4096):
            pass
    except KeyboardInterrupt:
        pass
    server.shutdown()
    server.catalog.close()


if __name__ == "__main__":
    main()
