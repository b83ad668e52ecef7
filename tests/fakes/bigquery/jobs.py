"""Jobs: ids that are used once, states, results in pages. What a job does is in query_jobs.py and load_jobs.py.

A job does its work when it is inserted; how long it then is PENDING and RUNNING is a matter of the clock (--job-seconds) and of `pending_polls`: the
number of times that it is asked about before it says DONE. UPDATE, DELETE and MERGE: 2 at a time per table, 20 more wait, the next fails (facts B1).
Source: jobs resource of the discovery document; facts C2, C4.
"""

import re
import uuid

import load_jobs
import query_jobs
import rows_out
from errors import ApiError, invalid, not_found

JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")
DML_AT_ONCE, DML_WAITING = 2, 20
RESULT_BYTES_KEPT = 2 << 30  # results of older jobs are forgotten beyond that, as after a day in reality


class Job:
    def __init__(self, job_id, location, configuration, now):
        self.id, self.location, self.configuration = job_id, location, configuration
        self.created = self.start = self.end = now
        self.error, self.errors = None, []
        self.statistics = {}
        self.columns, self.rows, self.first, self.result_bytes = None, 0, 0, 0  # of a query's result: [(name, type)], number, place in `results`
        self.target, self.polls_left, self.user = None, 0, "somebody@example.com"

    def done(self, now):
        return self.polls_left <= 0 and now >= self.end

    def state(self, now):
        return "DONE" if self.done(now) else "PENDING" if self.polls_left > 1 or now < self.start else "RUNNING"

    def reference(self, project):
        return {"projectId": project, "jobId": self.id, "location": self.location}

    def json(self, project, now):
        state = self.state(now)
        out = {"kind": "bigquery#job", "etag": "job", "id": f"{project}:{self.location}.{self.id}", "jobReference": self.reference(project),
               "configuration": self.configuration, "status": {"state": state}, "user_email": self.user,
               "statistics": {"creationTime": str(self.created), "startTime": str(self.start)}}
        if state == "DONE":
            out["statistics"].update(self.statistics, endTime=str(self.end))
            if self.error is not None:
                out["status"]["errorResult"] = self.error.proto()
                out["status"]["errors"] = self.errors or [self.error.proto()]
        return out


