#!/usr/bin/env python3
"""The fake of BigQuery keeps to the contract that it states (server.py): tables, jobs, uploads, faults, time. SQL: sql_test.py."""

import gzip
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

from harness import Fake  # noqa: E402

import testing  # noqa: E402

COLUMNS = ("a STRING REQUIRED", "n INTEGER", "b BYTES", "s STRING REPEATED", "j JSON", "ts TIMESTAMP", "x NUMERIC", "d DATE", "o BOOLEAN")


def reason(answer):
    return answer[0], answer[1]["error"]["errors"][0]["reason"]


class WithFake(unittest.TestCase):
    OPTIONS = ()

    def setUp(self):
        self.fake = Fake(*self.OPTIONS)
        self.addCleanup(self.fake.stop)

    def rows_of_list(self, dataset, table, **query):
        """All pages of tabledata.list."""
        found, token = [], ""
        while True:
            words = "&".join(f"{k}={v}" for k, v in {**query, **({"pageToken": token} if token else {})}.items())
            code, page = self.fake.call("GET", f"/datasets/{dataset}/tables/{table}/data?formatOptions.useInt64Timestamp=true&{words}")
            self.assertEqual(code, 200, page)
            found += [[c["v"] for c in row["f"]] for row in page.get("rows", [])]
            token = page.get("pageToken", "")
            if not token:
                return found


class Datasets(WithFake):
    def test_lists_come_in_pages_that_may_be_empty_and_name_what_could_not_be_reached(self):
        for name in ("b", "a", "c"):
            self.fake.dataset(name, "EU" if name == "c" else "US")
        self.fake.control("options", {"empty_pages": True})
        token, names, pages = "", [], 0
        while True:
            _, page = self.fake.call("GET", f"/datasets?maxResults=2{'&pageToken=' + token if token else ''}")
            pages += 1
            names += [d["datasetReference"]["datasetId"] for d in page.get("datasets", [])]
            token = page.get("nextPageToken", "")
            if not token:
                break
        self.assertEqual((names, pages), (["a", "b", "c"], 3))
        self.fake.control("options", {"empty_pages": False, "unreachable": ["EU"]})
        _, page = self.fake.call("GET", "/datasets")
        self.assertEqual(([d["id"] for d in page["datasets"]], page["unreachable"]), (["p:a", "p:b"], ["EU"]))

    def test_labels_filter_the_list(self):
        self.fake.dataset("a", labels={"kind": "tenant"})
        self.fake.dataset("b", labels={"kind": "other"})
        self.fake.dataset("c")
        _, page = self.fake.call("GET", "/datasets?filter=labels.kind:tenant")
        self.assertEqual([d["id"] for d in page["datasets"]], ["p:a"])
        _, page = self.fake.call("GET", "/datasets?filter=labels.kind")
        self.assertEqual([d["id"] for d in page["datasets"]], ["p:a", "p:b"])

    def test_what_exists_is_a_duplicate_what_does_not_is_not_found_what_is_full_is_in_use(self):
        self.fake.dataset("d")
        self.assertEqual(reason(self.fake.call("POST", "/datasets", {"datasetReference": {"datasetId": "d"}})), (409, "duplicate"))
        self.assertEqual(reason(self.fake.call("GET", "/datasets/nope")), (404, "notFound"))
        self.assertEqual(reason(self.fake.call("POST", "/datasets", {"datasetReference": {"datasetId": "a-b"}})), (400, "invalid"))
        self.fake.table("d", "t", "a STRING")
        self.assertEqual(reason(self.fake.call("POST", "/datasets/d/tables", {"tableReference": {"tableId": "t"}})), (409, "duplicate"))
        self.assertEqual(reason(self.fake.call("DELETE", "/datasets/d")), (400, "resourceInUse"))
        self.assertEqual(self.fake.call("DELETE", "/datasets/d?deleteContents=true"), (204, None))
        self.assertEqual(reason(self.fake.call("GET", "/datasets/d/tables/t")), (404, "notFound"))


