"""BigQuery servers for tests and benchmarks: the emulator, and Google's client. The fake: tests/fakes/bigquery/harness.py.

Where one of them cannot be had, Missing says why, in the words of tools/bigquery_emulator and tools/google_client.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Missing(Exception):
    pass


def outside(tool, variable):
    """The path of what tools/TOOL makes: from the environment, as ./test sets it, else from what is built already."""
    path, why = os.environ.get(variable), os.environ.get(variable.replace("REEVE_", "REEVE_NO_"))
    if path:
        return path
    if not why:
        done = subprocess.run([str(ROOT / "tools" / tool), "--find"], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
        why = done.stdout.strip()
    raise Missing(why)


def become_google_client():
    """Goes on in the Python that has Google's client. Returns "" if it is that, else the reason why there is none."""
    if os.environ.get("REEVE_HAS_GOOGLE_CLIENT") == "1":
        return ""
    try:
        python = outside("google_client", "REEVE_GOOGLE_CLIENT")
    except Missing as missing:
        return str(missing)
    sys.stdout.flush()
    os.execve(python, [python, *sys.argv], {**os.environ, "REEVE_HAS_GOOGLE_CLIENT": "1"})
    return ""


_LIBC = ctypes.CDLL(None)  # not loaded between fork and exec


def _die_with_parent():
    _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a test that is killed leaves no emulator behind


class Emulator:
    """A fresh emulator on a free port, with a folder of its own; ends with the `with` block."""

    def __init__(self, project="reeve-test"):
        self.project = project
        program = outside("bigquery_emulator", "REEVE_BIGQUERY_EMULATOR")
        self.folder = tempfile.mkdtemp(prefix="reeve-emulator-")
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([program, f"--project={project}", "--host=127.0.0.1", "--port=0", "--grpc-port=0", "--log-level=error"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env={**os.environ, "TMPDIR": self.folder}, preexec_fn=_die_with_parent)
        match = re.search(r"REST .*?(\d+\.\d+\.\d+\.\d+:\d+)", self.process.stdout.readline())
        if match is None:
            self.stop()
            raise RuntimeError("the emulator did not start")
        self.url = f"http://{match[1]}"
        self._wait()

    def _wait(self):
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{self.url}/bigquery/v2/projects/{self.project}/datasets", timeout=10).read()
                return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        self.stop()
        raise RuntimeError("the emulator does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
