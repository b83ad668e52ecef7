"""The files of the project, as the rules see them. Reads only."""

import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SKIPPED_DIRS = {".git", "build", "node_modules", "__pycache__"}


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.message}"


class Tree:
    """A project directory: the files that are tracked or would be (git), or all of them where git is not there."""

    def __init__(self, root):
        self.root = Path(root)
        self.files = sorted(p for p in (self._git_files() or self._walked_files()) if (self.root / p).is_file())

    def _git_files(self):
        if not (self.root / ".git").exists():
            return None
        try:
            out = subprocess.run(["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                 check=True, capture_output=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return None
        return {name for name in out.decode("utf-8", "surrogateescape").split("\0") if name}

    def _walked_files(self):
        found = set()
        for folder, folders, names in os.walk(self.root):
            folders[:] = [d for d in folders if d not in SKIPPED_DIRS and not d.startswith("build-")]
            found.update(os.path.relpath(os.path.join(folder, n), self.root) for n in names)
        return found

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        """The text of a file; "" for what is no text."""
        data = (self.root / path).read_bytes()
        if b"\0" in data[:4096]:
            return ""
        return data.decode("utf-8", "replace")

    def sources(self, top=("src",)):
        """The C++ files below the folders `top`."""
        return [p for p in self.files if p.split("/")[0] in top and p.endswith((".h", ".cc"))]

    def exists(self, path):
        return (self.root / path).exists()


def is_test(path):
    """Tests, and what only they include: x_testing.h beside the code."""
    return path.endswith(("_test.cc", "_testing.h")) or path.startswith("tests/")


def folder_of(path):
    """src/migrate/copy/plan.h -> migrate/copy"""
    folder = os.path.dirname(path)
    return folder.removeprefix("src").strip("/") if folder == "src" or folder.startswith("src/") else folder
