"""What goes wrong on request, and what was counted.

    POST /_fake/faults {"do": …, "method": regex, "path": regex, "body": regex, "nth": 1, "times": 1, "when": "before"|"after", …}    -> {"id": n}
    GET  /_fake/faults {"faults": [{"id", "seen", "acted"}]}, so that a test can tell whether what it prepared came about
    POST /_fake/reset  forgets faults and counts (not data)

A rule looks at requests that match all of its expressions (searched for, in "METHOD", path with query, body as text), counted from 1 since it was made;
it acts on the `nth` to the `nth + times - 1`-th (`times` 0: on all from there). `when`: before the work is done, or after it, with the answer lost.

    do        what happens                                                  further members
    error     answers with an error of section C4 of the facts              reason, code?, message?, retry_after? (s)
    html      answers what a load balancer writes                           code (502)
    garbage   answers 200 with text that is no JSON
    truncate  sends half of the answer, then closes
    drop      closes the connection
    stall     holds the answer                                              seconds
    kill      kills the client (SIGKILL), then closes                       pid? (default: whose connection it is)
    job_error the job is accepted and ends with errorResult                 reason, message?; "query" is searched for in its SQL or destination table
"""

import itertools
import os
import re
import signal
from collections import Counter
from pathlib import Path

from errors import REASONS, ApiError, invalid

ACTIONS = ("error", "html", "garbage", "truncate", "drop", "stall", "kill", "job_error")


class Rule:
    def __init__(self, number, body):
        self.number, self.action, self.body = number, body.get("do"), body
        if self.action not in ACTIONS:
            raise invalid(f"\"do\" is one of {', '.join(ACTIONS)}, not {self.action}")
        if self.action in ("error", "job_error") and body.get("reason") not in REASONS:
            raise invalid(f"\"reason\" is one of {', '.join(sorted(REASONS))}, not {body.get('reason')}")
        self.patterns = [re.compile(body.get(name, ""), re.S) for name in ("method", "path", "body", "query")]
        self.first, self.times, self.when = int(body.get("nth", 1)), int(body.get("times", 1)), body.get("when", "before")
        self.seen = self.acted = 0

    def counts_and_acts(self):
        self.seen += 1
        acts = self.seen >= self.first and (self.times == 0 or self.seen < self.first + self.times)
        self.acted += acts
        return acts

    def error(self):
        reason = self.body["reason"]
        return ApiError(reason, self.body.get("message") or f"injected: {reason}", self.body.get("code"))


class Faults:
    def __init__(self):
        self.rules, self._numbers = [], itertools.count(1)

    def add(self, body):
        rule = Rule(next(self._numbers), body)
        self.rules.append(rule)
        return rule

    def clear(self):
        self.rules = []

    def of_request(self, method, path, body):
        """The first rule that acts on this request, or None. Every rule that matches counts it."""
        found = None
        for rule in self.rules:
            if rule.action == "job_error":
                continue
            wanted_method, wanted_path, wanted_body, _ = rule.patterns
            if wanted_method.search(method) and wanted_path.search(path) and (not wanted_body.pattern or wanted_body.search(body.decode("utf-8", "replace"))):
                if rule.counts_and_acts() and found is None:
                    found = rule
        return found

    def job_error(self, text):
        """What a new job ends with, or None."""
        for rule in self.rules:
            if rule.action == "job_error" and rule.patterns[3].search(text) and rule.counts_and_acts():
                return rule.error()
        return None


def process_of(theirs, ours):
    """The process whose end of a loopback connection is `theirs` (host, port), ours being `ours`; None if it cannot be found. A port of theirs alone may be that of
    connections of others to elsewhere, too."""
    local, remote = (f":{address[1]:04X}" for address in (theirs, ours))
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            inodes |= {words[9] for words in map(str.split, Path(table).read_text().splitlines()[1:]) if words[1].endswith(local) and words[2].endswith(remote)}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                if any(os.readlink(fd) in wanted for fd in (process / "fd").iterdir()):
                    return int(process.name)
            except OSError:
                continue
    return None


def kill_client(rule, theirs, ours):
    pid = rule.body.get("pid") or process_of(theirs, ours)
    if pid is not None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Counts:
    """What came over the wire since the start, or since /_fake/reset."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.values = Counter(api_calls=0, query_jobs=0, load_jobs=0, dry_runs=0, bytes_in=0, bytes_out=0, bytes_billed=0, errors=0)
        self.methods, self.loads = Counter(), Counter()

    def __getitem__(self, name):
        return self.values[name]

    def __setitem__(self, name, value):
        self.values[name] = value

    def loads_of(self, table):
        self.loads[table] += 1

    def json(self):
        return {**self.values, "jobs": self.values["query_jobs"] + self.values["load_jobs"], "methods": dict(self.methods),
                "loads_of_one_table_max": max(self.loads.values(), default=0)}
