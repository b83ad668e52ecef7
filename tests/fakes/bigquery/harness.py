"""Starts the fake from Python tests and talks to it: no client library, so that nothing is hidden. Ends with the `with` block, or with the test program."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

SERVER = Path(__file__).resolve().parent / "server.py"


class Fake:
    def __init__(self, *options, project="p", stderr=None):
        self.project = project
        self.process = subprocess.Popen([sys.executable, str(SERVER), "--port", "0", "--project", project, *map(str, options)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the fake did not start: exit {self.process.wait()}")
        self.url = json.loads(line)["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def raw(self, method, path, body=None, headers=None):
        """(code, headers, bytes)"""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    def call(self, method, path, body=None, headers=None):
        """(code, JSON) of a path below the project."""
        code, _, text = self.raw(method, f"/bigquery/v2/projects/{self.project}{path}", body, headers)
        return code, json.loads(text) if text else None

    def control(self, name, body=None):
        code, _, text = self.raw("GET" if body is None else "POST", f"/_fake/{name}", body)
        if code != 200:
            raise RuntimeError(text.decode())
        return json.loads(text)

    # ---- shorter words for what tests do all the time

    def dataset(self, name, location="US", **more):
        code, body = self.call("POST", "/datasets", {"datasetReference": {"projectId": self.project, "datasetId": name}, "location": location, **more})
        assert code == 200, body
        return body

    def table(self, dataset, name, *fields, **more):
        """fields: "name TYPE [MODE]" """
        listed = [dict(zip(("name", "type", "mode"), f.split())) for f in fields]
        code, body = self.call("POST", f"/datasets/{dataset}/tables", {
            "tableReference": {"projectId": self.project, "datasetId": dataset, "tableId": name}, "schema": {"fields": listed}, **more})
        assert code == 200, body
        return body

    def query(self, sql, **more):
        """(code, JSON) of jobs.query"""
        return self.call("POST", "/queries", {"query": sql, "useLegacySql": False, "formatOptions": {"useInt64Timestamp": True}, **more})

    def rows(self, sql, **more):
        code, body = self.query(sql, **more)
        assert code == 200, body
        return [[cell["v"] for cell in row["f"]] for row in body.get("rows", [])]

    def refusal(self, sql, **more):
        """(reason, message) of a query that is refused."""
        code, body = self.query(sql, **more)
        assert code >= 400, body
        return body["error"]["errors"][0]["reason"], body["error"]["message"]

    def load(self, dataset, table, rows, job_id="", fields=None, location=None, **more):
        """(code, JSON) of a multipart load."""
        load = {"destinationTable": {"projectId": self.project, "datasetId": dataset, "tableId": table}, "sourceFormat": "NEWLINE_DELIMITED_JSON", **more}
        if fields:
            load["schema"] = {"fields": [dict(zip(("name", "type", "mode"), f.split())) for f in fields]}
        reference = {"projectId": self.project, **({"jobId": job_id} if job_id else {}), **({"location": location} if location else {})}
        data = rows if isinstance(rows, bytes) else b"".join(json.dumps(r).encode() + b"\n" for r in rows)
        body = (b"--B\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n" + json.dumps({"jobReference": reference, "configuration": {"load": load}}).encode()
                + b"\r\n--B\r\nContent-Type: application/octet-stream\r\n\r\n" + data + b"\r\n--B--\r\n")
        code, _, text = self.raw("POST", f"/upload/bigquery/v2/projects/{self.project}/jobs?uploadType=multipart", body,
                                 {"Content-Type": "multipart/related; boundary=B"})
        return code, json.loads(text)