class Tables(WithFake):
    def setUp(self):
        super().setUp()
        self.fake.dataset("d")

    def test_a_value_of_every_type_comes_back_as_rest_writes_it(self):
        self.fake.table("d", "t", *COLUMNS)
        code, job = self.fake.load("d", "t", [{"a": "x", "n": 1, "b": "AQID", "s": ["u", "v"], "j": {"b": 1, "a": [1, 2]}, "x": "1.50", "d": "2026-01-02",
                                               "ts": "2026-01-02 03:04:05.123456 UTC", "o": True}, {"a": "y"}])
        self.assertEqual((code, job["status"]["state"], job["statistics"]["load"]["outputRows"]), (200, "DONE", "2"))
        expected = [["x", "1", "AQID", [{"v": "u"}, {"v": "v"}], '{"a":[1,2],"b":1}', "1767323045123456", "1.5", "2026-01-02", "true"],
                    ["y", None, None, [], None, None, None, None, None]]
        self.assertEqual(self.fake.rows("SELECT * FROM `p.d.t` ORDER BY a"), expected)
        self.assertEqual(self.rows_of_list("d", "t"), expected)
        _, page = self.fake.call("GET", "/datasets/d/tables/t/data?selectedFields=ts,a")
        self.assertEqual(page["rows"][0], {"f": [{"v": "x"}, {"v": "1.767323045123456E9"}]}, "in the order of the schema, and seconds unless asked otherwise")

    def test_answers_use_the_legacy_names_of_types_and_texts_for_numbers(self):
        made = self.fake.table("d", "t", "a INT64", "b BOOL", "c FLOAT64", clustering={"fields": ["a"]})
        self.assertEqual([f["type"] for f in made["schema"]["fields"]], ["INTEGER", "BOOLEAN", "FLOAT"])
        self.fake.load("d", "t", [{"a": 1, "b": False, "c": 2.5}])
        _, got = self.fake.call("GET", "/datasets/d/tables/t")
        self.assertEqual((got["numRows"], got["numBytes"], got["clustering"]), ("1", "17", {"fields": ["a"]}))

    def test_lists_of_rows_come_in_pages_and_every_row_once(self):
        self.fake.table("d", "t", "n INTEGER")
        self.fake.load("d", "t", [{"n": i} for i in range(25)])
        self.fake.control("options", {"page_rows": 7})
        self.assertEqual([int(r[0]) for r in self.rows_of_list("d", "t", maxResults=100)], list(range(25)))
        self.assertEqual(len(self.rows_of_list("d", "t", startIndex=20)), 5)

    def test_a_patch_wants_the_etag_it_names_and_takes_away_what_is_null(self):
        made = self.fake.table("d", "t", "a STRING", labels={"x": "1", "y": "2"}, description="old")
        changed = {"labels": {"x": None}, "description": "new", "schema": {"fields": [{"name": "a", "type": "STRING"}, {"name": "b", "type": "BYTES"}]}}
        self.assertEqual(reason(self.fake.call("PATCH", "/datasets/d/tables/t", changed, {"If-Match": "stale"})), (412, "conditionNotMet"))
        code, got = self.fake.call("PATCH", "/datasets/d/tables/t", changed, {"If-Match": made["etag"]})
        self.assertEqual((code, got["labels"], got["description"], len(got["schema"]["fields"])), (200, {"y": "2"}, "new", 2))
        self.assertNotEqual(got["etag"], made["etag"])
        removed = {"schema": {"fields": [{"name": "b", "type": "BYTES"}]}}
        self.assertEqual(reason(self.fake.call("PATCH", "/datasets/d/tables/t", removed)), (400, "invalid"))

    def test_a_table_vanishes_when_its_time_has_come(self):
        expires = self.fake.control("time")["now_ms"] + 60_000
        self.fake.table("d", "t", "a STRING", expirationTime=str(expires))
        self.assertEqual(self.fake.call("GET", "/datasets/d/tables/t")[0], 200)
        self.fake.control("advance", {"seconds": 61})
        self.assertEqual(self.fake.call("GET", "/datasets/d/tables/t")[0], 404)
        self.assertEqual(self.fake.call("GET", "/datasets/d/tables")[1]["totalItems"], 0)

    def test_layouts_that_bigquery_refuses_are_refused(self):
        for more in ({"clustering": {"fields": ["j"]}}, {"clustering": {"fields": ["a", "a", "a", "a", "a"]}}, {"timePartitioning": {"type": "DAY", "field": "a"}}):
            body = {"tableReference": {"tableId": "t"}, "schema": {"fields": [{"name": "a", "type": "STRING"}, {"name": "j", "type": "JSON"}]}, **more}
            self.assertEqual(reason(self.fake.call("POST", "/datasets/d/tables", body)), (400, "invalid"), more)

    def test_rows_in_a_streaming_buffer_are_read_and_not_changed(self):
        self.fake.table("d", "t", "a STRING REQUIRED")
        code, answer = self.fake.call("POST", "/datasets/d/tables/t/insertAll", {"rows": [{"json": {"a": "x"}}]})
        self.assertEqual((code, "insertErrors" in answer), (200, False))
        _, answer = self.fake.call("POST", "/datasets/d/tables/t/insertAll", {"rows": [{"json": {"b": "x"}}]})
        self.assertEqual(answer["insertErrors"][0]["index"], 0, "a 200 is no success")
        _, got = self.fake.call("GET", "/datasets/d/tables/t")
        self.assertEqual((got["numRows"], got["streamingBuffer"]["estimatedRows"]), ("0", "1"))
        for change in ("DELETE FROM d.t WHERE a='x'", "UPDATE d.t SET a='y' WHERE TRUE", "TRUNCATE TABLE d.t",
                       "MERGE d.t t USING (SELECT 'x' AS a) s ON t.a=s.a WHEN MATCHED THEN DELETE"):
            self.assertIn("streaming buffer", self.fake.refusal(change)[1])
        self.assertEqual(self.fake.rows("SELECT a FROM d.t"), [["x"]])
        self.fake.control("advance", {"seconds": 31 * 60})
        self.assertEqual(self.fake.query("DELETE FROM d.t WHERE a='x'")[1]["numDmlAffectedRows"], "1")


