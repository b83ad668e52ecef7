"""A proxy on loopback that counts what a BigQuery client sends: requests, and jobs. It passes everything on unchanged."""

import http.client
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_JOB = re.compile(r"(?:/upload)?(?:/bigquery/v2)?/projects/[^/]+/(?:jobs|queries)(?:\?.*)?")
_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-authorization"}


class CountingProxy(ThreadingHTTPServer):
    """Stands before `target`; `requests` and `jobs` so far. A job is a POST to jobs, to queries, or of an upload."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target, project):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target, self.project = urlsplit(target).netloc, project
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests = self.jobs = 0
        self._mu, self._local = threading.Lock(), threading.local()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def count(self, method, path):
        with self._mu:
            self.requests += 1
            self.jobs += method == "POST" and _JOB.fullmatch(path) is not None

    def send(self, method, path, body, headers):
        """The answer of the target: (status, headers, body)."""
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = http.client.HTTPConnection(self.target, timeout=600)
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                connection.close()  # kept too long; a fresh one, once
                self._local.connection = None
                if attempt == 2:
                    raise
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def _pass_on(self):
        self.server.count(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
        status, answered, text = self.server.send(self.command, self.path, body, headers)
        self.send_response_only(status)
        for name, value in answered:
            if name.lower() == "location":  # of a resumable upload: its pieces pass here too
                value = value.replace(f"//{self.server.target}", f"//127.0.0.1:{self.server.server_port}")
            if name.lower() not in _HOP and name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on
