"""Completion in the shells themselves: zsh at a pseudo terminal, as a person types; fish by its own `complete -C`. (bash: cli_test.cc.)"""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import testing  # noqa: E402

BINARIES = Path(os.environ["REEVE_BINARY_DIR"]) / "src"
PATIENCE = 30  # seconds until a shell is said not to answer

# What is typed before the tab, and what must then stand on the screen.
CASES = (
    ("reeve mig", ("reeve migrate",)),
    ("reeve schema ", ("apply", "check", "print")),
    ("reeve migrate --fr", ("--from",)),
    ("reeve status -o ", ("json", "table")),
    ("reeve migrate --from export:tes", ("export:tests/",)),
)


def environment():
    return {**os.environ, "PATH": f"{BINARIES}:{os.environ['PATH']}", "TERM": "dumb", "LC_ALL": "C.UTF-8"}


class Terminal:
    """A shell at a pseudo terminal."""

    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(os.environ["REEVE_SOURCE_DIR"])
            os.execvpe(command[0], command, environment())

    def type(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, *words):
        """The screen's text once all words are there, or when patience is over."""
        seen, end = "", time.monotonic() + PATIENCE
        while time.monotonic() < end and not all(word in seen for word in words):
            if select.select([self.fd], [], [], 0.2)[0]:
                seen += os.read(self.fd, 65536).decode(errors="replace")
        return seen

    def close(self):
        os.close(self.fd)  # the shell gets a hang-up
        os.waitpid(self.pid, 0)


class Completion(unittest.TestCase):
    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_completes_commands_options_values_and_files(self):
        for typed, expected in CASES:
            with self.subTest(typed=typed):
                terminal = Terminal("zsh", "-f", "-i")
                try:
                    terminal.type("PS1='ready''> '; autoload -Uz compinit; compinit -u -D; source <(reeve completion zsh)\n")
                    self.assertIn("ready> ", terminal.read_until("ready> "))
                    terminal.type(typed + "\t\t")
                    screen = terminal.read_until(*expected)
                finally:
                    terminal.close()
                for word in expected:
                    self.assertIn(word, screen)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes_commands_options_values_and_files(self):
        for typed, expected in CASES:
            with self.subTest(typed=typed):
                out = subprocess.run(["fish", "--no-config", "-c", f"source (reeve completion fish | psub); complete -C '{typed}'"], capture_output=True, text=True,
                                     timeout=PATIENCE, env=environment(), cwd=os.environ["REEVE_SOURCE_DIR"])
                self.assertEqual(out.stderr, "")
                words = [line.split("\t")[0] for line in out.stdout.splitlines()]
                for word in expected:
                    self.assertIn(word.split()[-1], words)


if __name__ == "__main__":
    testing.main()