class Loads(WithFake):
    def setUp(self):
        super().setUp()
        self.fake.dataset("d")

    def test_a_load_is_whole_or_nothing_and_says_which_row_was_wrong(self):
        self.fake.table("d", "t", "a STRING REQUIRED", "n INTEGER")
        for bad, why in (({"n": 1}, "Missing required field: a."), ({"a": "x", "n": "1.5"}, "Could not convert value to int64"),
                         ({"a": "x", "q": 1}, "No such field: q.")):
            code, job = self.fake.load("d", "t", [{"a": "good"}, bad])
            self.assertEqual((code, job["status"]["state"], job["status"]["errorResult"]["reason"]), (200, "DONE", "invalid"))
            self.assertIn(why, job["status"]["errors"][1]["message"])
        self.assertEqual(self.fake.rows("SELECT COUNT(*) FROM d.t"), [["0"]])

    def test_a_column_the_load_leaves_out_takes_its_default_a_key_a_row_leaves_out_is_null(self):
        fields = [{"name": "a", "type": "STRING"}, {"name": "s", "type": "STRING", "mode": "REQUIRED", "defaultValueExpression": "'active'"}]
        self.fake.call("POST", "/datasets/d/tables", {"tableReference": {"tableId": "t"}, "schema": {"fields": fields}})
        self.assertNotIn("errorResult", self.fake.load("d", "t", [{"a": "x"}], fields=["a STRING"])[1]["status"])
        self.assertIn("errorResult", self.fake.load("d", "t", [{"a": "x"}], fields=["a STRING", "s STRING REQUIRED"])[1]["status"])
        self.assertEqual(self.fake.rows("SELECT a, s FROM d.t"), [["x", "active"]])

    def test_dispositions_append_replace_or_refuse(self):
        def load(**more):
            return self.fake.load("d", "t", [{"a": "x"}], fields=["a STRING"], **more)[1]["status"]
        self.assertEqual(load(createDisposition="CREATE_NEVER")["errorResult"]["reason"], "notFound")
        load()
        load()
        self.assertEqual(self.fake.rows("SELECT COUNT(*) FROM d.t"), [["2"]])
        self.assertEqual(load(writeDisposition="WRITE_EMPTY")["errorResult"]["reason"], "duplicate")
        load(writeDisposition="WRITE_TRUNCATE")
        self.assertEqual(self.fake.rows("SELECT COUNT(*) FROM d.t"), [["1"]])
        other = self.fake.load("d", "t", [{"a": 1}], fields=["a INTEGER"])[1]["status"]
        self.assertIn("changed type from STRING to INT64", other["errorResult"]["message"])

    def start_upload(self, total=None, job_id="up"):
        load = {"destinationTable": {"projectId": "p", "datasetId": "d", "tableId": "t"}, "sourceFormat": "NEWLINE_DELIMITED_JSON",
                "schema": {"fields": [{"name": "n", "type": "INTEGER"}]}}
        code, headers, _ = self.fake.raw("POST", "/upload/bigquery/v2/projects/p/jobs?uploadType=resumable",
                                         {"jobReference": {"projectId": "p", "jobId": job_id}, "configuration": {"load": load}},
                                         {"X-Upload-Content-Length": str(total)} if total else {})
        self.assertEqual(code, 200)
        return headers["Location"].removeprefix(self.fake.url)

    def test_a_resumable_upload_goes_on_where_it_broke(self):
        data = b"".join(b'{"n":%d}\n' % i for i in range(60_000))
        where, piece = self.start_upload(len(data)), 256 << 10
        code, headers, _ = self.fake.raw("PUT", where, b"", {"Content-Range": f"bytes */{len(data)}"})
        self.assertEqual((code, headers.get("Range")), (308, None))
        code, headers, _ = self.fake.raw("PUT", where, data[:piece], {"Content-Range": f"bytes 0-{piece - 1}/*"})
        self.assertEqual((code, headers["Range"]), (308, f"bytes=0-{piece - 1}"))
        code, headers, _ = self.fake.raw("PUT", where, b"", {"Content-Range": "bytes */*"})
        self.assertEqual((code, headers["Range"]), (308, f"bytes=0-{piece - 1}"))
        self.assertEqual(self.fake.raw("PUT", where, data[:100], {"Content-Range": "bytes 0-99/*"})[0], 400, "no multiple of 256 KiB")
        rest = {"Content-Range": f"bytes {piece}-{len(data) - 1}/{len(data)}"}
        code, _, body = self.fake.raw("PUT", where, data[piece:], rest)
        self.assertEqual((code, json.loads(body)["statistics"]["load"]["outputRows"]), (200, "60000"))
        self.assertEqual(self.fake.raw("PUT", where, data[piece:], rest)[0], 200, "the last piece again: its answer may have been lost")
        self.assertEqual(self.fake.rows("SELECT COUNT(*), SUM(n) FROM d.t"), [["60000", str(sum(range(60_000)))]])
        self.assertEqual(self.fake.raw("PUT", where.replace("upload_id=", "upload_id=x"), b"", {"Content-Range": "bytes */*"})[0], 404)

    def test_an_upload_may_be_packed(self):
        self.assertEqual(self.fake.load("d", "t", gzip.compress(b'{"a":"x"}\n'), fields=["a STRING"])[1]["statistics"]["load"]["outputRows"], "1")


