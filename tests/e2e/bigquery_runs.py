"""What the end-to-end tests of BigQuery share: the real program between two projects of one server, in a folder of its own.

Needs the built program (REEVE_BINARY_DIR, set by ctest; else build/release).
"""

import json
import shutil
import subprocess
from pathlib import Path

import kill_harness
from kill_harness import AS_OF, ENVIRONMENT, REEVE, Fault

CENTRAL = "customers_metadata"
TIMEOUT_S = 300
ARRIVING = ("customers", "customer_subscriptions", "customer_api_keys", "customer_credentials", "customer_usage")


def sample(tenants, seed, *more):
    """(directory, the oracle's expectation) of an estate."""
    folder = kill_harness.workspace()
    kill_harness.run("sample", "--tenants", tenants, "--seed", seed, "--as-of", AS_OF, "--out", f"export:{folder / 'estate'}", "--quiet", *more, expect=(0,))
    return folder / "estate", folder / "estate.expected"


def lines(file):
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


class Runs:
    """reeve, told to use one server, in one folder."""

    def __init__(self, server, central=CENTRAL):
        self.server, self.central = server, central
        self.folder = kill_harness.workspace()
        self.source, self.store = f"bigquery:{server.project}", f"bigquery:{server.project}/{central}"
        self.environment = {**ENVIRONMENT, "BIGQUERY_EMULATOR_HOST": server.url}

    def command(self, *words):
        return [str(REEVE), *map(str, words)]

    def migrate_words(self):
        return "migrate", "--from", self.source, "--to", self.store, "--yes", "--as-of", AS_OF, "--quiet", "-o", "json"

    def run(self, *words, expect=(0,)):
        """A finished `reeve …`."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=TIMEOUT_S, env=self.environment, cwd=self.folder,
                              stdin=subprocess.DEVNULL)
        if expect is not None and done.returncode not in expect:
            raise Fault(f"{' '.join(done.args)}: exit {done.returncode}, expected {expect}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done

    def json(self, *words, expect=(0,)):
        return json.loads(self.run(*words, "-o", "json", expect=expect).stdout)

    def migrate(self, expect=(0,)):
        return json.loads(self.run(*self.migrate_words(), expect=expect).stdout)

    def start_migrate(self):
        return subprocess.Popen(self.command(*self.migrate_words()), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                env=self.environment, cwd=self.folder)

    def exported(self):
        """The folder that `reeve export` wrote."""
        target = self.folder / "export"
        shutil.rmtree(target, ignore_errors=True)
        self.run("export", "--store", self.store, "--out", target, "--quiet")
        return target

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)