class Jobs:
    def __init__(self, catalog, options, counts):
        self.catalog, self.options, self.counts = catalog, options, counts
        self.by_id = {}
        self.requests = {}  # requestId of jobs.query: (job, moment)
        self.engine = query_jobs.Engine(catalog, options)
        self.engine.keep_result = self.keep_result
        catalog.db.execute("CREATE TABLE results(n INTEGER PRIMARY KEY, row TEXT)")
        rows_out.register(catalog.db)

    # ---- beginning

    def begin(self, body, request, lines=None):
        """Does a job of jobs.insert: the Job. `lines`: of an upload."""
        reference, configuration = body.get("jobReference") or {}, body.get("configuration")
        if not configuration:
            raise ApiError("required", "Required parameter is missing")
        job_id = reference.get("jobId") or f"job_{uuid.uuid4().hex}"
        if not JOB_ID.fullmatch(job_id):
            raise invalid(f"Invalid job ID \"{job_id}\". The job ID must contain only letters, numbers, underscores and dashes and be at most 1024 characters long.")
        if reference.get("projectId") not in (None, self.catalog.project):
            raise invalid("jobReference.projectId does not match the project of the URL")
        dry = bool(configuration.get("dryRun"))
        if not dry and job_id in self.by_id:
            raise ApiError("duplicate", f"Already Exists: Job {self.catalog.project}:{self.by_id[job_id].location}.{job_id}")
        job = Job(job_id, reference.get("location"), configuration, request.arrived)
        if "query" in configuration:
            self._run_query(job, configuration["query"], dry, request.server.faults.job_error(configuration["query"].get("query") or ""))
        elif "load" in configuration:
            self._run_load(job, configuration["load"], lines, request.server.faults.job_error(str(configuration["load"].get("destinationTable"))))
        else:
            raise ApiError("notImplemented", f"not in the fake's subset: jobs of the kinds {sorted(configuration)}")
        job.location = job.location or self.catalog.location
        if not dry:
            self.by_id[job_id] = job
        return job

    def _run_query(self, job, query, dry, injected):
        self.counts["dry_runs" if dry else "query_jobs"] += 1
        if query.get("useLegacySql", True):
            failure = query_jobs.legacy_sql_error(query.get("query") or "")
        else:
            failure = injected
        try:
            if failure is not None:
                raise failure
            self.engine.run(job, query, dry)
        except ApiError as error:
            if dry:
                raise
            job.error = error
        if not dry:
            self.counts["bytes_billed"] += int(job.statistics.get("query", {}).get("totalBytesBilled", 0)) if job.error is None else 0
            self._schedule(job)

    def _run_load(self, job, load, lines, injected):
        self.counts["load_jobs"] += 1
        try:
            if injected is not None:
                raise injected
            load_jobs.run(self.catalog, job, load, lines, self.counts, self.engine.functions)
        except ApiError as error:
            if error.reason == "notFound" and error.message.startswith("Not found: Dataset"):
                raise  # refused at once, no job comes of it
            job.error = error
        self._schedule(job)

    def _schedule(self, job):
        """When it starts and ends; refuses a change for which there is no room in the queue of its table."""
        job.polls_left = int(self.options.get("pending_polls") or 0)
        duration = self.catalog.clock.job_ms
        if job.target is not None and duration:
            ends = sorted(j.end for j in self.by_id.values() if j.target == job.target and j.end > job.start)
            if len(ends) >= DML_AT_ONCE + DML_WAITING:
                dataset, name = job.target
                job.error = ApiError("resourcesExceeded", "Resources exceeded during query execution: Too many DML statements outstanding against table "
                                     f"{self.catalog.project}:{dataset}.{name}, limit is {DML_WAITING}.")
                return
            if len(ends) >= DML_AT_ONCE:
                job.start = ends[-DML_AT_ONCE]
        job.end = job.start + duration

    # ---- asking

    def find(self, job_id, location):
        """A job outside of the US and EU is found only by who names its location (facts C5)."""
        job = self.by_id.get(job_id)
        where = f"{self.catalog.project}:{location + '.' if location else ''}{job_id}"
        if job is None or (location and location.lower() != job.location.lower()) or (not location and job.location.upper() not in ("US", "EU")):
            raise not_found("Job", where)
        return job

    def ask(self, job):
        """Somebody asks how it stands."""
        job.polls_left -= 1 if job.polls_left > 0 else 0

    def insert(self, request, project, body=None, lines=None):
        job = self.begin(body or request.json(), request, lines)
        out = job.json(project, request.due)
        if job.configuration.get("dryRun"):
            out["status"] = {"state": "DONE"}
            out["statistics"].update(job.statistics)
            out["jobReference"].pop("jobId", None)
        return out

    def get(self, request, project, job_id):
        job = self.find(job_id, request.query.get("location"))
        self.ask(job)
        return job.json(project, request.due)

    def list(self, request, project):
        newest = sorted(self.by_id.values(), key=lambda j: -j.created)[:int(request.query.get("maxResults") or 50)]
        return {"kind": "bigquery#jobList", "jobs": [{**j.json(project, request.due), "state": j.state(request.due)} for j in newest]}

    def cancel(self, request, project, job_id):
        """Best effort, as Google says: what was done stays done, and the job ends as it would have."""
        job = self.find(job_id, request.query.get("location"))
        return {"kind": "bigquery#jobCancelResponse", "job": job.json(project, request.due)}

    def delete(self, request, _project, job_id):
        job = self.find(job_id, request.query.get("location"))
        self._forget_result(job)
        del self.by_id[job.id]

    # ---- results

    def keep_result(self, job, translated):
        """Runs the query and keeps its rows."""
        db = self.catalog.db
        job.first = db.execute("SELECT COALESCE(MAX(n),0)+1 FROM results").fetchone()[0]
        texts = [(f"c{i + 1}", kind) for i, (_, kind) in enumerate(translated.columns)]
        for branch in translated.branches:
            job.rows += max(0, self.engine.session.run(f"INSERT INTO results(row) SELECT {rows_out.row_sql(texts)} FROM ({branch})").rowcount)
        job.result_bytes = db.execute("SELECT COALESCE(SUM(LENGTH(row)),0) FROM results WHERE n>=?", (job.first,)).fetchone()[0]
        job.columns = translated.columns

    def make_room(self):
        kept = sum(j.result_bytes for j in self.by_id.values())
        for job in list(self.by_id.values()):
            if kept <= RESULT_BYTES_KEPT:
                return
            kept -= job.result_bytes
            self._forget_result(job)

    def _forget_result(self, job):
        if job.rows:
            self.catalog.db.execute("DELETE FROM results WHERE n>=? AND n<?", (job.first, job.first + job.rows))
        job.result_bytes = 0

    def query(self, request, project):
        """jobs.query"""
        body = request.json()
        again = self.requests.get(body.get("requestId") or "")
        if again is not None and request.arrived - again[1] < 15 * 60_000:
            job = again[0]
        else:
            configuration = {"query": {k: v for k, v in body.items() if k in (
                "query", "useLegacySql", "queryParameters", "parameterMode", "maximumBytesBilled", "defaultDataset", "destinationTable")}}
            if body.get("dryRun"):
                configuration["dryRun"] = True
            job = self.begin({"configuration": configuration, "jobReference": {"location": body.get("location")} if body.get("location") else {}}, request)
            if body.get("requestId"):
                self.requests[body["requestId"]] = (job, request.arrived)
        if job.configuration.get("dryRun"):
            return {"kind": "bigquery#queryResponse", "jobComplete": True, "jobReference": {"projectId": project, "location": job.location},
                    "totalBytesProcessed": job.statistics["query"]["totalBytesProcessed"], "schema": job.statistics["query"].get("schema", {})}
        return self._answer(request, project, job, "bigquery#queryResponse", body)

    def results(self, request, project, job_id):
        """jobs.getQueryResults"""
        job = self.find(job_id, request.query.get("location"))
        if "query" not in job.configuration:
            raise invalid(f"Job {job_id} is no query")
        self.ask(job)
        named = {"timeoutMs": request.query.get("timeoutMs"), "maxResults": request.query.get("maxResults"),
                 "formatOptions": {"useInt64Timestamp": request.asks_for_int64()}}
        return self._answer(request, project, job, "bigquery#getQueryResultsResponse", named)

    def _answer(self, request, project, job, kind, named):
        timeout = int(named.get("timeoutMs") if named.get("timeoutMs") not in (None, "") else 10_000)
        request.due = max(request.due, min(job.end, request.arrived + timeout))
        head = {"kind": kind, "etag": "results", "jobReference": job.reference(project)}
        if not job.done(request.due):
            return {**head, "jobComplete": False}
        if job.error is not None:
            raise ApiError(job.error.reason, job.error.message, job.error.code, job.error.location)
        head["jobComplete"] = True
        head.update({k: v for k, v in job.statistics.get("query", {}).items() if k in ("totalBytesProcessed", "totalBytesBilled", "cacheHit",
                                                                                      "numDmlAffectedRows", "dmlStats")})
        if job.columns is None:
            return head if job.statistics.get("query", {}).get("dmlStats") is not None else {**head, "totalRows": "0"}
        return self._page(request, job, named, head)

    def _page(self, request, job, named, head):
        head.update(schema=rows_out.result_schema(job.columns), totalRows=str(job.rows))
        token = request.query.get("pageToken", "")
        if token and not re.fullmatch(r"n:\d+", token):
            raise invalid(f"Invalid page token: {token}")
        start = int(token[2:]) if token else int(request.query.get("startIndex") or 0)
        limit = int(named["maxResults"]) if named.get("maxResults") not in (None, "") else rows_out.PAGE_ROWS_MAX
        limit = min(limit, int(self.options.get("page_rows") or rows_out.PAGE_ROWS_MAX))
        if limit == 0 or (self.options.get("rows_later") and head["kind"].endswith("queryResponse") and job.rows):
            return {**head, **({"pageToken": f"n:{start}"} if job.rows else {})}  # legal: complete, and no rows yet
        if job.rows and not job.result_bytes:
            raise not_found("Table", f"{self.catalog.project}:anonymous.{job.id}")
        found = self.catalog.db.execute("SELECT row FROM results WHERE n>=? AND n<? ORDER BY n", (job.first + start, job.first + job.rows))
        page, more = rows_out.take_page((r for r, in found), limit, rows_out.PAGE_BYTES_MAX)
        if more:
            head["pageToken"] = f"n:{start + len(page)}"
        form = named.get("formatOptions") or {}
        if not (form.get("useInt64Timestamp") or form.get("timestampOutputFormat") == "INT64"):
            page = rows_out.in_seconds(page, job.columns)
        return rows_out.with_rows(head, page or None)