class JobsTest(WithFake):
    def setUp(self):
        super().setUp()
        self.fake.dataset("d")
        self.fake.table("d", "t", "n INTEGER")
        self.fake.load("d", "t", [{"n": i} for i in range(10)])

    def insert(self, sql, job_id, location=None, **more):
        reference = {"projectId": "p", "jobId": job_id, **({"location": location} if location else {})}
        return self.fake.call("POST", "/jobs", {"jobReference": reference, "configuration": {"query": {"query": sql, "useLegacySql": False}, **more}})

    def test_a_job_id_is_used_once(self):
        self.assertEqual(self.insert("DELETE FROM d.t WHERE n=1", "once")[0], 200)
        self.assertEqual(reason(self.insert("DELETE FROM d.t WHERE n=2", "once")), (409, "duplicate"))
        self.assertEqual(self.fake.rows("SELECT COUNT(*) FROM d.t"), [["9"]])
        self.assertEqual(reason(self.insert("SELECT 1", "no good!")), (400, "invalid"))

    def test_a_failed_query_is_a_job_with_an_error_and_an_http_error_where_results_are_asked_for(self):
        code, job = self.insert("SELECT nope FROM d.t", "bad")
        self.assertEqual((code, job["status"]["state"], job["status"]["errorResult"]["reason"]), (200, "DONE", "invalidQuery"))
        self.assertEqual(self.fake.call("GET", "/jobs/bad")[1]["status"]["errorResult"]["reason"], "invalidQuery")
        self.assertEqual(reason(self.fake.call("GET", "/queries/bad")), (400, "invalidQuery"))
        self.assertEqual(reason(self.fake.query("SELECT nope FROM d.t")), (400, "invalidQuery"))
        self.assertEqual(reason(self.fake.query("SELECT 1 FROM d.missing")), (404, "notFound"))
        self.assertEqual(reason(self.insert("SELECT nope FROM d.t", "dry", dryRun=True)), (400, "invalidQuery"))

    def test_a_job_is_pending_then_running_then_done(self):
        self.fake.control("options", {"pending_polls": 2})
        self.insert("SELECT n FROM d.t", "slow")
        states = [self.fake.call("GET", "/jobs/slow")[1]["status"]["state"] for _ in range(2)]
        self.assertEqual(states, ["RUNNING", "DONE"])
        self.insert("SELECT n FROM d.t", "slow2")
        answers = [self.fake.call("GET", "/queries/slow2?maxResults=4")[1] for _ in range(2)]
        self.assertEqual([a["jobComplete"] for a in answers], [False, True])
        self.assertEqual((len(answers[1]["rows"]), answers[1]["totalRows"]), (4, "10"))
        self.assertFalse(self.fake.query("SELECT 1")[1]["jobComplete"])

    def test_results_come_in_pages_and_may_come_later(self):
        self.insert("SELECT n FROM d.t ORDER BY n", "paged")
        found, token = [], ""
        while True:
            _, page = self.fake.call("GET", f"/queries/paged?maxResults=3{'&pageToken=' + token if token else ''}")
            found += [int(r["f"][0]["v"]) for r in page["rows"]]
            token = page.get("pageToken", "")
            if not token:
                break
        self.assertEqual(found, list(range(10)))
        self.fake.control("options", {"rows_later": True})
        _, first = self.fake.query("SELECT n FROM d.t")
        self.assertEqual((first["jobComplete"], "rows" in first), (True, False))
        _, then = self.fake.call("GET", f"/queries/{first['jobReference']['jobId']}?pageToken={first['pageToken']}")
        self.assertEqual(len(then["rows"]), 10)

    def test_a_dry_run_prices_and_does_nothing(self):
        code, job = self.insert("DELETE FROM d.t WHERE n>=0", "x", dryRun=True)
        self.assertEqual((code, job["statistics"]["query"]["totalBytesProcessed"], "jobId" in job["jobReference"]), (200, "80", False))
        self.assertEqual(self.fake.rows("SELECT COUNT(*) FROM d.t"), [["10"]])
        self.assertEqual(self.fake.control("counts")["dry_runs"], 1)

    def test_ten_mebibytes_are_billed_at_least_and_a_limit_holds(self):
        _, answer = self.fake.query("SELECT n FROM d.t")
        self.assertEqual((answer["totalBytesProcessed"], answer["totalBytesBilled"]), ("80", str(10 << 20)))
        self.assertEqual(self.fake.refusal("SELECT n FROM d.t", maximumBytesBilled="1000")[0], "bytesBilledLimitExceeded")
        self.fake.refusal("DELETE FROM d.t WHERE n>=0", maximumBytesBilled="1000")
        self.assertEqual(self.fake.rows("SELECT COUNT(*) FROM d.t"), [["10"]], "a change that was too dear did not happen")

    def test_a_job_is_where_its_tables_are(self):
        self.fake.dataset("eu", "europe-west1")
        self.fake.table("eu", "t", "n INTEGER")
        self.assertEqual(reason(self.fake.query("SELECT n FROM eu.t", location="US")), (404, "notFound"))
        self.assertEqual(reason(self.fake.query("SELECT n FROM eu.t UNION ALL SELECT n FROM d.t")), (404, "notFound"))
        self.assertEqual(reason(self.fake.load("eu", "t", [{"n": 1}], location="US")), (404, "notFound"))
        self.insert("SELECT n FROM eu.t", "there")
        self.assertEqual(reason(self.fake.call("GET", "/jobs/there")), (404, "notFound"), "outside of US and EU a job is found by its location only")
        self.assertEqual(self.fake.call("GET", "/jobs/there?location=europe-west1")[0], 200)
        self.assertEqual(reason(self.fake.call("GET", "/jobs/there?location=US")), (404, "notFound"))

    def test_the_same_request_id_gives_the_same_job(self):
        first = self.fake.query("DELETE FROM d.t WHERE n=1", requestId="r1")[1]
        again = self.fake.query("DELETE FROM d.t WHERE n=1", requestId="r1")[1]
        self.assertEqual(first["jobReference"], again["jobReference"])
        self.assertEqual(again["numDmlAffectedRows"], "1")

    def test_a_destination_table_takes_the_result(self):
        self.insert("SELECT n, CAST(n AS STRING) AS s FROM d.t WHERE n<3", "dest")
        query = {"query": "SELECT n, CAST(n AS STRING) AS s FROM d.t WHERE n<3", "useLegacySql": False, "writeDisposition": "WRITE_TRUNCATE",
                 "destinationTable": {"projectId": "p", "datasetId": "d", "tableId": "out"}}
        self.fake.call("POST", "/jobs", {"configuration": {"query": query}})
        self.assertEqual(self.fake.rows("SELECT SUM(n), MAX(s) FROM d.out"), [["3", "2"]])

    def test_legacy_sql_is_the_default_and_refused(self):
        code, body = self.fake.call("POST", "/queries", {"query": "SELECT n FROM `p.d.t`"})
        self.assertEqual(code, 400, body)


class Control(WithFake):
    def test_every_fault_happens_at_the_request_it_was_set_for(self):
        self.fake.dataset("d")
        self.fake.control("faults", {"do": "error", "reason": "rateLimitExceeded", "path": "/datasets", "nth": 2, "retry_after": 7})
        answers = [self.fake.raw("GET", "/bigquery/v2/projects/p/datasets") for _ in range(3)]
        self.assertEqual([a[0] for a in answers], [200, 403, 200])
        self.assertEqual(answers[1][1]["Retry-After"], "7")
        self.fake.control("faults", {"do": "html", "path": "/datasets", "code": 502})
        code, headers, text = self.fake.raw("GET", "/bigquery/v2/projects/p/datasets")
        self.assertEqual((code, headers["Content-Type"][:9], text[:6]), (502, "text/html", b"<html>"))
        self.fake.control("faults", {"do": "garbage", "path": "/datasets"})
        with self.assertRaises(ValueError):
            self.fake.call("GET", "/datasets")
        for action in ("drop", "truncate"):
            self.fake.control("faults", {"do": action, "path": "/datasets"})
            with self.assertRaises((OSError, http.client.HTTPException), msg=action):
                self.fake.call("GET", "/datasets")

    def test_a_connection_that_breaks_after_the_work_leaves_it_done(self):
        body = {"datasetReference": {"datasetId": "d"}}
        for when, code in (("before", 404), ("after", 200)):
            self.fake.control("faults", {"do": "drop", "method": "POST", "when": when})
            with self.assertRaises((OSError, http.client.HTTPException)):
                self.fake.call("POST", "/datasets", body)
            self.assertEqual(self.fake.call("GET", "/datasets/d")[0], code)

    def test_a_job_can_be_made_to_fail(self):
        self.fake.control("faults", {"do": "job_error", "reason": "jobBackendError", "query": "SELECT 1", "times": 2})
        code, job = self.fake.call("POST", "/jobs", {"configuration": {"query": {"query": "SELECT 1", "useLegacySql": False}}})
        self.assertEqual((code, job["status"]["errorResult"]["reason"]), (200, "jobBackendError"))
        self.assertEqual(self.fake.refusal("SELECT 1")[0], "jobBackendError")
        self.assertEqual(self.fake.rows("SELECT 1"), [["1"]])

    def test_a_client_can_be_killed_at_a_request(self):
        self.fake.control("faults", {"do": "kill", "path": "/datasets", "nth": 2})
        client = subprocess.run([sys.executable, "-c", "import sys, urllib.request\nfor i in range(3):\n urllib.request.urlopen(sys.argv[1]).read(); print(i, flush=True)",
                                 f"{self.fake.url}/bigquery/v2/projects/p/datasets"], capture_output=True, text=True, timeout=60)
        self.assertEqual((client.returncode, client.stdout), (-9, "0\n"))

    def test_a_token_can_be_asked_for(self):
        self.fake.control("options", {"token": "abc"})
        self.assertEqual(reason(self.fake.call("GET", "/datasets")), (401, "authError"))
        self.assertEqual(self.fake.call("GET", "/datasets", headers={"Authorization": "Bearer abc"})[0], 200)

    def test_other_projects_are_somebody_elses(self):
        self.assertEqual(self.fake.raw("GET", "/bigquery/v2/projects/other/datasets")[0], 403)

    def test_an_estate_of_exports_becomes_tables(self):
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        files = {"acme/x_meta_api_keys-000000000000.json": '{"api_key_id":"k","tenant_id":"acme","api_key_hash":"00","encrypted_api_key":"AQID","created_at":'
                                                           '"2026-01-02 03:04:05 UTC","is_active":true}\n{"api_key_id":"l","encrypted_api_key":"plain text"}\n',
                 "acme/notes.json": '{"what":{"a":1}}\nno json\n{"what":null,"n":7}\n',
                 "acme/typed.json": '{"a":"1"}\n', "acme/typed.schema.json": '[{"name":"a","type":"INTEGER"},{"name":"b","type":"BYTES"}]', "bad-name/t.json": "{}\n"}
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "zip").mkdir()
        (folder / "zip" / "t-0.json.gz").write_bytes(gzip.compress(b'{"a":"x"}\n'))
        report = self.fake.control("load_export", {"directory": str(folder), "location": "EU"})
        self.assertEqual((report["datasets"], report["tables"], report["rows"], report["unnamable"]), (2, 4, 6, ["bad-name"]))
        self.assertEqual([(r["table"], r["line"]) for r in report["refused"]["first"]], [("acme.notes", 2)])
        columns = self.fake.rows("SELECT table_name, column_name, data_type FROM acme.INFORMATION_SCHEMA.COLUMNS WHERE column_name IN "
                                 "('encrypted_api_key', 'created_at', 'expires_at', 'what', 'n', 'b') ORDER BY 1, 2")
        self.assertEqual(columns, [["notes", "n", "INT64"], ["notes", "what", "JSON"], ["typed", "b", "BYTES"], ["x_meta_api_keys", "created_at", "TIMESTAMP"],
                                   ["x_meta_api_keys", "encrypted_api_key", "STRING"], ["x_meta_api_keys", "expires_at", "TIMESTAMP"]])


class SimulatedTime(WithFake):
    OPTIONS = ("--call-ms", "50", "--job-seconds", "2")

    def seconds(self, work):
        """(simulated, real)"""
        before = self.fake.control("time")
        work()
        after = self.fake.control("time")
        return after["simulated_seconds"] - before["simulated_seconds"], after["real_seconds"] - before["real_seconds"]

    def test_what_comes_one_after_the_other_adds_up_and_nobody_waits_for_it(self):
        took, really = self.seconds(lambda: [self.fake.query("SELECT 1") for _ in range(20)])
        self.assertGreaterEqual(took, 40)
        self.assertLess(really, took)

    def test_what_is_under_way_at_once_overlaps(self):
        def together():
            threads = [threading.Thread(target=self.fake.query, args=("SELECT 1",)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        took, _ = self.seconds(together)
        self.assertGreaterEqual(took, 2)
        self.assertLess(took, 8 * 2)

    def test_a_job_runs_until_its_time_is_over(self):
        _, job = self.fake.call("POST", "/jobs", {"jobReference": {"jobId": "j"}, "configuration": {"query": {"query": "SELECT 1", "useLegacySql": False}}})
        self.assertEqual(job["status"]["state"], "RUNNING")
        self.assertFalse(self.fake.call("GET", "/queries/j?timeoutMs=500")[1]["jobComplete"])
        self.assertTrue(self.fake.call("GET", "/queries/j?timeoutMs=10000")[1]["jobComplete"])

    def test_two_changes_of_a_table_run_twenty_wait_and_the_next_is_refused(self):
        self.fake.dataset("d")
        self.fake.table("d", "t", "n INTEGER")
        jobs = []
        for i in range(23):
            jobs.append(self.fake.call("POST", "/jobs", {"jobReference": {"jobId": f"j{i}"}, "configuration": {"query": {
                "query": f"UPDATE d.t SET n={i} WHERE TRUE", "useLegacySql": False}}})[1])
            if i == 0:  # all of them within the first two seconds
                self.fake.control("advance", {"seconds": -1})
        states = [j["status"]["state"] for j in jobs]
        self.assertEqual(states[:2], ["RUNNING", "RUNNING"])
        self.assertEqual(set(states[2:22]), {"PENDING"})
        self.assertEqual(jobs[22]["status"]["errorResult"]["reason"], "resourcesExceeded")


class Ending(unittest.TestCase):
    def test_it_ends_with_its_input_and_leaves_nothing(self):
        fake = Fake()
        folder = next(p for p in Path(tempfile.gettempdir()).iterdir() if p.name.startswith("fake-bigquery-") and _holds(fake.process.pid, p))
        fake.stop()
        self.assertEqual(fake.process.returncode, 0)
        self.assertFalse(folder.exists())


def _holds(pid, folder):
    return any(os.path.realpath(f"/proc/{pid}/fd/{fd}").startswith(str(folder)) for fd in os.listdir(f"/proc/{pid}/fd"))


if __name__ == "__main__":
    testing.main()
